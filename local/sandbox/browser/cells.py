"""Defines the inline values a page may show inside tables, key/value lists, trees and cards: data only, never HTML."""

from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime
from pydantic.dataclasses import dataclass

type Items[T] = Annotated[Sequence[T], AfterValidator(tuple)]
"""Any sequence on the way in (lists are fine), a tuple once stored, so that a page cannot change after it was made."""


class Tone(StrEnum):
    """What a badge or notice means. Each tone has its own icon and colour; the text must still say the meaning."""

    NEUTRAL = "neutral"  # draft, inactive, plain label
    INFO = "info"  # new, informational
    ACTIVE = "active"  # running, in progress, open
    SUCCESS = "success"  # passed, approved, completed, enabled
    WARNING = "warning"  # waiting for a person, degraded, changes requested
    DANGER = "danger"  # failed, rejected, blocked
    DONE = "done"  # merged, closed as done


class Icon(StrEnum):
    """What kind of thing a tree node, card or link is. Drawn as a small picture; the name is read to screen readers."""

    NONE = "none"
    ORGANISATION = "organisation"
    PROJECT = "project"
    REPOSITORY = "repository"
    FOLDER = "folder"
    FILE = "file"
    BRANCH = "branch"
    COMMIT = "commit"
    TAG = "tag"
    ISSUE = "issue"
    PULL_REQUEST = "pull request"
    EPIC = "epic"
    FEATURE = "feature"
    STORY = "story"  # user story, product backlog item, requirement
    TASK = "task"
    BUG = "bug"
    PIPELINE = "pipeline"
    POLICY = "policy"
    WIKI = "wiki"
    HOOK = "hook"
    PERSON = "person"
    KEY = "key"


@dataclass(frozen=True)
class Link:
    """A link. `href` is a path of this simulator (`/octo/app/issues/1`, percent-encoded by you) or an http(s) address.

    Any other scheme (`javascript:`, `data:` …) is shown as plain text, so user-supplied addresses may be passed as they are.
    Links to other origins get `rel="noopener noreferrer"` by themselves.
    """

    label: str
    href: str
    icon: Icon = Icon.NONE


@dataclass(frozen=True)
class Badge:
    """A short state such as `Badge("open", Tone.ACTIVE)` or a label such as `Badge("bug")`; `href` makes it a link."""

    text: str
    tone: Tone = Tone.NEUTRAL
    href: str | None = None


@dataclass(frozen=True)
class Time:
    """A moment, shown relative to now up to a week, then as a date; the exact UTC time is its title and is printed on paper.

    Must carry a time zone: see `instant`.
    """

    at: AwareDatetime


@dataclass(frozen=True)
class InlineCode:
    """A short literal in a fixed-width face: a SHA, a branch, a path. `href` makes it a link."""

    text: str
    href: str | None = None


@dataclass(frozen=True)
class InlineMarkdown:
    """A line or short paragraph of user-written Markdown inside a cell; HTML in it is shown as text."""

    source: str


type Atom = str | int | float | Link | Badge | Time | InlineCode | InlineMarkdown | None
type Cell = Atom | Items[Atom]
"""One value, or several side by side (`[Badge("bug"), Badge("p1")]`). `None` and `[]` show a dash that reads "none"."""


def instant(iso: str) -> datetime:
    """Turn an ISO 8601 text as forges write it (`…Z`, offsets, up to seven decimals) into an aware datetime.

    A text without a zone is taken as UTC. Raises ValueError when the text is no date.
    """
    moment = datetime.fromisoformat(iso)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
