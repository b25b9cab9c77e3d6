"""Work items that a pull request is linked to, with everything above them, a question for each level."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared.adapters.azure_devops.errors import AccessError
from shared.adapters.azure_devops.reviews.asking import AskingCalls
from shared.adapters.azure_devops.work_items import BATCH
from shared.domain.change import LinkedItem
from shared.domain.definition import WorkItemKind
from shared.domain.forge import ForgeName

# A cycle cannot be made; deeper than this is no hierarchy of any process.
_DEEPEST = 12
_COMMENTS = 200
_ACCEPTANCE = "Microsoft.VSTS.Common.AcceptanceCriteria"
_REPRODUCTION = "Microsoft.VSTS.TCM.ReproSteps"
_OWN_PLACE = {
    "System.WorkItemType", "System.Title", "System.State", "System.Tags", "System.TeamProject", "System.Description",
    "System.Id", "System.Rev", "System.Parent", _ACCEPTANCE,
}  # fmt: skip
# https://learn.microsoft.com/azure/devops/boards/work-items/guidance/choose-process
_KINDS = {
    "epic": WorkItemKind.EPIC,
    "feature": WorkItemKind.FEATURE,
    "user story": WorkItemKind.REQUIREMENT,
    "product backlog item": WorkItemKind.REQUIREMENT,
    "requirement": WorkItemKind.REQUIREMENT,
    "task": WorkItemKind.TASK,
    "bug": WorkItemKind.BUG,
}


class ItemCalls(AskingCalls):
    """The part of ``AzureDevOpsForge`` that reads the work items of a change."""

    def _linked(self, ids: Sequence[int]) -> list[Any]:
        """The work items of those ids. Raises ``AccessError`` when one of them may not be seen."""
        area, models = self._client.area("work_item_tracking"), self._client.models("work_item_tracking")
        found: list[Any] = []
        for start in range(0, len(ids), BATCH):
            request = models.WorkItemBatchGetRequest(ids=list(ids[start : start + BATCH]), error_policy="omit")
            found += [one for one in area.get_work_items_batch(request) if one is not None and one.id]
        if hidden := sorted(set(ids) - {int(one.id) for one in found}):
            # Left out, the change would seem to be for nothing, or its work item to stand below nothing.
            raise AccessError(
                f"Azure DevOps does not show the work items {', '.join(map(str, hidden))}",
                "Let the identity view work items in their area",
            )
        return found

    def _above(self, found: Iterable[Any]) -> dict[int, Any]:
        """Everything above the work items, by id: one question for each level."""
        above: dict[int, Any] = {}
        level = list(found)
        for _ in range(_DEEPEST):
            wanted = sorted({int(up) for one in level if (up := one.fields.get("System.Parent"))} - above.keys())
            if not wanted:
                break
            level = self._linked(wanted)
            above |= {int(one.id): one for one in level}
        return above

    def _said_on(self, found: Any) -> tuple[str, ...]:
        """What people said on the work item, oldest first."""
        project, token = str(found.fields.get("System.TeamProject") or ""), None
        said: list[str] = []
        while True:
            page = self._client.area("work_item_tracking").get_comments(
                project, found.id, top=_COMMENTS, continuation_token=token, order="asc"
            )
            said += [one.text or "" for one in page.comments or [] if not one.is_deleted]
            token = page.continuation_token
            if not token:
                return tuple(said)

    def _linked_item(
        self, found: Any, above: Mapping[int, Any], said: Sequence[str], processes: Mapping[str, str]
    ) -> LinkedItem:
        parents: list[LinkedItem] = []
        one, seen = found, {int(found.id)}
        while (up := int(one.fields.get("System.Parent") or 0)) in above and up not in seen:
            one = above[up]
            seen.add(up)
            parents.append(self._item_shown(one, processes))
        return self._item_shown(found, processes, parents, said)

    def _item_shown(
        self,
        found: Any,
        processes: Mapping[str, str],
        parents: Sequence[LinkedItem] = (),
        said: Sequence[str] = (),
    ) -> LinkedItem:
        fields: Mapping[str, Any] = found.fields
        project, kind = str(fields.get("System.TeamProject") or ""), str(fields.get("System.WorkItemType") or "")
        tags = (tag.strip() for tag in str(fields.get("System.Tags") or "").split(";"))
        return LinkedItem(
            id=int(found.id),
            forge=ForgeName.AZURE_DEVOPS,
            project=project,
            type=kind,
            kind=kind_of(kind, processes.get(project.lower(), "")),
            title=str(fields.get("System.Title") or ""),
            state=str(fields.get("System.State") or ""),
            body=str(fields.get("System.Description") or fields.get(_REPRODUCTION) or ""),
            acceptance=str(fields.get(_ACCEPTANCE) or ""),
            tags=tuple(tag for tag in tags if tag),
            url=self._client.page(project, "_workitems", "edit", str(found.id)),
            parents=tuple(parents),
            fields={name: text for name, value in fields.items() if name not in _OWN_PLACE and (text := _text(value))},
            comments=tuple(said),
        )


def kind_of(type_name: str, process: str) -> WorkItemKind | None:
    """The level of a type; an *Issue* is a requirement in Basic, and an impediment elsewhere."""
    if type_name.lower() == "issue":
        return WorkItemKind.REQUIREMENT if process == "basic" else None
    return _KINDS.get(type_name.lower())


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return str(value.get("uniqueName") or value.get("displayName") or "")
    return "" if value is None else str(value)
