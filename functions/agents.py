"""Shows how the agents are that look at changes: how they answered lately, how long it took, what trouble they had."""

from __future__ import annotations

import azure.durable_functions as df
import azure.functions as func

from functions import pages
from functions.problems import answer, page, refusals, wants_html
from shared.services import services

blueprint = df.Blueprint()


@blueprint.function_name("list_agents")
@blueprint.route(route="agents", methods=["GET"])
@refusals
def list_agents(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/agents``: every agent with its state, and whether the model that settings name can be asked."""
    from shared.agents.health import view_of

    app = services()
    ports = app.agent_ports()
    view = view_of(app.review_ports.health, model=ports.model.name if ports.model else "", model_trouble=ports.missing)
    return page(pages.agents(view)) if wants_html(req) else answer(view)
