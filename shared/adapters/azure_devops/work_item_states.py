"""States of work items: set together with their tags, so that nobody ever reads the one without the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shared.adapters.azure_devops.backlogs import BacklogCalls
from shared.adapters.azure_devops.work_items import added
from shared.errors import RefusedError


class WorkItemStateCalls(BacklogCalls):
    """The part of ``AzureDevOpsForge`` that moves cards on boards."""

    def set_work_item_state(
        self, item_id: int, state: str, *, tags: Sequence[str] | None = None, revision: int
    ) -> None:
        """Put the work item into ``state``, with ``tags`` in place of its own where they are given, in one change.

        Raises ``ConflictError`` when it changed since ``revision``, ``RefusedError`` for a state that its type lacks or
        that a rule of its process keeps it from.
        """
        document: list[dict[str, Any]] = [{"op": "test", "path": "/rev", "value": revision}]
        if tags is not None:
            if bad := [tag for tag in tags if not tag.strip() or any(mark in tag for mark in ";,\r\n")]:
                raise RefusedError(f"Not usable as tags: {bad!r}", "Leave out commas, semicolons and line breaks")
            document.append(added("/fields/System.Tags", "; ".join(tags)))
        document.append(added("/fields/System.State", state))
        self._change(item_id, document)
