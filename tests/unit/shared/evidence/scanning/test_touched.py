"""Which lines a change answers for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.change import ChangedFile, FileStatus
from shared.evidence.scanning.touched import Touched
from tests.fakes.changes import file


def without_before(one: ChangedFile) -> ChangedFile:
    return one.model_copy(update={"before": None})


BEFORE = "".join(f"line {number}\n" for number in range(1, 21))


def test_every_line_of_a_new_file_is_added() -> None:
    touched = Touched(file("a.py", None, "x\ny\n", patch=None))
    assert touched.is_added(1) and touched.is_added(900)
    assert not touched.nothing


def test_only_the_lines_of_the_patch_are_added() -> None:
    touched = Touched(file("a.py", BEFORE, BEFORE.replace("line 5\n", "line 5\nnew\n")))
    assert [number for number in range(1, 22) if touched.is_added(number)] == [6]
    assert touched.is_added(2, 9)
    assert not touched.is_added(7, 21)


def test_lines_beside_a_removal_are_touched_and_not_added() -> None:
    touched = Touched(file("a.py", BEFORE, BEFORE.replace("line 5\n", "")))
    assert [number for number in range(1, 20) if touched.is_touched(number)] == [4, 5]
    assert not touched.is_added(1, 20)
    assert not touched.nothing


def test_a_line_that_came_in_place_of_another_touches_no_line_beside_it() -> None:
    for rest in ({}, {"patch": None}):
        touched = Touched(file("a.py", BEFORE, BEFORE.replace("line 5\n", "other\n"), **rest))
        assert [number for number in range(1, 21) if touched.is_touched(number)] == [5]


def test_a_removal_that_leaves_nothing_around_it_is_placed() -> None:
    touched = Touched(file("a.py", "a\nb\n", "a\n", patch="@@ -2 +1,0 @@\n-b"))
    assert touched.is_touched(1)


@pytest.mark.parametrize("patch", ["", "not a diff", "@@ nonsense @@\n+x"])
def test_a_patch_without_hunks_touches_nothing(patch: str) -> None:
    assert Touched(file("a.py", "a\n", "a\n", patch=patch)).nothing


def test_without_a_patch_the_texts_are_compared() -> None:
    touched = Touched(file("a.py", BEFORE, BEFORE.replace("line 5\n", "new\n").replace("line 9\n", ""), patch=None))
    assert [number for number in range(1, 20) if touched.is_added(number)] == [5]
    assert touched.is_touched(8) and not touched.is_touched(12)


def test_where_nobody_knows_which_lines_are_new_all_count() -> None:
    touched = Touched(without_before(file("a.py", BEFORE, BEFORE, patch=None, additions=1)))
    assert touched.is_added(1) and touched.is_added(20)


def test_a_renaming_touches_nothing() -> None:
    touched = Touched(
        without_before(file("b.py", "a\n", "a\n", previous_path="a.py", status=FileStatus.RENAMED, patch=None))
    )
    assert touched.nothing


LINES = st.lists(st.text(alphabet="ab +-@\\", max_size=5), max_size=12).map(
    lambda lines: "".join(f"{one}\n" for one in lines)
)


@given(before=LINES, after=LINES)
def test_patch_and_texts_tell_the_same_added_lines(before: str, after: str) -> None:
    by_patch, by_texts = Touched(file("a", before, after)), Touched(file("a", before, after, patch=None))
    kept = before.split("\n")
    lines = after.split("\n")[:-1]
    for touched in (by_patch, by_texts):
        # Lines that were not there before must count, whichever way they are told.
        assert all(touched.is_added(number) for number, line in enumerate(lines, 1) if line not in kept)
    assert by_patch.nothing == by_texts.nothing == (before == after)
