"""What a linked work item or issue says: its level, the requirement it is part of, and every text people wrote on it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domain.change import LinkedItem
from shared.domain.definition import WorkItemKind

_TYPES = {
    "epic": WorkItemKind.EPIC, "feature": WorkItemKind.FEATURE, "enhancement": WorkItemKind.FEATURE,
    "user story": WorkItemKind.REQUIREMENT, "story": WorkItemKind.REQUIREMENT, "requirement": WorkItemKind.REQUIREMENT,
    "product backlog item": WorkItemKind.REQUIREMENT, "task": WorkItemKind.TASK, "bug": WorkItemKind.BUG,
}  # fmt: skip
_PREFIX = re.compile(r"^(?:type|kind|level|category)\s*[:/]\s*")


def plain_name(name: str) -> str:
    """A label or type as people mean it: ``type: User-Story`` is ``user story``."""
    return _PREFIX.sub("", " ".join(re.sub(r"[-_]", " ", name.casefold()).split()))


def item_kind(item: LinkedItem) -> WorkItemKind | None:
    """The level of a ticket: as its process says, else as its type or, on an issue, a label names it."""
    if item.kind is not None:
        return item.kind
    return next((kind for name in (item.type, *item.tags) if (kind := _TYPES.get(plain_name(name)))), None)


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
    yield from (one for one in (item.body, item.acceptance, *item.fields.values(), *item.comments) if one.strip())
