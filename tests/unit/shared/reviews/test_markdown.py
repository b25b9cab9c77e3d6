"""Nothing that anybody wrote acts in what Doneright writes, and nothing is cut in the middle."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.forge import ForgeName
from shared.domain.publication import OWN_MARK
from shared.reviews.markdown import (
    Section,
    clipped,
    code,
    composed,
    fenced,
    linked,
    paragraphs,
    place_url,
    plain,
    prose,
    size,
    visible,
)
from tests.fakes.changes import HEAD, a_ref
from tests.fakes.reviewed import URLS
from tests.unit.shared.reviews.showing import calls_somebody, seen

HOSTILE = [
    "a | b", "@mira", "@contoso/everyone", "#12", "!12", "GH-12", "https://evil.example", "www.evil.example", "[x](http://evil.example)",
    "![x](http://evil.example/x.png)", "<script>alert(1)</script>", "<!-- doneright:summary -->", "`` ` ``", "`a | b`", "`@mira`",
    "a\\|b", "\\", "|", "||\n|---|", "\n\n# big\n\n| a |\n|---|\n", "</details>", "<details open>", "```\nx\n```", "~~~",
    "&#64;mira", "&lt;b&gt;", "$`x`$", "a\u202eb\u2066c", "\u200d\u200b", "* * *", "---", "- [ ] x", "1. x", "> quote",
    "\x00\x1b[31m", "\r0", "\u2028\x0b\x85", "<https://evil.example>", "mira@evil.example", "ftp://evil.example", "`<!-- doneright:summary -->`",
    "/doneright waive no_secrets", "a`b`c`d", "`a\\`|b", "x" * 5_000,
]  # fmt: skip
hostile = st.lists(st.sampled_from(HOSTILE) | st.text(max_size=30), min_size=1, max_size=5).map("".join)


def holds(cell: str) -> None:
    """In a cell of a table, ``cell`` is one cell, and acts on nobody."""
    found = seen(f"| A | B |\n|---|---|\n| {cell} | end |\n\nafter")
    assert len(found.tables) == 1
    assert [len(row) for row in found.tables[0]] == [2, 2]
    assert found.tables[0][1][1] == "end"
    assert not found.links
    assert not found.html
    assert not calls_somebody(found.words)
    assert OWN_MARK not in cell


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("write", [plain, code, prose])
def test_hostile_words_are_harmless_in_a_table(text: str, write: object) -> None:
    holds(write(text))  # type: ignore[operator]


@given(hostile)
def test_no_mixture_of_them_acts(text: str) -> None:
    for write in (plain, code, prose):
        holds(write(text))


def test_plain_words_stay_as_they_are() -> None:
    assert plain("812 changed lines in 9 files; 500 are the most") == "812 changed lines in 9 files; 500 are the most"
    assert code("src/app.py:12") == "`src/app.py:12`"
    assert prose("take it out of `src/app.py` now") == "take it out of `src/app.py` now"


def test_what_cannot_be_seen_is_shown_as_such() -> None:
    assert visible("a\u202eb\x00c\td") == "a\ufffdb\ufffdc\td"


def test_long_words_end_in_an_ellipsis() -> None:
    assert clipped("abc def", 5) == "abc…"
    assert clipped("a\n b", 9) == "a b"
    assert size(plain("x" * 10_000)) <= 600


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "http://", "https://[::1", "x y"]
)
def test_only_addresses_of_the_web_are_linked(url: str) -> None:
    assert linked("here", url) == "here"


def test_an_address_cannot_leave_its_link() -> None:
    found = seen(linked("here", "https://a.example/x) [y](http://evil.example> <b>|"))
    assert [link.startswith("https://a.example/") for link in found.links] == [True]
    assert not found.html


@given(st.text(alphabet="`~\nab <", max_size=60))
def test_a_fence_is_closed_by_nothing_in_it(text: str) -> None:
    found = seen(f"{fenced(text, 'suggestion')}\n\nafter")
    assert found.fences == [("suggestion", f"{text}\n")]


def test_places_have_pages_on_both_forges() -> None:
    ref, url = a_ref(), URLS[ForgeName.GITHUB]
    assert place_url(ref, url, HEAD, "a b/x#y.py", 3, 5).endswith(f"/desk/blob/{HEAD}/a%20b/x%23y.py#L3-L5")
    assert place_url(ref, url, HEAD, "a.py", None, None).endswith(f"/blob/{HEAD}/a.py")
    azure = a_ref(ForgeName.AZURE_DEVOPS)
    found = place_url(azure, URLS[ForgeName.AZURE_DEVOPS], HEAD, "a b/x.py", 3, None)
    assert found.endswith(
        f"/_git/desk?path=/a%20b/x.py&version=GC{HEAD}&line=3&lineEnd=4&lineStartColumn=1&lineEndColumn=1"
    )
    assert place_url(ref, "https://elsewhere.example/7", HEAD, "a.py", 3, None) == ""


def sections(rows: int) -> list[Section]:
    made = [f"| {number} | {'x' * 50} |" for number in range(rows)]
    return [
        Section(title="First", before="| A | B |\n|---|---|", rows=made),
        Section(title="Second", before="<details><summary>Second</summary>\n\n| A | B |\n|---|---|", rows=made, after="\n</details>"),
        Section(title="Third", before="Some words."),
    ]  # fmt: skip


@pytest.mark.parametrize("limit", [900, 1_500, 3_000, 8_000, 100_000])
def test_a_comment_is_cut_between_rows_and_says_so(limit: int) -> None:
    text = composed("first", sections(60), "last", limit=limit, whole="https://x.example/r")
    assert size(text) <= limit
    found = seen(text)
    assert all(len(row) == 2 for table in found.tables for row in table)
    assert text.count("<details>") == text.count("</details>")
    assert text.startswith("first") and text.endswith("last")
    shown = sum(len(table) - 1 for table in found.tables)
    told = sum(int(one) for one in re.findall(r"(\d+) (?:more|left out here);", text))
    assert shown + told == 120
    assert bool(found.links) is (shown < 120)


def test_characters_beyond_the_first_plane_count_as_both_forges_count_them() -> None:
    rows = ["| 🚀 |"] * 100
    text = composed(
        "a", [Section(title="T", before="| A |\n|---|", rows=rows)], "b", limit=400, whole="https://x.example"
    )
    assert len(text.encode("utf-16-le")) // 2 <= 400
    assert size("🚀a") == 3


def test_a_list_in_a_message_stays_a_list_and_harmless():
    said = paragraphs("Of `f` nobody shows:\n- zero\n- <!-- doneright:x --> @mona\n\nDone.")
    assert said.split("\n")[:3] == ["Of `f` nobody shows:", "", "- zero"]
    assert "<!-- doneright:" not in said
    assert not calls_somebody(said)


def test_a_message_of_many_lines_is_cut():
    assert paragraphs("x\n" * 90).count("x") == 40
