"""Shows, sets, checks and tries policies over HTTP. A repository's own policy is set by a pull request, not here."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Literal
from uuid import uuid4

import azure.durable_functions as df
import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from functions.known import known_connection, known_project
from functions.problems import ProblemError, actor_of, answer, body_of, refusals, validated
from orchestrations.durable import ended, start
from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.policy import Level
from shared.domain.run import ProjectRecord
from shared.domain.simulation import MOST_CHANGES, AskedSimulation, SimulationState
from shared.errors import TransientError
from shared.projects.repositories import repositories_of
from shared.services import Services, services

blueprint = df.Blueprint()

YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
_EXAMPLE = "version: 1\nstages:\n  integration:\n    change_is_described: enforced\n"
EXAMPLES = {"policy": _EXAMPLE, "project": "payments-api", "level": "repository", "last": "20"}

PolicyGiven = str | dict[str, JsonValue]


class NewPolicy(BaseModel):
    """The body of ``PUT`` for a policy; ``application/yaml`` takes the policy itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    policy: PolicyGiven = Field(description="YAML text, or the same as an object.", examples=[_EXAMPLE])


class NewPolicyCheck(NewPolicy):
    """The body of ``POST /api/policies/check``; ``application/yaml`` takes the policy itself."""

    level: Literal[Level.ORGANISATION, Level.PROJECT, Level.REPOSITORY] = Field(
        default=Level.REPOSITORY, description="Whose word it would be.", examples=["repository"]
    )
    project: str = Field(
        default="", max_length=63, description="Says what it would ask for in vain there.", examples=["payments-api"]
    )


class NewSimulation(NewPolicy):
    """The body of ``POST /api/policies/simulate``."""

    project: str = Field(min_length=1, max_length=63, description="Id of the project.", examples=["payments-api"])
    forge: ForgeName | None = Field(default=None, description="Only there; both otherwise.", examples=["github"])
    level: Literal[Level.ORGANISATION, Level.PROJECT, Level.REPOSITORY] = Field(
        default=Level.REPOSITORY, description="Whose word it is taken for.", examples=["repository"]
    )
    last: int = Field(default=20, ge=1, le=MOST_CHANGES, description="Pull requests, the latest ones.", examples=[20])


@blueprint.function_name("show_policy")
@blueprint.route(route="policies/{project}", methods=["GET"])
@refusals
def show_policy(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/policies/{project}?forge=…&repository=…``: what holds, by which level, and what was asked in vain."""
    from shared.reviews.effective import effective

    app = services()
    record = known_project(app, req.route_params["project"])
    name, wanted = req.params.get("forge", ""), req.params.get("repository", "")
    if not name and not wanted:
        return answer(effective(app.review_ports, record))
    connection = app.project_ports.connection(record.connection)
    forge, repository = _repository(record, connection, name, wanted)
    seen = app.project_ports.connect(connection).forges[forge].repository(repository)
    if seen is None or not seen.default_branch:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"{repository} is not there, or empty" if seen is None else f"{repository} has no branch yet",
            remedy="Leave repository out to see what holds before a repository says anything.",
        )
    reads = app.review_ports.connect(connection)[forge]
    return answer(effective(app.review_ports, record, repository, seen.default_branch, reads))


@blueprint.function_name("set_project_policy")
@blueprint.route(route="policies/{project}", methods=["PUT"])
@refusals
def set_project_policy(req: func.HttpRequest) -> func.HttpResponse:
    """``PUT /api/policies/{project}``: what the project says from now on; reviews under way keep what they began with."""
    from shared.reviews.effective import effective

    app = services()
    record = known_project(app, req.route_params["project"])
    _set(app, req, Level.PROJECT, record.id, record.connection)
    return answer(effective(app.review_ports, record))


@blueprint.function_name("show_organisation_policy")
@blueprint.route(route="connections/{id}/policy", methods=["GET"])
@refusals
def show_organisation_policy(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/connections/{id}/policy``: what the organisation says, as it was written."""
    from shared.reviews.effective import kept_text

    app = services()
    connection = known_connection(app, req.route_params["id"])
    found = kept_text(app.review_ports, Level.ORGANISATION, connection.id)
    if found is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"the organisation of {connection.id} says nothing of its own",
            remedy="The shipped policy holds; PUT sets another in its place.",
        )
    return answer(found)


@blueprint.function_name("set_organisation_policy")
@blueprint.route(route="connections/{id}/policy", methods=["PUT"])
@refusals
def set_organisation_policy(req: func.HttpRequest) -> func.HttpResponse:
    """``PUT /api/connections/{id}/policy``: what the organisation says in place of the shipped policy."""
    from shared.reviews.effective import kept_text

    app = services()
    connection = known_connection(app, req.route_params["id"])
    _set(app, req, Level.ORGANISATION, connection.id, connection.id)
    kept = kept_text(app.review_ports, Level.ORGANISATION, connection.id)
    return answer(kept.model_dump(mode="json") if kept else {})


@blueprint.function_name("check_policy")
@blueprint.route(route="policies/check", methods=["POST"])
@refusals
def check_policy(req: func.HttpRequest) -> func.HttpResponse:
    """``POST /api/policies/check``: every fault of a policy by field and line; nothing is set."""
    from shared.reviews.effective import checked

    app = services()
    asked = _given(req, NewPolicyCheck)
    record = known_project(app, asked.project) if asked.project else None
    return answer(checked(app.review_ports, _text(asked.policy), asked.level, record))


@blueprint.function_name("simulate_policy_on_reviews")
@blueprint.route(route="policies/simulate", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def simulate_policy_on_reviews(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/policies/simulate``: what a policy would have decided on the last pull requests."""
    return _simulate(req, client=client)


@refusals
def _simulate(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    from shared.reviews.effective import checked
    from shared.reviews.simulations import RUNBOOK, begin, break_off

    app = services()
    given = _given(req, NewSimulation)
    record = known_project(app, given.project)
    text = _text(given.policy)
    _refuse_faults(checked(app.review_ports, text, given.level).faults)
    asked = begin(
        app.review_ports,
        AskedSimulation(
            id=f"simulation-{uuid4().hex}",
            project=record.id,
            forge=given.forge,
            policy="",
            level=given.level,
            last=given.last,
            actor=app.project_ports.pseudonyms.of(actor_of(req), record.connection),
        ),
        text,
    )
    try:
        start(client, RUNBOOK, asked.id, asked)
    except TransientError as error:
        break_off(app.review_ports, asked, f"it was not begun: {error.reason}")
        raise
    location = app.links.api(f"policies/simulations/{asked.id}")
    return answer(
        {"id": asked.id, "project": record.id, "status_url": location},
        HTTPStatus.ACCEPTED,
        {"Location": location, "Retry-After": "2"},
    )


@blueprint.function_name("show_simulation")
@blueprint.route(route="policies/simulations/{id}", methods=["GET"])
@blueprint.durable_client_input(client_name="client")
def show_simulation(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``GET /api/policies/simulations/{id}``: how it stands, and its answer."""
    return _show_simulation(req, client=client)


@refusals
def _show_simulation(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    from shared.reviews.simulations import break_off, kept, view_of

    app, ident = services(), req.route_params["id"]
    record = kept(app.review_ports, ident)
    if record is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"there is no simulation {ident[:80]}",
            remedy="POST /api/policies/simulate begins one and answers its address.",
        )
    # A run that the engine ended without a word would be waited for for ever.
    if record.state is SimulationState.RUNNING and (how := ended(client, ident)):
        break_off(app.review_ports, record.asked, f"its run ended as {how.lower()}")
    shown = view_of(app.review_ports, ident)
    headers = {"Retry-After": "2"} if shown and shown.state is SimulationState.RUNNING else {}
    return answer(shown.model_dump(mode="json") if shown else {}, headers=headers)


def _set(app: Services, req: func.HttpRequest, level: Level, of: str, tenant: str) -> None:
    from shared.reviews.standing import set_policy

    given = _text(_given(req, NewPolicy).policy)
    actor = app.project_ports.pseudonyms.of(actor_of(req), tenant)
    faults = set_policy(app.review_ports, level, of, given, actor=actor)
    _refuse_faults(faults)


def _refuse_faults(faults: tuple) -> None:
    if faults:
        what = "1 field of the policy is" if len(faults) == 1 else f"{len(faults)} fields of the policy are"
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{what} wrong", faults=faults)


def _given[M: NewPolicy](req: func.HttpRequest, model: type[M]) -> M:
    """What was asked: JSON, or the policy's own YAML with everything else in the address."""
    if req.headers.get("content-type", "").split(";")[0].strip().lower() not in YAML_TYPES:
        return body_of(req, model, EXAMPLES)
    try:
        policy = req.get_body().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        problem = "the policy is not UTF-8 text"
        raise ProblemError(HTTPStatus.BAD_REQUEST, problem, remedy="Save it as UTF-8.") from error
    beside = {name: value for name, value in req.params.items() if name in model.model_fields and name != "policy"}
    return validated(model, {**beside, "policy": policy}, EXAMPLES)


def _text(policy: PolicyGiven) -> str:
    # JSON is YAML: what is given as an object is read by the same reader, line by line.
    return policy if isinstance(policy, str) else json.dumps(policy, ensure_ascii=False, indent=1)


def _repository(
    record: ProjectRecord, connection: Connection, forge: str, name: str
) -> tuple[ForgeName, RepositoryRef]:
    every = list(repositories_of(record, connection))
    for on, repository in every:
        if forge in {"", on.value} and name.lower() in {"", repository.name.lower(), str(repository).lower()}:
            return on, repository
    there = ", ".join(f"{on}: {repository}" for on, repository in every)
    raise ProblemError(
        HTTPStatus.NOT_FOUND, f"the project has no such repository: {forge} {name}"[:200], remedy=f"It has {there}."
    )
