"""Work items of Azure Boards: found by tag, created once because each carries the tag of its key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.errors import NotFoundError
from shared.adapters.azure_devops.projects import ProjectCalls
from shared.domain.forge import BacklogItem, WorkItem
from shared.errors import RefusedError

PARENT = "System.LinkTypes.Hierarchy-Reverse"
# The service answers at most this many items at once.
BATCH = 200
# A query holds 32,000 characters, and a clause for a key less than 150.
_KEYS = 100


def key_tag(key: str) -> str:
    """The tag that finds the work item of our ``key`` again."""
    return f"doneright:{key}"


class WorkItemCalls(ProjectCalls):
    """The work item part of ``AzureDevOpsForge``."""

    _client: AzureDevOpsClient

    def work_items(self, project: str, tag: str, keys: Sequence[str] = ()) -> Sequence[WorkItem]:
        """Every work item of ``project`` that carries ``tag``, or the tag of one of ``keys``, by ascending id.

        Creating items of these keys in the same use case then looks for none of them again.
        """
        keys = keys[:_KEYS]
        tags = (tag, *map(key_tag, keys))
        found = self._tagged(project, tags)
        for key in keys:
            self._keyed(project)[key_tag(key).lower()] = _first(found, key_tag(key))
        return found

    def _keyed(self, project: str) -> dict[str, WorkItem | None]:
        """Tag of a key → the first item that carries it, for the keys that were looked for in this use case."""
        known: dict[str, WorkItem | None] = self._client.looks.lasting(("work items by key", project.lower()), dict)
        return known

    def _tagged(self, project: str, tags: Sequence[str]) -> tuple[WorkItem, ...]:
        models, area = self._client.models("work_item_tracking"), self._client.area("work_item_tracking")
        carried = " OR ".join(f"[System.Tags] CONTAINS {quoted(tag)}" for tag in tags)
        query = (
            "SELECT [System.Id] FROM WorkItems "  # noqa: S608 - WIQL, quoted as it demands  # nosec B608
            f"WHERE [System.TeamProject] = {quoted(project)} AND ({carried}) "
            "ORDER BY [System.Id]"
        )
        answer = area.query_by_wiql(models.Wiql(query=query), team_context=models.TeamContext(project=project))
        ids = [found.id for found in answer.work_items or []]
        items: list[WorkItem] = []
        for start in range(0, len(ids), BATCH):
            request = models.WorkItemBatchGetRequest(ids=ids[start : start + BATCH], expand="Relations")
            items += [self._shown(project, found) for found in area.get_work_items_batch(request, project=project)]
        # CONTAINS may find longer tags too.
        return tuple(item for item in items if any(_first((item,), tag) for tag in tags))

    def create_work_item(self, project: str, item: BacklogItem, *, parent_id: int | None) -> WorkItem:
        """Create the work item, or return the one that has the tag of its key already.

        Raises ``RefusedError`` for a type the process lacks, a parent that is not there, or a tag that cannot be one.
        """
        tags = (key_tag(item.key), *item.tags)
        bad = [tag for tag in tags if not tag.strip() or any(mark in tag for mark in ";,\r\n")]
        if bad:
            raise RefusedError(f"Not usable as tags: {bad!r}", "Leave out commas, semicolons and line breaks")
        keyed, tag = self._keyed(project), key_tag(item.key)
        there = keyed[tag.lower()] if tag.lower() in keyed else _first(self._tagged(project, (tag,)), tag)
        if there:
            return there
        document = [
            added("/fields/System.Title", item.title),
            added("/fields/System.Description", item.description),
            added("/fields/System.Tags", "; ".join(tags)),
        ]
        for field, path in (("AreaPath", item.area), ("IterationPath", item.iteration)):
            if path:
                document.append(added(f"/fields/System.{field}", "\\".join([project, *path.split("/")])))
        if parent_id is not None:
            url = f"{self._client.organization_url}/_apis/wit/workItems/{parent_id}"
            document.append(added("/relations/-", {"rel": PARENT, "url": url}))
        models = self._client.models("work_item_tracking")
        created = self._client.area("work_item_tracking").create_work_item(
            [models.JsonPatchOperation(**operation) for operation in document], project, item.type, expand="Relations"
        )
        keyed[tag.lower()] = made = self._shown(project, created)
        return made

    def delete_work_item(self, project: str, item_id: int) -> None:
        """Move the work item to the project's recycle bin; without effect when it is not there."""
        try:
            self._client.area("work_item_tracking").delete_work_item(item_id, project=project)
        except NotFoundError:
            return

    def _shown(self, project: str, found: Any) -> WorkItem:
        fields: Mapping[str, Any] = found.fields
        tags = (tag.strip() for tag in (fields.get("System.Tags") or "").split(";"))
        return WorkItem(
            id=found.id,
            type=fields["System.WorkItemType"],
            title=fields["System.Title"],
            state=fields["System.State"],
            parent_id=_parent(found.relations or []),
            tags=tuple(tag for tag in tags if tag),
            url=self._client.page(project, "_workitems", "edit", str(found.id)),
            area=_below_root(fields.get("System.AreaPath")),
            iteration=_below_root(fields.get("System.IterationPath")),
        )


def added(path: str, value: Any) -> dict[str, Any]:
    """The operation of a JSON patch that adds ``value``."""
    return {"op": "add", "path": path, "value": value}


def _first(items: Sequence[WorkItem], tag: str) -> WorkItem | None:
    return next((item for item in items if tag.lower() in map(str.lower, item.tags)), None)


def _below_root(path: Any) -> str:
    return "/".join(str(path or "").split("\\")[1:])


def _parent(relations: Sequence[Any]) -> int | None:
    parents = (relation.url for relation in relations if relation.rel == PARENT)
    return next((int(url.rsplit("/", 1)[-1]) for url in parents), None)


def quoted(text: str) -> str:
    """A string literal of WIQL: https://learn.microsoft.com/azure/devops/boards/queries/wiql-syntax."""
    return "'" + text.replace("'", "''") + "'"
