"""When something last happened in a repository or project, as the forges tell it, and what follows from that."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import ForgeName, Frozen, RepositoryRef


class ActivityKind(StrEnum):
    """What can happen in a project."""

    PUSH = "push"
    ISSUE = "issue_or_pull_request"
    PULL_REQUEST = "pull_request"
    WORK_ITEM = "work_item"
    PIPELINE_RUN = "pipeline_run"


class Place(Frozen):
    """A GitHub repository, or an Azure DevOps project with all its repositories."""

    forge: ForgeName
    id: str
    ref: RepositoryRef = Field(description="Of an Azure DevOps project: the project, twice.")
    url: str
    created_at: datetime | None = Field(default=None, description="Azure DevOps lists no such date.")
    pushed_at: datetime | None = Field(default=None, description="The latest push, where the list tells it.")
    archived: bool = False


class Places(Frozen):
    """What a forge holds."""

    places: tuple[Place, ...]
    calls: int = Field(description="How many calls it took.")


class ActivityFact(Frozen):
    """The latest of a kind."""

    kind: ActivityKind
    at: datetime | None = Field(description="None: there never was one.")
    what: str = ""


class Activity(Frozen):
    """What a look at a place found. Once something happened since the date asked about, no more is looked at."""

    facts: tuple[ActivityFact, ...]
    commits: int | None = Field(default=None, description="0, 1, or 2 for two and more; None: not looked at.")
    own_items: bool | None = Field(
        default=None, description="Whether people wrote work items or issues; None: not looked at."
    )
    calls: int = Field(description="How many calls it took.")

    def latest(self) -> datetime | None:
        """The latest date of all facts."""
        return max((fact.at for fact in self.facts if fact.at), default=None)


class Idleness(StrEnum):
    """Why a project is listed."""

    EMPTY = "empty"
    STALE = "stale"
    GONE = "gone"


class PlaceView(Frozen):
    """A place as it is listed."""

    forge: ForgeName
    name: str
    url: str
    created_at: datetime | None = None
    archived: bool = False
    facts: tuple[ActivityFact, ...] = ()


class IdleProject(Frozen):
    """A project that is empty or stale."""

    project: str = Field(default="", description="Its id in Doneright; empty: Doneright did not make it.")
    name: str
    why: tuple[Idleness, ...]
    latest: datetime | None = Field(description="When something last happened; None: never.")
    places: tuple[PlaceView, ...]


class Unread(Frozen):
    """What could not be looked at."""

    name: str
    reason: str
    remedy: str = ""


class IdleListing(Frozen):
    """The empty and stale projects of a connection."""

    connection: str
    days: int
    since: datetime
    at: datetime
    projects: tuple[IdleProject, ...]
    looked_at: int = Field(description="How many repositories and projects were looked at.")
    left_off: int = Field(default=0, description="How many were not, since there are more than `limit`.")
    calls: int = Field(description="How many calls to the forges it took.")
    unread: tuple[Unread, ...] = ()


class Listed(Frozen):
    """That a project of Doneright's stood on the listing, which its removal is held against."""

    project: str
    at: datetime
    why: tuple[Idleness, ...]
    seen: dict[str, datetime | None] = Field(description="`forge.kind` of each fact that was looked at → its date.")
