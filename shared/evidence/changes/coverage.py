"""Puts coverage reports together by file, and looks up the lines that a change adds; what no report tells stays unseen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shared.domain.change import ChangedFile
from shared.domain.evidence import Coverage, FileCoverage
from shared.evidence.changes.lines import gained
from shared.evidence.covered import numbers_in, ranges


class Share(NamedTuple):
    """How much of something was run."""

    covered: int
    valid: int

    @property
    def percent(self) -> float | None:
        """None where there is nothing to run."""
        return 100 * self.covered / self.valid if self.valid else None


class NewLines(NamedTuple):
    """What tests ran of the lines that one file gains."""

    path: str
    hit: tuple[int, ...]
    missed: tuple[int, ...]


def together(reports: Iterable[Coverage]) -> dict[str, FileCoverage]:
    """Each file once. Where two reports tell of its lines, a line that one of them ran was run.

    Where one of them tells sums alone, the larger of each sum stands: never more than was run together.
    """
    found: dict[str, FileCoverage] = {}
    for report in reports:
        for file in report.files:
            other = found.get(file.path)
            found[file.path] = file if other is None else _joined(other, file)
    return found


def share_of(reports: Iterable[Coverage]) -> Share:
    """Lines run of all lines in the reports together.

    Reports without files, as SonarQube's measures are, cannot be put together: the one with the most lines stands.
    """
    every = tuple(reports)
    files = together(one for one in every if one.files).values()
    shares = [Share(one.lines_covered, one.lines_valid) for one in every if not one.files]
    if files:
        shares.append(Share(sum(one.lines_covered for one in files), sum(one.lines_valid for one in files)))
    return max(shares, key=lambda one: (one.valid, -one.covered), default=Share(0, 0))


def new_lines(file: ChangedFile, covered: FileCoverage) -> NewLines | None:
    """What was run of the lines that ``file`` gains; lines that cannot be run are left out. None: not told line by line."""
    numbers = gained(file)
    if numbers is None or covered.hit is None or covered.missed is None:
        return None
    hit, missed = numbers_in(covered.hit).intersection(numbers), numbers_in(covered.missed).intersection(numbers)
    return NewLines(file.path, tuple(sorted(hit)), tuple(sorted(missed)))


def _joined(one: FileCoverage, other: FileCoverage) -> FileCoverage:
    sums = {
        name: max(getattr(one, name), getattr(other, name))
        for name in ("lines_valid", "lines_covered", "branches_valid", "branches_covered")
    }
    if one.hit is None or one.missed is None or other.hit is None or other.missed is None:
        return FileCoverage(path=one.path, **sums)
    hit = numbers_in(one.hit) | numbers_in(other.hit)
    missed = (numbers_in(one.missed) | numbers_in(other.missed)) - hit
    return FileCoverage(
        path=one.path,
        hit=ranges(sorted(hit)),
        missed=ranges(sorted(missed)),
        **(sums | {"lines_valid": len(hit) + len(missed), "lines_covered": len(hit)}),
    )
