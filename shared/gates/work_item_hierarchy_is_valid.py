"""Every ticket of a change hangs where its process wants it: a task on a requirement, that on a feature, that on an epic."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from shared.domain.backlog import BacklogLevel, Ladder
from shared.domain.change import ChangeEvidence, LinkedItem, Unknown
from shared.domain.definition import GateId, WorkItemKind
from shared.domain.forge import ForgeName
from shared.domain.process import HIERARCHY
from shared.domain.project import Process
from shared.domain.review import Effort, Judgement, Outcome, Remark
from shared.evidence.prose.tickets import item_kind, meant, named
from shared.gates import Asked, Gate

_ANY = ("Epic", "Feature", "Requirement", "Task")
"""Where no process is known, by the levels that all of them have."""
_WORST_FIRST = (Outcome.UNMET, Outcome.NOT_AVAILABLE, Outcome.MET, Outcome.NOT_APPLICABLE)


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether each linked ticket, and each one above it, has the parent that the process prescribes."""
    if isinstance(evidence.items, Unknown):
        return Judgement.unseen("the linked work items", evidence.items)
    if not evidence.items:
        return Judgement.not_applicable("no ticket is linked whose parent could be wrong")
    ladder = _ladder(evidence.process)
    judged = [
        part
        for item in meant(evidence.change, evidence.items)
        for part in _judged(item, ladder, board=bool(evidence.process))
    ]
    worst = min((part.outcome for part in judged), key=_WORST_FIRST.index)
    told = list(dict.fromkeys(part.reason for part in judged if part.outcome is worst))
    # A place in the change cannot be named: tickets stand beside it.
    remarks = tuple(Remark(message=one, rule="wrong_parent") for one in told) if worst is Outcome.UNMET else ()
    remedies = dict.fromkeys(part.remedy for part in judged if part.outcome is worst and part.remedy)
    return Judgement(outcome=worst, reason=" ".join(told), remedy=" ".join(remedies), remarks=remarks)


def _ladder(process: str) -> Ladder:
    names = HIERARCHY[Process(process)] if process in set(Process) else _ANY
    return Ladder(levels=tuple(BacklogLevel(types=(name,)) for name in names))


def _level(item: LinkedItem, ladder: Ladder) -> int | None:
    """0 at the top; by its type where the process has it, else by the level its type has."""
    found = ladder.level_of(item.type) if item.type else None
    if found is not None:
        return found
    last = len(ladder.levels) - 1
    kind = item_kind(item)
    if kind is WorkItemKind.FEATURE:
        return ladder.level_of("Feature")
    return (
        {
            WorkItemKind.EPIC: 0,
            WorkItemKind.REQUIREMENT: last - 1,
            WorkItemKind.BUG: last - 1,
            WorkItemKind.TASK: last,
        }.get(kind)
        if kind
        else None
    )


def _judged(item: LinkedItem, ladder: Ladder, *, board: bool) -> Iterator[Judgement]:
    if _level(item, ladder) is None:
        yield _placeless(item, ladder)
        return
    chain = (item, *item.parents)
    if len({(one.forge, one.id, one.project.casefold()) for one in chain}) < len(chain):
        yield Judgement.unmet(
            f"{_A(item)} stands above itself.", remedy=f"Take #{item.id} off its parent, and hang it anew."
        )
        return
    for below, above in pairwise(chain):
        if _level(below, ladder) is not None:
            yield _link(below, above, ladder)
    yield _top(chain[-1], ladder, board=board)


def _placeless(item: LinkedItem, ladder: Ladder) -> Judgement:
    if item.type and item.forge is ForgeName.AZURE_DEVOPS:
        return Judgement.not_applicable(f"{_A(item)} has no place in {ladder.described()}.")
    return Judgement.not_applicable(f"{_A(item)} names no level, so no parent is prescribed.")


def _link(item: LinkedItem, parent: LinkedItem, ladder: Ladder) -> Judgement:
    level, held = _level(item, ladder), _level(parent, ladder)
    if level is None:
        raise ValueError(f"{item.type} has no level")
    should = _should(level, ladder)
    place = f"{_A(item)} hangs on {named(parent)}"
    remedy = f"Hang #{item.id} on {should}." if level else f"Take #{item.id} off #{parent.id}."
    ends = f"; in {ladder.described()} it hangs on {should}."
    if parent.state.casefold() == "removed":
        return Judgement.unmet(f"{place}, which was removed{ends}", remedy=remedy)
    bug = item_kind(item) is WorkItemKind.BUG
    # Teams keep bugs beside requirements or beside tasks; both are the process's own settings.
    allowed = {level - 1, level} if bug else {level - 1}
    if held in allowed:
        return Judgement.met(f"{place}.")
    if held is None:
        return Judgement.unmet(f"{place}, which stands outside of the hierarchy{ends}", remedy=remedy)
    if held >= level:
        why = "on the same level" if held == level else "below it"
        return Judgement.unmet(f"{place}, which stands {why}{ends}", remedy=remedy)
    between = " and ".join(one.name for one in ladder.levels[held + 1 : level])
    return Judgement.unmet(f"{place} and leaves out {between}{ends}", remedy=remedy)


def _top(item: LinkedItem, ladder: Ladder, *, board: bool) -> Judgement:
    level = _level(item, ladder)
    if not level:
        return Judgement.met(f"{_A(item)} stands at the top.")
    if item_kind(item) is WorkItemKind.BUG:
        return Judgement.met(f"{_A(item)} needs no parent.")
    should = _should(level, ladder)
    told = f"{_A(item)} hangs on nothing; in {ladder.described()} it hangs on {should}."
    if item.forge is ForgeName.GITHUB:
        # A level that a repository does not keep is not missed, and the change does not show which it keeps.
        return Judgement.not_available(f"{told} Whether the repository keeps that level is not known.")
    if not board:
        return Judgement.not_available(f"{_A(item)} hangs on nothing, and the process of its board is not known.")
    return Judgement.unmet(told, remedy=f"Hang #{item.id} on {should}.")


def _should(level: int, ladder: Ladder) -> str:
    if not level:
        return "nothing: it is the top"
    name = ladder.levels[level - 1].name
    return f"{'an' if name[0] in 'AEIO' else 'a'} {name}"


def _A(item: LinkedItem) -> str:  # noqa: N802 - begins a sentence
    told = named(item)
    return told[:1].upper() + told[1:]


GATE = Gate(
    id=GateId.WORK_ITEM_HIERARCHY_IS_VALID,
    motivation="Progress is added up from tasks to epics; a ticket in the wrong place is counted nowhere, or twice.",
    reads=("change", "items", "process"),
    effort=Effort.MINUTES,
    remedy="Set the parent that the process prescribes; the report of the backlog proposes one.",
    evaluate=evaluate,
)
