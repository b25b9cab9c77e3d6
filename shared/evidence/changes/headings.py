"""Says under which headings each line of a Markdown or reStructuredText document stands."""

from __future__ import annotations

import re
from typing import NamedTuple

_HASHES = re.compile(r"^ {0,3}(#{1,6})\s+(.*?)\s*#*\s*$")
_UNDERLINE = re.compile(r"^([=\-~^\"'+*`])\1{2,}\s*$")
_FENCE = re.compile(r"^\s*(```+|~~~+)")


class Placed(NamedTuple):
    """One line of a document."""

    number: int
    text: str
    headings: tuple[str, ...]
    """From the outermost to the nearest; of a heading's own line with itself."""
    is_heading: bool


def placed(text: str) -> tuple[Placed, ...]:
    """Every line of ``text``; what looks like a heading inside a fenced block is none."""
    lines = text.split("\n")
    stack: list[tuple[int, str]] = []
    levels: dict[str, int] = {}
    found: list[Placed] = []
    fence = ""
    for index, line in enumerate(lines):
        title, level = "", 0
        if fence:
            if line.strip().startswith(fence):
                fence = ""
        elif opened := _FENCE.match(line):
            fence = opened[1][:3]
        elif hashes := _HASHES.match(line):
            title, level = hashes[2], len(hashes[1])
        elif line.strip() and not line.startswith((" ", "\t", "-", "*", "|")) and index + 1 < len(lines):
            under = _UNDERLINE.match(lines[index + 1])
            # A rule under a paragraph is short; a title's underline is about as long as the title.
            if under and len(lines[index + 1].strip()) >= min(len(line.strip()), 3):
                title = line.strip()
                level = levels.setdefault(under[1], len(levels) + 1)
        if level:
            stack = [one for one in stack if one[0] < level] + [(level, title)]
        found.append(Placed(index + 1, line, tuple(one for _, one in stack), bool(level)))
    return tuple(found)
