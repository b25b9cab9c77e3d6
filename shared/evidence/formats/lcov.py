"""Reads LCOV tracefiles as geninfo, c8, Jest and cargo-llvm-cov write them.

The format: https://github.com/linux-test-project/lcov/blob/master/man/geninfo.1, section TRACEFILE FORMAT.
"""

from __future__ import annotations

import re
from typing import Any

from shared.errors import RefusedError
from shared.evidence.covered import FileLines, totals
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.numbers import count

_LINE = re.compile(r"([0-9]{1,9}),(-?[0-9]{1,20}|[0-9.eE+]{1,20})(,.*)?")
_COUNTED = frozenset({"DA", "BRDA", "LF", "LH", "BRF", "BRH"})
_BRANCH = re.compile(r"([0-9]{1,9}),([^,]*),(.*),(-|[0-9]{1,20})")


def from_text(text: str, given: Given) -> dict[str, Any]:
    """Lines and branches by file. Raises ``RefusedError`` naming the line at fault."""
    files: dict[str, FileLines] = {}
    at: _Section | None = None
    for number, line in enumerate(text.splitlines(), 1):
        kind, _, rest = line.partition(":")
        if kind == "SF":
            path = given.paths(rest.strip())
            at = _Section(files.setdefault(path, FileLines()) if path else FileLines())
            if len(files) > LIMITS.items:
                raise RefusedError(f"the report holds more than {LIMITS.items} files", "Send it in parts.")
        elif line.strip() == "end_of_record":
            if at:
                at.close()
            at = None
        elif kind in _COUNTED and (at is None or not at.take(kind, rest.strip())):
            raise RefusedError(f"line {number} of the tracefile is wrong: {line[:80]!r}", "Write it again.")
    if at is not None:
        raise RefusedError("the tracefile ends within a file: end_of_record is missing", "Write it again, whole.")
    return {"coverage": totals(files, given.flag)}


class _Section:
    """What stands between one SF and its end_of_record."""

    def __init__(self, lines: FileLines) -> None:
        self._lines = lines
        self._branches: dict[int, dict[tuple[str, str], bool]] = {}
        self._told: dict[str, int] = {}
        self._any = False

    def take(self, kind: str, rest: str) -> bool:
        """One line of it; whether it is right."""
        if kind == "DA":
            found = _LINE.fullmatch(rest)
            if found:
                self._any = True
                self._lines.line(int(found[1]), hit=found[2].strip("0.") != "" and not found[2].startswith("-"))
            return found is not None
        if kind == "BRDA":
            found = _BRANCH.fullmatch(rest)
            if found:
                ways = self._branches.setdefault(int(found[1]), {})
                way = (found[2], found[3])
                ways[way] = ways.get(way, False) or found[4].strip("0") not in {"", "-"}
            return found is not None
        self._told[kind] = count(rest)
        return True

    def close(self) -> None:
        """Add what was gathered; sums alone, as some tools write, stand for as many lines."""
        for number, ways in self._branches.items():
            self._lines.branch(number, sum(ways.values()), len(ways))
        if not self._any and (lines := self._told.get("LF", 0)):
            if lines > LIMITS.items:
                raise RefusedError(f"a file of {lines} lines is none that is read", "Let the tool write DA lines.")
            self._lines.count(self._told.get("LH", 0), lines)
