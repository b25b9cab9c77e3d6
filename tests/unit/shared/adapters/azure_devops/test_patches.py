"""Hunks made of two texts: they say what a reader of hunks reads, and turn one text into the other."""

import re

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.azure_devops.reviews.patches import counted, lines_of, patch_of, text_of
from shared.domain.change import ChangedFile, FileStatus
from shared.evidence.changes.lines import added, removed

_LINES = st.lists(st.sampled_from(["a", "b", "", "c\r", "+x", "-y", "@@ -1 +1 @@", "é😀", "\f"]), max_size=30)
_TEXTS = st.builds(lambda lines, end: "\n".join(lines) + end, _LINES, st.sampled_from(["", "\n"]))
_HEAD = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def applied(before, hunks):
    """`before` with the hunks applied, by the rules of unified diffs."""
    old, new, place = lines_of(before), [], 0
    lines = (hunks or "").split("\n")
    at = 0
    while at < len(lines) and lines[at]:
        head = _HEAD.fullmatch(lines[at])
        assert head, lines[at]
        length = int(head[2]) if head[2] is not None else 1
        start = int(head[1]) - (1 if length else 0)
        new += old[place:start]
        place, at = start, at + 1
        left_old, left_new = length, int(head[4]) if head[4] is not None else 1
        while left_old or left_new:
            sign, text = lines[at][:1], lines[at][1:]
            at += 1
            ends = at < len(lines) and lines[at] == "\\ No newline at end of file"
            at += ends
            line = text if ends else text + "\n"
            if sign in " -":
                assert old[place] == line
                place, left_old = place + 1, left_old - 1
            if sign in " +":
                new.append(line)
                left_new -= 1
    return "".join(new + old[place:])


@given(_TEXTS, _TEXTS)
def test_the_hunks_turn_one_text_into_the_other(before, after):
    patch = patch_of(before, after)
    assert applied(before, patch.hunks) == after
    file = ChangedFile(path="x", status=FileStatus.MODIFIED, patch=patch.hunks)
    assert (len(added(file)), len(removed(file))) == (patch.additions, patch.deletions)
    new = lines_of(after)
    assert all(new[line.number - 1].removesuffix("\n") == line.text for line in added(file))


@given(_TEXTS, _TEXTS)
def test_counting_never_says_more_than_comparing(before, after):
    patch = patch_of(before, after)
    additions, deletions = counted(lines_of(before), lines_of(after))
    assert additions <= patch.additions
    assert deletions <= patch.deletions
    assert additions - deletions == patch.additions - patch.deletions


def test_a_hunk_reads_as_git_writes_it():
    before = "".join(f"{n}\n" for n in range(1, 11))
    patch = patch_of(before, before.replace("5\n", "five\nand\n"))
    assert patch == ("@@ -2,7 +2,8 @@\n 2\n 3\n 4\n-5\n+five\n+and\n 6\n 7\n 8", 2, 1)
    assert patch_of("", "one\n").hunks == "@@ -0,0 +1 @@\n+one"
    assert patch_of("one\n", "").hunks == "@@ -1 +0,0 @@\n-one"
    assert patch_of("same\n", "same\n") == ("", 0, 0)
    assert patch_of("a", "b").hunks == "@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file"


def test_large_texts_are_compared_by_the_lines_they_have_once():
    before = "".join(f"{n}\n" for n in range(5_000))
    every_other = "".join(f"{n}\n" if n % 2 else f"new {n}\n" for n in range(5_000))
    patch = patch_of(before, every_other)
    assert (patch.additions, patch.deletions) == (2_500, 2_500)
    assert applied(before, patch.hunks) == every_other
    moved = patch_of(before, before.replace("0\n", "", 1) + "0\n")
    assert (moved.additions, moved.deletions) == (1, 1)


def test_what_has_nothing_to_hold_on_to_takes_the_others_place():
    before, after = "a\nb\n" * 2_000, "b\nc\n" * 2_000
    patch = patch_of(before, after)
    assert applied(before, patch.hunks) == after
    assert (patch.additions, patch.deletions) == (4_000, 4_000)


def test_text_is_told_from_binary_as_git_does():
    assert text_of("é😀\n".encode()) == "é😀\n"
    assert text_of(b"\xef\xbb\xbfx") == "x"
    assert text_of("é".encode("latin-1")) == "é"
    assert text_of("é\n".encode("utf-16")) == "é\n"
    assert text_of(b"\xff\xfe\x00") is None
    assert text_of(b"\x89PNG\0") is None
    assert text_of(b"") == ""
