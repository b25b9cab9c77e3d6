"""Serves the description of the API and tells a load balancer that the app is alive."""

from __future__ import annotations

import azure.functions as func

from functions.openapi import document
from functions.problems import answer

blueprint = func.Blueprint()


@blueprint.function_name("describe_api")
@blueprint.route(route="openapi.json", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def describe_api(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/openapi.json``: OpenAPI 3.1."""
    return answer(document())


@blueprint.function_name("health")
@blueprint.route(route="health", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
async def health(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/health``: the process answers; it says nothing of the forges."""
    return answer({"status": "ok"})
