"""What a scaffold update is made of: the fate of each file, the offers made to a team, and what a round came to."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import ForgeName, Frozen

BRANCH_PREFIX = "doneright/scaffold-"


class FileFate(StrEnum):
    """What an update does with a file that the template changed."""

    ADDED = "added"
    UPDATED = "updated"
    REMOVED = "removed"
    MERGED = "merged"
    CONFLICT = "conflict"
    KEPT = "kept"


class FileMerge(Frozen):
    """A file whose template changed, and what becomes of it."""

    path: str
    fate: FileFate
    team: str = Field(default="", description="What the team changed since the render before.")
    template: str = Field(default="", description="What the template changed since the render before.")
    advice: str = Field(default="", description="What a person should do; empty where nothing is to be decided.")
    conflicts: tuple[int, ...] = Field(
        default=(), description="Numbers (from 1) of the lines at which conflicts are marked in the offered file."
    )


class UpdateState(StrEnum):
    """What trying to offer an update came to.

    *Revised* is the open pull request brought up to date in place, *unchanged* is one that needs nothing, *in hand* one
    whose branch the team works on, *declined* a version whose pull request the team closed without merging it, *advised*
    a merge that was computed and not offered, since the connection is in advisory mode.
    """

    PENDING = "pending"
    OFFERED = "offered"
    REVISED = "revised"
    UNCHANGED = "unchanged"
    UP_TO_DATE = "up_to_date"
    IN_HAND = "in_hand"
    DECLINED = "declined"
    ADVISED = "advised"
    FAILED = "failed"


class Offer(Frozen):
    """An update offered to a team on one forge; written before it is made, so that a lost answer is found again."""

    version: str = Field(description="Of the template.")
    render: str = Field(description="Digest of the packed render in the artifact store.")
    branch: str
    after: int = Field(default=0, description="Number of the newest pull request of the branch before this offer.")
    commit: str = Field(default="", description="What we last put on the branch and read back.")
    number: int = 0
    url: str = ""
    state: UpdateState = Field(default=UpdateState.OFFERED, description="Offered, or revised in place.")
    instance: str = Field(default="", description="The run that last wrote it.")
    writing: bool = Field(default=False, description="True from the intent until all of it was read back.")


class UpdateOutcome(Frozen):
    """What an update of one repository came to."""

    project: str
    forge: ForgeName
    state: UpdateState
    version: str = ""
    base_version: str = Field(default="", description="Version of the template the repository has.")
    reason: str = ""
    remedy: str = ""
    url: str = Field(default="", description="The pull request's page.")
    draft: bool = Field(default=False, description="The pull request holds marked conflicts.")
    files: dict[FileFate, int] = Field(default_factory=dict, description="How many files of each fate.")
    merge: str = Field(default="", description="Digest of the per-file merge in the artifact store.")
    at: datetime | None = None


class Standing(Frozen):
    """Where a repository stands beside the templates."""

    project: str
    forge: ForgeName
    base: str = Field(description="Digest of the packed render the repository was last brought to.")
    base_version: str
    offers: tuple[Offer, ...] = Field(default=(), description="Offers that were not merged, oldest first.")
    last: UpdateOutcome | None = None


class UpdatePreview(Frozen):
    """What an update of one repository would do now, file by file."""

    project: str
    forge: ForgeName
    would: UpdateState = Field(description="What offering it would come to.")
    reason: str = ""
    remedy: str = ""
    repository: str = ""
    branch: str = Field(default="", description="The default branch the merge was computed on.")
    head: str = Field(default="", description="Commit at its head.")
    base_version: str = Field(default="", description="Version of the template the repository has.")
    version: str = Field(default="", description="Version of the templates packaged here.")
    url: str = Field(default="", description="The pull request there is already.")
    draft: bool = Field(default=False, description="Whether it would be a draft, for its marked conflicts.")
    files: tuple[FileMerge, ...] = ()


class UpdateTask(Frozen):
    """Input of the step that offers an update to one repository."""

    instance: str = Field(description="The run the outcome is listed under.")
    project: str
    forge: ForgeName
    force: bool = False
    actor: str = "doneright"


class UpdateRun(Frozen):
    """A request to offer updates to one project, or to all of a connection."""

    instance: str
    run: int = Field(ge=1)
    connection: str
    project: str = Field(default="", description="Empty: every completed project of the connection.")
    force: bool = False
    actor: str = Field(default="doneright", description="Pseudonym of who asked.")
    started_at: datetime
    finished_at: datetime | None = None
    broken: dict[str, str] = Field(
        default_factory=dict, description="Projects that could not be looked at, with the reason; at most a hundred."
    )


class EndedRun(Frozen):
    """Input of a run's end."""

    run: UpdateRun
    broken: dict[str, str] = Field(default_factory=dict)


class ProjectUpdate(Frozen):
    """Input of the runbook of one project."""

    run: UpdateRun
    project: str


class Target(Frozen):
    """A project with the forges its repositories are on."""

    project: str
    forges: tuple[ForgeName, ...]


class BrokenUpdate(Frozen):
    """A step that ended without an outcome."""

    task: UpdateTask
    reason: str


class UpdateRunView(Frozen):
    """A run as the API shows it."""

    instance: str
    connection: str
    project: str = ""
    state: str = Field(description="running, completed, or partly_failed when one or more repositories failed.")
    started_at: datetime
    finished_at: datetime | None = None
    broken: dict[str, str] = Field(default_factory=dict, description="Projects that could not be looked at, and why.")
    outcomes: tuple[UpdateOutcome, ...] = ()


class RepositoryUpdateView(Frozen):
    """A repository beside the templates."""

    standing: Standing
    files: tuple[FileMerge, ...] = Field(default=(), description="The per-file merge of the last outcome.")


class ProjectUpdateView(Frozen):
    """A project's repositories beside the templates."""

    project: str
    version: str = Field(description="Of the templates packaged here.")
    running: bool = False
    repositories: tuple[RepositoryUpdateView, ...] = ()
