"""A project's backlog as both forges can show it, what is found wrong in it, and the change that would mend it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import ForgeName, Frozen


class Standing(StrEnum):
    """Whether work on an item goes on."""

    OPEN = "open"
    CLOSED = "closed"
    REMOVED = "removed"


class Entry(Frozen):
    """A work item, or an issue of GitHub, with its place in the hierarchy."""

    id: int = Field(description="The work item's id, or the issue's number.")
    revision: int = Field(default=0, description="Counts changes on Azure DevOps; GitHub has no such number.")
    type: str = Field(default="", description="Work item type, or the level an issue's labels name; empty for none.")
    title: str
    state: str = ""
    standing: Standing = Standing.OPEN
    parent: int | None = None
    area: str = Field(default="", description="Area path; empty on GitHub.")
    tags: tuple[str, ...] = Field(default=(), description="Tags, or labels.")
    project: str = Field(default="", description="Team project, or owner/name of the repository.")
    url: str = ""
    description: str = Field(default="", description="Only where it was asked for.")


class BacklogLevel(Frozen):
    """One level: the types of work items that stand on it, the usual one first."""

    types: tuple[str, ...] = Field(min_length=1)

    @property
    def name(self) -> str:
        """What a new item of the level is."""
        return self.types[0]


class Ladder(Frozen):
    """The levels of a process from the top; every level but the top hangs on the one above."""

    levels: tuple[BacklogLevel, ...]
    free: tuple[str, ...] = Field(default=(), description="Types that may have a parent and need none.")

    def level_of(self, type_: str) -> int | None:
        """The level of a type, 0 at the top; ``None`` for a type outside of the hierarchy. Case does not count."""
        wanted = type_.casefold()
        return next(
            (rank for rank, level in enumerate(self.levels) if wanted in {name.casefold() for name in level.types}),
            None,
        )

    def needs_parent(self, type_: str) -> bool:
        """Whether an item of the type hangs on another."""
        level = self.level_of(type_)
        return bool(level) and type_.casefold() not in {name.casefold() for name in self.free}

    def described(self) -> str:
        """The levels in words, from the top."""
        return " > ".join(" or ".join(level.types) for level in self.levels)


class Backlog(Frozen):
    """All that a judgement needs."""

    forge: ForgeName
    place: str = Field(description="Team project, or owner/name of the repository.")
    ladder: Ladder
    entries: tuple[Entry, ...]
    elsewhere: tuple[Entry, ...] = Field(default=(), description="Parents that stand in other projects.")
    calls: int = Field(default=0, description="How many questions to the forge it took.")


class FindingKind(StrEnum):
    """What can be wrong with an item's place."""

    ORPHAN = "orphan"
    WRONG_PARENT = "wrong_parent"
    LEVEL_SKIPPED = "level_skipped"
    CYCLE = "cycle"
    PARENT_ELSEWHERE = "parent_elsewhere"
    PARENT_REMOVED = "parent_removed"
    PARENT_CLOSED = "parent_closed"
    DUPLICATE_TITLE = "duplicate_title"


class Fix(Frozen):
    """One change: the item is hung on another, on a container made for it, or on nothing."""

    id: str
    item: int
    revision: int = 0
    before: int | None = Field(description="The parent it has now.")
    parent: int | None = Field(description="The parent it gets; None for a container yet to be made, and for none.")
    container: str = Field(default="", description="Type of the container `Unsorted` it goes to; empty for none.")
    reason: str


class BacklogFinding(Frozen):
    """Something that is wrong, why, and what to do."""

    id: str
    kind: FindingKind
    item: int
    title: str
    url: str = ""
    others: tuple[int, ...] = Field(default=(), description="The other items it is about.")
    explanation: str
    remedy: str
    fix: Fix | None = Field(default=None, description="Where the remedy needs no person's judgement.")


class FixState(StrEnum):
    """What became of a fix."""

    APPLIED = "applied"
    ALREADY = "already"
    STALE = "stale"
    CONFLICT = "conflict"
    REFUSED = "refused"
    WAITING = "waiting"


class FixOutcome(Frozen):
    """What became of a fix, as it was read back."""

    fix: str
    state: FixState
    item: int
    parent: int | None = None
    reason: str = ""
    remedy: str = ""


class TreeNode(Frozen):
    """An item with those below it."""

    id: int
    type: str
    title: str
    state: str
    standing: Standing
    url: str = ""
    findings: tuple[FindingKind, ...] = ()
    children: tuple[TreeNode, ...] = ()


class JudgedBacklog(Frozen):
    """A backlog with all that is wrong in it."""

    forge: ForgeName
    place: str
    hierarchy: str
    items: int
    calls: int
    findings: tuple[BacklogFinding, ...]
    tree: tuple[TreeNode, ...] = ()
    unavailable: str = Field(default="", description="Why it could not be read.")

    @property
    def fixes(self) -> Sequence[Fix]:
        """The proposed changes, in the order they are applied in."""
        return [finding.fix for finding in self.findings if finding.fix]


class BacklogView(Frozen):
    """``GET /api/projects/{id}/backlog``."""

    project: str
    name: str
    backlogs: tuple[JudgedBacklog, ...]


class NormalisationView(Frozen):
    """``POST /api/projects/{id}/backlog/normalise``."""

    project: str
    dry_run: bool = False
    fixes: tuple[Fix, ...] = Field(default=(), description="What would be applied, in order.")
    outcomes: tuple[FixOutcome, ...] = ()
    left: int = Field(default=0, description="Fixes that wait for the next call.")
    retry_after: float | None = Field(default=None, description="Seconds, where the forge asked for patience.")
