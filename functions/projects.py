"""Takes requests for projects over HTTP and shows how each stands."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus

import azure.durable_functions as df
import azure.functions as func
from pydantic import Field

from functions import pages
from functions.problems import ProblemError, actor_of, answer, body_of, page, refusals, validated, wants_html
from orchestrations.durable import start
from shared.domain.connection import Connection
from shared.domain.delivery import RequestState
from shared.domain.keys import encode_key
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.run import ProjectState, RunInput
from shared.errors import DefectError, TransientError
from shared.projects import bundle, drift, status
from shared.projects.admission import API_REQUESTER, faults_with, objection
from shared.projects.ownership import Ownership, look_up
from shared.projects.planning import plan_for
from shared.projects.ports import REQUESTS
from shared.projects.previewing import Change, preview
from shared.projects.request_form import EXAMPLES
from shared.services import Services, services

blueprint = df.Blueprint()


class NewProject(ProjectRequest):
    """The body of ``POST /api/projects``."""

    connection: str = Field(description="Id of the connection the project belongs to.")


@blueprint.function_name("create_project")
@blueprint.route(route="projects", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def create_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/projects``; with ``?dry_run=true`` the plan beside live state, changing nothing."""
    return _create_project(req, client=client)


@refusals
def _create_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app = services()
    body = body_of(req, NewProject, EXAMPLES)
    request = validated(ProjectRequest, body.model_dump(exclude={"connection"}))
    connection = _connection(app, body.connection)
    dry = _is_dry(req)
    owner = _owner(app, request, connection) if dry or not connection.paused else Ownership()
    if faults := faults_with(request, connection) + owner.faults:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the request cannot be carried out as it stands", faults=faults)
    if dry:
        unknown = {"owner_unknown": owner.unknown} if owner.unknown else {}
        return answer(_dry_run(app, request, connection) | unknown)
    return _begin(req, client, request, connection)


def _owner(app: Services, request: ProjectRequest, connection: Connection) -> Ownership:
    try:
        return look_up(app.project_ports, request, connection)
    except TransientError as error:
        # The run that begins asks again, as often as it takes.
        return Ownership(unknown=error.reason)


def _is_dry(req: func.HttpRequest) -> bool:
    return req.params.get("dry_run", "false").lower() in {"true", "1", "yes"}


def _begin(
    req: func.HttpRequest, client: df.SyncDurableFunctionsClient, request: ProjectRequest, connection: Connection
) -> func.HttpResponse:
    app = services()
    if connection.paused:
        raise ProblemError(
            HTTPStatus.CONFLICT, f"connection {connection.id} is paused", remedy="Resume it, then ask again."
        )
    run = _run(app, request, connection, actor_of(req))
    if existing := app.project_ports.project(request.project_id):
        if existing.connection == connection.id and existing.state is ProjectState.RUNNING:
            if existing.instance == run.instance:
                # An engine that was killed may have lost the run; where it still runs, this start changes nothing.
                start(client, "bootstrap", run.instance, run)
            return _accepted(app, existing.id, existing.instance, HTTPStatus.ACCEPTED)
        if against := objection(existing, run.origin, connection, request):
            raise ProblemError(
                HTTPStatus.CONFLICT, against.reason, faults=against.faults, remedy="Choose another name."
            )
    start(client, "bootstrap", run.instance, run)
    return _accepted(app, request.project_id, run.instance, HTTPStatus.ACCEPTED)


@blueprint.function_name("list_projects")
@blueprint.route(route="projects", methods=["GET"])
@refusals
def list_projects(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/projects``: a page for browsers, JSON for scripts."""
    app = services()
    rows = status.listed(app.project_ports)
    if wants_html(req):
        return page(pages.projects(rows, app.links))
    listing = [
        row.model_dump(mode="json", include={"id", "name", "state", "connection", "started_at", "finished_at"})
        for row in rows
    ]
    return answer({"projects": listing})


@blueprint.function_name("show_project")
@blueprint.route(route="projects/{id}", methods=["GET"])
@refusals
def show_project(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/projects/{id}``: a page for browsers, JSON for scripts."""
    return _show(req, req.route_params["id"])


@blueprint.function_name("reconcile_project")
@blueprint.route(route="projects/{id}/reconcile", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def reconcile_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/projects/{id}/reconcile``: bring the forges back to the plan; with ``?dry_run=true`` only say how."""
    return _reconcile_project(req, client=client)


@refusals
def _reconcile_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app = services()
    record = app.project_ports.project(req.route_params["id"])
    if record is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no project {req.route_params['id']}")
    if _is_dry(req):
        found = drift.look(app.project_ports, record.id)
        return answer({"dry_run": True} | found.model_dump(mode="json", exclude_defaults=True))
    return _begin(req, client, record.request, _connection(app, record.connection))


@blueprint.function_name("view_project")
@blueprint.route(route="view/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@refusals
def view_project(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/view/{id}?token=…``: the same page for whoever holds its signed link, as issue comments carry it."""
    project = req.route_params["id"]
    if not services().links.token_is_valid("view", project, req.params.get("token", "")):
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "this link is not valid", remedy="Ask for a new one, or use a key.")
    return _show(req, project)


def _dry_run(app: Services, request: ProjectRequest, connection: Connection) -> dict[str, object]:
    plan, packed = plan_for(app.project_ports, request, connection, app.clock.now().year)
    changes = preview(app.project_ports, connection, plan, (bundle.digest_of(packed), packed))
    return {
        "dry_run": True,
        "project": request.project_id,
        "would_succeed": all(step.change not in {Change.CONFLICT, Change.UNKNOWN} for step in changes),
        "changes": [step.model_dump(mode="json", exclude_defaults=True) for step in changes],
        "plan": plan.model_dump(mode="json"),
    }


def _show(req: func.HttpRequest, project: str) -> func.HttpResponse:
    view = status.status(services().project_ports, project)
    if view is None:
        if wants_html(req):
            return page(pages.not_found(project), HTTPStatus.NOT_FOUND)
        raise ProblemError(HTTPStatus.NOT_FOUND, f"there is no project {project}")
    return page(pages.project(view)) if wants_html(req) else answer(view)


def _connection(app: Services, connection_id: str) -> Connection:
    try:
        return app.project_ports.connection(connection_id)
    except DefectError:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST,
            f"there is no connection {connection_id!r}",
            remedy="GET /api/connections lists those there are; POST /api/connections makes one.",
        ) from None


def _run(app: Services, request: ProjectRequest, connection: Connection, actor: str) -> RunInput:
    subject = f"api-{request.project_id}"
    found = app.project_ports.requests.get(REQUESTS, subject)
    run = 1
    if found:
        run = found[0].run + (found[0].state is not RequestState.RUNNING)
    digest = hashlib.sha256(request.model_dump_json().encode()).hexdigest()
    return RunInput(
        instance=encode_key(f"{subject}.{run}"),
        subject=subject,
        run=run,
        connection=connection.id,
        origin=RequestOrigin(subject=subject, requester=API_REQUESTER if actor == "api" else actor),
        content_digest=digest,
        request=request,
        step_deadline_seconds=app.settings.step_deadline_seconds,
        step_pause_seconds=app.settings.step_pause_seconds,
    )


def _accepted(app: Services, project: str, instance: str, code: HTTPStatus) -> func.HttpResponse:
    location = app.links.api(f"projects/{project}")
    body = {"id": project, "instance": instance, "status_url": location, "view_url": app.links.status(project)}
    return func.HttpResponse(
        json.dumps(body),
        status_code=code.value,
        mimetype="application/json",
        headers={"Location": location, "Retry-After": "2"},
    )
