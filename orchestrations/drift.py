"""Looks at every finished project once a day, one after the other to spare the forges, and puts what has drifted on record."""

from __future__ import annotations

from typing import Any

from durabletask.task import OrchestrationContext

from orchestrations.durable import BROKEN, Yields, call
from shared.domain.forge import Frozen
from shared.projects.drift import DriftTask


class DriftRound(Frozen):
    """Input of a round."""

    day: str


def drift(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """One round over all projects. One that cannot be looked at does not stop the others."""
    day = DriftRound.model_validate(payload)
    projects = yield from call(context, "list_finished", day, list[str])
    drifted: list[str] = []
    unseen: list[str] = []
    for project in projects:
        task = DriftTask(project=project, instance=context.instance_id)
        try:
            found = yield from call(context, "look_for_drift", task, bool)
        except BROKEN:
            unseen.append(project)
            continue
        if found:
            drifted.append(project)
    return {"looked_at": len(projects) - len(unseen), "drifted": drifted, "unseen": unseen}
