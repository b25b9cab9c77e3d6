"""Lists empty and stale projects over HTTP, and removes one when somebody asks by its exact name."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode

import azure.durable_functions as df
import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field

from functions import pages
from functions.adoptions import FORM, run_on
from functions.problems import ProblemError, actor_of, answer, body_of, number, page, refusals, validated, wants_html
from shared.projects.ports import CONNECTIONS
from shared.projects.stale.listing import listed
from shared.projects.stale.removing import NameDiffersError, remove
from shared.services import services

blueprint = df.Blueprint()

LONGEST_DAYS = 3650
MOST_PLACES = 500


class NewRemoval(BaseModel):
    """The body of ``POST /api/projects/{id}/removal``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(
        min_length=1,
        max_length=64,
        description="The project's name, exactly as it is shown.",
        examples=["Payments API"],
    )
    even_if_active: bool = Field(
        default=False,
        description="Remove it although it was not listed, or something happened in it since.",
        examples=[False],
    )


@blueprint.function_name("list_stale")
@blueprint.route(route="stale", methods=["GET"])
@refusals
def list_stale(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/stale?connection=…&days=90``: what is empty, or quiet for so long; a page for browsers."""
    app = services()
    connection_id = req.params.get("connection", "")
    found = app.project_ports.connections.get(CONNECTIONS, connection_id) if connection_id else None
    if found is None:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            f"there is no connection {connection_id!r}" if connection_id else "connection is missing",
            remedy="Name it as ?connection=…; GET /api/connections lists those there are.",
        )
    listing = listed(
        app.stale_ports,
        found[0],
        days=number(req, "days", 90, 0, LONGEST_DAYS),
        limit=number(req, "limit", 200, 1, MOST_PLACES),
    )
    if not wants_html(req):
        return answer(listing)
    code = req.params.get("code", "")
    return page(pages.stale(listing, remove=lambda project: _address(project, code) if code else ""))


@blueprint.function_name("remove_project")
@blueprint.route(route="projects/{id}/removal", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def remove_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/projects/{id}/removal``: JSON from scripts, a form from the listing's page."""
    return _remove_project(req, client=client)


@refusals
def _remove_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app, project = services(), req.route_params["id"]
    if app.project_ports.project(project) is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"there is no project {project}",
            remedy="Doneright removes only what it made itself; GET /api/projects lists that.",
        )
    from_page = req.headers.get("content-type", "").split(";")[0].strip().lower() == FORM
    given = _from_form(req) if from_page else body_of(req, NewRemoval)
    try:
        asked = remove(
            app.stale_ports,
            project,
            given.name,
            even_if_active=given.even_if_active,
            actor=actor_of(req),
            deadline_seconds=app.settings.step_deadline_seconds,
            pause_seconds=app.settings.step_pause_seconds,
        )
    except NameDiffersError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, error.reason, faults=error.faults, remedy=error.remedy) from error
    run_on(client, app, asked)
    if from_page:
        path, code = f"/api/projects/{quote(project, safe='')}", req.params.get("code", "")
        location = f"{path}?{urlencode({'code': code})}" if code else path
        return func.HttpResponse(status_code=HTTPStatus.SEE_OTHER.value, headers={"Location": location})
    location = app.links.api(f"projects/{project}")
    return answer(
        {"id": project, "instance": asked.instance, "status_url": location, "view_url": app.links.status(project)},
        HTTPStatus.ACCEPTED,
        {"Location": location, "Retry-After": "2"},
    )


def _address(project: str, code: str) -> str:
    return f"/api/projects/{quote(project, safe='')}/removal?{urlencode({'code': code})}"


def _from_form(req: func.HttpRequest) -> NewRemoval:
    try:
        fields = dict(parse_qsl(req.get_body().decode("utf-8"), max_num_fields=20))
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the form cannot be read: {error}") from error
    return validated(NewRemoval, {"name": fields.get("name", "")})
