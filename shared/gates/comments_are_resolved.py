"""Every discussion of a change that can be settled is settled."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Thread, Unknown
from shared.domain.definition import GateId
from shared.domain.publication import OWN_MARK
from shared.domain.review import Effort, Judgement
from shared.gates import Asked, Gate

_MOST_NAMED = 5
_LONGEST_PATH = 200


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether no more than ``open`` threads wait, also those beside lines that changed since.

    A remark of Doneright's that nobody answered is no discussion: what it says is judged by a gate of its own, anew with
    every push, and counted here it would keep itself open.
    """
    if isinstance(evidence.threads, Unknown):
        return Judgement.unseen("the discussions", evidence.threads)
    limit = asked.figure("open", 0)
    counted = [one for one in evidence.threads if one.resolvable and not _only_ours(one)]
    settled = [one for one in counted if one.resolved]
    waiting = [one for one in counted if not one.resolved]
    measured = {"open": len(waiting), "resolved": len(settled)}
    if len(waiting) <= limit:
        rest = f", {len(waiting)} open, which is allowed" if waiting else ""
        return Judgement.met(f"{len(settled)} discussions are resolved{rest}", measured=measured)
    more = f" and {len(waiting) - _MOST_NAMED} more" if len(waiting) > _MOST_NAMED else ""
    # No remarks: each would be said beside its line as another discussion that waits to be resolved.
    return Judgement.unmet(
        f"{len(waiting)} {'discussion is' if len(waiting) == 1 else 'discussions are'} open: "
        f"{'; '.join(_named(one) for one in waiting[:_MOST_NAMED])}{more}",
        measured=measured,
    )


def _only_ours(thread: Thread) -> bool:
    return bool(thread.comments) and all(one.body.lstrip().startswith(OWN_MARK) for one in thread.comments)


def _named(thread: Thread) -> str:
    place = thread.path[-_LONGEST_PATH:] + (f":{thread.line}" if thread.path and thread.line else "")
    first = thread.comments[0] if thread.comments else None
    who = first.author.login if first else ""
    return " by ".join(filter(None, (place or "the change as a whole", who)))


GATE = Gate(
    id=GateId.COMMENTS_ARE_RESOLVED,
    motivation="A remark that was read and forgotten is found again by users.",
    reads=("threads",),
    effort=Effort.HOURS,
    remedy="Answer or do what each open thread asks, then resolve it.",
    evaluate=evaluate,
    takes=("open",),
)
