"""Forges in memory whose issues and work items can be hung on each other, labelled and linked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from shared.domain.backlog import Backlog, Entry, Ladder
from shared.domain.forge import BacklogItem, ForgeName, IssueSnapshot, RepositoryRef, WorkItem
from shared.domain.project import Process, RequestOrigin
from shared.domain.run import ProjectRecord, ProjectState
from shared.errors import ConflictError, RefusedError
from shared.planning.hierarchy import ladder_of
from shared.projects.ports import PROJECTS
from tests.fakes.app import T0, App, a_request
from tests.fakes.code_host import MemoryGitHub
from tests.fakes.forges import MemoryAzureDevOps, _call

SHOP = RepositoryRef(owner="acme", name="order-desk")


class PlanningGitHub(MemoryGitHub):
    """GitHub with sub-issues and labels of issues."""

    def __init__(self) -> None:
        super().__init__()
        self.deaf_labels = False
        """Labels are accepted and not set."""

    def put_issue(self, number: int, title: str, body: str = "", **more: Any) -> IssueSnapshot:
        """An issue as a person opens it."""
        given = {
            "id": str(1000 + number),
            "ref": SHOP,
            "number": number,
            "title": title,
            "body": body,
            "author": "mona",
        }
        ref = more.get("ref", SHOP)
        url = f"{self.web}/{ref}/issues/{number}"
        return self.open_issue(IssueSnapshot.model_validate(given | {"url": url} | more))

    def relabel(self, number: int, *labels: str, ref: RepositoryRef = SHOP) -> None:
        """A person gives the issue these labels."""
        self._edit(ref, number, labels=labels)

    def issues_at(self, ref: RepositoryRef) -> dict[int, IssueSnapshot]:
        """What the repository holds, by number."""
        return {number: issue for (where, number), issue in self.issues.items() if where == str(ref)}

    def _edit(self, ref: RepositoryRef, number: int, **changes: Any) -> None:
        self.open_issue(self.issues[str(ref), number].model_copy(update=changes))

    @_call
    def listed_issues(self, ref: RepositoryRef) -> Sequence[IssueSnapshot]:
        return tuple(issue for _, issue in sorted(self.issues_at(ref).items()) if issue.state == "open")

    @_call
    def create_issue(self, ref: RepositoryRef, title: str, body: str, labels: Sequence[str]) -> IssueSnapshot:
        number = max(self.issues_at(ref), default=0) + 1
        return self.put_issue(number, title, body, ref=ref, labels=tuple(labels))

    @_call
    def set_issue_parent(self, ref: RepositoryRef, number: int, parent: int | None, *, before: int | None) -> None:
        found = self.issues[str(ref), number]
        if found.parent != (f"{ref}#{before}" if before else ""):
            raise ConflictError(f"issue #{number} is a sub-issue of {found.parent or 'none'} now")
        self._edit(ref, number, parent=f"{ref}#{parent}" if parent else "")

    @_call
    def add_issue_label(self, ref: RepositoryRef, number: int, label: str) -> None:
        held = self.issues[str(ref), number].labels
        if not self.deaf_labels and label not in held:
            self._edit(ref, number, labels=(*held, label))

    @_call
    def remove_issue_label(self, ref: RepositoryRef, number: int, label: str) -> None:
        self._edit(ref, number, labels=tuple(one for one in self.issues[str(ref), number].labels if one != label))


class PlanningAzureDevOps(MemoryAzureDevOps):
    """Boards whose items have revisions."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[int, Entry] = {}
        self.ladder: Ladder = ladder_of(Process.AGILE)
        self.linked: dict[int, list[str]] = {}
        self.deaf_parents = False
        """Parents are accepted and not set."""
        self.barred: set[str] = set()
        """States that a rule keeps every item from."""

    def put(self, *entries: Entry) -> None:
        """Items as people made them."""
        self.shown |= {one.id: one.model_copy(update={"revision": one.revision or 1}) for one in entries}

    @_call
    def backlog(self, project: str, *, described: bool = False) -> Backlog:
        own = [one for _, one in sorted(self.shown.items()) if one.project == project]
        wanted = {one.parent for one in own} - {one.id for one in own}
        return Backlog(
            forge=ForgeName.AZURE_DEVOPS,
            place=project,
            ladder=self.ladder,
            entries=tuple(own if described else [one.model_copy(update={"description": ""}) for one in own]),
            elsewhere=tuple(one for one in self.shown.values() if one.id in wanted),
            calls=2,
        )

    @_call
    def entries(self, ids: Sequence[int]) -> Sequence[Entry]:
        return tuple(self.shown[number] for number in sorted(set(ids)) if number in self.shown)

    @_call
    def create_work_item(self, project: str, item: BacklogItem, *, parent_id: int | None) -> WorkItem:
        tag = f"doneright:{item.key}"
        made = next((one for one in self.shown.values() if tag in one.tags), None)
        if made is None:
            number = max(self.shown, default=0) + 1
            made = Entry(id=number, revision=1, type=item.type, title=item.title, state="New", parent=parent_id, tags=(tag,), project=project)  # fmt: skip
            self.shown[number] = made
        return WorkItem(id=made.id, type=made.type, title=made.title, state=made.state, tags=made.tags)

    @_call
    def set_work_item_parent(self, item_id: int, parent: int | None, *, before: int | None, revision: int) -> None:
        found = self._as_seen(item_id, revision)
        if found.parent != before:
            raise ConflictError(f"work item {item_id} hangs on {found.parent or 'nothing'} now")
        if not self.deaf_parents:
            self.shown[item_id] = found.model_copy(update={"parent": parent})

    @_call
    def set_work_item_tags(self, item_id: int, tags: Sequence[str], *, revision: int) -> None:
        found = self._as_seen(item_id, revision)
        self.shown[item_id] = found.model_copy(update={"tags": tuple(tags), "revision": revision + 1})

    @_call
    def set_work_item_state(
        self, item_id: int, state: str, *, tags: Sequence[str] | None = None, revision: int
    ) -> None:
        found = self._as_seen(item_id, revision)
        if state in self.barred:
            raise RefusedError(f"work item {item_id} cannot be {state}", "A rule of its process keeps it from that.")
        held = found.tags if tags is None else tuple(tags)
        self.shown[item_id] = found.model_copy(update={"state": state, "tags": held, "revision": revision + 1})

    @_call
    def add_work_item_link(self, item_id: int, url: str, comment: str) -> bool:
        held = self.linked.setdefault(item_id, [])
        if url in held:
            return False
        held.append(url)
        return True

    def _as_seen(self, item_id: int, revision: int) -> Entry:
        found = self.shown.get(item_id)
        if found is None:
            raise RefusedError(f"there is no work item {item_id}", "It was deleted.")
        if found.revision != revision:
            raise ConflictError(f"work item {item_id} has revision {found.revision}")
        return found


@dataclass
class PlanningApp(App):
    """An app whose forges can be planned on, with one project that is made."""

    github: PlanningGitHub = field(default_factory=PlanningGitHub)
    azure: PlanningAzureDevOps = field(default_factory=PlanningAzureDevOps)

    def a_project(self, name: str = "Order Desk", **changes: Any) -> ProjectRecord:
        """A completed project on both forges."""
        request = a_request(name=name, **changes)
        record = ProjectRecord(
            id=request.project_id,
            name=name,
            connection="acme",
            subject="s",
            run=1,
            instance="s.1",
            state=ProjectState.COMPLETED,
            request=request,
            origin=RequestOrigin(subject="s", requester="casey"),
            created_at=T0,
            started_at=T0,
        )
        self.ports.projects.put(PROJECTS, record.id, record)
        return record
