"""Backlogs of Azure Boards: read whole in few calls, changed only as they were seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.adapters.azure_devops.client import AzureDevOpsClient
from shared.adapters.azure_devops.work_items import BATCH, PARENT, WorkItemCalls, added, quoted
from shared.domain.backlog import Backlog, BacklogLevel, Entry, Ladder, Standing
from shared.domain.forge import ForgeName
from shared.errors import ConflictError, RefusedError

_FIELDS = [
    "System.Id", "System.Rev", "System.WorkItemType", "System.Title", "System.State", "System.Parent", "System.Tags",
    "System.AreaPath", "System.TeamProject",
]  # fmt: skip
_TEXTS = ["System.Description", "Microsoft.VSTS.TCM.ReproSteps"]
# A query answers at most 20,000 ids: https://learn.microsoft.com/azure/devops/boards/work-items/work-item-limits.
_MOST_IDS = 20_000
_HYPERLINK = "Hyperlink"
_STANDINGS = {"completed": Standing.CLOSED, "removed": Standing.REMOVED}
_BUG = "Bug"


class BacklogCalls(WorkItemCalls):
    """The backlog part of ``AzureDevOpsForge``."""

    _client: AzureDevOpsClient

    def backlog(self, project: str, *, described: bool = False) -> Backlog:
        """Every work item of ``project`` with the hierarchy of its process.

        Takes a question for the hierarchy, one for the ids, one for every 200 items, and one for every 200 parents in
        other projects. Raises ``RefusedError`` for an unknown project.
        """
        ladder, standings = self._hierarchy(project)
        pages = self._ids(project)
        ids, calls = [number for page in pages for number in page], 1 + len(pages)
        fields = _FIELDS + (_TEXTS if described else [])
        entries = [self._entry(found, standings) for found in self._batches(ids, fields)]
        there = set(ids)
        away = sorted({entry.parent for entry in entries if entry.parent is not None and entry.parent not in there})
        elsewhere = [self._entry(found, standings) for found in self._batches(away, _FIELDS)]
        batches = -(-len(ids) // BATCH) + -(-len(away) // BATCH)
        return Backlog(
            forge=ForgeName.AZURE_DEVOPS,
            place=project,
            ladder=ladder,
            entries=tuple(entries),
            elsewhere=tuple(elsewhere),
            calls=calls + batches,
        )

    def entries(self, ids: Sequence[int]) -> Sequence[Entry]:
        """Those of the work items that are there and may be seen, by id; all that are no ends of work are open."""
        return tuple(self._entry(found, {}) for found in self._batches(sorted(set(ids)), _FIELDS))

    def set_work_item_parent(self, item_id: int, parent: int | None, *, before: int | None, revision: int) -> None:
        """Hang the work item on ``parent``, or on nothing, if it stands as ``before`` and ``revision`` say.

        Raises ``ConflictError`` otherwise. A link alone makes no revision, so its parent is read right before, and the
        service itself refuses a second one.
        """
        area = self._client.area("work_item_tracking")
        relations = area.get_work_item(item_id, expand="Relations").relations or []
        places = [(place, int(one.url.rsplit("/", 1)[-1])) for place, one in enumerate(relations) if one.rel == PARENT]
        present = places[0][1] if places else None
        if present != before:
            raise ConflictError(f"work item {item_id} hangs on {present or 'nothing'} now")
        document: list[dict[str, Any]] = [{"op": "test", "path": "/rev", "value": revision}]
        document += [{"op": "remove", "path": f"/relations/{place}"} for place, _ in places]
        if parent is not None:
            document.append(added("/relations/-", {"rel": PARENT, "url": self._work_item_url(parent)}))
        self._change(item_id, document)

    def set_work_item_tags(self, item_id: int, tags: Sequence[str], *, revision: int) -> None:
        """Replace the tags. Raises ``ConflictError`` when the work item changed since ``revision``."""
        if bad := [tag for tag in tags if not tag.strip() or any(mark in tag for mark in ";,\r\n")]:
            raise RefusedError(f"Not usable as tags: {bad!r}", "Leave out commas, semicolons and line breaks")
        self._change(
            item_id,
            [{"op": "test", "path": "/rev", "value": revision}, added("/fields/System.Tags", "; ".join(tags))],
        )

    def add_work_item_link(self, item_id: int, url: str, comment: str) -> bool:
        """Link the work item to the page ``url``; ``False``, without effect, when it is linked already."""
        item = self._client.area("work_item_tracking").get_work_item(item_id, expand="Relations")
        if any(one.rel == _HYPERLINK and one.url == url for one in item.relations or []):
            return False
        link = {"rel": _HYPERLINK, "url": url, "attributes": {"comment": comment}}
        self._change(item_id, [added("/relations/-", link)])
        return True

    def _change(self, item_id: int, document: Sequence[Mapping[str, Any]]) -> None:
        models = self._client.models("work_item_tracking")
        self._client.area("work_item_tracking").update_work_item(
            [models.JsonPatchOperation(**operation) for operation in document], item_id
        )

    def _work_item_url(self, item_id: int) -> str:
        return f"{self._client.organization_url}/_apis/wit/workItems/{item_id}"

    def _hierarchy(self, project: str) -> tuple[Ladder, dict[tuple[str, str], Standing]]:
        """The levels as the project's default team works with them, and what each state means."""
        context = self._client.models("work").TeamContext(project=project)
        found = self._client.area("work").get_backlog_configurations(context)
        portfolio = sorted(found.portfolio_backlogs or [], key=lambda level: -level.rank)
        levels = [_types(level) for level in (*portfolio, found.requirement_backlog, found.task_backlog)]
        free: tuple[str, ...] = ()
        types = {one.work_item_type_name for one in found.work_item_type_mapped_states or []}
        if _BUG in types and not any(_BUG in level for level in levels):
            behaviour = str(found.bugs_behavior).casefold()
            rank = -1 if behaviour == "astasks" else -2
            levels[rank] = (*levels[rank], _BUG)
            # Where bugs are kept on no backlog, nothing says that they need a parent.
            free = (_BUG,) if behaviour == "off" else ()
        ladder = Ladder(levels=tuple(BacklogLevel(types=level) for level in levels if level), free=free)
        return ladder, {
            (kind.work_item_type_name.casefold(), state.casefold()): _STANDINGS.get(category.casefold(), Standing.OPEN)
            for kind in found.work_item_type_mapped_states or []
            for state, category in (kind.states or {}).items()
        }

    def _ids(self, project: str) -> list[list[int]]:
        models, area = self._client.models("work_item_tracking"), self._client.area("work_item_tracking")
        pages: list[list[int]] = []
        while not pages or len(pages[-1]) >= _MOST_IDS - 1:
            last = pages[-1][-1] if pages else 0
            query = (
                "SELECT [System.Id] FROM WorkItems "  # noqa: S608 - WIQL, quoted as it demands  # nosec B608
                f"WHERE [System.TeamProject] = {quoted(project)} AND [System.Id] > {last} ORDER BY [System.Id]"
            )
            context = models.TeamContext(project=project)
            answer = area.query_by_wiql(models.Wiql(query=query), team_context=context, top=_MOST_IDS - 1)
            pages.append([found.id for found in answer.work_items or []])
        return pages

    def _batches(self, ids: Sequence[int], fields: Sequence[str]) -> Iterator[Any]:
        models, area = self._client.models("work_item_tracking"), self._client.area("work_item_tracking")
        for start in range(0, len(ids), BATCH):
            # What was deleted since it was listed, or may not be seen, is left out.
            request = models.WorkItemBatchGetRequest(
                ids=list(ids[start : start + BATCH]), fields=list(fields), error_policy="omit"
            )
            yield from (found for found in area.get_work_items_batch(request) if found is not None and found.id)

    def _entry(self, found: Any, standings: Mapping[tuple[str, str], Standing]) -> Entry:
        fields: Mapping[str, Any] = found.fields
        kind, state = fields["System.WorkItemType"], fields["System.State"]
        project = fields.get("System.TeamProject", "")
        tags = (tag.strip() for tag in (fields.get("System.Tags") or "").split(";"))
        return Entry(
            id=found.id,
            revision=found.rev,
            type=kind,
            title=fields.get("System.Title") or "",
            state=state,
            standing=standings.get((kind.casefold(), state.casefold()), Standing.OPEN),
            parent=fields.get("System.Parent"),
            area=fields.get("System.AreaPath") or "",
            tags=tuple(tag for tag in tags if tag),
            project=project,
            url=self._client.page(project, "_workitems", "edit", str(found.id)),
            description="\n".join(fields[name] for name in _TEXTS if fields.get(name)),
        )


def _types(level: Any) -> tuple[str, ...]:
    """The types of a level, the one new items get first."""
    if level is None:
        return ()
    usual = level.default_work_item_type.name if level.default_work_item_type else ""
    names = [one.name for one in level.work_item_types or []]
    return tuple(sorted(names, key=lambda name: name != usual))
