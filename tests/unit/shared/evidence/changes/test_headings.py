"""Each line of a document is told with the headings it stands under."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from shared.evidence.changes.headings import placed


def under(text: str) -> list[tuple[str, ...]]:
    return [one.headings for one in placed(text)]


def test_headings_nest_and_end() -> None:
    assert under("# A\na\n## B\nb\n# C\nc") == [("A",), ("A",), ("A", "B"), ("A", "B"), ("C",), ("C",)]


def test_underlined_titles_are_headings() -> None:
    assert under("A\n===\na\nB\n---\nb\nC\n===") == [
        ("A",), ("A",), ("A",), ("A", "B"), ("A", "B"), ("A", "B"), ("C",), ("C",),
    ]  # fmt: skip


def test_what_stands_in_a_fence_is_no_heading() -> None:
    assert under("# A\n```\n# B\n```\nc") == [("A",)] * 5


def test_a_text_without_headings_has_none() -> None:
    assert under("") == [()]
    assert under("a\n#b\n- c\n---\n") == [()] * 5


@given(st.text(alphabet="# =-`\nab", max_size=120))
def test_every_line_is_told_once(text: str) -> None:
    assert [one.number for one in placed(text)] == list(range(1, text.count("\n") + 2))
    assert "\n".join(one.text for one in placed(text)) == text
