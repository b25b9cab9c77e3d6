"""Simulates a policy on what is kept of the last pull requests; a simulation that breaks off says so."""

from __future__ import annotations

from typing import Any

from durabletask.task import OrchestrationContext

from orchestrations.durable import BROKEN, Yields, call, in_words
from shared.domain.simulation import AskedSimulation, BrokenSimulation


def simulation(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """One activity, and its end."""
    asked = AskedSimulation.model_validate(payload)
    context.set_custom_status({"simulation": asked.id, "project": asked.project})
    try:
        result = yield from call(context, "simulate_policy", asked, str)
    except BROKEN as error:
        broken = BrokenSimulation(asked=asked, reason=in_words(error))
        reason = yield from call(context, "break_off_simulation", broken, str)
        return {"simulation": asked.id, "result": "", "reason": reason}
    return {"simulation": asked.id, "result": result, "reason": ""}
