"""A ticket says how to see that it is met: scenarios in Given-When-Then, or a checklist."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, LinkedItem, Unknown
from shared.domain.definition import GateId, WorkItemKind
from shared.domain.review import Effort, Judgement
from shared.evidence.prose.scenarios import Scenario, checklist, complete, scenarios
from shared.evidence.prose.tickets import further, item_kind, meant, named, served
from shared.gates import Asked, Gate

_ASKED_OF = frozenset({WorkItemKind.FEATURE, WorkItemKind.REQUIREMENT, WorkItemKind.BUG, None})
"""A ticket whose level nobody knows may be one of them."""
_MOST_NAMED = 3


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether every ticket, or what a task of it is part of, has as many ``scenarios`` as are asked for."""
    if isinstance(evidence.items, Unknown):
        return Judgement.unseen("the linked work items", evidence.items)
    tickets = list(
        {(one.forge, one.project, one.id): one for one in map(served, meant(evidence.change, evidence.items))}.values()
    )
    tickets = [one for one in tickets if item_kind(one) in _ASKED_OF]
    if not tickets:
        return Judgement.not_applicable("no feature, requirement or bug is linked")
    wanted = asked.figure("scenarios", 1)
    counted = {one.id: _found(one) for one in tickets}
    fewest = min(len(done) for done, _ in counted.values())
    measured = {"scenarios": fewest}
    if fewest >= wanted:
        told = "; ".join(f"{named(one)} has {len(counted[one.id][0])}" for one in tickets)
        return Judgement.met(f"criteria to see that it is met: {told}", measured=measured)
    short = [one for one in tickets if len(counted[one.id][0]) < wanted]
    told = "; ".join(_told(one, *counted[one.id]) for one in short[:_MOST_NAMED])
    return Judgement.unmet(
        f"{told}; {wanted:g} are asked for",
        measured=measured,
        remedy=f"Add scenarios to #{short[0].id}: Given where it starts, When somebody does something, Then what shows; one for "
        "the ordinary case and one for each way it can go wrong.",
    )


def _found(ticket: LinkedItem) -> tuple[list[str], list[Scenario]]:
    """What counts, and the scenarios that lack a part."""
    # Comments discuss; what is agreed stands in the ticket.
    texts = [ticket.body, *further(ticket)]
    told = [one for text in (ticket.acceptance, *texts) for one in scenarios(text)]
    points = [*checklist(ticket.acceptance, whole=True), *(one for text in texts for one in checklist(text))]
    whole = complete(told)
    names = [" / ".join((*one.given, *one.when, *one.then)) for one in whole]
    return list(dict.fromkeys([*names, *points])), [one for one in told if one.lacks]


def _told(ticket: LinkedItem, done: list[str], lacking: list[Scenario]) -> str:
    said = f"{named(ticket)} has {len(done)}"
    if lacking:
        one = lacking[0]
        said += f" ({repr(one.name[:60]) + ' ' if one.name else 'one more '}lacks {' and '.join(one.lacks)})"
    return said


GATE = Gate(
    id=GateId.REQUIREMENT_HAS_ACCEPTANCE_CRITERIA,
    motivation="Without a way to see that it is met, a requirement is done when its author is tired of it.",
    reads=("change", "items"),
    effort=Effort.HOURS,
    remedy="Add scenarios in Given-When-Then to the ticket: one for the ordinary case and one for each way it can go wrong.",
    evaluate=evaluate,
    takes=("scenarios",),
)
