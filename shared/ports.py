"""What the use cases need from the outside, as small protocols; adapters implement them, tests fake them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from pydantic import BaseModel

from shared.domain.activity import Activity, Place, Places
from shared.domain.audit import AuditEvent, AuditHead, NewAuditEvent, Recorded
from shared.domain.backlog import Backlog, Entry
from shared.domain.forge import (
    BacklogItem,
    BranchRules,
    Classification,
    Comment,
    DeploymentEnvironment,
    Environment,
    Hook,
    HookDelivery,
    Identity,
    IssueSnapshot,
    Label,
    MergeKind,
    MissedEvent,
    Notification,
    Operation,
    PermissionFinding,
    PipelineDefinition,
    PipelineResource,
    Repository,
    RepositoryRef,
    SecurityFeature,
    TeamPlanning,
    TeamProject,
    VariableGroup,
    Wiki,
    WikiPage,
    WorkItem,
)
from shared.domain.process import ExtraField, ExtraState, InheritedProcess, ProcessType
from shared.domain.project import TeamRole
from shared.domain.pull_request import BranchChange, Commit, PullRequest, PullRequestText, TreeFile


class Clock(Protocol):
    """The time of day, in UTC."""

    def now(self) -> datetime:
        """An aware datetime in UTC."""
        ...


class AuditLog(Protocol):
    """An append-only, tamper-evident log for each project."""

    def append(self, project: str, event: NewAuditEvent) -> Recorded:
        """Append exactly once: the same ``(instance, step)`` again returns what was recorded the first time.

        Raises ``TransientError`` when storage throttles or when too many writers collide.
        """
        ...

    def head(self, project: str) -> AuditHead:
        """Size, root and frontier; an empty head for a project that has no events."""
        ...

    def events(self, project: str, start: int = 0, limit: int = 100) -> Sequence[AuditEvent]:
        """Events by sequence number from ``start``, at most ``limit``."""
        ...


class ArtifactStore(Protocol):
    """Content-addressed bytes: the name is the SHA-256 of the content."""

    def put(self, content: bytes, media_type: str) -> str:
        """Store ``content`` (again without effect) and return its digest as ``sha256:<hex>``."""
        ...

    def get(self, digest: str) -> bytes:
        """The bytes, checked against ``digest``. Raises ``RefusedError`` when absent, ``DefectError`` when altered."""
        ...


class Records[M: BaseModel](Protocol):
    """A table of small records with optimistic concurrency."""

    def get(self, partition: str, key: str) -> tuple[M, str] | None:
        """The record and its ETag, or ``None``."""
        ...

    def create(self, partition: str, key: str, record: M) -> str:
        """Insert; raises ``ConflictError`` when the key exists. Returns the ETag."""
        ...

    def replace(self, partition: str, key: str, record: M, etag: str) -> str:
        """Replace if unchanged since ``etag``; raises ``ConflictError`` otherwise. Returns the new ETag."""
        ...

    def put(self, partition: str, key: str, record: M) -> None:
        """Insert or replace, whoever wrote last."""
        ...

    def list(self, partition: str | None = None, limit: int = 1000) -> Sequence[tuple[str, str, M]]:
        """``(partition, key, record)`` in key order; the whole table when ``partition`` is ``None``."""
        ...


class SecretStore(Protocol):
    """Secrets by name. Values never appear in logs, records or errors."""

    def get(self, name: str) -> str:
        """The value. Raises ``RefusedError`` naming the secret and where to put it."""
        ...

    def set(self, name: str, value: str) -> None:
        """Store a new version. Raises ``RefusedError`` where the store is read-only."""
        ...


class Queue(Protocol):
    """A named queue of text messages."""

    def send(self, message: str) -> None:
        """Put ``message``; raises ``TransientError`` when storage does not answer."""
        ...


class PullRequests(Protocol):
    """Changes offered on a branch of their own: what GitHub and Azure Repos both do."""

    takes_modes: bool
    """Whether a written branch keeps which files may be run."""

    body_limit: int
    """The most characters a pull request's body may have."""

    def tree(self, ref: RepositoryRef, commit: str) -> Mapping[str, TreeFile]:
        """Path → file, for every file at ``commit``. Raises ``RefusedError`` for an unknown commit."""
        ...

    def file_content(self, ref: RepositoryRef, digest: str) -> bytes:
        """The bytes git names ``digest``. Raises ``RefusedError`` when the repository has none of that name."""
        ...

    def commit(self, ref: RepositoryRef, commit: str) -> Commit:
        """The commit of that SHA. Raises ``RefusedError`` when it is not there."""
        ...

    def write_branch(
        self,
        ref: RepositoryRef,
        branch: str,
        change: BranchChange,
        *,
        onto: str,
        replacing: str | None,
        message: str,
    ) -> str:
        """Let ``branch`` be one new commit with ``change`` on top of the commit ``onto``; returns its SHA.

        ``replacing`` is the commit the branch shows now, ``None`` for a branch that is not there. Raises
        ``ConflictError`` when it shows another.
        """
        ...

    def pull_requests(self, ref: RepositoryRef, source: str) -> Sequence[PullRequest]:
        """Every pull request that was opened from the branch ``source`` of the repository itself, newest first."""
        ...

    def create_pull_request(self, ref: RepositoryRef, source: str, target: str, text: PullRequestText) -> PullRequest:
        """Open one, or return the open one from ``source`` to ``target`` as it is.

        It is opened ready where the plan has no drafts.
        """
        ...

    def edit_pull_request(
        self, ref: RepositoryRef, number: int, text: PullRequestText, *, closed: bool = False
    ) -> None:
        """Give it this text, draft or ready as the text says where the plan has drafts, and close it if asked."""
        ...


class ActivityReads(Protocol):
    """What there is, and when something last happened there: what GitHub and Azure DevOps both tell."""

    def inventory(self) -> Places:
        """Every repository of the account (GitHub) or project of the organisation (Azure DevOps)."""
        ...

    def activity(self, place: Place, since: datetime) -> Activity:
        """When something last happened in ``place``, the cheapest look first, until one shows work since ``since``."""
        ...


type Together = Callable[[Sequence[Callable[[], None]]], object]
"""Does several pieces of work at the same time; raises what the first that failed did, once all have ended."""


class Forge(PullRequests, ActivityReads, Protocol):
    """Code hosting: what GitHub and Azure Repos both do. Reads answer ``None`` for what is not there."""

    def repository(self, ref: RepositoryRef) -> Repository | None: ...

    def repository_page(self, ref: RepositoryRef) -> str:
        """The address of the page people open, in one call; empty when the repository is not there."""
        ...

    def create_repository(self, ref: RepositoryRef, *, description: str, private: bool) -> Repository: ...

    def delete_repository(self, ref: RepositoryRef) -> None: ...

    def branch_head(self, ref: RepositoryRef, branch: str) -> str | None:
        """The commit SHA at the head of ``branch``; ``None`` for an empty repository or a missing branch."""
        ...

    def commit_files(
        self,
        ref: RepositoryRef,
        branch: str,
        files: Mapping[str, bytes],
        *,
        message: str,
        executable: Iterable[str] = (),
    ) -> str:
        """Make the first commit of ``branch`` with exactly ``files``; returns its SHA.

        Raises ``RefusedError`` when the branch already has a commit.
        """
        ...

    def file_digests(self, ref: RepositoryRef, commit: str) -> Mapping[str, str]:
        """Path → git blob SHA-1 (hex) of every file at ``commit``."""
        ...

    def is_ancestor(self, ref: RepositoryRef, ancestor: str, commit: str) -> bool:
        """Whether the history of ``commit`` holds the commit ``ancestor``, or is it; false for an unknown ancestor."""
        ...

    def branch_rules(self, ref: RepositoryRef, branch: str) -> BranchRules | None:
        """The rules as they are enforced now; ``None`` when the branch is unprotected."""
        ...

    def protect_branch(self, ref: RepositoryRef, branch: str, rules: BranchRules) -> None:
        """Enforce ``rules``, all but ``require_build``, which needs to know the builds: those that are required stay."""
        ...

    def remove_branch_rules(self, ref: RepositoryRef, branch: str) -> None:
        """Take off ``branch`` what ``protect_branch`` puts on it; without effect when nothing is there."""
        ...

    def required_builds(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        """The builds that were asked of pull requests into ``branch``, and whether a green one up to date is required.

        A build is a check by its name (GitHub) or a pipeline by its id (Azure Repos).
        """
        ...

    def require_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        """Require each of ``builds`` green, up to date with ``branch``, of every pull request; others stay required.

        Raises ``RefusedError`` where the branch has no rules that could hold them.
        """
        ...

    def remove_required_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        """Require ``builds`` no longer; without effect for those that are not required."""
        ...

    def required_statuses(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        """``genre/name`` of each status that pull requests into ``branch`` need, and whether it blocks as it should."""
        ...

    def require_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        """Require our status ``genre/name`` of every pull request; others stay required.

        Raises ``RefusedError`` where the branch has no rules that could hold it.
        """
        ...

    def remove_required_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        """Require that status no longer; without effect when it is not required."""
        ...

    def hooks(self, ref: RepositoryRef) -> Sequence[Hook]: ...

    def create_hook(self, ref: RepositoryRef, hook: Hook, secret: str) -> Hook: ...

    def delete_hook(self, ref: RepositoryRef, hook_id: str) -> None: ...

    def permissions(self) -> Sequence[PermissionFinding]:
        """Each permission Doneright needs on this forge, present or missing, with the remedy."""
        ...


class RepositorySettings(Protocol):
    """What is set beside a repository's code, where the code host has it (GitHub)."""

    def merge_kinds(self, ref: RepositoryRef) -> frozenset[MergeKind]:
        """How pull requests of the repository may be merged now."""
        ...

    def labels(self, ref: RepositoryRef) -> Sequence[Label]: ...

    def create_label(self, ref: RepositoryRef, label: Label) -> Label:
        """Create ``label``; the one that has its name already is returned as it is."""
        ...

    def edit_label(self, ref: RepositoryRef, label: Label) -> Label:
        """Give the label of that name this colour and description."""
        ...

    def delete_label(self, ref: RepositoryRef, name: str) -> None:
        """Delete the label, from every issue too; without effect when it is not there."""
        ...

    def topics(self, ref: RepositoryRef) -> Sequence[str]: ...

    def set_topics(self, ref: RepositoryRef, topics: Sequence[str]) -> None:
        """Replace every topic by ``topics``."""
        ...

    def security(self, ref: RepositoryRef) -> Mapping[SecurityFeature, bool]:
        """Each feature the plan offers, on or off; what it does not offer is left out."""
        ...

    def enable_security(self, ref: RepositoryRef, feature: SecurityFeature) -> None:
        """Switch ``feature`` on. Raises ``NotSupportedError`` where the plan does not offer it."""
        ...

    def disable_security(self, ref: RepositoryRef, feature: SecurityFeature) -> None:
        """Switch ``feature`` off; without effect when it is off."""
        ...

    def deployment_environments(self, ref: RepositoryRef) -> Sequence[DeploymentEnvironment]: ...

    def set_deployment_environment(self, ref: RepositoryRef, environment: DeploymentEnvironment) -> None:
        """Create or change the environment so that exactly its reviewers are asked; its other rules stay.

        Raises ``NotSupportedError`` where the plan has no environments, or none with reviewers.
        """
        ...

    def delete_deployment_environment(self, ref: RepositoryRef, name: str) -> None:
        """Delete the environment with its rules and secrets; without effect when it is not there."""
        ...

    def has_account(self, login: str) -> bool:
        """Whether a person of that login exists."""
        ...

    def has_team(self, organization: str, team: str) -> bool:
        """Whether ``organization`` has a team with the slug ``team``.

        Raises ``RefusedError`` where the credential may not see the organisation's teams.
        """
        ...


class IssueTracker(Protocol):
    """Issues people write requests in (GitHub)."""

    def issue(self, ref: RepositoryRef, number: int) -> IssueSnapshot: ...

    def open_issues(self, ref: RepositoryRef, label: str) -> Sequence[IssueSnapshot]: ...

    def listed_issues(self, ref: RepositoryRef) -> Sequence[IssueSnapshot]:
        """Every open issue, oldest first, with the parent it is a sub-issue of."""
        ...

    def create_issue(self, ref: RepositoryRef, title: str, body: str, labels: Sequence[str]) -> IssueSnapshot:
        """Open an issue; whoever wants it once looks for it first."""
        ...

    def set_issue_parent(self, ref: RepositoryRef, number: int, parent: int | None, *, before: int | None) -> None:
        """Make the issue a sub-issue of ``parent``, or of none.

        ``before`` is the parent it is meant to have now. Raises ``ConflictError`` when it has another.
        """
        ...

    def add_issue_label(self, ref: RepositoryRef, number: int, label: str) -> None:
        """Put a label of the repository on the issue; without effect when it is there."""
        ...

    def remove_issue_label(self, ref: RepositoryRef, number: int, label: str) -> None:
        """Take the label off the issue; without effect when it is not there."""
        ...

    def comments(self, ref: RepositoryRef, number: int) -> Sequence[Comment]: ...

    def comment(self, ref: RepositoryRef, number: int, body: str) -> Comment: ...

    def edit_comment(self, ref: RepositoryRef, comment_id: str, body: str) -> Comment: ...

    def is_team_member(self, organization: str, team: str, login: str) -> bool: ...

    def may_write(self, ref: RepositoryRef, login: str) -> bool:
        """Whether ``login`` may push to ``ref``: by ownership, membership, a team or an invitation."""
        ...

    def failed_deliveries(self, ref: RepositoryRef, since: datetime) -> Sequence[HookDelivery]:
        """Hook deliveries of ``ref`` to us that did not end in 2xx since ``since``."""
        ...

    def redeliver(self, ref: RepositoryRef, delivery: HookDelivery) -> None: ...


class WorkTracker(Protocol):
    """Azure DevOps team projects and their boards."""

    def project(self, name: str) -> TeamProject | None: ...

    def create_project(self, name: str, *, description: str, process: str, private: bool) -> Operation:
        """Queue the creation; ``process`` is ``agile``, ``basic``, ``cmmi`` or ``scrum``."""
        ...

    def operation(self, operation_id: str) -> Operation: ...

    def delete_project(self, project_id: str) -> Operation: ...

    def work_items(self, project: str, tag: str, keys: Sequence[str] = ()) -> Sequence[WorkItem]:
        """Every work item of ``project`` that carries ``tag``, or the tag of one of ``keys``, with its parent.

        Whoever is about to create items names their keys: each create then need not look for its own.
        """
        ...

    def create_work_item(self, project: str, item: BacklogItem, *, parent_id: int | None) -> WorkItem: ...

    def delete_work_item(self, project: str, item_id: int) -> None:
        """Move the work item to the recycle bin, where people can restore it; without effect when it is not there."""
        ...

    def process(self, name: str) -> InheritedProcess | None:
        """The process of that name, whatever its case, with the projects that use it."""
        ...

    def create_process(self, name: str, parent: str, description: str) -> InheritedProcess:
        """Derive a process from ``parent`` (``agile``, ``basic``, ``cmmi``, ``scrum``), or return the one that is there."""
        ...

    def delete_process(self, process: InheritedProcess) -> None:
        """Delete it; without effect when it is not there. Raises ``RefusedError`` while a project uses it."""
        ...

    def process_type(self, process: InheritedProcess, type_name: str) -> ProcessType | None:
        """The states and fields of a work item type of the process; ``None`` when it has no such type."""
        ...

    def add_process_state(self, process: InheritedProcess, type_name: str, state: ExtraState) -> None:
        """Add the state to a work item type of the process; without effect when it is there."""
        ...

    def add_process_field(self, process: InheritedProcess, type_name: str, field: ExtraField) -> None:
        """Add the field to a work item type of the process, making it the organisation's where that lacks it."""
        ...

    def classification(self, project: str, kind: Classification) -> Mapping[str, str]:
        """Path → identifier of every area or iteration, names joined by ``/``; the root's path is empty."""
        ...

    def create_classification_node(self, project: str, kind: Classification, path: str) -> None:
        """Create the area or iteration below its parent, which must be there; without effect when it is there."""
        ...

    def delete_classification_node(self, project: str, kind: Classification, path: str) -> None:
        """Delete it with those below it; its work items go to the root. Without effect when it is not there."""
        ...

    def team_planning(self, project: str) -> TeamPlanning:
        """What the project's default team plans with."""
        ...

    def set_backlog_iteration(self, project: str, identifier: str) -> None:
        """Let the default team's backlog hold what is in that iteration and below."""
        ...

    def add_team_iteration(self, project: str, identifier: str) -> None:
        """Let the default team plan in that iteration; without effect when it does."""
        ...

    def set_sees_every_area(self, project: str, whether: bool) -> None:
        """Let the default team see the project's own area with, or without, those below."""
        ...

    def has_work_items(self, project: str) -> bool:
        """Whether the project has any work item."""
        ...

    def pipeline_definitions(self, project: str) -> Sequence[PipelineDefinition]:
        """Every YAML pipeline of the project."""
        ...

    def backlog(self, project: str, *, described: bool = False) -> Backlog:
        """Every work item of ``project`` with the hierarchy of its process; ``described`` asks for the texts too."""
        ...

    def entries(self, ids: Sequence[int]) -> Sequence[Entry]:
        """Those of the work items that are there and may be seen, in whatever project, by id."""
        ...

    def set_work_item_parent(self, item_id: int, parent: int | None, *, before: int | None, revision: int) -> None:
        """Hang the work item on ``parent``, or on nothing.

        ``before`` and ``revision`` say how it is meant to stand now. Raises ``ConflictError`` when it does not.
        """
        ...

    def set_work_item_tags(self, item_id: int, tags: Sequence[str], *, revision: int) -> None:
        """Replace the tags. Raises ``ConflictError`` when the work item changed since ``revision``."""
        ...

    def set_work_item_state(
        self, item_id: int, state: str, *, tags: Sequence[str] | None = None, revision: int
    ) -> None:
        """Put the work item into ``state`` of its board, and give it ``tags`` in place of its own in the same change.

        Raises ``ConflictError`` when it changed since ``revision``, ``RefusedError`` for a state it cannot have.
        """
        ...

    def add_work_item_link(self, item_id: int, url: str, comment: str) -> bool:
        """Link the work item to the page ``url``; ``False``, without effect, when it is linked already."""
        ...

    def pipeline(self, project: str, name: str) -> PipelineDefinition | None: ...

    def create_pipeline(self, project: str, definition: PipelineDefinition) -> PipelineDefinition: ...

    def delete_pipeline(self, project: str, pipeline_id: str) -> None:
        """Delete the pipeline with its runs; without effect when it is not there."""
        ...

    def permitted_pipelines(self, project: str, resource: PipelineResource) -> frozenset[str] | None:
        """Ids of the pipelines that may use ``resource``; ``None`` when every pipeline may."""
        ...

    def set_pipeline_permissions(
        self, project: str, resources: Sequence[PipelineResource], pipeline_id: str, *, allowed: bool
    ) -> None:
        """Let the pipeline use each of ``resources``, or none of them; other pipelines keep what they may."""
        ...

    def identity(self, name: str) -> Identity | None:
        """Who signs in as ``name`` or has it as e-mail address; ``None`` for nobody."""
        ...

    def environments(self, project: str) -> Sequence[Environment]: ...

    def create_environment(self, project: str, name: str, description: str) -> Environment: ...

    def delete_environment(self, project: str, environment: Environment) -> None:
        """Delete the environment with its checks; without effect when it is not there."""
        ...

    def approvers(self, project: str, environment: Environment) -> frozenset[str]:
        """Identity ids of those who are asked before ``environment`` is deployed to."""
        ...

    def require_approval(self, project: str, environment: Environment, approvers: Sequence[Identity]) -> None:
        """Ask at least ``approvers``, one of whom must agree; whoever is asked already stays."""
        ...

    def wiki(self, project: str) -> Wiki | None: ...

    def create_wiki(self, project: str, name: str) -> Wiki: ...

    def delete_wiki(self, project: str, wiki: Wiki) -> None:
        """Delete the project's own wiki with all its pages; without effect when it is not there."""
        ...

    def wiki_pages(self, project: str, wiki: Wiki) -> Sequence[str]:
        """The paths of all pages; none for a wiki that is not there."""
        ...

    def wiki_page(self, project: str, wiki: Wiki, path: str) -> str | None:
        """The text of a page; ``None`` when it is not there."""
        ...

    def create_wiki_page(self, project: str, wiki: Wiki, page: WikiPage) -> None:
        """Create a page; never replace one."""
        ...

    def delete_wiki_page(self, project: str, wiki: Wiki, path: str) -> None:
        """Delete the page with those below it; without effect when it is not there."""
        ...

    def team(self, project: str, name: str) -> Identity | None: ...

    def create_team(self, project: str, name: str, description: str) -> Identity: ...

    def delete_team(self, project: str, team: Identity) -> None:
        """Delete the team with its memberships; without effect when it is not there."""
        ...

    def role_group(self, project: str, role: TeamRole) -> Identity:
        """The group of the project whose members may do what ``role`` says."""
        ...

    def members(self, group: Identity) -> frozenset[str]:
        """Descriptors of the direct members of a group or team."""
        ...

    def add_member(self, group: Identity, member: Identity) -> None: ...

    def remove_member(self, group: Identity, member: Identity) -> None: ...

    def variable_group(self, project: str, name: str) -> VariableGroup | None: ...

    def create_variable_group(
        self, project: str, name: str, description: str, variables: Mapping[str, str]
    ) -> VariableGroup:
        """Create a group of variables that are no secrets; never change one that is there."""
        ...

    def delete_variable_group(self, project: str, group: VariableGroup) -> None:
        """Delete the group for good; without effect when it is not there."""
        ...

    def notifications(self, project: str) -> Sequence[Notification]:
        """Whom the subscriptions of the project's default team tell about what."""
        ...

    def create_notification(self, project: str, notification: Notification) -> Notification:
        """Tell the address, or the default team, about the event; or return the subscription that does."""
        ...

    def delete_notification(self, notification: Notification) -> None:
        """End the subscription; without effect when it is not there."""
        ...

    def missed_events(self, project: str, url: str, since: datetime) -> Sequence[MissedEvent]:
        """Events of ``project`` since ``since`` whose delivery to ``url`` failed for good."""
        ...
