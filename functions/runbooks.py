"""Registers the runbooks and their activities with the Functions runtime."""

from __future__ import annotations

import azure.durable_functions as df

from orchestrations import bootstrap, drift, portfolio, removal, review, scaffold_update, simulation
from orchestrations.activities import ACTIVITIES

blueprint = df.Blueprint()

for runbook in (
    bootstrap.bootstrap,
    bootstrap.step,
    drift.drift,
    removal.removal,
    scaffold_update.scaffold_updates,
    scaffold_update.scaffold_update,
    review.review,
    simulation.simulation,
    portfolio.portfolio,
    portfolio.portfolio_preview,
    portfolio.portfolio_project_preview,
):
    blueprint.orchestration_trigger(context_name="context")(runbook)

for activity in ACTIVITIES:
    # The Functions worker reads annotations as classes and refuses dict[str, Any].
    activity.__annotations__ = {"payload": dict, "return": dict}
    blueprint.activity_trigger(input_name="payload")(activity)
