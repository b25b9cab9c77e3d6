"""Links of a work item that lead out of its project: *Related* work items and pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.azure_devops.work_item_states import WorkItemStateCalls
from shared.adapters.azure_devops.work_items import added

_RELATED = "System.LinkTypes.Related"
_HYPERLINK = "Hyperlink"


class RelationCalls(WorkItemStateCalls):
    """The part of ``AzureDevOpsForge`` that links across projects."""

    def related(self, project: str, item_id: int) -> frozenset[str]:
        """What the work item is linked to: ids of *Related* work items, and addresses of hyperlinks.

        Raises ``RefusedError`` when it is not there.
        """
        relations: Sequence[Any] = (
            self._client.area("work_item_tracking")
            .get_work_item(item_id, project=project, expand="Relations")
            .relations
            or []
        )
        items = {one.url.rsplit("/", 1)[-1] for one in relations if one.rel == _RELATED}
        return frozenset(items | {one.url for one in relations if one.rel == _HYPERLINK})

    def add_related(self, project: str, item_id: int, items: Sequence[int], pages: Sequence[str]) -> None:
        """Relate it to ``items``, in whatever project of the organisation, and link ``pages``, in one change."""
        links = [{"rel": _RELATED, "url": self._work_item_url(other)} for other in items]
        links += [{"rel": _HYPERLINK, "url": url} for url in pages]
        self._change(item_id, [added("/relations/-", link) for link in links])
