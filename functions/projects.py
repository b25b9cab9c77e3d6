"""Takes requests for projects over HTTP and shows how each stands."""

from __future__ import annotations

import json
from http import HTTPStatus
from urllib.parse import urlencode

import azure.durable_functions as df
import azure.functions as func
from pydantic import Field

from functions import decisions, pages
from functions.adoptions import run_on
from functions.known import known_connection, known_project, named_connection, no_project
from functions.problems import ProblemError, actor_of, answer, body_of, page, refusals, validated, wants_html
from functions.starting import Begun, begin
from shared.domain.connection import Connection
from shared.domain.project import ProjectRequest
from shared.domain.strictness import tightened, weakened
from shared.errors import TransientError
from shared.projects import asking, drift, status
from shared.projects.admission import API_REQUESTER, faults_with
from shared.projects.adopting import consenting
from shared.projects.ownership import Ownership, look_up
from shared.projects.planning import plan_for
from shared.projects.previewing import Change, preview
from shared.projects.request_form import EXAMPLES
from shared.services import Services, services

blueprint = df.Blueprint()


class NewProject(ProjectRequest):
    """The body of ``POST /api/projects``."""

    connection: str = Field(description="Id of the connection the project belongs to.", examples=["contoso"])


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
    connection = named_connection(app, body.connection)
    # What was left at its default is made as strict as the organisation wants it; what was asked for is held against it.
    asked = validated(ProjectRequest, body.model_dump(exclude={"connection"}, exclude_unset=True))
    weaker = weakened(asked.rules, connection.least_rules)
    request = asked.model_copy(update={"rules": tightened(asked.rules, connection.least_rules)})
    dry = _is_dry(req)
    owner = _owner(app, request, connection) if dry or not connection.paused else Ownership()
    if faults := faults_with(request, connection) + weaker + owner.faults:
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
    asked = _ask(app, request, connection, actor_of(req))
    if asked.start and begin(client, app.project_ports, asked.start, again=asked.again) is Begun.ENDED:
        # That run's end is on record now, so that this is a request for another.
        asked = _ask(app, request, connection, actor_of(req))
        if asked.start:
            begin(client, app.project_ports, asked.start, again=asked.again)
    return _accepted(app, request.project_id, asked.instance, HTTPStatus.ACCEPTED)


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
    record = known_project(app, req.route_params["id"])
    if _is_dry(req):
        found = drift.look(app.project_ports, record.id)
        return answer({"dry_run": True} | found.model_dump(mode="json", exclude_defaults=True))
    if record.adoption:
        # What was agreed to is brought back, and nothing else.
        again = consenting.reconcile(
            app.project_ports,
            record.id,
            actor=actor_of(req),
            deadline_seconds=app.settings.step_deadline_seconds,
            pause_seconds=app.settings.step_pause_seconds,
            decision_seconds=app.settings.decision_deadline_seconds,
        )
        run_on(client, app, again)
        return _accepted(app, record.id, again.instance, HTTPStatus.ACCEPTED)
    return _begin(req, client, record.request, known_connection(app, record.connection))


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
    plan, scaffolds = plan_for(app.project_ports, request, connection, app.clock.now().year)
    changes = preview(app.project_ports, connection, plan, scaffolds)
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
        raise no_project(project)
    if not wants_html(req):
        return answer(view)
    # Only the holder of a key may decide, and a form can send a key no other way than the page itself was asked for.
    code = req.params.get("code", "") if "token" not in req.params else ""
    decide = decisions.address(project, code) if code else ""
    reviews = f"/api/reviews?{urlencode({'project': project, 'code': code})}" if code else ""
    return page(pages.project(view, decide=decide, reviews=reviews))


def _ask(app: Services, request: ProjectRequest, connection: Connection, actor: str) -> asking.Asked:
    asked = asking.ask(
        app.project_ports,
        request,
        connection,
        API_REQUESTER if actor == "api" else actor,
        deadline_seconds=app.settings.step_deadline_seconds,
        pause_seconds=app.settings.step_pause_seconds,
        decision_seconds=app.settings.decision_deadline_seconds,
    )
    if isinstance(asked, asking.Asked):
        return asked
    raise ProblemError(
        HTTPStatus.CONFLICT, asked.reason, faults=asked.faults, remedy=asked.remedy or "Choose another name."
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
