"""The function app: composes the blueprints and nothing else."""

import azure.durable_functions as df
import azure.functions as func

from functions import (
    audit,
    backlogs,
    connections,
    decisions,
    deliveries,
    intake,
    portfolios,
    projects,
    reference,
    runbooks,
    sweep,
    updates,
)

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (
    intake.blueprint,
    deliveries.blueprint,
    projects.blueprint,
    decisions.blueprint,
    updates.blueprint,
    portfolios.blueprint,
    backlogs.blueprint,
    connections.blueprint,
    audit.blueprint,
    reference.blueprint,
    runbooks.blueprint,
    sweep.blueprint,
):
    app.register_functions(blueprint)
