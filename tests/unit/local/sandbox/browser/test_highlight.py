"""Source lines: true numbers, escaped text, colours where a lexer is known."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.browser.highlight import LONGEST_COLOURED, highlight

OWN_MARKUP = re.compile(r'</span>|<span class="[A-Za-z0-9 -]*">')


@pytest.mark.parametrize(
    ("text", "count"), [("", 1), ("a", 1), ("a\n", 1), ("a\n\n", 2), ("\n\na", 3), ("a\r\nb\rc\n", 3)]
)
@pytest.mark.parametrize("language", ["", "python", "yaml", "diff"])
def test_a_line_of_input_is_a_line_of_output(text: str, count: int, language: str) -> None:
    assert len(highlight(text, language)) == count


def test_known_languages_are_coloured_to_the_last_line() -> None:
    lines = highlight("def f():\n    return 1", "python")
    assert '<span class="k">def</span>' in lines[0]
    assert '<span class="k">return</span>' in lines[1]


def test_unknown_languages_stay_plain() -> None:
    assert highlight("<b>", "no-such-language") == ["&lt;b&gt;"]


def test_very_long_texts_stay_plain() -> None:
    assert highlight("x = 1\n" * (LONGEST_COLOURED // 6 + 1), "python")[0] == "x = 1"


def test_a_lexer_that_loses_lines_is_not_trusted() -> None:
    source = "$ ls\nout\n\n\n$ x"
    assert [line.striptags() for line in highlight(source, "console")] == source.split("\n")


def test_a_patch_is_marked_by_its_first_characters() -> None:
    lines = highlight("diff --git a b\n@@ -1 +1 @@\n-a<\n+b\n same", "diff")
    assert [line.split('"')[1] if "<span" in line else "" for line in lines] == [
        "patch-head",
        "patch-hunk",
        "patch-removed",
        "patch-added",
        "",
    ]
    assert "-a&lt;" in lines[2]


@given(st.text(max_size=60), st.sampled_from(["", "python", "yaml", "json", "html", "diff", "bicep", "console"]))
def test_no_text_is_lost_and_none_becomes_markup(text: str, language: str) -> None:
    lines = highlight(text, language)
    expected = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    assert len(lines) == len(expected)
    for line, source in zip(lines, expected, strict=True):
        assert html.unescape(OWN_MARKUP.sub("", line)) == source
