"""Shows backlogs with what is wrong in them, applies the fixes that are asked for, and categorises issues."""

from __future__ import annotations

import uuid
from typing import Annotated, Self

import azure.functions as func
from pydantic import Field, model_validator

from functions import pages
from functions.known import known_project
from functions.problems import actor_of, answer, body_of, page, refusals, wants_html
from shared.domain import shapes
from shared.domain.backlog import NormalisationView
from shared.domain.forge import Frozen
from shared.domain.issue_category import SortingView
from shared.domain.run import ProjectRecord
from shared.planning import normalising, reading, sorting
from shared.planning.ports import Asker
from shared.services import Services, services

blueprint = func.Blueprint()

MOST_NAMED = 500


class ChosenFixes(Frozen):
    """The body of ``POST /api/projects/{id}/backlog/normalise``."""

    fixes: tuple[Annotated[str, Field(pattern=shapes.BACKLOG_FIX.pattern)], ...] = Field(
        default=(),
        max_length=MOST_NAMED,
        description="Ids of the fixes to apply, as the backlog proposes them.",
        examples=[["azure_devops:12-under-5"]],
    )
    all: bool = Field(default=False, description="Apply every fix that is proposed.")
    containers: bool = Field(
        default=False, description="Hang what no evidence places on an item `Unsorted` of the right level."
    )

    @model_validator(mode="after")
    def _chooses(self) -> Self:
        if self.all == bool(self.fixes):
            raise ValueError("give either fixes, the ids of those to apply, or all: true")
        return self


@blueprint.function_name("show_backlog")
@blueprint.route(route="projects/{id}/backlog", methods=["GET"])
@refusals
def show_backlog(req: func.HttpRequest) -> func.HttpResponse:
    """``GET /api/projects/{id}/backlog``: the tree with its findings; a page for browsers, JSON for scripts."""
    app = services()
    view = reading.view(app.planning_ports, known_project(app, req.route_params["id"]).id)
    return page(pages.backlog(view)) if wants_html(req) else answer(view)


@blueprint.function_name("normalise_backlog")
@blueprint.route(route="projects/{id}/backlog/normalise", methods=["POST"])
@refusals
def normalise_backlog(req: func.HttpRequest) -> func.HttpResponse:
    """``POST /api/projects/{id}/backlog/normalise``; with ``?dry_run=true`` the fixes as data, changing nothing."""
    app = services()
    record = known_project(app, req.route_params["id"])
    dry = _flag(req, "dry_run")
    # A dry run without a body is about all fixes.
    asked = (
        ChosenFixes(all=True)
        if dry and not req.get_body().strip()
        else body_of(req, ChosenFixes, {"fixes": '["azure_devops:12-under-5"]'})
    )
    chosen = None if asked.all else asked.fixes
    if dry:
        return answer(normalising.plan(app.planning_ports, record.id, chosen, containers=asked.containers))
    view = normalising.normalise(
        app.planning_ports, record.id, chosen, _asker(app, req, record, "backlog"), containers=asked.containers
    )
    return answer(view, headers=_patience(view))


@blueprint.function_name("categorise_issues")
@blueprint.route(route="projects/{id}/issues/categorise", methods=["POST"])
@refusals
def categorise_issues(req: func.HttpRequest) -> func.HttpResponse:
    """``POST /api/projects/{id}/issues/categorise``; with ``?dry_run=true`` only say which category each would have."""
    app = services()
    record = known_project(app, req.route_params["id"])
    view = sorting.sort_project(
        app.planning_ports, record.id, _asker(app, req, record, "categorise"), dry=_flag(req, "dry_run")
    )
    return answer(view, headers=_patience(view))


def _asker(app: Services, req: func.HttpRequest, record: ProjectRecord, what: str) -> Asker:
    # Every call is an occasion of its own: the same change, made again after somebody undid it, is recorded again.
    actor = app.project_ports.pseudonyms.of(actor_of(req), record.connection)
    return Asker(f"{what}-{record.id}-{uuid.uuid4().hex}", actor)


def _patience(view: NormalisationView | SortingView) -> dict[str, str]:
    return {} if view.retry_after is None else {"Retry-After": str(max(1, round(view.retry_after)))}


def _flag(req: func.HttpRequest, name: str) -> bool:
    return req.params.get(name, "false").lower() in {"true", "1", "yes"}
