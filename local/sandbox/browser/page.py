"""Defines the page model simulators fill in: frozen data without markup, so one renderer decides all looks and all escaping.

A simulator writes one function, `page(state, path, query) -> Page | None`, and imports everything from this module:

    def page(state: State, path: str, query: Mapping[str, str]) -> Page | None:
        if path == "/octo/app":
            return Page(
                title="app",
                breadcrumbs=[Link("Organisations", "/"), Link("octo", "/octo")],
                tabs=[Tab("Code", "/octo/app", current=True), Tab("Issues", "/octo/app/issues", count=3)],
                status=Badge("private"),
                blocks=[
                    Table(
                        title="Branches",
                        columns=["Name", "Head", "Updated"],
                        rows=[[Link("main", "/octo/app/tree/main"), InlineCode("1f2e3d4"), Time(instant("2026-01-02T03:04:05Z"))]],
                    ),
                ],
            )
        return None  # unknown to this simulator: the browser answers with its 404 page

Rules that hold for every field:
- Texts are plain text. Never escape and never pass HTML; `Markdown`, `InlineMarkdown` and event bodies take Markdown source.
- `path` arrives percent-decoded and without a query; the last value of a repeated query key wins. Hrefs you make are
  percent-encoded by you (`urllib.parse.quote`).
- Sequences may be lists; they are stored as tuples. A wrong type raises pydantic.ValidationError where the page is made.
- Headings are numbered by the renderer: the page title is the h1, block titles are h2, what is inside comes below. Give a
  block a `title` whenever a page holds more than one block.
- `page` must answer `/` with the list of organisations.
"""

from typing import Annotated

from pydantic import Field
from pydantic.dataclasses import dataclass

from local.sandbox.browser.blocks import (
    Block,
    Board,
    Card,
    Code,
    Column,
    Empty,
    Event,
    Form,
    FormField,
    KeyValues,
    Markdown,
    Notice,
    Select,
    Step,
    Steps,
    StepState,
    Table,
    Text,
    TextArea,
    Timeline,
    Tree,
    TreeNode,
)
from local.sandbox.browser.cells import (
    Atom,
    Badge,
    Cell,
    Icon,
    InlineCode,
    InlineMarkdown,
    Items,
    Link,
    Time,
    Tone,
    instant,
)

__all__ = [
    "Atom",
    "Badge",
    "Block",
    "Board",
    "Card",
    "Cell",
    "Code",
    "Column",
    "Empty",
    "Event",
    "Form",
    "FormField",
    "Icon",
    "InlineCode",
    "InlineMarkdown",
    "KeyValues",
    "Link",
    "Markdown",
    "Notice",
    "Page",
    "Select",
    "Step",
    "StepState",
    "Steps",
    "Tab",
    "Table",
    "Text",
    "TextArea",
    "Time",
    "Timeline",
    "Tone",
    "Tree",
    "TreeNode",
    "instant",
]


@dataclass(frozen=True)
class Tab:
    """One entry of the navigation under the title; exactly one should be `current` (it gets aria-current)."""

    label: str
    href: str
    current: bool = False
    count: int | None = None


@dataclass(frozen=True)
class Page:
    """A whole page. `blocks` is the main column in reading order; `aside` holds details beside it (labels, reviewers, links).

    `breadcrumbs` lead from the organisations to the parent of this page, which itself is not in them. `actions` are drawn as
    buttons in the heading ("New issue"). `refresh_seconds` offers (never forces) a periodic reload for things still running.
    """

    title: str
    subtitle: str = ""
    breadcrumbs: Items[Link] = ()
    tabs: Items[Tab] = ()
    status: Badge | None = None
    blocks: Items[Block] = ()
    aside: Items[Block] = ()
    actions: Items[Link] = ()
    icon: Icon = Icon.NONE
    refresh_seconds: Annotated[int, Field(ge=1)] | None = None
