"""Which lines of a file at the head a change is answerable for, so that findings elsewhere are not held against it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from shared.domain.change import ChangedFile, FileStatus
from shared.evidence.changes.lines import added

_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(?P<start>\d+)(?:,(?P<length>\d+))? @@")


class Touched:
    """The lines of one file at the head that the change added, or around which it took some away."""

    def __init__(self, file: ChangedFile) -> None:
        self._all = False
        if file.status is FileStatus.ADDED:
            self._all = True
            self.added: frozenset[int] = frozenset()
            self.beside: frozenset[int] = frozenset()
        elif file.patch is not None:
            self.added = frozenset(line.number for line in added(file))
            self.beside = frozenset(_beside_removals(file.patch))
        elif file.before is not None and file.content is not None:
            self.added, self.beside = _compared(file.before, file.content)
        else:
            # Nobody knows which lines are new. To hold all against the change shows too much, never too little.
            self._all = bool(file.additions or file.deletions or file.status is not FileStatus.RENAMED)
            self.added = self.beside = frozenset()

    def is_added(self, start: int, end: int | None = None) -> bool:
        """Whether a line from ``start`` to ``end`` was added."""
        return self._all or _meets(self.added, start, end)

    def is_touched(self, start: int, end: int | None = None) -> bool:
        """Whether a line from ``start`` to ``end`` was added, or stands where one was taken away."""
        return self.is_added(start, end) or _meets(self.beside, start, end)

    @property
    def nothing(self) -> bool:
        """Whether no line is new and none was taken away: a renaming, or a change of mode."""
        return not (self._all or self.added or self.beside)


def _meets(lines: frozenset[int], start: int, end: int | None) -> bool:
    last = start if end is None else max(start, end)
    if last - start < len(lines):
        return any(number in lines for number in range(start, last + 1))
    return any(start <= number <= last for number in lines)


def _beside_removals(patch: str) -> Iterator[int]:
    """The lines at the head around each run of lines that went and in whose place none came."""
    number, ran, gone = 0, "", 0
    for line in [*patch.split("\n"), "@@"]:
        sign = line[:1]
        if sign == "\\":
            continue
        if ran == "-" and sign not in {"-", "+"}:
            yield from (one for one in (gone - 1, gone) if one > 0)
        if begin := _HUNK.match(line):
            # A hunk that leaves nothing at the head names the line before it.
            number = int(begin["start"]) + (1 if begin["length"] == "0" else 0)
        elif sign == "-":
            gone = number
        else:
            number += 1
        ran = "+" if sign == "-" and ran == "+" else sign


def _compared(before: str, after: str) -> tuple[frozenset[int], frozenset[int]]:
    old, new = before.split("\n"), after.split("\n")
    lines: set[int] = set()
    beside: set[int] = set()
    for kind, _, _, start, end in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind != "equal":
            lines.update(range(start + 1, end + 1))
        if kind == "delete":
            beside.update(one for one in (start, start + 1) if one > 0)
    return frozenset(lines), frozenset(beside)
