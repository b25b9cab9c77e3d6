"""From a person's word to a project removed: take back all that any run of it made, the last first, and say what stays."""

from __future__ import annotations

from typing import Any

from durabletask.task import OrchestrationContext

from orchestrations.compensation import compensate
from orchestrations.durable import BROKEN, Yields, call, in_words
from shared.domain.run import Conclusion, DrawnPlan, RunInput
from shared.domain.run_activities import Claimed


def removal(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """The removal of what Doneright made of one project."""
    run = RunInput.model_validate(payload)
    project = run.request.project_id if run.request else ""
    context.set_custom_status({"project": project})
    reason = ""
    try:
        plan = yield from call(context, "draw_removal", Claimed(run=run, project=project), DrawnPlan)
        yield from compensate(context, run, project, plan, whole=True)
    except BROKEN as error:
        reason = in_words(error)
    conclusion = Conclusion(run=run, project=project, states={}, reason=reason)
    state = yield from call(context, "conclude_run", conclusion, str)
    return {"state": state, "project": project, "reason": reason}
