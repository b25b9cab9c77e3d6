"""A branch carries the number of a ticket that the change is linked to, so that one leads to the other."""

from __future__ import annotations

import re

from shared.domain.change import ChangeEvidence, LinkedItem, Unknown
from shared.domain.definition import GateId
from shared.domain.review import Effort, Judgement
from shared.gates import Asked, Gate

_NUMBER = re.compile(r"(?<![0-9.])([0-9]{1,9})(?![0-9A-Za-z]|\.[0-9])")
"""Not part of a version (1.2), of a date written in one, or of a hash."""


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether a number in the branch's name is that of a linked ticket."""
    change = evidence.change
    if change.author.bot:
        return Judgement.not_applicable(f"{change.author.login}, a program, names its branches itself")
    numbers = [int(one) for one in _NUMBER.findall(change.source)]
    if not numbers:
        return Judgement.unmet(f"the branch {change.source!r} carries no number")
    if isinstance(evidence.items, Unknown):
        return Judgement.unseen(f"the tickets that {_listed(numbers)} in {change.source!r} could name", evidence.items)
    return _compared(change.source, numbers, evidence.items)


def _compared(branch: str, numbers: list[int], items: tuple[LinkedItem, ...]) -> Judgement:
    linked = [item.id for item in items]
    above = [parent.id for item in items for parent in item.parents]
    if named := [one for one in numbers if one in linked or one in above]:
        return Judgement.met(f"the branch {branch!r} names ticket #{named[0]}", measured={"ticket": named[0]})
    if not linked:
        return Judgement.unmet(
            f"the branch {branch!r} carries {_listed(numbers)}, and no ticket is linked that it could be",
            remedy=f"Link ticket #{numbers[0]} to the pull request, if that is the one.",
        )
    return Judgement.unmet(
        f"the branch {branch!r} carries {_listed(numbers)}; linked is {_listed(linked)}",
        remedy=f"Link the ticket the branch names, or name the branch after #{linked[0]}.",
    )


def _listed(numbers: list[int]) -> str:
    return ", ".join(f"#{one}" for one in numbers[:5])


GATE = Gate(
    id=GateId.BRANCH_NAMES_ITS_TICKET,
    motivation="Whoever finds a branch or a commit later sees at once why it is there; a number nobody linked leads nowhere.",
    reads=("change", "items"),
    effort=Effort.MINUTES,
    remedy="Rename the branch after its ticket, such as `feature/123-short-words`, and open the pull request from it.",
    evaluate=evaluate,
)
