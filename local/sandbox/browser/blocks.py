"""Defines the blocks a page is made of: tables, trees, code, discussions, boards, forms, steps. Data only, never HTML."""

from datetime import timedelta
from enum import StrEnum
from typing import Literal

from pydantic import AwareDatetime
from pydantic.dataclasses import dataclass

from local.sandbox.browser.cells import Atom, Badge, Cell, Icon, Items, Link, Tone
from local.sandbox.browser.links import Reach, safe_link


@dataclass(frozen=True)
class KeyValues:
    """Names with values: `KeyValues([("Owner", Link("octo", "/octo")), ("Labels", [Badge("bug"), Badge("p1")])])`."""

    items: Items[tuple[str, Cell]]
    title: str = ""


@dataclass(frozen=True)
class Table:
    """Rows under column headings; the first cell of a row names the row. Every row has as many cells as there are columns.

    With no rows, `empty` is shown instead of an empty grid. `numeric` holds the (zero-based) columns aligned right.
    """

    columns: Items[str]
    rows: Items[Items[Cell]]
    title: str = ""
    empty: str = "Nothing here yet."
    numeric: Items[int] = ()

    def __post_init__(self) -> None:
        """Refuse ragged rows, since a cell without its heading cannot be read aloud, and numeric columns that do not exist."""
        if any(not 0 <= column < len(self.columns) for column in self.numeric):
            raise ValueError(f"numeric names columns {tuple(self.numeric)} of {len(self.columns)}: count from 0")
        for number, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(f"row {number} has {len(row)} cells for {len(self.columns)} columns: pad it with None")


@dataclass(frozen=True)
class TreeNode:
    """One file, folder or work item; `meta` is quiet text on the right (size, assignee, last commit), `badges` its states."""

    label: str
    href: str | None = None
    icon: Icon = Icon.NONE
    badges: Items[Badge] = ()
    meta: Items[Atom] = ()
    children: Items["TreeNode"] = ()


@dataclass(frozen=True)
class Tree:
    """Nested things: the files of a folder, or Epic → Feature → Story → Task."""

    nodes: Items[TreeNode]
    title: str = ""
    empty: str = "Nothing here yet."


@dataclass(frozen=True)
class Code:
    """A file or a patch with numbered lines, each an anchor `#L12` (`#name-L12` when `name` is given; use it for several on a page).

    `language` is a Pygments name (`python`, `yaml`, `json`, `bicep` …) or empty for plain text; `diff` colours a unified patch.
    """

    text: str
    language: str = ""
    title: str = ""
    name: str = ""
    first_line: int = 1


@dataclass(frozen=True)
class Markdown:
    """A README, a wiki page, a description. HTML in the source is shown as text; relative links resolve against the page's path."""

    source: str
    title: str = ""


@dataclass(frozen=True)
class Card:
    """One work item on a board: `Card("Sign in fails", "/proj/_workitems/edit/7", icon=Icon.BUG, key="#7", meta=["Ada"])`."""

    title: str
    href: str | None = None
    icon: Icon = Icon.NONE
    key: str = ""
    badges: Items[Badge] = ()
    meta: Items[Atom] = ()


@dataclass(frozen=True)
class Column:
    """One column of a board; `limit` is its work-in-progress limit."""

    name: str
    cards: Items[Card] = ()
    limit: int | None = None


@dataclass(frozen=True)
class Board:
    """Columns of cards in the order of the process."""

    columns: Items[Column]
    title: str = ""


@dataclass(frozen=True)
class Event:
    """Something somebody did: with `body` (Markdown) it is a comment, without it a one-line event.

    `action` completes the sentence "author action time": `commented`, `approved these changes`, `pushed 1f2e3d4`.
    `replies` nest one discussion; `badge` shows a state such as `Badge("resolved", Tone.SUCCESS)`; `anchor` is the fragment id.
    """

    author: str
    action: str
    at: AwareDatetime
    body: str = ""
    badge: Badge | None = None
    tone: Tone = Tone.NEUTRAL
    anchor: str = ""
    replies: Items["Event"] = ()


@dataclass(frozen=True)
class Timeline:
    """Events and comments, oldest first."""

    events: Items[Event]
    title: str = ""
    empty: str = "Nothing has happened yet."


@dataclass(frozen=True)
class Text:
    """A one-line input. `kind` is the HTML input type."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    required: bool = False
    error: str = ""
    kind: Literal["text", "search", "number", "url", "email"] = "text"


@dataclass(frozen=True)
class TextArea:
    """A multi-line input of `rows` lines."""

    name: str
    label: str
    value: str = ""
    hint: str = ""
    required: bool = False
    error: str = ""
    rows: int = 6


@dataclass(frozen=True)
class Select:
    """A choice of one of `options`, each (value, label); `value` is the chosen one."""

    name: str
    label: str
    options: Items[tuple[str, str]]
    value: str = ""
    hint: str = ""
    required: bool = False
    error: str = ""


type FormField = Text | TextArea | Select


@dataclass(frozen=True)
class Form:
    """Inputs sent to `action`, a path of this simulator, as application/x-www-form-urlencoded (post) or as the query (get).

    The browser only draws the form: a POST reaches the simulator's own route, which answers 303 with the page to show next.
    `hidden` are further (name, value) pairs. A field's `error` is shown beside it after a refused submit.
    """

    action: str
    fields: Items[FormField]
    submit: str
    method: Literal["get", "post"] = "post"
    title: str = ""
    hidden: Items[tuple[str, str]] = ()

    def __post_init__(self) -> None:
        """Refuse an action elsewhere: what is typed here must stay in the sandbox."""
        link = safe_link(self.action)
        if not self.action.startswith("/") or link is None or link.reach is not Reach.SAME_ORIGIN:
            raise ValueError(f"the form's action {self.action!r} is no path of this simulator: begin it with one slash")


class StepState(StrEnum):
    """The state of a step; the text shown is the value with spaces."""

    PENDING = "pending"
    RUNNING = "running"
    WAITING = "waiting"  # for a person or an approval
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    NOT_SUPPORTED = "not_supported"


@dataclass(frozen=True)
class Step:
    """One step, job or stage; `note` is a reason or remedy (plain text), `children` the steps inside it."""

    name: str
    state: StepState
    duration: timedelta | None = None
    note: str = ""
    href: str | None = None
    children: Items["Step"] = ()


@dataclass(frozen=True)
class Steps:
    """A pipeline run, a check suite or a plan."""

    steps: Items[Step]
    title: str = ""


@dataclass(frozen=True)
class Empty:
    """Says what would be here and how it comes: `Empty("No pull requests", "Push a branch and open one with …")`.

    `action` is the link that does it, if there is one.
    """

    what: str
    how: str
    action: Link | None = None


@dataclass(frozen=True)
class Notice:
    """A message above or between blocks; `text` is plain. Tone says its weight."""

    text: str
    level: Literal["info", "warning", "error"] = "info"
    title: str = ""


type Block = KeyValues | Table | Tree | Code | Markdown | Board | Timeline | Form | Steps | Empty | Notice
