"""Finds the lines two texts have in common, in time that stays short for lock files of many thousand lines.

Lines that stand once in each text are matched first and split the rest (Bram Cohen's patience diff); only what lies
between them goes to `difflib`, whose time grows with the product of both lengths when lines repeat.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

LARGEST_GAP = 2_000
"""Lines on one side of a gap without unique lines; a longer one is taken to have nothing in common but its ends."""


def matches(one: Sequence[bytes], other: Sequence[bytes]) -> dict[int, int]:
    """Index in ``one`` → index in ``other`` of equal lines, rising on both sides."""
    found: dict[int, int] = {}
    waiting = [(0, len(one), 0, len(other))]
    while waiting:
        a, a_end, b, b_end = waiting.pop()
        while a < a_end and b < b_end and one[a] == other[b]:
            found[a] = b
            a, b = a + 1, b + 1
        while a < a_end and b < b_end and one[a_end - 1] == other[b_end - 1]:
            a_end, b_end = a_end - 1, b_end - 1
            found[a_end] = b_end
        if a == a_end or b == b_end:
            continue
        anchors = _unique(one, a, a_end, other, b, b_end)
        if not anchors:
            found.update(_by_difflib(one, a, a_end, other, b, b_end))
            continue
        for next_a, next_b in anchors:
            found[next_a] = next_b
            waiting.append((a, next_a, b, next_b))
            a, b = next_a + 1, next_b + 1
        waiting.append((a, a_end, b, b_end))
    return found


def _unique(
    one: Sequence[bytes], a: int, a_end: int, other: Sequence[bytes], b: int, b_end: int
) -> list[tuple[int, int]]:
    """Lines that stand once on each side, in the longest order both sides keep."""
    here, there = Counter(one[a:a_end]), Counter(other[b:b_end])
    place = {other[n]: n for n in range(b, b_end) if there[other[n]] == 1}
    pairs = [(n, place[one[n]]) for n in range(a, a_end) if here[one[n]] == 1 and one[n] in place]
    # The longest rising run of the second numbers, by patience sorting.
    tops: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, right) in enumerate(pairs):
        pile = bisect_left(tops, right)
        before.append(last[pile - 1] if pile else -1)
        if pile == len(tops):
            tops.append(right)
            last.append(number)
        else:
            tops[pile], last[pile] = right, number
    chosen: list[tuple[int, int]] = []
    at = last[-1] if last else -1
    while at >= 0:
        chosen.append(pairs[at])
        at = before[at]
    return chosen[::-1]


def _by_difflib(
    one: Sequence[bytes], a: int, a_end: int, other: Sequence[bytes], b: int, b_end: int
) -> Iterator[tuple[int, int]]:
    if max(a_end - a, b_end - b) > LARGEST_GAP:
        return
    matcher = SequenceMatcher(None, one[a:a_end], other[b:b_end], autojunk=False)
    for left, right, size in matcher.get_matching_blocks():
        for n in range(size):
            yield a + left + n, b + right + n
