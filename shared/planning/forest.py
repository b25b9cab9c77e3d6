"""A backlog as a forest that proposed changes can be tried on before anybody makes them."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.backlog import Backlog, BacklogLevel, Entry, Fix, Standing

UNSORTED = "Unsorted"
_CONTAINER_TAG = "doneright:unsorted-"


def container_key(type_: str) -> str:
    """The key that finds the container of a type again."""
    return f"unsorted-{type_.casefold().replace(' ', '-')}"


def is_container(entry: Entry) -> bool:
    """Whether Doneright made the item to keep others until a person has sorted them."""
    return any(tag.casefold().startswith(_CONTAINER_TAG) for tag in entry.tags)


class Forest:
    """Items by id with the parents they have; changes are tried here and reach no forge."""

    def __init__(self, backlog: Backlog) -> None:
        """The forest as the forge shows it."""
        self.ladder = backlog.ladder
        self.entries = {entry.id: entry for entry in backlog.entries}
        self.elsewhere = {entry.id: entry for entry in backlog.elsewhere}
        self.parents: dict[int, int | None] = {entry.id: entry.parent for entry in backlog.entries}

    def level(self, entry: Entry) -> int | None:
        """The level an item stands on."""
        return self.ladder.level_of(entry.type)

    def reaches(self, start: int, wanted: int) -> bool:
        """Whether ``wanted`` is ``start`` or stands above it."""
        seen: set[int] = set()
        current: int | None = start
        while current is not None and current not in seen:
            if current == wanted:
                return True
            seen.add(current)
            current = self.parents.get(current)
        return False

    def cycles(self) -> list[tuple[int, ...]]:
        """Every circle of parents, each once, its members by id."""
        ended: set[int] = set()
        found: list[tuple[int, ...]] = []
        for start in sorted(self.parents):
            path: dict[int, int] = {}
            current: int | None = start
            while current is not None and current not in path and current not in ended:
                path[current] = len(path)
                current = self.parents.get(current)
            if current is not None and current in path:
                found.append(tuple(sorted(item for item, place in path.items() if place >= path[current])))
            ended.update(path)
        return found

    def candidates(self, item: Entry, level: int) -> list[Entry]:
        """Open items of ``level`` that ``item`` could hang on without closing a circle, by id."""
        return [
            entry
            for _, entry in sorted(self.entries.items())
            if entry.standing is Standing.OPEN
            and self.level(entry) == level
            and entry.id != item.id
            and not is_container(entry)
            and not self.reaches(entry.id, item.id)
        ]

    def container(self, level: BacklogLevel) -> Entry | None:
        """The container of a level, whatever its state."""
        tag = f"doneright:{container_key(level.name)}"
        found = (entry for _, entry in sorted(self.entries.items()) if tag in {one.casefold() for one in entry.tags})
        return next(found, None)

    def contain(self, rank: int) -> int | None:
        """The id of the open container of level ``rank``, made with those above it where they lack.

        What is made here has a negative id. ``None`` where a container stands that work no longer goes on in.
        """
        level = self.ladder.levels[rank]
        there = self.container(level)
        if there is not None:
            return there.id if there.standing is Standing.OPEN and self.level(there) == rank else None
        above = self.contain(rank - 1) if rank else None
        if rank and above is None:
            return None
        made = Entry(
            id=-(rank + 1),
            type=level.name,
            title=UNSORTED,
            parent=above,
            tags=(f"doneright:{container_key(level.name)}",),
        )
        self.entries[made.id] = made
        self.parents[made.id] = above
        return made.id

    def hang(self, fix: Fix) -> bool:
        """Try ``fix``; ``False``, changing nothing, when it would close a circle or what it needs is not there."""
        target = fix.parent
        if fix.container:
            rank = self.ladder.level_of(fix.container)
            target = None if rank is None else self.contain(rank)
            if target is None:
                return False
        if fix.item not in self.entries or (target is not None and target not in self.entries):
            return False
        if target is not None and self.reaches(target, fix.item):
            return False
        self.parents[fix.item] = target
        return True

    def as_backlog(self, backlog: Backlog) -> Backlog:
        """``backlog`` as it would be with the changes tried so far."""
        entries = (entry.model_copy(update={"parent": self.parents[entry.id]}) for entry in self.entries.values())
        return backlog.model_copy(update={"entries": tuple(sorted(entries, key=lambda entry: entry.id))})


def after(backlog: Backlog, fixes: Iterable[Fix]) -> Backlog:
    """``backlog`` as it would be once ``fixes`` were applied, in their order."""
    forest = Forest(backlog)
    for fix in fixes:
        forest.hang(fix)
    return forest.as_backlog(backlog)
