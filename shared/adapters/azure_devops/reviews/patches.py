"""Makes of two texts the hunks that a forge without patches does not tell, and decides what is text at all."""

from __future__ import annotations

import codecs
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import Match, SequenceMatcher
from typing import NamedTuple

CONTEXT = 3
# Git looks at as many for a NUL.
_LOOKED_AT = 8_000
# Lines on one side times lines on the other that are compared each with each; beyond, one side takes the other's place.
_MOST_WORK = 1_000_000
_MARKS = ((codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Patch(NamedTuple):
    """What differs."""

    hunks: str
    """From the first ``@@``; empty where nothing differs."""
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
    """The unified diff of two texts, with three lines of context.

    Lines that each text has once, in the same order, hold it together; only what lies between them is compared line by
    line. So it is fast, and reads as people changed it, also where much did.
    """
    old, new = lines_of(before), lines_of(after)
    start = _alike(old, new)
    end = _alike(old[start:][::-1], new[start:][::-1])
    # Equal lines at both ends need no comparing, but a hunk shows some of them.
    lead, tail = min(start, CONTEXT), min(end, CONTEXT)
    first = start - lead
    one, other = old[first : len(old) - end + tail], new[first : len(new) - end + tail]
    matcher = _Anchored(one, other)
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


class _Anchored(SequenceMatcher[str]):
    """Finds what two lists of lines share, from the lines that stand once in each of them."""

    def __init__(self, old: Sequence[str], new: Sequence[str]) -> None:
        super().__init__(None, old, new)
        self._old, self._new = old, new

    def get_matching_blocks(self) -> list[Match]:
        """Runs of equal lines in order, no two of them adjacent in both, and the empty one at the end."""
        old, new = self._old, self._new
        blocks: list[Match] = []
        ends = Match(len(old), len(new), 0)
        from_old = from_new = 0
        for anchor in [*(Match(one, other, 1) for one, other in _anchors(old, new)), ends]:
            for found in _between(old[from_old : anchor.a], new[from_new : anchor.b]):
                _join(blocks, Match(from_old + found.a, from_new + found.b, found.size))
            _join(blocks, anchor)
            from_old, from_new = anchor.a + anchor.size, anchor.b + anchor.size
        return [*blocks, ends]


def _anchors(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the lines that each list has once, as many as stand in the same order: longest increasing subsequence."""
    once_old, once_new = _once(old), _once(new)
    tops: list[int] = []
    piles: list[tuple[int, int, int]] = []
    ends: list[int] = []
    for line, at_old in once_old.items():
        at_new = once_new.get(line)
        if at_new is None:
            continue
        pile = bisect_left(tops, at_new)
        piles.append((at_old, at_new, ends[pile - 1] if pile else -1))
        if pile == len(tops):
            tops.append(at_new)
            ends.append(len(piles) - 1)
        else:
            tops[pile], ends[pile] = at_new, len(piles) - 1
    found: list[tuple[int, int]] = []
    at = ends[-1] if ends else -1
    while at >= 0:
        one, other, at = piles[at]
        found.append((one, other))
    return found[::-1]


def _once(lines: Sequence[str]) -> dict[str, int]:
    counts = Counter(lines)
    return {line: place for place, line in enumerate(lines) if counts[line] == 1}


def _between(old: Sequence[str], new: Sequence[str]) -> Iterator[Match]:
    start = _alike(old, new)
    if start:
        yield Match(0, 0, start)
    if 0 < (len(old) - start) * (len(new) - start) <= _MOST_WORK:
        for found in SequenceMatcher(None, old[start:], new[start:]).get_matching_blocks():
            yield Match(start + found.a, start + found.b, found.size)


def _join(blocks: list[Match], more: Match) -> None:
    if not more.size:
        return
    if blocks and blocks[-1].a + blocks[-1].size == more.a and blocks[-1].b + blocks[-1].size == more.b:
        more = Match(blocks[-1].a, blocks[-1].b, blocks[-1].size + more.size)
        blocks.pop()
    blocks.append(more)


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
