"""Decides which parent is the most plausible for an item, by evidence that can be told, or that nobody can tell."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

from shared.domain.backlog import Entry
from shared.domain.forge import Frozen

KIN = 4
AREA = 2
TAG = 2
MOST_TAGS = 4
WORD = 1
MOST_WORDS = 4
LEAST = 2
"""Points a parent needs; one shared word is a coincidence."""

OURS = "doneright:"
"""How the tags begin by which Doneright finds its own items again; they say nothing about content."""
_WORD = re.compile(r"\w{4,}")
_COMMON = frozenset(
    {
        "about", "after", "also", "been", "before", "from", "have", "into", "make", "more", "must", "need", "needs",
        "only", "other", "over", "should", "some", "than", "that", "their", "them", "then", "there", "these", "they",
        "this", "those", "unsorted", "what", "when", "where", "which", "while", "will", "with", "without", "work",
        "would", "your",
    }
)  # fmt: skip


class Plausible(Frozen):
    """The parent the evidence speaks for; without one, the candidates that came closest."""

    parent: int | None = None
    reason: str
    candidates: tuple[int, ...] = ()


@lru_cache(maxsize=8192)
def words(title: str) -> frozenset[str]:
    """The words of a title that say something: four letters or more, whatever their case, one or many of a thing."""
    return frozenset(word.removesuffix("s") for word in _WORD.findall(title.casefold()) if word not in _COMMON)


def most_plausible(item: Entry, candidates: Sequence[Entry], parents: Mapping[int, int | None]) -> Plausible:
    """The one of ``candidates`` that the evidence speaks for; ``parents`` is the forest as it stands.

    The best needs ``LEAST`` points and more than any other; the only candidate there is needs none.
    """
    if not candidates:
        return Plausible(reason="the project has no open item it could hang on")
    if len(candidates) == 1:
        only = candidates[0]
        return Plausible(parent=only.id, reason=f"#{only.id} is the only open {only.type} it could hang on")
    present = parents.get(item.id)
    above = _above(present, parents)
    ranked = sorted(
        ((*_evidence(item, one, parents, present, above), one.id) for one in candidates),
        key=lambda row: (-row[0], row[2]),
    )
    (best, reasons, chosen), (second, _, runner_up) = ranked[0], ranked[1]
    if best < LEAST:
        return Plausible(reason=f"nothing it has in common with any of {len(candidates)} candidates tells which")
    if best == second:
        return Plausible(
            reason=f"#{chosen} and #{runner_up} are as plausible as each other", candidates=(chosen, runner_up)
        )
    return Plausible(parent=chosen, reason=f"#{chosen} is the most plausible: {'; '.join(reasons)}")


def _above(start: int | None, parents: Mapping[int, int | None]) -> frozenset[int]:
    """The ancestors of ``start``; a circle ends where it closes."""
    seen: set[int] = set()
    current = parents.get(start) if start is not None else None
    while current is not None and current not in seen:
        seen.add(current)
        current = parents.get(current)
    return frozenset(seen)


def _evidence(
    item: Entry,
    candidate: Entry,
    parents: Mapping[int, int | None],
    present: int | None,
    above: frozenset[int],
) -> tuple[int, list[str]]:
    points, reasons = 0, []
    if present is not None and parents.get(candidate.id) == present:
        points += KIN
        reasons.append(f"it is below #{present}, which #{item.id} hangs on now")
    if candidate.id in above:
        points += KIN
        reasons.append(f"it is above #{present}, which #{item.id} hangs on now")
    # The root area is where everything is that nobody has put elsewhere.
    if "\\" in item.area and item.area.casefold() == candidate.area.casefold():
        points += AREA
        reasons.append(f"the same area, {item.area}")
    if tags := sorted(_content_tags(item) & _content_tags(candidate)):
        points += min(TAG * len(tags), MOST_TAGS)
        reasons.append(f"the same tags: {', '.join(tags)}")
    if same := sorted(words(item.title) & words(candidate.title)):
        points += min(WORD * len(same), MOST_WORDS)
        reasons.append(f"words of the title: {', '.join(same)}")
    return points, reasons


def _content_tags(entry: Entry) -> set[str]:
    own = entry.type.casefold()
    return {tag.casefold() for tag in entry.tags if not tag.casefold().startswith(OURS) and tag.casefold() != own}
