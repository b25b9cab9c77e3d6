"""Hunks lead back to the text before them, whatever its lines and line ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.github.reviews.hunks import MOST_LINES, before_of, hunks, patch_of, reachable, removed_text

TEXTS = st.lists(st.sampled_from(["a", "b", "", "ü👋", "x\r", "\x0c", "\u2028", "@@ -1 +1 @@", "+", "-", "\\ No"]), max_size=30).flatmap(
    lambda lines: st.sampled_from(["\n".join(lines), "\n".join(lines) + "\n"])
)  # fmt: skip


@given(TEXTS, TEXTS)
def test_a_patch_leads_back(before, after):
    patch = patch_of(before, after)
    assert patch is not None
    assert before_of(after, patch) == before


def _lines(text):
    return text.count("\n") + (not text.endswith("\n") if text else 0)


@given(TEXTS, TEXTS)
def test_a_patch_adds_and_removes_what_the_texts_differ_by(before, after):
    signs = [sign for hunk in hunks(patch_of(before, after)) for sign, _ in hunk.lines]
    assert signs.count("+") - signs.count("-") == _lines(after) - _lines(before)
    assert bool(signs) == (before != after)


@given(TEXTS)
def test_a_removed_text_is_all_in_its_patch(before):
    assert removed_text(patch_of(before, ""), _lines(before)) == before


@pytest.mark.parametrize(
    ("after", "patch"),
    [
        ("a\nb\n", "@@ -1 +1 @@\n-x\n+y"),
        ("a\n", "@@ -5 +5 @@\n-x\n+a"),
        ("a\n", "@@ -1,2 +1,2 @@\n a\n-b\n+c"),
        ("a", "@@ -1 +1 @@\n-b\n+a"),
    ],
)
def test_a_patch_of_another_text_leads_nowhere(after, patch):
    assert before_of(after, patch) is None


def test_the_header_may_carry_what_it_stands_in():
    patch = "@@ -1,3 +1,2 @@ def part():\n a\n-b\n c"
    assert before_of("a\nc\nrest\n", patch) == "a\nb\nc\nrest\n"


def test_a_hunk_that_only_removes_stands_after_its_line():
    assert before_of("a\nc\n", "@@ -2 +1,0 @@\n-b") == "a\nb\nc\n"
    assert before_of("", "@@ -1 +0,0 @@\n-b\n\\ No newline at end of file") == "b"


def test_comments_reach_what_is_shown():
    patch = "@@ -1,2 +1,3 @@\n a\n+b\n c\n@@ -9,2 +10,0 @@\n-y\n-z\n@@ -20 +19 @@\n-q\n+r"
    assert reachable(patch) == (range(1, 4), range(19, 20))


def test_a_removed_file_is_whole_or_none():
    assert removed_text("@@ -1,2 +0,0 @@\n-a\n-b", 2) == "a\nb\n"
    assert removed_text("@@ -1,2 +0,0 @@\n-a\n-b", 3) is None


def test_what_is_too_long_is_not_compared():
    assert patch_of("a\n" * (MOST_LINES // 2), "b\n" * (MOST_LINES // 2 + 1)) is None
    assert patch_of("same\n", "same\n") == ""
