"""Manages connections over HTTP, and walks a person through registering the GitHub App of one."""

from __future__ import annotations

from datetime import timedelta
from http import HTTPStatus

import azure.functions as func

from functions import pages
from functions.known import known_connection
from functions.problems import (
    ProblemError,
    actor_of,
    answer,
    body_of,
    correlation_of,
    page,
    refusals,
    validated,
    wants_html,
)
from shared.connections import keeping, manifest
from shared.domain.connection import ConnectionPatch, ConnectionSettings
from shared.domain.faults import FieldFault
from shared.errors import ConflictError
from shared.services import services

blueprint = func.Blueprint()

STATE_LIFETIME = timedelta(hours=1)


@blueprint.function_name("create_connection")
@blueprint.route(route="connections", methods=["POST"])
@refusals
def create_connection(req: func.HttpRequest) -> func.HttpResponse:
    """``POST /api/connections``."""
    app = services()
    settings = body_of(req, ConnectionSettings)
    if missing := keeping.missing_secrets(settings, app.secrets):
        faults = [FieldFault(field=field, problem=problem) for field, problem in missing]
        raise ProblemError(HTTPStatus.BAD_REQUEST, "a secret the connection names does not exist", faults=faults)
    try:
        made = keeping.create(
            app.project_ports, settings, actor=_actor(req, settings.id), correlation=correlation_of(req)
        )
    except ConflictError:
        raise ProblemError(
            HTTPStatus.CONFLICT, f"a connection {settings.id} exists", remedy="PATCH changes it."
        ) from None
    return answer(made, HTTPStatus.CREATED, {"Location": app.links.api(f"connections/{made.id}")})


@blueprint.function_name("list_connections")
@blueprint.route(route="connections", methods=["GET"])
@refusals
def list_connections(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/connections``."""
    rows = keeping.listed(services().project_ports)
    return answer({"connections": [row.model_dump(mode="json") for row in rows]})


@blueprint.function_name("show_connection")
@blueprint.route(route="connections/{id}", methods=["GET"])
@refusals
def show_connection(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/connections/{id}``."""
    return answer(known_connection(services(), req.route_params["id"]))


@blueprint.function_name("change_connection")
@blueprint.route(route="connections/{id}", methods=["PATCH"])
@refusals
def change_connection(req: func.HttpRequest) -> func.HttpResponse:
    """``PATCH /api/connections/{id}``: pause, resume, advisory mode, who may ask, credentials."""
    app = services()
    before = known_connection(app, req.route_params["id"])
    patch = body_of(req, ConnectionPatch)
    wanted = keeping.merged(before, patch)
    settings = validated(ConnectionSettings, {name: wanted[name] for name in ConnectionSettings.model_fields})
    if missing := keeping.missing_secrets(settings, app.secrets):
        faults = [FieldFault(field=field, problem=problem) for field, problem in missing]
        raise ProblemError(HTTPStatus.BAD_REQUEST, "a secret the connection names does not exist", faults=faults)
    after = keeping.change(
        app.project_ports,
        before.id,
        patch,
        actor=_actor(req, before.id),
        correlation=correlation_of(req),
        release=app.keeper.release,
    )
    return answer(after)


@blueprint.function_name("check_connection")
@blueprint.route(route="connections/{id}/check", methods=["GET"])
@refusals
def check_connection(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/connections/{id}/check``: each permission needed, present or missing, with the remedy."""
    connection = known_connection(services(), req.route_params["id"])
    found = keeping.check(services().project_ports, connection)
    return page(pages.connection_check(connection, found)) if wants_html(req) else answer(found)


@blueprint.function_name("offer_github_app")
@blueprint.route(route="connections/{id}/github-app", methods=["GET"])
@refusals
def offer_github_app(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/connections/{id}/github-app``: the page that registers the connection's GitHub App."""
    app = services()
    connection = known_connection(app, req.route_params["id"])
    state = app.links.state("github-app", connection.id, app.clock.now() + STATE_LIFETIME)
    form = manifest.form(connection, app.links, state)
    return page(pages.github_app(connection, form))


@blueprint.function_name("finish_github_app")
@blueprint.route(route="github-app/callback", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@refusals
def finish_github_app(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/github-app/callback``: GitHub sends the browser back here with a code; the state proves we asked."""
    app = services()
    connection_id = app.links.value_of_state("github-app", req.params.get("state", ""), app.clock.now())
    code = req.params.get("code", "")
    if connection_id is None or not code:
        raise ProblemError(
            HTTPStatus.UNAUTHORIZED,
            "this registration was not begun here, or more than an hour ago",
            remedy="Begin again at the connection's GitHub App page.",
        )
    connection = app.project_ports.connection(connection_id)
    registered = manifest.finish(
        app.project_ports,
        connection,
        code,
        secrets=app.secrets,
        convert=app.convert_manifest,
        tell_secret=app.tell_app_secret,
    )
    return page(pages.github_app_registered(connection, registered))


def _actor(req: func.HttpRequest, tenant: str) -> str:
    return services().project_ports.pseudonyms.of(actor_of(req), tenant)
