"""A branch holds what it goes to: it lacks none of the target's commits, and merges without a conflict."""

from __future__ import annotations

from shared.domain.change import Change, ChangeEvidence
from shared.domain.definition import GateId
from shared.domain.review import Effort, Judgement, Outcome
from shared.gates import Asked, Gate

_BOTH = ("commits_behind", "conflicts")
_WORST_FIRST = (Outcome.UNMET, Outcome.NOT_AVAILABLE, Outcome.MET)


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether the branch lacks no more than ``commits_behind`` and has no more than ``conflicts``, whichever is asked."""
    change = evidence.change
    wanted = [name for name in _BOTH if name in asked.thresholds] or list(_BOTH)
    found = {"commits_behind": _behind, "conflicts": _conflicts}
    parts = [found[name](change, asked.figure(name, 0)) for name in wanted]
    measured = {name: value for part in parts for name, value in part.measured.items()}
    worst = min((part.outcome for part in parts), key=_WORST_FIRST.index)
    told = [part for part in parts if part.outcome is worst]
    return Judgement(
        outcome=worst,
        reason="; ".join(part.reason for part in told),
        remedy=" ".join(part.remedy for part in told if part.remedy),
        measured=measured,
    )


def _behind(change: Change, limit: float) -> Judgement:
    if change.behind is None:
        return Judgement.not_available(
            f"the forge does not say whether {change.source!r} lacks commits of {change.target!r}"
        )
    measured = {"commits_behind": change.behind}
    if change.behind <= limit:
        lacks = f"lacks {change.behind} commits, which is allowed," if change.behind else "holds the newest commit"
        return Judgement.met(f"{change.source!r} {lacks} of {change.target!r}", measured=measured)
    return Judgement.unmet(
        f"{change.source!r} lacks {change.behind} {'commit' if change.behind == 1 else 'commits'} of {change.target!r}; "
        f"{limit:g} are allowed",
        measured=measured,
        remedy=f"Merge {change.target} into {change.source}, or rebase onto it, and push.",
    )


def _conflicts(change: Change, limit: float) -> Judgement:
    if change.conflicts is None:
        return Judgement.not_available("the forge has not tried to merge the branch yet")
    measured = {"conflicts": int(change.conflicts)}
    if int(change.conflicts) <= limit:
        return Judgement.met(f"it merges into {change.target!r} without a conflict", measured=measured)
    return Judgement.unmet(
        f"it does not merge into {change.target!r} without a conflict",
        measured=measured,
        remedy="Resolve the conflicts on the branch and push.",
    )


GATE = Gate(
    id=GateId.BRANCH_IS_UP_TO_DATE,
    motivation="What was tested is what is merged only where the branch holds all that it is merged into.",
    reads=("change",),
    effort=Effort.MINUTES,
    remedy="Merge or rebase onto the target branch, resolve what conflicts, and push.",
    evaluate=evaluate,
    takes=_BOTH,
)
