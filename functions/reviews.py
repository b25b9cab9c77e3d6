"""Asks for reviews over HTTP, follows commands as comments do, and shows what a review came to."""

from __future__ import annotations

import re
from http import HTTPStatus

import azure.durable_functions as df
import azure.functions as func
from pydantic import BaseModel, ConfigDict, Field

from functions import pages
from functions.known import known_project
from functions.problems import (
    ProblemError,
    actor_of,
    answer,
    body_of,
    correlation_of,
    number,
    page,
    refusals,
    wants_html,
)
from orchestrations.durable import start
from shared.domain.change import ChangeRef, Person
from shared.domain.faults import FieldFault
from shared.domain.forge import ForgeName, Frozen
from shared.domain.review import Reviewed, ReviewRecord
from shared.domain.run import ProjectRecord
from shared.projects.repositories import repositories_of
from shared.services import Services, services

blueprint = df.Blueprint()

EXAMPLES = {"project": "payments-api", "forge": "github", "number": "7", "repository": "", "command": "review"}
_VIEW = "review"


class NewReview(BaseModel):
    """The body of ``POST /api/reviews``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    project: str = Field(min_length=1, max_length=63, description="Id of the project.", examples=["payments-api"])
    forge: ForgeName = Field(description="Where the pull request is.", examples=["github"])
    number: int = Field(ge=1, le=2**31 - 1, description="Number of the pull request.", examples=[7])
    repository: str = Field(
        default="", max_length=200, description="Name of the repository; empty: the project's main one.", examples=[""]
    )
    by: str = Field(
        default="",
        max_length=254,
        description="Login, or e-mail address on Azure DevOps, of who gives the command: what they may do is what it may "
        "do. Not needed for `review`.",
        examples=["octocat"],
    )
    command: str = Field(
        default="review",
        max_length=1_000,
        description="What a comment would say after `/doneright`: review, explain GATE, attest CRITERION LINK, waive GATE "
        "until DATE because …, accept, reject, choose design N, help.",
        examples=["review"],
    )


class ReviewView(Frozen):
    """A review as the API shows it."""

    id: str
    record: ReviewRecord
    verdict: Reviewed | None = Field(default=None, description="The latest verdict; none before the first.")
    url: str = Field(description="Link that anybody who holds it may open.")


@blueprint.function_name("ask_for_review")
@blueprint.route(route="reviews", methods=["POST"])
@blueprint.durable_client_input(client_name="client")
def ask_for_review(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    """``POST /api/reviews``: what a comment on the pull request would do."""
    return _ask(req, client=client)


@refusals
def _ask(req: func.HttpRequest, client: df.SyncDurableFunctionsClient) -> func.HttpResponse:
    # Gates and commands are loaded by who needs them, not by every cold start.
    from shared.intake.reviewing import look_again
    from shared.reviews.calling import Call, carry_out

    app = services()
    body = body_of(req, NewReview, EXAMPLES)
    project = known_project(app, body.project)
    ref = _ref(app, project, body)
    actor = actor_of(req)
    reason = f"{actor} asked for it by the API"
    carried = None
    if body.command.strip().lower() != "review":
        if not body.by:
            raise ProblemError(
                HTTPStatus.BAD_REQUEST,
                "by is missing",
                faults=[
                    FieldFault(field="by", problem="is missing: a command is given by somebody", example="octocat")
                ],
            )
        call = Call(
            ref=ref,
            project=project.id,
            connection=project.connection,
            words=body.command.strip(),
            by=Person(id=body.by, login=body.by),
            caller=actor,
            call=correlation_of(req),
        )
        carried = carry_out(app.review_ports, call)
        if carried.problem:
            raise ProblemError(HTTPStatus.CONFLICT, carried.problem, remedy=carried.text)
        if not carried.look_again:
            return answer({"answer": carried.text})
        reason = f"{body.by}: {body.command.strip()[:100]}"
    follows = look_again(app.review_ports, ref, project=project.id, connection=project.connection, reason=reason)
    for run in follows.start:
        start(client, "review", run.instance, run)
    ident = follows.start[0].review
    location = app.links.api(f"reviews/{ident}")
    return answer(
        {
            "review": ident,
            "instance": follows.start[0].instance,
            "answer": carried.text if carried else "",
            "status_url": location,
        },
        HTTPStatus.ACCEPTED,
        {"Location": location, "Retry-After": "2"},
    )


@blueprint.function_name("list_reviews")
@blueprint.route(route="reviews", methods=["GET"])
@refusals
def list_reviews(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/reviews?project=…&limit=50``: the newest head of each pull request, newest first."""
    from shared.reviews import recording

    app = services()
    named = req.params.get("project", "")
    if not named:
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, "project is missing", remedy="GET /api/projects lists those there are."
        )
    project = known_project(app, named)
    records = recording.reviews_of(app.review_ports, project.id, number(req, "limit", 50, 1, 200))
    if wants_html(req):
        return page(pages.reviews(project.name, records, req.params.get("code", "")))
    return answer({"project": project.id, "reviews": [one.model_dump(mode="json") for one in records]})


@blueprint.function_name("show_review")
@blueprint.route(route="reviews/{id}", methods=["GET"])
@refusals
def show_review(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/reviews/{id}``: verdict, findings and digests; a page for browsers."""
    return _show(req, req.route_params["id"])


@blueprint.function_name("view_review")
@blueprint.route(route="view/reviews/{id}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
@refusals
def view_review(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/view/reviews/{id}?token=…``: the same page for whoever holds its signed link, as comments carry it."""
    ident = req.route_params["id"]
    if not services().links.token_is_valid(_VIEW, ident, req.params.get("token", "")):
        raise ProblemError(HTTPStatus.UNAUTHORIZED, "this link is not valid", remedy="Ask for a new one, or use a key.")
    return _show(req, ident)


def _show(req: func.HttpRequest, ident: str) -> func.HttpResponse:
    from shared.reviews import recording

    app = services()
    record = recording.of(app.review_ports, ident) if _IDENT.fullmatch(ident) else None
    if record is None:
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"there is no review {ident[:120]}",
            remedy="GET /api/reviews?project=… lists those there are.",
        )
    reviewed = recording.reviewed_of(app.review_ports, record)
    if wants_html(req):
        heads = recording.heads_of(app.review_ports, record.ref)
        # Whoever holds a link sees all reviews of that pull request, each by a link of its own.
        return page(pages.review(record, reviewed, heads, app.links.review))
    return answer(ReviewView(id=ident, record=record, verdict=reviewed, url=app.links.review(ident)))


_IDENT = re.compile(r"[A-Za-z0-9._=-]{1,512}")


def _ref(app: Services, project: ProjectRecord, body: NewReview) -> ChangeRef:
    connection = app.project_ports.connection(project.connection)
    on_forge = [ref for forge, ref in repositories_of(project, connection) if forge is body.forge]
    wanted = body.repository.lower()
    found = next((ref for ref in on_forge if not wanted or wanted in {ref.name.lower(), str(ref).lower()}), None)
    if found is None:
        names = ", ".join(str(ref) for ref in on_forge) or "none there"
        raise ProblemError(
            HTTPStatus.NOT_FOUND,
            f"project {project.id} has no repository {body.repository or 'of its own'} on {body.forge}",
            remedy=f"Its repositories: {names}.",
        )
    return ChangeRef(forge=body.forge, repository=found, number=body.number)
