"""What both forges have in common, as plain frozen data: repositories, rules, hooks, issues, work items."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_serializer


class ForgeName(StrEnum):
    """The two forges. They are equals."""

    GITHUB = "github"
    AZURE_DEVOPS = "azure_devops"


class Frozen(BaseModel):
    """Base of the immutable models."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class RepositoryRef(Frozen):
    """Where a repository lives. ``owner`` is the GitHub account or the Azure DevOps *project*."""

    owner: str
    name: str

    def __str__(self) -> str:
        return f"{self.owner}/{self.name}"

    @classmethod
    def parse(cls, full_name: str) -> RepositoryRef:
        """The reference that ``owner/name`` writes out."""
        owner, _, name = full_name.partition("/")
        return cls(owner=owner, name=name)


class Repository(Frozen):
    """A repository as the forge shows it."""

    id: str
    ref: RepositoryRef
    url: str = Field(description="The page a person opens.")
    clone_url: str
    default_branch: str | None = Field(default=None, description="Short name; None while the repository is empty.")
    private: bool = True
    description: str = ""
    empty: bool = False


class MergeKind(StrEnum):
    """How a pull request may be merged."""

    MERGE = "merge"
    SQUASH = "squash"
    REBASE = "rebase"


class BranchRules(Frozen):
    """What a protected branch demands. A field the forge cannot express makes the step say so."""

    minimum_reviewers: int = Field(default=1, ge=0, le=6)
    author_may_approve: bool = Field(default=False, description="GitHub never allows it; Azure Repos is told.")
    reset_approvals_on_push: bool = True
    require_resolved_comments: bool = True
    require_linked_work_items: bool = Field(default=False, description="Azure Repos only; GitHub has no such rule.")
    require_build: bool = Field(
        default=True,
        description="Pull requests need a green build of the project's pipeline (Azure Repos: build validation) or workflow "
        "(GitHub: required status checks), up to date with the branch.",
    )
    allowed_merges: frozenset[MergeKind] = frozenset({MergeKind.SQUASH})
    allow_force_push: bool = False
    allow_deletion: bool = False
    enforce_for_administrators: bool = True

    @field_serializer("allowed_merges")
    def _merges_in_order(self, merges: frozenset[MergeKind]) -> list[str]:
        # A set's order differs between processes; digests of plans must not.
        return sorted(merges)


class Hook(Frozen):
    """A webhook (GitHub) or service hook subscription (Azure DevOps) that calls us. Never holds its secret."""

    id: str = ""
    url: str
    events: tuple[str, ...] = Field(description="GitHub event names, or one Azure DevOps event type.")
    active: bool = True


class HookDelivery(Frozen):
    """One attempt of a forge to reach us."""

    id: str
    hook_id: str
    guid: str
    event: str
    delivered_at: datetime
    status_code: int


class MissedEvent(Frozen):
    """An event a forge could not bring to us, with what it would have sent."""

    id: str = Field(description="As the delivery itself would have been identified.")
    event: str
    payload: str = Field(description="The JSON text of the body.")
    at: datetime


class Comment(Frozen):
    """A comment on an issue."""

    id: str
    author: str
    body: str
    url: str


class IssueSnapshot(Frozen):
    """An issue as it stood when it was read."""

    id: str = Field(description="The forge's immutable id, not the number.")
    ref: RepositoryRef
    number: int
    title: str
    body: str
    author: str
    labels: tuple[str, ...] = ()
    state: str = "open"
    url: str = ""
    type: str = Field(default="", description="GitHub's issue type, where the organisation has them.")
    parent: str = Field(default="", description="owner/name#number of the issue it is a sub-issue of.")


class OperationState(StrEnum):
    """Progress of a long-running operation on a forge."""

    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Operation(Frozen):
    """A long-running operation the forge carries out by itself."""

    id: str
    state: OperationState
    detail: str = ""


class TeamProject(Frozen):
    """An Azure DevOps project. ``ready`` is false while the service still creates it."""

    id: str
    name: str
    description: str = ""
    process: str = Field(default="", description="agile, basic, cmmi, scrum, or an inherited process' own name.")
    private: bool = True
    ready: bool = True
    url: str = ""


class BacklogItem(Frozen):
    """A work item to be. ``key`` is ours: it survives in a tag and finds the item again."""

    key: str
    type: str
    title: str
    description: str = ""
    parent: str | None = Field(default=None, description="Key of the parent item.")
    tags: tuple[str, ...] = ()
    area: str = Field(default="", description="Path below the project's own area; empty: that.")
    iteration: str = Field(default="", description="Path below the project's own iteration; empty: that.")


class WorkItem(Frozen):
    """A work item as the tracker shows it."""

    id: int
    type: str
    title: str
    state: str
    parent_id: int | None = None
    tags: tuple[str, ...] = ()
    url: str = ""
    area: str = Field(default="", description="Path below the project's own area.")
    iteration: str = Field(default="", description="Path below the project's own iteration.")


class Classification(StrEnum):
    """The two trees that work items are sorted into."""

    AREA = "areas"
    ITERATION = "iterations"


class TeamPlanning(Frozen):
    """What a project's default team plans with; iterations by identifier."""

    backlog_iteration: str = ""
    iterations: frozenset[str] = frozenset()
    sees_every_area: bool = Field(default=False, description="It sees the areas below the project's own, too.")


class PipelineDefinition(Frozen):
    """A YAML pipeline."""

    id: str = ""
    name: str
    repository: RepositoryRef
    yaml_path: str
    branch: str = "main"
    url: str = ""


class Identity(Frozen):
    """A person or group as Azure DevOps knows it."""

    id: str
    name: str
    descriptor: str = Field(default="", description="What memberships are kept by.")


class Environment(Frozen):
    """Where a pipeline deploys to."""

    id: str
    name: str
    url: str = ""


class Label(Frozen):
    """A label of issues and pull requests. Names do not count case."""

    name: str = Field(min_length=1, max_length=50)
    color: str = Field(pattern=r"^[0-9a-f]{6}$", description="RGB as six lower-case hexadecimal digits.")
    description: str = Field(default="", max_length=100)


class SecurityFeature(StrEnum):
    """What a code host does by itself to keep a repository safe."""

    VULNERABILITY_ALERTS = "vulnerability_alerts"
    SECRET_SCANNING = "secret_scanning"  # noqa: S105 - the name of a feature  # nosec B105
    PUSH_PROTECTION = "secret_scanning_push_protection"


class DeploymentEnvironment(Frozen):
    """Where a repository's code is deployed, and who must let it through."""

    name: str
    reviewers: tuple[str, ...] = Field(
        default=(), description="Logins or organisation/team, any one of whom approves; empty: nobody asked."
    )
    url: str = ""


class Wiki(Frozen):
    """The wiki of a project."""

    id: str
    name: str
    url: str = ""


class WikiPage(Frozen):
    """A page to be. The path is made of titles: ``/Getting started``."""

    path: str = Field(pattern=r"^/.+")
    text: str


class VariableGroup(Frozen):
    """Variables that pipelines share. Secrets are shown as empty texts."""

    id: str
    name: str
    variables: dict[str, str] = Field(default_factory=dict)
    url: str = ""


class NotificationEvent(StrEnum):
    """What people can be told about."""

    BUILD_FAILED = "build_failed"
    PULL_REQUEST_CREATED = "pull_request_created"
    WORK_ITEM_ASSIGNED = "work_item_assigned"


class Notification(Frozen):
    """That somebody is told by e-mail about an event of a project."""

    id: str = ""
    event: NotificationEvent
    address: str = Field(default="", description="Empty: every member of the project's default team.")


class ResourceKind(StrEnum):
    """What a pipeline needs leave to use."""

    ENVIRONMENT = "environment"
    VARIABLE_GROUP = "variablegroup"


class PipelineResource(Frozen):
    """One thing that pipelines use, as the service numbers it."""

    kind: ResourceKind
    id: str


class PermissionFinding(Frozen):
    """One permission that is needed, whether it is there, and what to do when it is not."""

    permission: str
    needed_for: str
    present: bool | None = Field(description="None: could not be tried without changing something.")
    optional: bool = Field(default=False, description="A connection works without it; what needs it says so then.")
    remedy: str = ""
