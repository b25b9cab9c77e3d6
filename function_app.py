"""The function app: composes the blueprints and nothing else."""

import azure.durable_functions as df
import azure.functions as func

from functions import (
    adoptions,
    agents,
    audit,
    backlogs,
    connections,
    decisions,
    deliveries,
    evidence,
    intake,
    policies,
    portfolios,
    projects,
    reference,
    reviews,
    runbooks,
    stale,
    sweep,
    updates,
)

app = df.DFApp(http_auth_level=func.AuthLevel.FUNCTION)
for part in (
    intake, deliveries, projects, decisions, updates, adoptions, stale, portfolios, backlogs, evidence, reviews, policies,
    agents, connections, audit, reference, runbooks, sweep,
):  # fmt: skip
    app.register_functions(part.blueprint)
