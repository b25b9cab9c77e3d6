"""In-memory forges that keep the contracts of ``shared.ports``, count every call, and fail when told to."""

from __future__ import annotations

import functools
import hashlib
import json
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from shared.domain.activity import Activity, ActivityFact, ActivityKind, Place, Places
from shared.domain.forge import (
    BacklogItem,
    BranchRules,
    Classification,
    Comment,
    Environment,
    ForgeName,
    Hook,
    HookDelivery,
    Identity,
    IssueSnapshot,
    MissedEvent,
    Notification,
    Operation,
    OperationState,
    PermissionFinding,
    PipelineDefinition,
    PipelineResource,
    Repository,
    RepositoryRef,
    TeamPlanning,
    TeamProject,
    VariableGroup,
    Wiki,
    WikiPage,
    WorkItem,
)
from shared.domain.process import ExtraField, ExtraState, InheritedProcess, ProcessType
from shared.domain.project import TeamRole
from shared.errors import NotSupportedError, RefusedError, TransientError


class Fault(StrEnum):
    """How a call can go wrong."""

    LOST = "lost"
    """The effect happens, its answer never arrives."""
    TRANSIENT = "transient"
    REFUSED = "refused"
    UNSUPPORTED = "unsupported"


@dataclass
class _Planned:
    fault: Fault
    retry_after: float | None


class Switchboard:
    """Which calls were made, and which of the next ones go wrong."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.after: dict[str, Callable[[], None]] = {}
        """What happens right after a call of that name: somebody else's act in between."""
        self._planned: dict[str, deque[_Planned]] = defaultdict(deque)

    def fail(self, method: str, fault: Fault, times: int = 1, *, retry_after: float | None = None) -> None:
        """Let the next ``times`` calls of ``method`` go wrong."""
        self._planned[method].extend([_Planned(fault, retry_after)] * times)

    def changes(self) -> list[str]:
        """The calls that were meant to change something."""
        verbs = (
            "create_",
            "delete_",
            "commit_",
            "protect_",
            "comment",
            "edit_",
            "redeliver",
            "require_",
            "set_",
            "add_",
            "remove_",
        )
        return [call for call in self.calls if call.startswith(verbs) and call != "comments"]

    def _next(self, method: str) -> _Planned | None:
        return self._planned[method].popleft() if self._planned[method] else None


def _call[**P, R](method: Callable[P, R]) -> Callable[P, R]:
    name = method.__name__

    @functools.wraps(method)
    def counted(*args: P.args, **kwargs: P.kwargs) -> R:
        board = args[0]
        assert isinstance(board, Switchboard)
        board.calls.append(name)
        planned = board._next(name)
        match planned.fault if planned else None:
            case Fault.TRANSIENT:
                raise TransientError(f"{name}: the forge answers 503", planned.retry_after if planned else None)
            case Fault.REFUSED:
                raise RefusedError(f"{name}: the forge refuses", f"Grant what {name} needs.")
            case Fault.UNSUPPORTED:
                raise NotSupportedError(f"{name}: not part of this plan", "Take a bigger plan.")
        answer = method(*args, **kwargs)
        if name in board.after:
            board.after.pop(name)()
        if planned:
            raise TransientError(f"{name}: the answer was lost", planned.retry_after)
        return answer

    return counted


@dataclass
class _Stored:
    shown: Repository
    branches: dict[str, dict[str, bytes]] = field(default_factory=dict)
    roots: dict[str, str] = field(default_factory=dict)
    """Branch → its first commit; what a test changes in ``branches`` is a commit on top."""
    rules: dict[str, BranchRules] = field(default_factory=dict)
    builds: dict[str, dict[str, bool]] = field(default_factory=dict)
    statuses: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Branch → the builds that are asked for, and whether they are required."""
    hooks: list[Hook] = field(default_factory=list)
    unseen: int = 0


def blob_digest(content: bytes) -> str:
    """Git's own digest of a file's content."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()


class MemoryForge(Switchboard):
    """Code hosting and, as on GitHub, issues. Names do not count case."""

    def __init__(self, web: str = "https://github.example") -> None:
        super().__init__()
        self.web = web
        self.secrets: list[str] = []
        self.lag = 0
        """How many reads a new repository stays invisible for."""
        self.rules_as_read: BranchRules | None = None
        """What reads of branch rules answer whatever was set: an organisation's rule that wins."""
        self.builds_unread = False
        """Whether reads of the required builds answer none whatever was set: an organisation's rule that wins."""
        self.private_as_made: bool | None = None
        self.spoil_commits = False
        self.spoil_hooks = False
        self.missing_permissions: set[str] = set()
        self.issues: dict[tuple[str, int], IssueSnapshot] = {}
        self.said: dict[tuple[str, int], list[Comment]] = defaultdict(list)
        self.teams: dict[str, set[str]] = {}
        self.writers: set[str] = {"mona"}
        self.failed: list[HookDelivery] = []
        self.redelivered: list[HookDelivery] = []
        self._repositories: dict[str, _Stored] = {}
        self.pushed: dict[str, datetime] = {}
        """Lower-case name → when somebody pushed last."""
        self.commits: dict[str, int] = {}
        self.happened: dict[str, Activity] = {}
        """Lower-case name → what a look finds, instead of the push alone."""

    def stored(self, ref: RepositoryRef) -> _Stored:
        """What the forge holds of ``ref``. Raises ``RefusedError`` as a forge answers 404."""
        try:
            return self._repositories[str(ref).lower()]
        except KeyError:
            raise RefusedError(f"{ref} was not found", "Check the name.") from None

    def names(self) -> list[str]:
        """Every repository there is."""
        return sorted(str(stored.shown.ref) for stored in self._repositories.values())

    def put_repository(self, ref: RepositoryRef, *, description: str = "", private: bool = True) -> _Stored:
        """A repository as somebody else made it."""
        shown = Repository(
            id=f"r{len(self._repositories) + 1}",
            ref=ref,
            url=f"{self.web}/{ref}",
            clone_url=f"{self.web}/{ref}.git",
            private=private,
            description=description,
            empty=True,
        )
        self._repositories[str(ref).lower()] = stored = _Stored(shown)
        return stored

    @_call
    def repository(self, ref: RepositoryRef) -> Repository | None:
        stored = self._repositories.get(str(ref).lower())
        if stored is None:
            return None
        if stored.unseen:
            stored.unseen -= 1
            return None
        return stored.shown

    @_call
    def repository_page(self, ref: RepositoryRef) -> str:
        stored = self._repositories.get(str(ref).lower())
        return "" if stored is None or stored.unseen else stored.shown.url

    @_call
    def create_repository(self, ref: RepositoryRef, *, description: str, private: bool) -> Repository:
        if str(ref).lower() in self._repositories:
            found = self.stored(ref).shown
            if found.private != private or found.description != description:
                raise RefusedError(f"{ref} exists already", "Choose another name.")
            return found
        made = private if self.private_as_made is None else self.private_as_made
        stored = self.put_repository(ref, description=description, private=made)
        stored.unseen = self.lag
        return stored.shown

    @_call
    def delete_repository(self, ref: RepositoryRef) -> None:
        self._repositories.pop(str(ref).lower(), None)

    @_call
    def branch_head(self, ref: RepositoryRef, branch: str) -> str | None:
        stored = self._repositories.get(str(ref).lower())
        return _commit_id(stored.branches[branch]) if stored and branch in stored.branches else None

    @_call
    def commit_files(
        self,
        ref: RepositoryRef,
        branch: str,
        files: Mapping[str, bytes],
        *,
        message: str,
        executable: Iterable[str] = (),
    ) -> str:
        stored = self.stored(ref)
        assert message
        assert set(executable) <= set(files)
        if branch in stored.branches:
            if stored.branches[branch] != dict(files):
                raise RefusedError(f"{branch} of {ref} has commits already", "Empty the repository.")
            return _commit_id(stored.branches[branch])
        pushed = dict(files)
        if self.spoil_commits:
            pushed[next(iter(pushed))] += b"\nrewritten by a hook"
        stored.branches[branch] = pushed
        stored.roots[branch] = _commit_id(pushed)
        stored.shown = stored.shown.model_copy(update={"empty": False, "default_branch": branch})
        return _commit_id(pushed)

    @_call
    def file_digests(self, ref: RepositoryRef, commit: str) -> Mapping[str, str]:
        for files in self.stored(ref).branches.values():
            if _commit_id(files) == commit:
                return {path: blob_digest(content) for path, content in files.items()}
        raise RefusedError(f"{ref} has no commit {commit}", "Check the commit.")

    def force_push(self, ref: RepositoryRef, branch: str, files: Mapping[str, bytes]) -> None:
        """Somebody replaces the branch's history by one commit of their own."""
        stored = self.stored(ref)
        stored.branches[branch] = dict(files)
        stored.roots[branch] = _commit_id(files)

    @_call
    def is_ancestor(self, ref: RepositoryRef, ancestor: str, commit: str) -> bool:
        stored = self.stored(ref)
        (branch,) = [name for name, files in stored.branches.items() if _commit_id(files) == commit]
        return ancestor in {commit, stored.roots.get(branch)}

    @_call
    def branch_rules(self, ref: RepositoryRef, branch: str) -> BranchRules | None:
        found = self.stored(ref).rules.get(branch)
        return self.rules_as_read if found and self.rules_as_read else found

    @_call
    def protect_branch(self, ref: RepositoryRef, branch: str, rules: BranchRules) -> None:
        self.stored(ref).rules[branch] = rules

    @_call
    def remove_branch_rules(self, ref: RepositoryRef, branch: str) -> None:
        self.stored(ref).rules.pop(branch, None)

    @_call
    def required_builds(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        found = dict(self.stored(ref).builds.get(branch, {}))
        return {} if self.builds_unread else found

    @_call
    def require_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        self.stored(ref).builds.setdefault(branch, {}).update(dict.fromkeys(builds, True))

    @_call
    def remove_required_builds(self, ref: RepositoryRef, branch: str, builds: Sequence[str]) -> None:
        for build in builds:
            self.stored(ref).builds.get(branch, {}).pop(build, None)

    @_call
    def required_statuses(self, ref: RepositoryRef, branch: str) -> Mapping[str, bool]:
        return dict(self.stored(ref).statuses.get(branch, {}))

    @_call
    def require_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        self.stored(ref).statuses.setdefault(branch, {})[f"{genre}/{name}"] = True

    @_call
    def remove_required_status(self, ref: RepositoryRef, branch: str, genre: str, name: str) -> None:
        self.stored(ref).statuses.get(branch, {}).pop(f"{genre}/{name}", None)

    @_call
    def hooks(self, ref: RepositoryRef) -> Sequence[Hook]:
        return tuple(self.stored(ref).hooks)

    @_call
    def create_hook(self, ref: RepositoryRef, hook: Hook, secret: str) -> Hook:
        stored = self.stored(ref)
        made = hook.model_copy(update={"id": f"h{len(stored.hooks) + 1}", "active": not self.spoil_hooks})
        stored.hooks.append(made)
        self.secrets.append(secret)
        return made

    @_call
    def delete_hook(self, ref: RepositoryRef, hook_id: str) -> None:
        stored = self.stored(ref)
        stored.hooks = [hook for hook in stored.hooks if hook.id != hook_id]

    @_call
    def inventory(self) -> Places:
        return Places(places=tuple(self._place(stored.shown) for stored in self._repositories.values()), calls=1)

    @_call
    def activity(self, place: Place, since: datetime) -> Activity:
        name = place.ref.name.lower()
        return self.happened.get(name) or Activity(
            facts=(ActivityFact(kind=ActivityKind.PUSH, at=self.pushed.get(name)),),
            commits=self.commits.get(name, 0),
            own_items=False,
            calls=1,
        )

    def _place(self, shown: Repository) -> Place:
        return Place(
            forge=ForgeName.GITHUB,
            id=shown.id,
            ref=shown.ref,
            url=shown.url,
            pushed_at=self.pushed.get(shown.ref.name.lower()),
        )

    @_call
    def permissions(self) -> Sequence[PermissionFinding]:
        return tuple(
            PermissionFinding(
                permission=name,
                needed_for="creating projects",
                present=name not in self.missing_permissions,
                remedy=f"Grant {name}.",
            )
            for name in ("administration", "contents", "issues")
        )

    # issues

    def open_issue(self, snapshot: IssueSnapshot) -> IssueSnapshot:
        """An issue as a person opens it."""
        self.issues[str(snapshot.ref), snapshot.number] = snapshot
        return snapshot

    @_call
    def issue(self, ref: RepositoryRef, number: int) -> IssueSnapshot:
        try:
            return self.issues[str(ref), number]
        except KeyError:
            raise RefusedError(f"{ref} has no issue {number}", "Check the number.") from None

    @_call
    def open_issues(self, ref: RepositoryRef, label: str) -> Sequence[IssueSnapshot]:
        return tuple(
            issue
            for (where, _), issue in sorted(self.issues.items())
            if where == str(ref) and issue.state == "open" and label in issue.labels
        )

    @_call
    def comments(self, ref: RepositoryRef, number: int) -> Sequence[Comment]:
        return tuple(self.said[str(ref), number])

    @_call
    def comment(self, ref: RepositoryRef, number: int, body: str) -> Comment:
        written = self.said[str(ref), number]
        for earlier in written:
            if earlier.body.strip() == body.strip():
                return earlier
        made = Comment(
            id=f"{ref}#{number}-{len(written) + 1}",
            author="doneright[bot]",
            body=body,
            url=f"{self.web}/{ref}/issues/{number}#issuecomment-{len(written) + 1}",
        )
        written.append(made)
        return made

    @_call
    def edit_comment(self, ref: RepositoryRef, comment_id: str, body: str) -> Comment:
        for written in self.said.values():
            for place, comment in enumerate(written):
                if comment.id == comment_id:
                    written[place] = comment.model_copy(update={"body": body})
                    return written[place]
        raise RefusedError(f"there is no comment {comment_id}", "It was deleted.")

    @_call
    def may_write(self, ref: RepositoryRef, login: str) -> bool:
        return login.lower() in self.writers

    @_call
    def is_team_member(self, organization: str, team: str, login: str) -> bool:
        return login.lower() in self.teams.get(f"{organization}/{team}", set())

    @_call
    def failed_deliveries(self, ref: RepositoryRef, since: datetime) -> Sequence[HookDelivery]:
        return tuple(delivery for delivery in self.failed if delivery.delivered_at >= since)

    @_call
    def redeliver(self, ref: RepositoryRef, delivery: HookDelivery) -> None:
        self.redelivered.append(delivery)


class MemoryAzureDevOps(MemoryForge):
    """Azure Repos with team projects and boards; a project comes with a repository of its name, after a while."""

    def __init__(self, web: str = "https://dev.azure.example/acme") -> None:
        super().__init__(web)
        self.reads_until_ready = 1
        self.creation = OperationState.RUNNING
        self.deletion = OperationState.SUCCEEDED
        """How the deletion of a project ends."""
        self.polls_until_deleted = 1
        self.deleting: dict[str, tuple[int, OperationState]] = {}
        self.process_as_made = ""
        self.items_as_read: Callable[[list[WorkItem]], list[WorkItem]] = list
        self.pipelines_unseen = 0
        self.projects: dict[str, TeamProject] = {}
        self.operations: dict[str, Operation] = {}
        self.items: dict[str, list[WorkItem]] = defaultdict(list)
        self.pipelines: dict[tuple[str, str], PipelineDefinition] = {}
        self.missed: dict[str, list[MissedEvent]] = defaultdict(list)
        self.people: dict[str, Identity] = {}
        self.places: dict[str, list[Environment]] = defaultdict(list)
        self.asked: dict[str, set[str]] = defaultdict(set)
        """Environment id → ids of its approvers."""
        self.places_unseen = 0
        self.spoil_approvals = False
        self.wikis: dict[str, Wiki] = {}
        self.pages_of: dict[str, dict[str, str]] = defaultdict(dict)
        """By project, in lower case: each has a wiki of its own."""
        self.pages = self.pages_of["order desk"]
        """Path → text, of the only wiki a test has."""
        self.wiki_unseen = self.pages_unseen = 0
        self.spoil_pages = False
        self.variable_groups: dict[tuple[str, str], VariableGroup] = {}
        self.variable_groups_unseen = 0
        self.spoil_variables = False
        self.own_teams: dict[str, Identity] = {}
        self.held: dict[str, set[str]] = defaultdict(set)
        """Name of a group or team → descriptors of its members."""
        self.teams_unseen = 0
        self.spoil_memberships: set[str] = set()
        """Names of groups that keep nobody."""
        self.told: list[Notification] = []
        self.told_unseen = 0
        self.processes: dict[str, InheritedProcess] = {}
        self.process_types: dict[tuple[str, str], ProcessType] = {}
        """Process id and type → what that type has."""
        self.processes_unseen = 0
        self.spoil_processes = False
        self.permitted: dict[PipelineResource, set[str] | None] = defaultdict(set)
        """Pipelines that may use a resource; ``None`` for every one."""
        self.spoil_permissions = False
        self.nodes: dict[Classification, dict[str, str]] = {kind: {"": f"{kind}-root"} for kind in Classification}
        """Path → identifier, of the only project a test has."""
        self.nodes_unseen = 0
        self.planning = TeamPlanning(backlog_iteration="iterations-root")
        self.spoil_planning = False
        self.teams_contribute = False
        """Whether every new team is a contributor at once."""

    def put_project(
        self, name: str, *, process: str = "agile", private: bool = True, ready: bool = True, description: str = ""
    ) -> TeamProject:
        """A project as somebody else made it, with its repository."""
        made = TeamProject(
            id=f"p{len(self.projects) + 1}",
            name=name,
            description=description,
            process=process,
            private=private,
            ready=ready,
            url=f"{self.web}/{name}",
        )
        self.projects[name.lower()] = made
        self.put_repository(RepositoryRef(owner=name, name=name), private=private)
        return made

    def inventory(self) -> Places:
        self.calls.append("inventory")
        places = tuple(
            Place(
                forge=ForgeName.AZURE_DEVOPS, id=one.id, ref=RepositoryRef(owner=one.name, name=one.name), url=one.url
            )
            for one in self.projects.values()
        )
        return Places(places=places, calls=1)

    @_call
    def has_work_items(self, project: str) -> bool:
        return bool(self.items[project.lower()])

    @_call
    def project(self, name: str) -> TeamProject | None:
        by_id = next((one for one in self.projects.values() if one.id == name), None)
        found = self.projects.get(name.lower()) or by_id
        if found is None or found.ready:
            return found
        self.reads_until_ready -= 1
        if self.reads_until_ready <= 0:
            self.projects[found.name.lower()] = found.model_copy(update={"ready": True})
        return found

    @_call
    def create_project(self, name: str, *, description: str, process: str, private: bool) -> Operation:
        if name.lower() in self.projects:
            raise TransientError(f"TF200019: {name} is being created", 5)
        operation = Operation(id=f"o{len(self.operations) + 1}", state=self.creation)
        self.operations[operation.id] = operation
        if self.creation not in {OperationState.FAILED, OperationState.CANCELLED}:
            made_as = self.process_as_made or process
            self.put_project(name, process=made_as, private=private, ready=False, description=description)
        return operation

    @_call
    def operation(self, operation_id: str) -> Operation:
        found = self.operations[operation_id]
        if operation_id in self.deleting:
            left, end = self.deleting.pop(operation_id)
            if left > 1:
                self.deleting[operation_id] = (left - 1, end)
            else:
                self.operations[operation_id] = found.model_copy(update={"state": end})
        return found

    @_call
    def delete_project(self, project_id: str) -> Operation:
        for name, found in list(self.projects.items()):
            if found.id == project_id and self.deletion is OperationState.SUCCEEDED:
                self._remove_project(name)
        operation = Operation(id=f"gone-{project_id}", state=OperationState.RUNNING)
        self.operations[operation.id] = operation
        self.deleting[operation.id] = (self.polls_until_deleted, self.deletion)
        return operation

    def _remove_project(self, name: str) -> None:
        """A project with all that stands in it."""
        del self.projects[name]
        for full_name, stored in list(self._repositories.items()):
            if stored.shown.ref.owner.lower() == name:
                del self._repositories[full_name]
        for of_one in (self.items, self.places, self.wikis):
            of_one.pop(name, None)
        for of_all in (self.pipelines, self.variable_groups):
            for key in [key for key in of_all if key[0] == name]:
                del of_all[key]
        self.pages_of[name].clear()
        self.permitted.clear()
        self.told.clear()
        self.nodes = {kind: {"": f"{kind}-root"} for kind in Classification}
        self.planning = TeamPlanning(backlog_iteration="iterations-root")
        self.own_teams.clear()
        self.held.clear()

    @_call
    def work_items(self, project: str, tag: str, keys: Sequence[str] = ()) -> Sequence[WorkItem]:
        tags = {tag, *(f"doneright:{key}" for key in keys)}
        return tuple(self.items_as_read([item for item in self.items[project.lower()] if tags & set(item.tags)]))

    @_call
    def create_work_item(self, project: str, item: BacklogItem, *, parent_id: int | None) -> WorkItem:
        assert ";" not in "".join(item.tags)
        assert "," not in "".join(item.tags)
        number = sum(map(len, self.items.values())) + 1
        made = WorkItem(
            id=number,
            type=item.type,
            title=item.title,
            state="New",
            parent_id=parent_id,
            tags=item.tags,
            url=f"{self.web}/{project}/_workitems/edit/{number}",
            area=item.area,
            iteration=item.iteration,
        )
        for kind, path in ((Classification.AREA, item.area), (Classification.ITERATION, item.iteration)):
            assert path in self.nodes[kind], "the service refuses paths that are not there"
        self.items[project.lower()].append(made)
        return made

    @_call
    def delete_work_item(self, project: str, item_id: int) -> None:
        kept = [item for item in self.items[project.lower()] if item.id != item_id]
        # As the service does: links to what is in the recycle bin do not show.
        self.items[project.lower()] = [
            item.model_copy(update={"parent_id": None}) if item.parent_id == item_id else item for item in kept
        ]

    @_call
    def process(self, name: str) -> InheritedProcess | None:
        found = self.processes.get(name.lower())
        if found and self.processes_unseen:
            self.processes_unseen -= 1
            return None
        using = tuple(one.name for one in self.projects.values() if one.process == name)
        return found.model_copy(update={"projects": using}) if found else None

    @_call
    def create_process(self, name: str, parent: str, description: str) -> InheritedProcess:
        assert description
        made = InheritedProcess(id=f"process-{len(self.processes) + 1}", name=name, parent=parent)
        for kind in ("Epic", "User Story", "Issue"):
            self.process_types.setdefault(
                (made.id, kind.lower()), ProcessType(states={"new": "Proposed"}, fields={"title": "string"})
            )
        return self.processes.setdefault(name.lower(), made)

    @_call
    def delete_process(self, process: InheritedProcess) -> None:
        assert not any(one.process == process.name for one in self.projects.values())
        self.processes.pop(process.name.lower(), None)

    @_call
    def process_type(self, process: InheritedProcess, type_name: str) -> ProcessType | None:
        return self.process_types.get((process.id, type_name.lower()))

    @_call
    def add_process_state(self, process: InheritedProcess, type_name: str, state: ExtraState) -> None:
        if not self.spoil_processes:
            self.process_types[process.id, type_name.lower()].states[state.name.lower()] = state.category

    @_call
    def add_process_field(self, process: InheritedProcess, type_name: str, field: ExtraField) -> None:
        if not self.spoil_processes:
            self.process_types[process.id, type_name.lower()].fields[field.name.lower()] = field.type

    @_call
    def classification(self, project: str, kind: Classification) -> Mapping[str, str]:
        if len(self.nodes[kind]) > 1 and self.nodes_unseen:
            self.nodes_unseen -= 1
            return {"": self.nodes[kind][""]}
        return dict(self.nodes[kind])

    @_call
    def create_classification_node(self, project: str, kind: Classification, path: str) -> None:
        nodes = self.nodes[kind]
        there = {one.lower() for one in nodes}
        assert path.rpartition("/")[0].lower() in there, "parents come first"
        if path.lower() not in there:
            nodes[path] = f"{kind}-{len(nodes)}"

    @_call
    def delete_classification_node(self, project: str, kind: Classification, path: str) -> None:
        for one in [one for one in self.nodes[kind] if f"{one}/".lower().startswith(f"{path}/".lower())]:
            gone = self.nodes[kind].pop(one)
            self.planning = self.planning.model_copy(update={"iterations": self.planning.iterations - {gone}})

    @_call
    def team_planning(self, project: str) -> TeamPlanning:
        return self.planning

    @_call
    def set_backlog_iteration(self, project: str, identifier: str) -> None:
        self._plan(backlog_iteration=identifier)

    @_call
    def add_team_iteration(self, project: str, identifier: str) -> None:
        assert identifier in self.nodes[Classification.ITERATION].values()
        self._plan(iterations=self.planning.iterations | {identifier})

    @_call
    def set_sees_every_area(self, project: str, whether: bool) -> None:
        self._plan(sees_every_area=whether)

    def _plan(self, **changes: object) -> None:
        if not self.spoil_planning:
            self.planning = self.planning.model_copy(update=changes)

    @_call
    def pipeline(self, project: str, name: str) -> PipelineDefinition | None:
        found = self.pipelines.get((project.lower(), name.lower()))
        if found and self.pipelines_unseen:
            self.pipelines_unseen -= 1
            return None
        return found

    @_call
    def pipeline_definitions(self, project: str) -> Sequence[PipelineDefinition]:
        return tuple(found for (owner, _), found in self.pipelines.items() if owner == project.lower())

    @_call
    def create_pipeline(self, project: str, definition: PipelineDefinition) -> PipelineDefinition:
        key = (project.lower(), definition.name.lower())
        if key in self.pipelines:
            return self.pipelines[key]
        made = definition.model_copy(
            update={"id": str(len(self.pipelines) + 1), "url": f"{self.web}/{project}/_build?definitionId=1"}
        )
        self.pipelines[key] = made
        return made

    @_call
    def delete_pipeline(self, project: str, pipeline_id: str) -> None:
        for key, found in list(self.pipelines.items()):
            if key[0] == project.lower() and found.id == pipeline_id:
                del self.pipelines[key]

    @_call
    def permitted_pipelines(self, project: str, resource: PipelineResource) -> frozenset[str] | None:
        permitted = self.permitted[resource]
        return None if permitted is None else frozenset(permitted)

    @_call
    def set_pipeline_permissions(
        self, project: str, resources: Sequence[PipelineResource], pipeline_id: str, *, allowed: bool
    ) -> None:
        for resource in resources:
            permitted = self.permitted[resource]
            if permitted is not None and not self.spoil_permissions:
                (permitted.add if allowed else permitted.discard)(pipeline_id)

    def put_person(self, name: str) -> Identity:
        """Somebody who is in the organization."""
        made = Identity(id=f"i{len(self.people) + 1}", name=name.partition("@")[0].title(), descriptor=f"aad.{name}")
        self.people[name.casefold()] = made
        return made

    @_call
    def identity(self, name: str) -> Identity | None:
        return self.people.get(name.casefold())

    @_call
    def environments(self, project: str) -> Sequence[Environment]:
        if self.places[project.lower()] and self.places_unseen:
            self.places_unseen -= 1
            return ()
        return tuple(self.places[project.lower()])

    @_call
    def create_environment(self, project: str, name: str, description: str) -> Environment:
        assert description
        places = self.places[project.lower()]
        for place in places:
            if place.name.lower() == name.lower():
                return place
        number = f"e{sum(map(len, self.places.values())) + 1}"
        made = Environment(id=number, name=name, url=f"{self.web}/{project}/_environments/{number}")
        places.append(made)
        return made

    @_call
    def delete_environment(self, project: str, environment: Environment) -> None:
        self.places[project.lower()] = [one for one in self.places[project.lower()] if one.id != environment.id]
        self.asked.pop(environment.id, None)

    @_call
    def approvers(self, project: str, environment: Environment) -> frozenset[str]:
        assert environment in self.places[project.lower()]
        return frozenset(self.asked[environment.id])

    @_call
    def require_approval(self, project: str, environment: Environment, approvers: Sequence[Identity]) -> None:
        assert environment in self.places[project.lower()]
        if not self.spoil_approvals:
            self.asked[environment.id] |= {one.id for one in approvers}

    @_call
    def wiki(self, project: str) -> Wiki | None:
        if self.wikis and self.wiki_unseen:
            self.wiki_unseen -= 1
            return None
        return self.wikis.get(project.lower())

    @_call
    def create_wiki(self, project: str, name: str) -> Wiki:
        made = Wiki(id="w1", name=name, url=f"{self.web}/{project}/_wiki/wikis/w1")
        return self.wikis.setdefault(project.lower(), made)

    @_call
    def delete_wiki(self, project: str, wiki: Wiki) -> None:
        if self.wikis.pop(project.lower(), None):
            self.pages_of[project.lower()].clear()

    @_call
    def wiki_pages(self, project: str, wiki: Wiki) -> Sequence[str]:
        return tuple(self.pages_of[project.lower()]) if project.lower() in self.wikis else ()

    @_call
    def wiki_page(self, project: str, wiki: Wiki, path: str) -> str | None:
        assert self.wikis[project.lower()] == wiki
        pages = self.pages_of[project.lower()]
        if path in pages and self.pages_unseen:
            self.pages_unseen -= 1
            return None
        return pages.get(path)

    @_call
    def create_wiki_page(self, project: str, wiki: Wiki, page: WikiPage) -> None:
        assert self.wikis[project.lower()] == wiki
        self.pages_of[project.lower()].setdefault(page.path, page.text + ("Also." if self.spoil_pages else ""))

    @_call
    def delete_wiki_page(self, project: str, wiki: Wiki, path: str) -> None:
        pages = self.pages_of[project.lower()]
        for page in [page for page in pages if page == path or page.startswith(f"{path}/")]:
            del pages[page]

    @_call
    def team(self, project: str, name: str) -> Identity | None:
        if name.lower() in self.own_teams and self.teams_unseen:
            self.teams_unseen -= 1
            return None
        return self.own_teams.get(name.lower())

    @_call
    def create_team(self, project: str, name: str, description: str) -> Identity:
        assert description
        made = Identity(id=f"t{len(self.own_teams) + 1}", name=name, descriptor=f"vssgp.{name}")
        if self.teams_contribute:
            self.held["contributor"].add(made.descriptor)
        return self.own_teams.setdefault(name.lower(), made)

    @_call
    def delete_team(self, project: str, team: Identity) -> None:
        self.own_teams = {name: one for name, one in self.own_teams.items() if one.id != team.id}
        self.held.pop(team.name, None)
        for members in self.held.values():
            members.discard(team.descriptor)

    @_call
    def role_group(self, project: str, role: TeamRole) -> Identity:
        return Identity(id=f"g-{role}", name=role, descriptor=f"vssgp.{role}")

    @_call
    def members(self, group: Identity) -> frozenset[str]:
        return frozenset(self.held[group.name])

    @_call
    def add_member(self, group: Identity, member: Identity) -> None:
        if group.name not in self.spoil_memberships:
            self.held[group.name].add(member.descriptor)

    @_call
    def remove_member(self, group: Identity, member: Identity) -> None:
        self.held[group.name].discard(member.descriptor)

    @_call
    def variable_group(self, project: str, name: str) -> VariableGroup | None:
        found = self.variable_groups.get((project.lower(), name.lower()))
        if found and self.variable_groups_unseen:
            self.variable_groups_unseen -= 1
            return None
        return found

    @_call
    def create_variable_group(
        self, project: str, name: str, description: str, variables: Mapping[str, str]
    ) -> VariableGroup:
        assert description
        kept = dict(list(variables.items())[1:] if self.spoil_variables else variables)
        url = f"{self.web}/{project}/_library?variableGroupId=1"
        made = VariableGroup(id=str(len(self.variable_groups) + 1), name=name, variables=kept, url=url)
        return self.variable_groups.setdefault((project.lower(), name.lower()), made)

    @_call
    def delete_variable_group(self, project: str, group: VariableGroup) -> None:
        self.variable_groups.pop((project.lower(), group.name.lower()), None)

    @_call
    def notifications(self, project: str) -> Sequence[Notification]:
        if self.told and self.told_unseen:
            self.told_unseen -= 1
            return ()
        return tuple(self.told)

    @_call
    def create_notification(self, project: str, notification: Notification) -> Notification:
        for there in self.told:
            if (there.event, there.address.lower()) == (notification.event, notification.address.lower()):
                return there
        made = notification.model_copy(update={"id": f"n{len(self.told) + 1}"})
        self.told.append(made)
        return made

    @_call
    def delete_notification(self, notification: Notification) -> None:
        self.told = [one for one in self.told if one.id != notification.id]

    def missed_events(self, project: str, url: str, since: datetime) -> Sequence[MissedEvent]:
        """What a test put into ``missed``."""
        return [event for event in self.missed.get(project, ()) if event.at >= since]


def _commit_id(files: Mapping[str, bytes]) -> str:
    listing: dict[str, Any] = {path: blob_digest(content) for path, content in files.items()}
    return hashlib.sha1(json.dumps(listing, sort_keys=True).encode(), usedforsecurity=False).hexdigest()


def failed_delivery(guid: str, at: datetime = datetime(2026, 1, 31, 7, 0, tzinfo=UTC)) -> HookDelivery:
    """A webhook that did not reach us."""
    return HookDelivery(id="1", hook_id="9", guid=guid, event="issues", delivered_at=at, status_code=502)
