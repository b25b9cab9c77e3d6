"""Drawing: every block is complete, escaped and accessible, whatever text it holds."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from local.sandbox.browser.page import (
    Badge,
    Board,
    Card,
    Code,
    Column,
    Empty,
    Event,
    Form,
    Icon,
    InlineCode,
    InlineMarkdown,
    KeyValues,
    Link,
    Markdown,
    Notice,
    Page,
    Select,
    Step,
    Steps,
    StepState,
    Tab,
    Table,
    Text,
    TextArea,
    Time,
    Timeline,
    Tone,
    Tree,
    TreeNode,
)
from local.sandbox.browser.render import render, spoken_age, spoken_duration

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
type Read = Callable[[str], Any]


def draw(*blocks: Any, **others: Any) -> str:
    return render(Page("Title", blocks=blocks, **others), forge="github", now=NOW)


def full_page(text: str, href: str) -> Page:
    """A page with every block, every field of which holds `text` or `href`."""
    cells = [
        text,
        Link(text, href, icon=Icon.BUG),
        Badge(text, Tone.DANGER, href),
        Badge(text),
        Time(NOW),
        InlineCode(text, href),
        InlineCode(text),
        InlineMarkdown(text),
        [text, Badge(text)],
        None,
        7,
    ]
    node = TreeNode(text, href, Icon.EPIC, [Badge(text)], [text], [TreeNode(text), TreeNode(text, href)])
    card = Card(text, href, Icon.TASK, text, [Badge(text)], [text, Time(NOW)])
    reply = Event(text, text, NOW, body=text)
    step = Step(text, StepState.FAILED, timedelta(seconds=3), text, href, [Step(text, StepState.RUNNING)])
    fields = [
        Text(text, text, text, text, True, text),
        TextArea(text, text, text, text, True, text),
        Select(text, text, [(text, text)], text, text, True, text),
    ]
    blocks = [
        KeyValues([(text, cell) for cell in cells], title=text),
        Table([text] * len(cells), [cells], title=text, numeric=[10]),
        Table([text], [], empty=text),
        Tree([node], title=text),
        Tree([], empty=text),
        Code(text, "python", text, "a"),
        Code(text, text, text, "b"),
        Code(text, "diff", "", "c"),
        Markdown(text, title=text),
        Markdown(f"# {text}\n\n#### {text}\n\n- [x] {text}"),
        Board([Column(text, [card, Card(text)], 1), Column(text)], title=text),
        Board([Column(text)]),
        Timeline([Event(text, text, NOW, text, Badge(text), Tone.INFO, "event-1", [reply]), reply], title=text),
        Timeline([], empty=text),
        Form("/send", fields, text or "Send", title=text, hidden=[(text, text)]),
        Steps([step], title=text),
        Empty(text, text, Link(text, href)),
        Notice(text, "error", text),
        Notice(text),
    ]
    return Page(
        title=text,
        subtitle=text,
        breadcrumbs=[Link(text, href), Link(text, "/")],
        tabs=[Tab(text, href, True, 0), Tab(text, "/x")],
        status=Badge(text),
        blocks=blocks,
        aside=[block for block in blocks if not isinstance(block, Code | Timeline)],
        actions=[Link(text, href)],
        icon=Icon.WIKI,
        refresh_seconds=3,
    )


def check_accessible(document: Any) -> None:
    levels = [int(heading.tag[1]) for heading in document.all(*HEADINGS)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(later - earlier <= 1 for earlier, later in pairwise(levels)), levels
    ids = [element.attrs["id"] for element in document.elements if "id" in element.attrs]
    assert len(ids) == len(set(ids)), sorted(name for name in ids if ids.count(name) > 1)
    for element in document.elements:
        for attribute in ("aria-labelledby", "aria-describedby", "for"):
            for name in element.attrs.get(attribute, "").split():
                assert name in ids, (element.tag, attribute, name)
        if "tabindex" in element.attrs and element.attrs["tabindex"] == "0":
            assert element.attrs.get("role") == "region" or element.tag == "pre"
        if element.attrs.get("role") == "region":
            assert element.attrs.get("aria-label") or element.attrs.get("aria-labelledby")
    landmarks = [element for element in document.all("section") if "aria-labelledby" in element.attrs]
    assert not landmarks, "a block is no landmark"
    labelled = {label.attrs["for"] for label in document.all("label")}
    for control in document.all("input", "select", "textarea"):
        assert control.attrs.get("type") == "hidden" or control.attrs["id"] in labelled
    for header in document.all("th"):
        assert header.attrs["scope"] in {"row", "col"}
    for picture in document.all("svg"):
        assert picture.attrs.get("aria-hidden") == "true" or picture.attrs["aria-label"]


def check_safe(document: Any) -> None:
    for element in document.elements:
        assert not [name for name in element.attrs if name.startswith("on") or name == "style"], element
        assert element.tag not in {"iframe", "object", "embed", "style", "base"}
        if element.tag == "script":
            assert element.attrs == {"src": "/_browser/page.js", "defer": ""}
            assert element.text == ""
        if element.tag in {"img", "use", "link", "script"}:
            assert (element.attrs.get("src") or element.attrs.get("href", "")).startswith("/")
        if element.tag == "a":
            address = element.attrs["href"].strip()
            outside = bool(re.match(r"(?i)(https?:|mailto:|[\\/]{2})", address))
            assert outside or not re.match(r"(?i)[a-z][a-z0-9+.-]*:", address), address
            assert ("noopener" in element.attrs.get("rel", "")) == outside


HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "</textarea></select></title></code></pre><h1>",
    "[x](javascript:alert(1)) ![y](https://example.org/y.png)",
    "<!--",
    "]]>",
    "&lt;b&gt;",
    "\u202e\u0000\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "# a\n\n#### b",
    "",
]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("href", ["/a", "https://example.org", "javascript:alert(1)", "//example.org", '"><b>'])
def test_every_field_of_every_block_survives_hostile_text(text: str, href: str, read: Read) -> None:
    document = read(render(full_page(text, href), forge="azure_devops", now=NOW))
    check_safe(document)
    check_accessible(document)


@given(
    text=st.text(
        alphabet=st.one_of(st.sampled_from("<>&\"'`#*[]()!|-=:/ \n{}%"), st.characters(codec="utf-8")), max_size=40
    ),
    href=st.one_of(st.text(max_size=20), st.sampled_from(["/x?a=b&c=d", "JAVASCRIPT:1", "https://e.org/<"])),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_field_of_every_block_survives_any_text(text: str, href: str, read: Read) -> None:
    document = read(render(full_page(text, href), forge="github", now=NOW))
    check_safe(document)
    check_accessible(document)


def test_plain_text_is_shown_exactly_as_given(read: Read) -> None:
    document = read(draw(KeyValues([("name", "<b>&amp;</b>")])))
    assert document.one("dd").text == "<b>&amp;</b>"


def test_the_frame_has_landmarks_and_a_skip_link(read: Read) -> None:
    page = Page(
        "app",
        breadcrumbs=[Link("Organisations", "/"), Link("octo", "/octo")],
        tabs=[Tab("Code", "/octo/app", current=True), Tab("Issues", "/octo/app/issues", count=3)],
        aside=[KeyValues([("Owner", "octo")], title="About")],
    )
    document = read(render(page, forge="github", now=NOW))
    assert document.one("html").attrs == {"lang": "en", "data-forge": "github"}
    assert document.one("title").text == "app · octo · GitHub sandbox"
    assert document.all("a")[0].attrs["href"] == "#content"
    assert document.one("main").attrs["id"] == "content"
    assert document.one("aside").attrs["aria-label"] == "Details"
    assert [nav.attrs["aria-label"] for nav in document.all("nav")] == ["Breadcrumb", "Sections"]
    current = [link for link in document.all("a") if link.attrs.get("aria-current") == "page"]
    assert [link.text for link in current] == ["Code"]
    assert "maximum-scale" not in str(document.all("meta"))


def test_unsafe_addresses_become_text(read: Read) -> None:
    document = read(draw(KeyValues([("a", Link("click", "javascript:alert(1)")), ("b", Badge("b", href="data:x"))])))
    assert not [link for link in document.all("a") if link.text in {"click", "b"}]
    assert [value.text for value in document.all("dd")] == ["click", "b"]


def test_a_table_names_its_rows_and_columns(read: Read) -> None:
    document = read(draw(Table(["Name", "Size", ""], [["main", 3, None]], title="Branches", numeric=[1])))
    assert [(header.text, header.attrs["scope"]) for header in document.all("th")] == [
        ("Name", "col"),
        ("Size", "col"),
        ("main", "row"),
    ]
    assert document.one("table").attrs["aria-labelledby"] == "block.1"
    assert document.by_id("block.1").text == "Branches"
    assert document.all("td")[1].attrs["class"] == "align-right"
    assert document.all("td")[2].text == "\N{EN DASH}none"


@pytest.mark.parametrize(
    ("block", "said"),
    [
        (Table(["a"], [], empty="No tags yet."), "No tags yet."),
        (Tree([], empty="No files yet."), "No files yet."),
        (Timeline([], empty="No comments yet."), "No comments yet."),
        (Markdown("  \n"), "No text."),
        (Board([Column("New")]), "No cards."),
    ],
)
def test_empty_blocks_say_so(block: Any, said: str, read: Read) -> None:
    assert said in read(draw(block)).one("main").text


def test_a_tree_nests_and_names_what_each_node_is(read: Read) -> None:
    document = read(draw(Tree([TreeNode("Pay", "/1", Icon.EPIC, children=[TreeNode("Card", "/2", Icon.TASK)])])))
    assert [item.parents.count("ul") for item in document.all("li")] == [1, 2]
    assert [picture.attrs.get("aria-label") for picture in document.all("svg") if "role" in picture.attrs] == [
        "epic",
        "task",
    ]


def test_code_lines_are_anchors_outside_the_tab_order(read: Read) -> None:
    document = read(draw(Code("a\nb\n", name="main", first_line=9), Code("c")))
    assert [line.attrs["id"] for line in document.with_class("line")] == ["main-L9", "main-L10", "L1"]
    assert document.by_id("main-L10").text == "b\n"
    assert {number.attrs["tabindex"] for number in document.with_class("number")} == {"-1"}


def test_markdown_headings_start_below_the_block(read: Read) -> None:
    document = read(draw(Markdown("# One\n### Two", title="Readme"), Markdown("# One")))
    assert [(h.tag, h.text, h.attrs.get("id")) for h in document.all(*HEADINGS)][1:] == [
        ("h2", "Readme", "block.1"),
        ("h3", "One", "one"),
        ("h4", "Two", "two"),
        ("h2", "One", "one-1"),
    ]


def test_comments_do_not_take_the_anchor_of_an_event(read: Read) -> None:
    events = [Event("a", "said", NOW, "# reply-1", replies=[Event("b", "said", NOW, "x", anchor="reply-1")])]
    document = read(draw(Timeline(events, title="Talk")))
    assert document.by_id("reply-1").tag == "li"
    assert document.by_id("reply-1-1").tag == "h3"


def test_a_board_counts_and_warns_beyond_its_limit(read: Read) -> None:
    document = read(
        draw(Board([Column("Active", [Card("a"), Card("b")], limit=1), Column("New", [Card("c")], limit=1)]))
    )
    assert [heading.text for heading in document.all("h2")] == ["Active 2 of 1", "New 1 of 1"]
    assert [note.text for note in document.with_class("over-limit")] == ["Over its limit"]


def test_steps_say_their_state_in_words(read: Read) -> None:
    document = read(draw(Steps([Step(state.value, state) for state in StepState])))
    assert [state.text for state in document.with_class("step-state")] == [s.value.replace("_", " ") for s in StepState]


def test_form_fields_are_tied_to_label_hint_and_error(read: Read) -> None:
    form = Form(
        "/octo/issues",
        [
            Text("title", "Title", hint="One line.", error="Missing.", required=True),
            TextArea("body", "Body", value="\nfirst line is empty"),
            Select("label", "Label", [("a", "A"), ("b", "B")], value="b"),
        ],
        "Create",
        hidden=[("token", "<x>")],
    )
    document = read(draw(form))
    hidden, title = document.all("input")
    assert hidden.attrs == {"type": "hidden", "name": "token", "value": "<x>"}
    assert title.attrs["aria-describedby"] == "block.1.1.hint block.1.1.error"
    assert title.attrs["aria-invalid"] == "true"
    assert "required" in title.attrs
    assert document.by_id("block.1.1.error").text == "Error: Missing."
    # HTML drops one line break after the opening tag; ours keeps the user's.
    assert document.one("textarea").text == "\n\nfirst line is empty"
    assert [option.text for option in document.all("option") if "selected" in option.attrs] == ["B"]
    assert (document.one("form").attrs["method"], document.one("button").text) == ("post", "Create")


@pytest.mark.parametrize(("level", "role"), [("info", "note"), ("warning", "note"), ("error", "alert")])
def test_notices_carry_their_weight_in_words(level: Any, role: str, read: Read) -> None:
    notice = read(draw(Notice("Text.", level, "Plan"))).with_class("notice")[0]
    assert notice.attrs["role"] == role
    assert f"{level.capitalize()}: Plan." in notice.text


def test_reloading_is_offered_not_forced(read: Read) -> None:
    document = read(draw(refresh_seconds=5))
    assert not [meta for meta in document.all("meta") if "http-equiv" in meta.attrs]
    assert "hidden" in document.with_class("refresh")[0].attrs
    assert "checked" not in document.by_id("auto-refresh").attrs


@pytest.mark.parametrize(
    ("distance", "said"),
    [
        (timedelta(0), "just now"),
        (timedelta(seconds=9), "just now"),
        (timedelta(seconds=30), "30 seconds ago"),
        (timedelta(seconds=60), "1 minute ago"),
        (timedelta(minutes=119), "1 hour ago"),
        (timedelta(days=6, hours=23), "6 days ago"),
        (timedelta(days=7), "25 Feb 2026"),
        (timedelta(minutes=-5), "in 5 minutes"),
        (timedelta(days=-400), "8 Apr 2027"),
    ],
)
def test_ages_are_spoken(distance: timedelta, said: str) -> None:
    assert spoken_age(NOW - distance, NOW) == said


def test_a_time_keeps_its_exact_moment(read: Read) -> None:
    time = read(draw(KeyValues([("at", Time(NOW - timedelta(hours=1)))]))).all("time")[0]
    assert time.attrs == {"datetime": "2026-03-04T11:00:00+00:00", "title": "2026-03-04 11:00:00 UTC"}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 ms"),
        (-1, "0 ms"),
        (0.4204, "420 ms"),
        (3.21, "3.2 s"),
        (125, "2 min 5 s"),
        (3780, "1 h 3 min"),
        (59.96, "1 min 0 s"),
        (0.9996, "1.0 s"),
    ],
)
def test_durations_are_spoken(seconds: float, said: str) -> None:
    assert spoken_duration(timedelta(seconds=seconds)) == said
