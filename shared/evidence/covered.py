"""Puts the lines and branches of files together when several parts of a report tell of the same ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_COUNTS = ("lines_valid", "lines_covered", "branches_valid", "branches_covered")


class FileLines:
    """The lines of one file. What one part of the report ran was run."""

    __slots__ = ("_branches", "_lines", "_numbered")

    def __init__(self) -> None:
        self._numbered = True
        self._lines: dict[int, bool] = {}
        self._branches: dict[int, tuple[int, int]] = {}

    def line(self, number: int, *, hit: bool) -> None:
        """A line that can be run, and whether it was."""
        lines = self._lines
        if hit or number not in lines:
            lines[number] = hit

    def count(self, covered: int, valid: int) -> None:
        """So many lines, of which nobody tells the numbers."""
        self._numbered = False
        for number in range(1, valid + 1):
            self.line(number, hit=number <= covered)

    def branch(self, number: int, covered: int, valid: int) -> None:
        """How many of the ways on from a line there are, and were taken."""
        before = self._branches.get(number, (0, 0))
        self._branches[number] = (max(before[0], covered), max(before[1], valid))

    def add(self, other: FileLines) -> None:
        """Take over what ``other`` knows of the same file."""
        self._numbered = self._numbered and other._numbered
        for number, hit in other._lines.items():
            self.line(number, hit=hit)
        for number, (covered, valid) in other._branches.items():
            self.branch(number, covered, valid)

    def counts(self) -> dict[str, int]:
        """As the members of ``Counts``."""
        branches = self._branches.values()
        return {
            "lines_valid": len(self._lines),
            "lines_covered": sum(self._lines.values()),
            "branches_valid": sum(valid for _, valid in branches),
            "branches_covered": sum(covered for covered, _ in branches),
        }

    def numbers(self) -> dict[str, str]:
        """Which lines were run and which were not, as the members of ``FileCoverage``; none where only sums are known."""
        if not self._numbered:
            return {}
        hit = sorted(number for number, was in self._lines.items() if was)
        missed = sorted(number for number, was in self._lines.items() if not was)
        return {"hit": ranges(hit), "missed": ranges(missed)}


def ranges(numbers: Iterable[int]) -> str:
    """Ascending ``numbers`` without repetition as text: ``1-4,9``. A report has millions, so few stand for many."""
    parts: list[str] = []
    start = last = None
    for number in numbers:
        if last is not None and number == last + 1:
            last = number
            continue
        if start is not None:
            parts.append(str(start) if start == last else f"{start}-{last}")
        start = last = number
    if start is not None:
        parts.append(str(start) if start == last else f"{start}-{last}")
    return ",".join(parts)


def numbers_in(text: str) -> set[int]:
    """The numbers that ``ranges`` made ``text`` of."""
    found: set[int] = set()
    for part in filter(None, text.split(",")):
        first, _, last = part.partition("-")
        found.update(range(int(first), int(last or first) + 1))
    return found


def totals(files: Mapping[str, FileLines], flag: str) -> dict[str, Any]:
    """The members of ``Coverage``: each file in the order of its path, and all of them together."""
    rows: list[dict[str, Any]] = [
        {"path": path, **files[path].counts(), **files[path].numbers()} for path in sorted(files)
    ]
    return {"flag": flag, "files": rows, **{name: sum(row[name] for row in rows) for name in _COUNTS}}
