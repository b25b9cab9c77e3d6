"""Puts what exists up for adoption over HTTP, shows its plan beside live state, and takes the consent to it."""

from __future__ import annotations

from http import HTTPStatus
from urllib.parse import parse_qsl, quote, urlencode

import azure.durable_functions as df
import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field

from functions import pages
from functions.known import named_connection
from functions.problems import ProblemError, actor_of, answer, body_of, page, refusals, validated, wants_html
from functions.starting import Begun, begin
from shared.domain import shapes
from shared.domain.adoption import AdoptionWish
from shared.domain.run import ProjectRecord
from shared.projects.adopting import consenting
from shared.projects.adopting.live import NotThereError
from shared.projects.adopting.planning import WishFaultError, adopt
from shared.projects.adopting.showing import view_of
from shared.projects.asking import Asked
from shared.services import Services, services

blueprint = df.Blueprint()

FORM = "application/x-www-form-urlencoded"


class NewAdoption(AdoptionWish):
    """The body of ``POST /api/adoptions``."""

    connection: str = Field(
        min_length=1, description="Id of the connection whose forges hold it.", examples=["contoso"]
    )


class NewConsent(BaseModel):
    """The body of ``POST /api/adoptions/{id}/consent``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str = Field(
        pattern=shapes.DIGEST.pattern,
        description="Of the plan that was shown: `sha256:` and 64 hexadecimal digits.",
        examples=[shapes.DIGEST.example],
    )
    steps: tuple[str, ...] | None = Field(
        default=None,
        max_length=50,
        description="Ids of the steps that are agreed to; left out: every one that can be.",
        examples=[["github.hook"]],
    )


@blueprint.function_name("create_adoption")
@blueprint.route(route="adoptions", methods=["POST"])
@refusals
def create_adoption(req: func.HttpRequest) -> func.HttpResponse:
    """``POST /api/adoptions``: plan the adoption of what exists; nothing is changed."""
    app = services()
    body = body_of(req, NewAdoption)
    connection = named_connection(app, body.connection)
    wish = validated(AdoptionWish, body.model_dump(exclude={"connection"}, exclude_unset=True))
    try:
        record = adopt(app.project_ports, wish, connection, actor=actor_of(req))
    except (NotThereError, WishFaultError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, error.reason, faults=error.faults, remedy=error.remedy) from error
    location = app.links.api(f"adoptions/{record.id}")
    return answer(view_of(app.project_ports, record), HTTPStatus.CREATED, {"Location": location})


@blueprint.function_name("show_adoption")
@blueprint.route(route="adoptions/{id}", methods=["GET"])
@refusals
def show_adoption(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/adoptions/{id}``: the plan beside live state; a page with its button for browsers."""
    app = services()
    view = view_of(app.project_ports, _record(app, req.route_params["id"]))
    if not wants_html(req):
        return answer(view)
    code = req.params.get("code", "")
    return page(pages.adoption(view, consent=_address(view.id, code) if code else "", status=_page_of(view.id, code)))


@blueprint.function_name("consent_to_adoption")
@blueprint.route(route="adoptions/{id}/consent", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def consent_to_adoption(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/adoptions/{id}/consent``: JSON from scripts, a form from the adoption's page."""
    return _consent_to_adoption(req, client=client)


@refusals
def _consent_to_adoption(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    app, project = services(), req.route_params["id"]
    _record(app, project)
    from_page = req.headers.get("content-type", "").split(";")[0].strip().lower() == FORM
    given = _from_form(req) if from_page else body_of(req, NewConsent)
    try:
        asked = consenting.consent(
            app.project_ports,
            project,
            given.digest,
            given.steps,
            actor=actor_of(req),
            deadline_seconds=app.settings.step_deadline_seconds,
            pause_seconds=app.settings.step_pause_seconds,
            decision_seconds=app.settings.decision_deadline_seconds,
        )
    except consenting.PlanChangedError as error:
        raise ProblemError(HTTPStatus.CONFLICT, error.reason, faults=error.faults, remedy=error.remedy) from error
    except (NotThereError, WishFaultError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, error.reason, faults=error.faults, remedy=error.remedy) from error
    run_on(client, app, asked)
    if from_page:
        location = _page_of(project, req.params.get("code", ""))
        return func.HttpResponse(status_code=HTTPStatus.SEE_OTHER.value, headers={"Location": location})
    location = app.links.api(f"projects/{project}")
    return answer(
        {"id": project, "instance": asked.instance, "status_url": location, "view_url": app.links.status(project)},
        HTTPStatus.ACCEPTED,
        {"Location": location, "Retry-After": "2"},
    )


def run_on(client: df.SyncDurableFunctionsClient, app: Services, asked: Asked) -> None:
    """Start the run of ``asked``; one that ended unheard is put on record, and refused with what to do."""
    if asked.start and begin(client, app.project_ports, asked.start, again=asked.again) is Begun.ENDED:
        raise ProblemError(
            HTTPStatus.CONFLICT, "the run that was under way has ended just now", remedy="Look at it, then ask again."
        )


def _record(app: Services, project: str) -> ProjectRecord:
    record = app.project_ports.project(project)
    if record is None or record.adoption is None:
        raise _unknown(project)
    return record


def _unknown(project: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND, f"there is no adoption of {project}", remedy="POST /api/adoptions makes one."
    )


def _from_form(req: func.HttpRequest) -> NewConsent:
    try:
        fields = parse_qsl(req.get_body().decode("utf-8"), max_num_fields=60)
    except ValueError as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the form cannot be read: {error}") from error
    digest = next((value for name, value in fields if name == "digest"), "")
    steps = tuple(value for name, value in fields if name == "step")
    return validated(NewConsent, {"digest": digest, "steps": steps})


def _address(project: str, code: str) -> str:
    return f"/api/adoptions/{quote(project, safe='')}/consent?{urlencode({'code': code})}"


def _page_of(project: str, code: str) -> str:
    path = f"/api/projects/{quote(project, safe='')}"
    return f"{path}?{urlencode({'code': code})}" if code else path
