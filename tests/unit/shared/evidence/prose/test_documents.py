"""Markdown and HTML are read into the same sections."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.evidence.prose.documents import BOLD_LEVEL, LONGEST, MOST, below, sections, sections_of
from shared.evidence.prose.html import as_markdown, is_html
from shared.evidence.prose.placeholders import says_something

MARKDOWN = """Before any heading.

# First

Some *words* with a [link](https://example.org/a).

- [ ] open
- [x] done
  - below: **bold**

    more of it
- ~~[ ] struck~~

## Second

| a | b |
|---|---|
| 1 | x \\| y |

```gherkin
Given a # is no heading
```

<!-- # hidden -->

**Bold line**

After it ![a picture](p.png).
"""
HTML = (
    "<div>Before any heading.</div><h1>First</h1><p>Some <i>words</i> with a <a href='https://example.org/a'>link</a>.</p>"
    "<ul><li><input type='checkbox'>open</li><li><input type='checkbox' checked>done<ul><li>below: <b>bold</b><br>more of it</li></ul>"
    "</li></ul><h2>Second</h2><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>x | y</td></tr></table>"
    "<pre><code>Given a # is no heading</code></pre><div><b>Bold line</b></div><div>After it <img src='p.png' alt='a picture'>.</div>"
)


@pytest.mark.parametrize("text", [MARKDOWN, HTML])
def test_the_same_is_read_from_both(text):
    found = sections(text)
    assert [(one.title, one.level) for one in found] == [
        ("", 0),
        ("First", 1),
        ("Second", 2),
        ("Bold line", BOLD_LEVEL),
    ]
    opening, first, second, bold = found
    assert opening.prose == "Before any heading."
    assert "link (https://example.org/a)" in first.prose
    items = [(one.text, one.depth, one.checked) for one in first.items]
    assert items[:3] == [("open", 0, False), ("done", 0, True), ("below: bold\nmore of it", 1, None)]
    assert [(table.head, table.rows) for table in second.tables] == [(("a", "b"), (("1", "x | y"),))]
    assert [one.text for one in second.codes] == ["Given a # is no heading"]
    assert bold.above == ("First", "Second")
    assert bold.images == 1


def test_lines_are_those_of_the_text():
    found = sections(MARKDOWN)
    lines = MARKDOWN.split("\n")
    assert [lines[one.line - 1] for one in found[1:]] == ["# First", "## Second", "**Bold line**"]
    assert lines[found[1].items[1].line - 1] == "- [x] done"


def test_of_very_many_texts_the_first_are_read():
    assert len(list(sections_of(["a"] * 5))) == 5
    assert len(list(sections_of(["a" * LONGEST] * 9))) == MOST // LONGEST


def test_what_comments_hide_is_not_read():
    assert "hidden" not in "".join(one.title + one.text for one in sections(MARKDOWN))
    assert sections("<!-- never closed\n# a\n")[0].text == ""


def test_a_section_holds_those_below_it():
    found = sections("# a\n\n## b\n\n### c\n\n## d\n\n# e\n")
    assert [one.title for one in below(found, 1)] == ["a", "b", "c", "d"]
    assert [one.title for one in below(found, 2)] == ["b", "c"]
    assert [one.title for one in below(found, 5)] == ["e"]


def test_a_bold_label_is_a_heading_only_alone_in_its_line():
    assert [one.title for one in sections("**Effort:** 3 days\n")] == [""]
    labelled = sections("**Effort**\n3 days\n")[1]
    assert (labelled.title, labelled.prose) == ("Effort", "3 days")


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("<div>a</div>", True),
        ("a<br>b", True),
        ("  <P>a</P>", True),
        ("# a\n\nb<br>c", False),
        ("- a <b>b</b>", False),
        ("a < b and c > d", False),
        ("<!-- a -->\nplain", False),
        ("", False),
    ],
)
def test_what_is_html(text, html):
    assert is_html(text) is html


def test_what_was_escaped_stays_words():
    assert sections("<div>List&lt;int&gt; &amp; more</div>")[0].prose == "List<int> & more"


def test_scripts_and_styles_say_nothing():
    assert sections("<div>a<script>alert(1)</script><style>b {}</style></div>")[0].prose == "a"


def test_broken_html_is_read_as_far_as_it_goes():
    found = sections("<div><table><tr><td>a<td>b</div><pre>c")
    assert "c" in "".join(one.text for one in found)


@pytest.mark.parametrize(
    "text",
    [
        "<div " * 60_000,
        "<" * LONGEST,
        "- " * 50_000,
        "[" * 50_000,
        "**" * 50_000,
        "<!--" * 50_000,
        "> " * 20_000 + "a",
        "|a" * 20_000 + "\n" + "|-" * 20_000,
    ],
)
def test_large_texts_that_nest_or_never_end_are_read_to_their_end(text):
    # A reader that goes over them again and again would not come back within the suite's time.
    assert sections(text)[0].level == 0


@given(st.text(max_size=400))
def test_any_text_is_read(text):
    assert sections(text)[0].level == 0


@given(st.text(alphabet="<>/divpbrultable &;=\"'!-x \n", max_size=300))
def test_any_html_is_read(text):
    assert isinstance(as_markdown(text), str)
    assert sections("<div>" + text)


@given(st.lists(st.tuples(st.integers(1, 6), st.text("abc XYZ", min_size=1, max_size=12)), max_size=12))
def test_every_heading_is_found_in_order(headings):
    wanted = [(level, " ".join(title.split())) for level, title in headings if title.strip()]
    text = "".join(f"{'#' * level} {title}\n\nwords\n\n" for level, title in wanted)
    assert [(one.level, re.sub(r"\s+", " ", one.title)) for one in sections(text)[1:]] == wanted


@pytest.mark.parametrize(
    "text",
    ["", "  ", "TBD", "todo", "T.B.D.", "n/a", "...", "—", "-", "?", "<what you did>", "[fill in]", "{{ reason }}", "Lorem ipsum dolor sit",
     "Please describe the change here.", "<!-- words -->", "~~~~", "_TODO_", "to be defined", "XXX"],
)  # fmt: skip
def test_placeholders_say_nothing(text):
    assert not says_something(text)


@pytest.mark.parametrize(
    "text",
    ["none", "3", "It works.", "<b>bold</b> words", "TODO list is exported", "Add orders", "не нужно", "x" * 500],
)
def test_words_say_something(text):
    assert says_something(text)
