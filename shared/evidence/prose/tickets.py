"""What a linked work item or issue says: its level, the requirement it is part of, and every text people wrote on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domain.change import Change, LinkedItem
from shared.domain.definition import WorkItemKind

_TYPES = {
    "epic": WorkItemKind.EPIC, "feature": WorkItemKind.FEATURE, "enhancement": WorkItemKind.FEATURE,
    "user story": WorkItemKind.REQUIREMENT, "story": WorkItemKind.REQUIREMENT, "requirement": WorkItemKind.REQUIREMENT,
    "product backlog item": WorkItemKind.REQUIREMENT, "task": WorkItemKind.TASK, "bug": WorkItemKind.BUG,
}  # fmt: skip
_HOW = "doneright.link"
"""Field by which a forge without links of its own says how an issue is meant: the change ``closes`` or only ``names`` it."""
_NAMES = "names"
_PREFIX = re.compile(r"^(?:type|kind|level|category)\s*[:/]\s*")


def plain_name(name: str) -> str:
    """A label or type as people mean it: ``type: User-Story`` is ``user story``."""
    return _PREFIX.sub("", " ".join(re.sub(r"[-_]", " ", name.casefold()).split()))


def item_kind(item: LinkedItem) -> WorkItemKind | None:
    """The level of a ticket: as its process says, else as its type or, on an issue, a label names it."""
    if item.kind is not None:
        return item.kind
    return next((kind for name in (item.type, *item.tags) if (kind := _TYPES.get(plain_name(name)))), None)


def meant(change: Change, items: tuple[LinkedItem, ...]) -> tuple[LinkedItem, ...]:
    """The tickets that the change is for: those linked or closed, and those its branch or title names.

    One that its description merely mentions is meant where nothing else is.
    """
    spoken = set(re.findall(r"(?<!\d)\d{1,9}(?!\d)", f"{change.source} {change.title}"))
    firm = tuple(one for one in items if one.fields.get(_HOW) != _NAMES or str(one.id) in spoken)
    return firm or items


def served(item: LinkedItem) -> LinkedItem:
    """The ticket that says what is wanted: ``item`` itself, or what the task it is belongs to."""
    if item_kind(item) is not WorkItemKind.TASK:
        return item
    for place, one in enumerate(item.parents):
        if item_kind(one) is not WorkItemKind.TASK:
            # Forges tell the chain once, at its lower end.
            return one.model_copy(update={"parents": one.parents or item.parents[place + 1 :]})
    return item


def named(item: LinkedItem) -> str:
    """The ticket in words: ``User Story #12 'Export orders'``."""
    return f"{item.type or 'ticket'} #{item.id} {item.title[:80]!r}"


def texts(item: LinkedItem) -> Iterator[str]:
    """Everything written on the ticket, each text by itself: description, acceptance criteria, other fields, comments."""
    yield from (one for one in (item.body, item.acceptance, *further(item), *item.comments) if one.strip())


def further(item: LinkedItem) -> tuple[str, ...]:
    """The texts of its other fields."""
    return tuple(text for name, text in item.fields.items() if name != _HOW)
