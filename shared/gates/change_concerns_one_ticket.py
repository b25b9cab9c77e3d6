"""A change serves one ticket: what else was done on the way belongs to a change of its own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from shared.domain.change import ChangeCommit, ChangeEvidence, LinkedItem, Unknown
from shared.domain.definition import GateId
from shared.domain.review import Effort, Judgement
from shared.evidence.prose.tickets import meant, named
from shared.gates import Asked, Gate

_CLOSES = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?)\s*:?\s+((?:(?:AB)?#[0-9]{1,9}(?:\s*(?:,|and|&)\s*)?){1,20})",
    re.IGNORECASE,
)
"""Words by which both forges close a ticket:
https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/linking-a-pull-request-to-an-issue"""
_NUMBER = re.compile(r"#([0-9]{1,9})")


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether no more than ``tickets`` are linked or closed; a task and what it is part of are one."""
    if isinstance(evidence.items, Unknown):
        return Judgement.unseen("the linked work items", evidence.items)
    limit = asked.figure("tickets", 1)
    linked = list(_apart(meant(evidence.change, evidence.items)))
    commits = () if isinstance(evidence.commits, Unknown) else evidence.commits
    known = {one.id for item in evidence.items for one in (item, *item.parents)}
    further = sorted(set(_closed(evidence, commits)) - known)
    if not linked and len(further) <= 1:
        # A single number that is not linked is said by change_is_linked_to_work_item.
        if isinstance(evidence.commits, Unknown):
            return Judgement.unseen("the commits, which may name tickets,", evidence.commits)
        return Judgement.not_applicable("no ticket is linked that it could go beyond")
    names = [named(item) for item in linked] + [f"#{number}" for number in further]
    measured = {"tickets": len(names)}
    if len(names) > limit:
        return Judgement.unmet(f"it concerns {len(names)} tickets: {', '.join(names[:10])}", measured=measured)
    if isinstance(evidence.commits, Unknown):
        return Judgement.unseen("the commits, which may name further tickets,", evidence.commits, measured=measured)
    return Judgement.met(f"it concerns {', '.join(names)}", measured=measured)


def _apart(items: tuple[LinkedItem, ...]) -> Iterator[LinkedItem]:
    """The tickets that are about different things: none above another, none the other forge's copy of another."""
    kept: list[LinkedItem] = []
    for item in items:
        key = (item.forge, item.id)
        above = any(key == (one.forge, parent.id) for one in items if one is not item for parent in one.parents)
        if not above and not any(_copies(item, one) for one in kept):
            kept.append(item)
            yield item


def _copies(one: LinkedItem, other: LinkedItem) -> bool:
    if one.forge is other.forge:
        return one.id == other.id and one.project.casefold() == other.project.casefold()
    return one.title.casefold() == other.title.casefold() or _names(one, other) or _names(other, one)


def _names(one: LinkedItem, other: LinkedItem) -> bool:
    """Whether ``one`` is linked to ``other`` in its words, as Doneright and people link them across forges."""
    said = "\n".join((one.body, *one.comments))
    return bool(other.url and other.url in said) or bool(re.search(rf"\bAB#{other.id}\b", said))


def _closed(evidence: ChangeEvidence, commits: Iterable[ChangeCommit]) -> Iterator[int]:
    for text in (evidence.change.title, evidence.change.body, *(one.message for one in commits)):
        for found in _CLOSES.findall(text):
            yield from (int(number) for number in _NUMBER.findall(found))


GATE = Gate(
    id=GateId.CHANGE_CONCERNS_ONE_TICKET,
    motivation="Two things in one change cannot be reviewed, released or taken back one without the other.",
    reads=("change", "items", "commits"),
    effort=Effort.HOURS,
    remedy="Move what belongs to other tickets to pull requests of their own.",
    evaluate=evaluate,
    takes=("tickets",),
)
