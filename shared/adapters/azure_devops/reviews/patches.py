"""Makes of two texts the hunks that a forge without patches does not tell, and decides what is text at all."""

from __future__ import annotations

import codecs
from collections import Counter
from collections.abc import Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

CONTEXT = 3
# Git looks at as many for a NUL.
_LOOKED_AT = 8_000
# Lines that differ on one side times lines on the other: beyond, comparing them takes longer than a review may.
_MOST_WORK = 16_000_000
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Patch(NamedTuple):
    """What differs."""

    hunks: str | None
    """From the first ``@@``; empty where nothing differs; ``None`` where there is too much to compare."""
    additions: int
    deletions: int


def text_of(data: bytes) -> str | None:
    """The text; ``None`` for what is binary, as git decides it. Neither UTF-8 nor UTF-16 is read byte by byte."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            try:
                return data.decode(encoding)
            except UnicodeDecodeError:
                return None
    if b"\0" in data[:_LOOKED_AT]:
        return None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("latin-1")


def lines_of(text: str) -> list[str]:
    """Its lines with their ends; only a line feed ends one, as in a diff."""
    parts = text.split("\n")
    return [f"{line}\n" for line in parts[:-1]] + ([parts[-1]] if parts[-1] else [])


def patch_of(before: str, after: str) -> Patch:
    """The unified diff of two texts, with three lines of context."""
    old, new = lines_of(before), lines_of(after)
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    changed_old, changed_new = old[start : len(old) - end], new[start : len(new) - end]
    if len(changed_old) * len(changed_new) > _MOST_WORK:
        return Patch(None, *counted(changed_old, changed_new))
    # Equal lines at both ends need no comparing, but a hunk shows some of them.
    lead, tail = min(start, CONTEXT), min(end, CONTEXT)
    first = start - lead
    one, other = old[first : len(old) - end + tail], new[first : len(new) - end + tail]
    matcher = SequenceMatcher(None, one, other)
    written: list[str] = []
    additions = deletions = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if all(tag == "equal" for tag, *_ in group):
            continue
        (_, old_from, _, new_from, _), (_, _, old_to, _, new_to) = group[0], group[-1]
        written.append(
            f"@@ -{_range(first + old_from, old_to - old_from)} +{_range(first + new_from, new_to - new_from)} @@\n"
        )
        for tag, old_start, old_end, new_start, new_end in group:
            if tag == "equal":
                written += [_line(" ", line) for line in one[old_start:old_end]]
                continue
            written += [_line("-", line) for line in one[old_start:old_end]]
            written += [_line("+", line) for line in other[new_start:new_end]]
            deletions += old_end - old_start
            additions += new_end - new_start
    return Patch("".join(written).removesuffix("\n"), additions, deletions)


def counted(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """At least as many lines as this were added and removed, wherever they stand."""
    before, after = Counter(old), Counter(new)
    return (after - before).total(), (before - after).total()


def _alike(old: Sequence[str], new: Sequence[str]) -> int:
    count = 0
    for one, other in zip(old, new, strict=False):
        if one != other:
            break
        count += 1
    return count


def _range(start: int, length: int) -> str:
    if length == 1:
        return str(start + 1)
    return f"{start + 1 if length else start},{length}"


def _line(sign: str, line: str) -> str:
    return f"{sign}{line}" if line.endswith("\n") else f"{sign}{line}\n\\ No newline at end of file\n"
