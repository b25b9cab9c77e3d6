"""Our words are known by their marks, people's never are."""

from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.github.reviews.marks import (
    BODY_LIMIT,
    REVIEW_MARK,
    answer_mark,
    answers,
    fingerprint_in,
    fitting,
    is_marked,
    is_summary,
)
from shared.domain.publication import SUMMARY_MARKER, remark_marker

PRINT = "0123456789abcdef"


def test_marks_are_found_again():
    assert fingerprint_in(f"{remark_marker(PRINT)}\nWrong.") == PRINT
    assert is_summary(f"{SUMMARY_MARKER}\nAll.")
    assert answers(f"{answer_mark('77')}\nYes.") == "77"
    assert all(is_marked(text) for text in (remark_marker(PRINT), SUMMARY_MARKER, REVIEW_MARK, answer_mark("7")))


def test_what_is_quoted_or_told_about_is_not_ours():
    quoted = "\n".join(f"> {text}" for text in (remark_marker(PRINT), SUMMARY_MARKER, answer_mark("7")))
    assert not is_marked(quoted)
    assert (fingerprint_in(quoted), answers(quoted), is_summary(quoted)) == ("", "", False)
    assert not is_marked("See `<!-- doneright:summary -->` in the source")
    assert not is_summary(f"Look:\n{SUMMARY_MARKER}")


@given(st.text(alphabet="aü👋\n", max_size=50), st.integers(1, 4_000))
def test_what_is_too_long_is_cut_and_says_so(text, times):
    body = text * times
    cut = fitting(body)
    assert len(cut.encode("utf-16-le")) // 2 <= BODY_LIMIT
    assert cut == body or cut.endswith("takes no longer comment)")
