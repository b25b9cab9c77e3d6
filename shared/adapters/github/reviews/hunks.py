"""Reads hunks of a unified diff: the text before them from the text after, the lines they show, and makes them anew."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from typing import NamedTuple

MOST_LINES = 20_000
"""Lines of both texts together beyond which no diff is made: it takes longer than the square root of nothing gains."""

_HEADER = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
# Only "\n" ends a line of a diff; a form feed or a Unicode separator is part of one.
_LINE = re.compile(r"[^\n]*\n|[^\n]+")
_NO_END = "\\"


class Hunk(NamedTuple):
    """One hunk: where it begins at the head, counted from one, and its lines with their sign and line end."""

    start: int
    length: int
    lines: tuple[tuple[str, str], ...]


def hunks(patch: str) -> Iterator[Hunk]:
    """The hunks of a patch as GitHub gives it, without a header for the file."""
    rows = patch.split("\n")
    at = 0
    while at < len(rows):
        header = _HEADER.match(rows[at])
        at += 1
        if header is None:
            continue
        before, after = (int(header[n] if header[n] is not None else 1) for n in (2, 4))
        start, length, lines = int(header[3]), after, list[tuple[str, str]]()
        while at < len(rows) and (before > 0 or after > 0 or rows[at].startswith(_NO_END)):
            sign, text = rows[at][:1] or " ", rows[at][1:]
            at += 1
            if sign == _NO_END:
                if lines:
                    lines[-1] = (lines[-1][0], lines[-1][1].removesuffix("\n"))
                continue
            before -= sign != "+"
            after -= sign != "-"
            lines.append((sign, text + "\n"))
        yield Hunk(start, length, tuple(lines))


def reachable(patch: str) -> tuple[range, ...]:
    """Lines of the head that each hunk shows; a comment can stand beside these alone, and within one hunk."""
    return tuple(range(hunk.start, hunk.start + hunk.length) for hunk in hunks(patch) if hunk.length)


def before_of(after: str, patch: str) -> str | None:
    """The text that ``patch`` turns into ``after``; ``None`` when it does not."""
    lines = _LINE.findall(after)
    made: list[str] = []
    at = 0
    for hunk in hunks(patch):
        # A hunk that shows nothing of the head stands after the line it names.
        start = hunk.start - 1 if hunk.length else hunk.start
        if not at <= start <= len(lines):
            return None
        made += lines[at:start]
        at = start
        for sign, text in hunk.lines:
            if sign == "-":
                made.append(text)
                continue
            if at >= len(lines) or lines[at] != text:
                return None
            at += 1
            if sign == " ":
                made.append(text)
    made += lines[at:]
    return "".join(made)


def removed_text(patch: str, deletions: int) -> str | None:
    """The whole text of a file that was removed; ``None`` when the patch does not hold all of it."""
    lines = [text for hunk in hunks(patch) for sign, text in hunk.lines if sign == "-"]
    return "".join(lines) if len(lines) == deletions else None


def patch_of(before: str, after: str) -> str | None:
    """Hunks from one text to the other, as GitHub would give them; ``None`` when they are too long to compare."""
    old, new = _LINE.findall(before), _LINE.findall(after)
    if len(old) + len(new) > MOST_LINES:
        return None
    rows = list(difflib.unified_diff(old, new))[2:]
    return "\n".join(row[:-1] if row.endswith("\n") else f"{row}\n\\ No newline at end of file" for row in rows)
