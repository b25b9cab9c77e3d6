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


def key_tag(key: str) -> str:
    """The tag that finds the work item of our ``key`` again."""
    return f"doneright:{key}"


class WorkItemCalls(ProjectCalls):
    """The work item part of ``AzureDevOpsForge``."""

    _client: AzureDevOpsClient

    def work_items(self, project: str, tag: str) -> Sequence[WorkItem]:
        """Every work item of ``project`` that carries ``tag``, with its parent, by ascending id."""
        models, area = self._client.models("work_item_tracking"), self._client.area("work_item_tracking")
        query = (
            "SELECT [System.Id] FROM WorkItems "  # noqa: S608 - WIQL, quoted as it demands  # nosec B608
            f"WHERE [System.TeamProject] = {quoted(project)} AND [System.Tags] CONTAINS {quoted(tag)} "
            "ORDER BY [System.Id]"
        )
        answer = area.query_by_wiql(models.Wiql(query=query), team_context=models.TeamContext(project=project))
        ids = [found.id for found in answer.work_items or []]
        items: list[WorkItem] = []
        for start in range(0, len(ids), BATCH):
            request = models.WorkItemBatchGetRequest(ids=ids[start : start + BATCH], expand="Relations")
            items += [self._shown(project, found) for found in area.get_work_items_batch(request, project=project)]
        # CONTAINS may find longer tags too.
        return tuple(item for item in items if tag.lower() in {name.lower() for name in item.tags})

    def create_work_item(self, project: str, item: BacklogItem, *, parent_id: int | None) -> WorkItem:
        """Create the work item, or return the one that has the tag of its key already.

        Raises ``RefusedError`` for a type the process lacks, a parent that is not there, or a tag that cannot be one.
        """
        tags = (key_tag(item.key), *item.tags)
        bad = [tag for tag in tags if not tag.strip() or any(mark in tag for mark in ";,\r\n")]
        if bad:
            raise RefusedError(f"Not usable as tags: {bad!r}", "Leave out commas, semicolons and line breaks")
        there = self.work_items(project, key_tag(item.key))
        if there:
            return there[0]
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
        return self._shown(project, created)

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


def _below_root(path: Any) -> str:
    return "/".join(str(path or "").split("\\")[1:])


def _parent(relations: Sequence[Any]) -> int | None:
    parents = (relation.url for relation in relations if relation.rel == PARENT)
    return next((int(url.rsplit("/", 1)[-1]) for url in parents), None)


def quoted(text: str) -> str:
    """A string literal of WIQL: https://learn.microsoft.com/azure/devops/boards/queries/wiql-syntax."""
    return "'" + text.replace("'", "''") + "'"
