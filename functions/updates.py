"""Offers newer templates to projects over HTTP, and shows how each repository stands beside them."""

from __future__ import annotations

from http import HTTPStatus

import azure.durable_functions as df
import azure.functions as func
from pydantic import Field

from functions.known import known_connection, known_project, named_connection
from functions.problems import ProblemError, actor_of, answer, body_of, refusals
from orchestrations.durable import ended, start
from shared.domain.connection import Connection
from shared.domain.forge import Frozen
from shared.domain.run import ProjectRecord
from shared.domain.scaffold_update import EndedRun, UpdateState
from shared.projects.updates import offering, running
from shared.projects.updates.surveying import updatable
from shared.services import Services, services

blueprint = df.Blueprint()


class NewUpdates(Frozen):
    """The body of ``POST /api/scaffold-updates``."""

    connection: str = Field(min_length=1, description="Id of the connection whose projects are offered an update.")
    force: bool = Field(default=False, description="Offer again what teams have closed.")


@blueprint.function_name("update_scaffold")
@blueprint.route(route="projects/{id}/scaffold-update", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def update_scaffold(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/projects/{id}/scaffold-update``; with ``?dry_run=true`` the merge file by file, changing nothing."""
    return _update_scaffold(req, client=client)


@refusals
def _update_scaffold(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app = services()
    record = _project(app, req.route_params["id"])
    force = _flag(req, "force")
    if _flag(req, "dry_run"):
        previews = [
            offering.preview(app.update_ports, record.id, forge, force=force)
            for forge in running.forges_of(app.update_ports, record.id)
        ]
        return answer(
            {
                "dry_run": True,
                "project": record.id,
                "would_change": any(p.would in {UpdateState.OFFERED, UpdateState.REVISED} for p in previews),
                "repositories": [p.model_dump(mode="json") for p in previews],
            }
        )
    connection = app.project_ports.connection(record.connection)
    return _begin(req, client, connection, f"projects/{record.id}/scaffold-update", project=record.id, force=force)


@blueprint.function_name("show_scaffold")
@blueprint.route(route="projects/{id}/scaffold-update", methods=["GET"])
@refusals
def show_scaffold(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/projects/{id}/scaffold-update``: each repository beside the templates, as last seen."""
    app = services()
    return answer(running.beside_templates(app.update_ports, _project(app, req.route_params["id"]).id))


@blueprint.function_name("update_scaffolds")
@blueprint.route(route="scaffold-updates", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def update_scaffolds(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/scaffold-updates``: offer today's templates to every completed project of a connection."""
    return _update_scaffolds(req, client=client)


@refusals
def _update_scaffolds(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app = services()
    asked = body_of(req, NewUpdates, {"connection": "acme", "force": "false"})
    connection = named_connection(app, asked.connection)
    return _begin(req, client, connection, f"scaffold-updates/{connection.id}", force=asked.force)


@blueprint.function_name("show_scaffold_updates")
@blueprint.route(route="scaffold-updates/{id}", methods=["GET"])
@refusals
def show_scaffold_updates(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/scaffold-updates/{id}``: the newest run over a connection's projects, repository by repository."""
    app = services()
    connection = known_connection(app, req.route_params["id"])
    view = running.newest(app.update_ports, connection.id)
    if view is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"no updates were offered to the projects of {connection.id} yet",
            remedy="POST /api/scaffold-updates offers them.",
        )
    return answer(view)


def _begin(
    req: func.HttpRequest,
    client: df.SyncDurableFunctionsClient,
    connection: Connection,
    path: str,
    *,
    project: str = "",
    force: bool,
) -> func.HttpResponse:
    app = services()
    run = running.begin(app.update_ports, connection, actor_of(req), project=project, force=force)
    if how := ended(client, run.instance):
        # It broke before it could write down its end.
        running.finish(app.update_ports, EndedRun(run=run, broken={project or connection.id: f"the run ended {how}"}))
        run = running.begin(app.update_ports, connection, actor_of(req), project=project, force=force)
    # An engine that was killed may have lost the run; where it still runs, this start changes nothing.
    start(client, "scaffold_updates", run.instance, run)
    location = app.links.api(path)
    return answer(
        {"instance": run.instance, "status_url": location},
        HTTPStatus.ACCEPTED,
        {"Location": location, "Retry-After": "2"},
    )


def _project(app: Services, project: str) -> ProjectRecord:
    return updatable(known_project(app, project), project)


def _flag(req: func.HttpRequest, name: str) -> bool:
    return req.params.get(name, "false").lower() in {"true", "1", "yes"}
