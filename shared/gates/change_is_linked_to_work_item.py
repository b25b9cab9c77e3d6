"""A change is linked to the ticket it serves, on the forge and not in words alone."""

from __future__ import annotations

import re

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.forge import ForgeName
from shared.domain.review import Effort, Judgement
from shared.evidence.prose.tickets import named
from shared.gates import Asked, Gate

_MENTIONED = re.compile(r"(?:#|\b)([0-9]{1,9})\b")
_MOST_NAMED = 5


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether as many tickets as ``links`` are linked; those that were removed do not count."""
    if isinstance(evidence.items, Unknown):
        return Judgement.unseen("the linked work items", evidence.items)
    wanted = asked.figure("links", 1)
    standing = [item for item in evidence.items if item.state.casefold() != "removed"]
    measured = {"links": len(standing)}
    if len(standing) >= wanted:
        told = ", ".join(named(item) for item in standing[:_MOST_NAMED]) or "nothing is asked for"
        return Judgement.met(f"linked: {told}", measured=measured)
    removed = len(evidence.items) - len(standing)
    rest = f"; {removed} linked before {'was' if removed == 1 else 'were'} removed" if removed else ""
    return Judgement.unmet(
        f"{len(standing)} of {wanted:g} tickets {'is' if len(standing) == 1 else 'are'} linked{rest}",
        measured=measured,
        remedy=_remedy(evidence),
    )


def _remedy(evidence: ChangeEvidence) -> str:
    change = evidence.change
    mentioned = _MENTIONED.search(change.source) or _MENTIONED.search(change.title)
    number = mentioned[1] if mentioned else "123"
    where = f"if {number} is its ticket" if mentioned else "with the number of its ticket"
    if change.ref.forge is ForgeName.AZURE_DEVOPS:
        return f"Link the work item on the pull request, or write #{number} into its description, {where}."
    return f"Write `Closes #{number}` for an issue, or `AB#{number}` for a work item, into the description, {where}."


GATE = Gate(
    id=GateId.CHANGE_IS_LINKED_TO_WORK_ITEM,
    motivation="A change nobody asked for cannot be weighed, found again or told to those who wait for it.",
    reads=("change", "items"),
    effort=Effort.MINUTES,
    remedy="Write the ticket's number into the description, or link the work item.",
    evaluate=evaluate,
    takes=("links",),
)
