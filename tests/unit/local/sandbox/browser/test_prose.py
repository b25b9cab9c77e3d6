"""Markdown: GitHub's dialect, no raw HTML, headings that fit the page."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from local.sandbox.browser.prose import inline_markdown, markdown


def test_a_comment_is_hidden_as_the_forges_hide_it() -> None:
    html = markdown("<!-- marker 12 -->\nSeen.\n\nAlso <!-- not --> seen.")
    assert "marker" not in html
    assert "not" not in html
    assert "Seen." in html
    assert "seen." in html


def test_html_is_shown_as_text() -> None:
    html = markdown("<script>alert(1)</script>\n\nfine <img src=x onerror=alert(1)>")
    assert "<script" not in html
    assert "<img" not in html
    assert "&lt;script&gt;" in html


def test_tables_have_scoped_headings_and_no_style_attribute(read: Callable[[str], Any]) -> None:
    document = read(markdown("| a | b |\n|---|--:|\n| 1 | 2 |"))
    assert [element.attrs.get("scope") for element in document.all("th")] == ["col", "col"]
    assert document.all("td")[1].attrs == {"class": "align-right"}
    region = document.with_class("scroll")[0].attrs
    assert (region["role"], region["tabindex"]) == ("region", "0")


def test_task_items_say_their_state_without_an_input(read: Callable[[str], Any]) -> None:
    document = read(markdown("- [x] one\n- [ ] two\n- three"))
    assert [mark.attrs["aria-label"] for mark in document.with_class("task-mark")] == ["done", "not done"]
    assert not document.all("input")


def test_links_are_kept_and_marked_by_where_they_lead(read: Callable[[str], Any]) -> None:
    document = read(markdown("[in](docs/x.md) [out](https://example.org) [bad](javascript:alert(1))"))
    inside, outside = document.all("a")
    assert inside.attrs == {"href": "docs/x.md"}
    assert outside.attrs["rel"] == "noopener noreferrer"
    assert "[bad](javascript:alert(1))" in document.elements[0].text


def test_pictures_load_from_this_origin_only(read: Callable[[str], Any]) -> None:
    document = read(markdown("![ours](/a.png) ![theirs](https://example.org/b.png) ![](https://example.org/c.png)"))
    (picture,) = document.all("img")
    assert picture.attrs == {"src": "/a.png", "alt": "ours"}
    assert [note.text for note in document.with_class("remote-image")] == [
        "[image: theirs]",
        "[image: https://example.org/c.png]",
    ]


def test_fences_are_coloured_and_reachable_by_keyboard(read: Callable[[str], Any]) -> None:
    document = read(markdown("```python\nreturn 1\n```\n\n    indented <b>\n\n```\nplain\n```"))
    first, second, third = document.all("pre")
    assert first.attrs["tabindex"] == "0"
    assert document.with_class("k")[0].text == "return"
    assert second.text == "indented <b>"
    assert third.text == "plain"


@pytest.mark.parametrize(
    ("source", "level", "tags"),
    [
        ("# a\n### b\n###### c\n## d", 3, ["h3", "h4", "h5", "h4"]),
        ("### a\n# b\n## c", 2, ["h2", "h2", "h3"]),
        ("# a\n## b\n### c\n#### d\n##### e\n###### f", 3, ["h3", "h4", "h5", "h6", "h6", "h6"]),
    ],
)
def test_headings_never_skip_a_level(source: str, level: int, tags: list[str], read: Callable[[str], Any]) -> None:
    assert [element.tag for element in read(markdown(source, level=level)).elements if "id" in element.attrs] == tags


def test_heading_ids_are_unique_across_the_page() -> None:
    ids = {"content"}
    first, second = markdown("# Content", ids=ids), markdown("# Content\n\n# !!!", ids=ids)
    assert 'id="content-1"' in first
    assert 'id="content-2"' in second
    assert ids == {"content", "content-1", "content-2", "section"}


def test_alerts_are_titled() -> None:
    assert "markdown-alert-title" in markdown("> [!NOTE]\n> Read this.")


def test_inline_markdown_makes_no_blocks() -> None:
    assert inline_markdown("# **a** `b`") == "# <strong>a</strong> <code>b</code>"


@given(source=st.text(alphabet=st.sampled_from("<>&\"'`#*_[]()!|-~=: \n\tajx/\\01"), max_size=80))
def test_any_source_gives_balanced_html_of_known_elements(source: str, read: Callable[[str], Any]) -> None:
    allowed = {
        "div",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "p",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "span",
        "em",
        "strong",
        "s",
        "a",
        "img",
        "br",
        "hr",
        "table",
        "thead",
        "tbody",
        "tr",
        "th",
        "td",
    }
    for element in read(f"<div>{markdown(source)}{inline_markdown(source)}</div>").elements:
        assert element.tag in allowed
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"]


def test_folded_parts_fold_and_breaks_break() -> None:
    html = markdown("<details><summary>Advice: 2</summary>\n\n| a |\n|---|\n| x<br>y |\n\n</details>\n\nafter")
    assert "<details><summary>Advice: 2</summary>" in html
    assert html.index("</table>") < html.index("</details>") < html.index("after")
    assert "x<br>y" in html


@pytest.mark.parametrize(
    "source",
    [
        "<details><summary>never closed</summary>\n\ntext",
        "</details>\n\ntext",
        "<details open onclick=x><summary>a</summary>\n\nx\n\n</details>",
        "<details><summary><b>a</b></summary>\n\nx\n\n</details>",
    ],
)
def test_what_does_not_fold_as_a_whole_is_shown_as_text(source: str) -> None:
    html = markdown(source)
    assert "<details" not in html
    assert "</details>" not in html
