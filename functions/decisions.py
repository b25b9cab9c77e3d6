"""Takes a person's decision about a run that failed: by a call, or by a button of the project's page."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode

import azure.durable_functions as df
import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field

from functions.known import known_project
from functions.problems import ProblemError, actor_of, answer, body_of, refusals, validated
from orchestrations.durable import wake
from shared.domain.decision import Choice
from shared.projects import deciding
from shared.services import services

blueprint = df.Blueprint()

FORM = "application/x-www-form-urlencoded"
EXAMPLES = {"decision": Choice.RETRY.value}


class NewDecision(BaseModel):
    """The body of ``POST /api/projects/{id}/decision``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Choice = Field(
        description="`retry` tries what failed again, `compensate` removes what this run made, `accept` leaves it."
    )


def address(project: str, code: str) -> str:
    """Where the buttons of a page send a decision; ``code`` is the function key the page itself was opened with."""
    path = f"/api/projects/{quote(project, safe='')}/decision"
    return f"{path}?{urlencode({'code': code})}" if code else path


@blueprint.function_name("decide_project")
@blueprint.route(route="projects/{id}/decision", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def decide_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/projects/{id}/decision``: JSON from scripts, a form from the project's page."""
    return _decide_project(req, client=client)


@refusals
def _decide_project(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app, project = services(), req.route_params["id"]
    record = known_project(app, project)
    from_page = req.headers.get("content-type", "").split(";")[0].strip().lower() == FORM
    given = _from_form(req) if from_page else body_of(req, NewDecision, EXAMPLES)
    call = deciding.decide(
        app.project_ports,
        project,
        given.decision,
        actor=app.project_ports.pseudonyms.of(actor_of(req), record.connection),
        source="page" if from_page else "api",
    )
    wake(client, call.instance, call.event)
    if from_page:
        back = f"/api/projects/{quote(project, safe='')}"
        code = req.params.get("code", "")
        location = f"{back}?{urlencode({'code': code})}" if code else back
        return func.HttpResponse(status_code=HTTPStatus.SEE_OTHER.value, headers={"Location": location})
    location = app.links.api(f"projects/{project}")
    return answer(
        {"id": project, "instance": call.instance, "decision": given.decision.value, "status_url": location},
        HTTPStatus.ACCEPTED,
        {"Location": location, "Retry-After": "2"},
    )


def _from_form(req: func.HttpRequest) -> NewDecision:
    try:
        fields = dict(parse_qsl(req.get_body().decode("utf-8"), max_num_fields=20))
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the form cannot be read: {error}") from error
    return validated(NewDecision, {"decision": fields.get("decision", "")}, EXAMPLES)
