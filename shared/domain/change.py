"""A change as both forges show it: a pull request with its files, commits, people, checks and work items.

Each part is either what the forge said, or ``Unknown`` with the reason; an empty part says that there is none.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from functools import cached_property

from pydantic import Field

from shared.domain.definition import ChangeKind, WorkItemKind
from shared.domain.evidence import EvidenceRecord, EvidenceReport, Finding
from shared.domain.forge import ForgeName, Frozen, RepositoryRef
from shared.domain.pull_request import PullRequestState


class Unknown(Frozen):
    """A part of the evidence that could not be had. It is never taken for *none*."""

    reason: str = Field(min_length=3)
    supported: bool = Field(default=True, description="False: the forge, or its plan, has no such thing.")


type Part[T] = T | Unknown
"""What is known, or why it is not."""


class ChangeRef(Frozen):
    """Which pull request."""

    forge: ForgeName
    repository: RepositoryRef
    number: int = Field(ge=1)

    @property
    def key(self) -> str:
        """One text for it, whatever case its names are written in: ``github:contoso/desk#7``."""
        return f"{self.forge}:{str(self.repository).lower()}#{self.number}"


class Person(Frozen):
    """Somebody, or a program, on a forge."""

    id: str = Field(description="What the forge knows them by for ever: a number or a GUID.")
    login: str = Field(description="GitHub login, or the unique name (an e-mail address) on Azure DevOps.")
    name: str = ""
    bot: bool = Field(default=False, description="A program: an App, a build service.")


class Change(Frozen):
    """A pull request at one head commit."""

    ref: ChangeRef
    title: str
    body: str = ""
    url: str = ""
    state: PullRequestState = PullRequestState.OPEN
    draft: bool = False
    author: Person
    source: str = Field(description="Short name of the branch it brings.")
    target: str = Field(description="Short name of the branch it goes to.")
    head: str = Field(description="SHA of the newest commit it brings.")
    base: str = Field(description="SHA of the target branch when it was looked at.")
    merge_base: str = Field(default="", description="SHA of the commit both branches share last; empty: not known.")
    behind: int | None = Field(default=None, description="Commits of the target that it lacks; None: not known.")
    conflicts: bool | None = Field(default=None, description="None while the forge has not tried to merge.")
    fork: bool = Field(default=False, description="It comes from another repository: nothing in it is trusted.")
    labels: tuple[str, ...] = ()
    created_at: datetime
    updated_at: datetime | None = None
    merge_commit: str = Field(default="", description="SHA of the forge's trial merge, or of the merge that was done.")
    iteration: int = Field(default=0, description="Azure Repos: number of the newest push; 0 on GitHub.")
    auto_merge: bool = False


class FileStatus(StrEnum):
    """What happened to a file."""

    ADDED = "added"
    MODIFIED = "modified"
    REMOVED = "removed"
    RENAMED = "renamed"


class ChangedFile(Frozen):
    """One file of a change."""

    path: str = Field(description="From the root, with `/`; after a renaming the new one.")
    previous_path: str = Field(default="", description="Before a renaming; empty otherwise.")
    status: FileStatus
    additions: int = Field(default=0, ge=0)
    deletions: int = Field(default=0, ge=0)
    binary: bool = False
    patch: str | None = Field(
        default=None,
        description="Hunks of the unified diff, from the first `@@`; None: binary, or too large to be had.",
    )
    content: str | None = Field(
        default=None, description="Text of the file at the head; None: removed, binary, or too large to be had."
    )
    before: str | None = Field(default=None, description="Text at the merge base; None: added, or not had.")


class ChangeCommit(Frozen):
    """A commit a change brings, oldest first where several are told."""

    id: str
    message: str
    author: str = Field(
        default="", description="Login, or e-mail address, of who wrote it; empty: the forge knows nobody."
    )
    at: datetime | None = None
    paths: tuple[str, ...] | None = Field(default=None, description="Files it changes; None: not asked for.")


class ReviewState(StrEnum):
    """What a reviewer says."""

    APPROVED = "approved"
    CHANGES_REQUESTED = "changes_requested"
    COMMENTED = "commented"
    DISMISSED = "dismissed"


class PersonReview(Frozen):
    """One review by a person; the latest word of each counts."""

    reviewer: Person
    state: ReviewState
    body: str = ""
    commit: str = Field(default="", description="SHA it was given on; empty: the forge does not say.")
    at: datetime | None = None
    remarks: int = Field(default=0, description="Comments in the code that came with it.")


class ThreadComment(Frozen):
    """One comment of a thread."""

    id: str
    author: Person
    body: str
    at: datetime | None = None


class Thread(Frozen):
    """A discussion, in the code or about the change as a whole."""

    id: str
    path: str = ""
    line: int | None = None
    resolvable: bool = Field(default=True, description="False for plain comments, which have no state.")
    resolved: bool = False
    outdated: bool = False
    comments: tuple[ThreadComment, ...] = ()


class CheckState(StrEnum):
    """Where a check stands, whatever its forge calls it."""

    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    NEUTRAL = "neutral"
    SKIPPED = "skipped"


class Check(Frozen):
    """A check run, commit status, build or policy evaluation on the head, the latest of its name."""

    name: str
    state: CheckState
    required: bool = False
    commit: str = Field(default="", description="SHA it ran on: the head, or the trial merge.")
    url: str = ""
    summary: str = ""
    started_at: datetime | None = None
    ended_at: datetime | None = None
    stages: tuple[str, ...] = Field(default=(), description="Jobs or stages within it, by name, where the forge tells.")
    ours: bool = Field(default=False, description="Written by Doneright; no gate counts it.")


class LinkedItem(Frozen):
    """A work item or issue that a change is for, with what stands above it."""

    id: int
    forge: ForgeName
    project: str = Field(description="Team project, or owner/name of the repository.")
    type: str = ""
    kind: WorkItemKind | None = Field(default=None, description="The level its type has in its process.")
    title: str
    state: str = ""
    body: str = Field(default="", description="Description as Markdown or HTML, as the forge keeps it.")
    acceptance: str = Field(default="", description="Its acceptance criteria field, where it has one of its own.")
    tags: tuple[str, ...] = ()
    url: str = ""
    parents: tuple[LinkedItem, ...] = Field(default=(), description="From its parent to the top.")
    fields: dict[str, str] = Field(default_factory=dict, description="Other texts of it by reference name.")
    comments: tuple[str, ...] = Field(default=(), description="What people said on it, oldest first.")


class Scan(Frozen):
    """What one scanner said of the change, or why it could say nothing."""

    scanner: str = Field(description="detect-secrets, bandit, zizmor, lizard, hadolint, osv …")
    version: str = ""
    findings: Part[tuple[Finding, ...]]
    figures: dict[str, float] = Field(default_factory=dict, description="What it measured, by name.")
    components: tuple[str, ...] = Field(default=(), description="What it looked at: package URLs, files.")


class Looked(Frozen):
    """What one look at a pull request tells. A part that the forge refused is ``Unknown``."""

    change: Change
    commits: Part[tuple[ChangeCommit, ...]] = ()
    items: Part[tuple[LinkedItem, ...]] = ()
    reviews: Part[tuple[PersonReview, ...]] = ()
    threads: Part[tuple[Thread, ...]] = ()
    checks: Part[tuple[Check, ...]] = ()
    template: Part[str] = ""
    process: str = ""


class Reported(Frozen):
    """A report that was uploaded about a commit, read."""

    record: EvidenceRecord
    report: EvidenceReport


class ChangeEvidence(Frozen):
    """All that is known of a change when it is judged; each gate reads its part and nothing else."""

    change: Change
    files: Part[tuple[ChangedFile, ...]] = ()
    commits: Part[tuple[ChangeCommit, ...]] = ()
    items: Part[tuple[LinkedItem, ...]] = ()
    reviews: Part[tuple[PersonReview, ...]] = ()
    threads: Part[tuple[Thread, ...]] = ()
    checks: Part[tuple[Check, ...]] = ()
    alerts: Part[tuple[Finding, ...]] = Field(default=(), description="Open alerts of the forge's own scanners.")
    scans: tuple[Scan, ...] = Field(default=(), description="Made here, from the diff.")
    reports: Part[tuple[Reported, ...]] = Field(default=(), description="Uploaded about the head or its trial merge.")
    base_reports: Part[tuple[Reported, ...]] = Field(default=(), description="Uploaded about the base or merge base.")
    earlier_reports: Part[tuple[Reported, ...]] = Field(
        default=(), description="Uploaded about earlier heads of the same pull request, newest first."
    )
    template: Part[str] = Field(default="", description="The target branch's pull request template; empty for none.")
    kinds: Part[tuple[ChangeKind, ...]] = Field(
        default=(), description="What the change is for, by its title, labels, branch and work items."
    )
    roles: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="Role → logins in lower case of those who hold it; a role left out: nobody named.",
    )
    process: str = Field(default="", description="cmmi, agile, scrum or basic; empty where there is no board.")
    design: int | None = Field(
        default=None, ge=1, description="Number of the design option that somebody entitled chose by command."
    )
    calls: int = Field(default=0, description="Questions to the forge that this took.")

    @cached_property
    def known_files(self) -> tuple[ChangedFile, ...]:
        """The files; none where they are not known, which a gate asks first."""
        return () if isinstance(self.files, Unknown) else self.files
