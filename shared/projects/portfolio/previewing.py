"""Dry runs of portfolios: for each project its plan beside live state; nothing is changed but our own notes."""

from __future__ import annotations

from pydantic import TypeAdapter

from shared.domain.connection import Connection
from shared.domain.forge import Frozen
from shared.domain.keys import encode_key
from shared.domain.portfolio import (
    Difference,
    Portfolio,
    PreviewedProject,
    PreviewRun,
    PreviewTask,
    as_json,
    fields_that_differ,
)
from shared.domain.project import ProjectRequest
from shared.errors import ConflictError, DefectError, RefusedError
from shared.projects.planning import plan_for
from shared.projects.portfolio.ports import PREVIEWS, PortfolioPorts
from shared.projects.portfolio.running import portfolio_of
from shared.projects.portfolio.weighing import difference, removed
from shared.projects.previewing import Change, StepPreview, preview

STEPS = TypeAdapter(tuple[StepPreview, ...])
BAD = frozenset({Change.CONFLICT, Change.UNKNOWN})


class ProjectPreviewView(Frozen):
    """What a run would do with one project, step by step."""

    project: str
    name: str
    difference: Difference
    fields: tuple[str, ...] = ()
    would_succeed: bool
    reason: str = ""
    changes: tuple[StepPreview, ...] = ()


class PreviewView(Frozen):
    """What a run of a portfolio would do."""

    dry_run: bool = True
    portfolio: str
    state: str
    done: int
    total: int
    would_succeed: bool | None
    reason: str = ""
    projects: tuple[ProjectPreviewView, ...]
    removed: tuple[str, ...] = ()


def look(ports: PortfolioPorts, request: ProjectRequest, connection: Connection) -> tuple[PreviewedProject, bytes]:
    """One project's plan beside live state, and its steps as JSON. A project that is as asked is not looked at."""
    record = ports.projects.project(request.project_id)
    found = difference(record, request)
    fields = fields_that_differ(record.request, request) if record else ()
    told = PreviewedProject(
        project=request.project_id,
        name=request.name,
        order=0,
        difference=found,
        fields=fields if found in {Difference.CHANGE, Difference.RETRY} else (),
        would_succeed=True,
    )
    if found is Difference.NONE:
        return told, b""
    if found is Difference.WAIT:
        return told.model_copy(update={"reason": "its run is under way and is waited for"}), b""
    plan, scaffolds = plan_for(ports.projects, request, connection, ports.projects.clock.now().year)
    steps = preview(ports.projects, connection, plan, scaffolds)
    wrong = [step for step in steps if step.change in BAD]
    first = next((step for step in wrong if step.reason and "it needs a step" not in step.reason), None)
    update = {
        "would_succeed": not wrong,
        "reason": f"{first.title} on {first.forge}: {first.reason}" if first else "",
    }
    return told.model_copy(update=update), STEPS.dump_json(tuple(steps), exclude_defaults=True)


def at_once(ports: PortfolioPorts, portfolio: Portfolio, connection: Connection) -> PreviewView:
    """The dry run of a portfolio that is small enough to be looked at within one answer."""
    views = []
    for request in portfolio.projects:
        told, steps = look(ports, request, connection)
        views.append(_project(told, steps))
    return PreviewView(
        portfolio=portfolio.id,
        state="completed",
        done=len(views),
        total=len(views),
        would_succeed=all(view.would_succeed for view in views),
        projects=tuple(views),
        removed=_removed(ports, portfolio),
    )


def begin(ports: PortfolioPorts, portfolio: Portfolio, connection: Connection, most_at_once: int) -> PreviewRun:
    """The dry run that is to be started: the one under way over the same file, else a new one on record."""
    plan = ports.projects.artifacts.put(as_json(portfolio), "application/json")
    while True:
        found = ports.previews.get(PREVIEWS, portfolio.id)
        if found and found[0].finished_at is None and found[0].plan == plan:
            return found[0]
        number = found[0].run + 1 if found else 1
        run = PreviewRun(
            instance=encode_key(f"portfolio-preview-{portfolio.id}.{number}"),
            id=portfolio.id,
            run=number,
            connection=connection.id,
            plan=plan,
            at_once=most_at_once,
            started_at=ports.projects.clock.now(),
        )
        try:
            if found:
                ports.previews.replace(PREVIEWS, portfolio.id, run, found[1])
            else:
                ports.previews.create(PREVIEWS, portfolio.id, run)
        except ConflictError:
            continue  # somebody asked at the same moment
        return run


def projects(ports: PortfolioPorts, run: PreviewRun) -> list[str]:
    """Ids of the projects to look at, in the file's order."""
    return [request.project_id for request in portfolio_of(ports, run.plan).projects]


def look_and_keep(ports: PortfolioPorts, task: PreviewTask) -> bool:
    """Look at one project and keep what was found; whether a run would succeed with it."""
    portfolio = portfolio_of(ports, task.run.plan)
    request = portfolio.request(task.project)
    if request is None:
        raise DefectError(f"{task.project} is not in the portfolio {task.run.id}")
    order = portfolio.projects.index(request)
    if task.reason:
        told, steps = _broken(request, task.reason), b""
    else:
        try:
            told, steps = look(ports, request, ports.projects.connection(task.run.connection))
        except RefusedError as error:
            told, steps = _broken(request, error.reason), b""
    detail = ports.projects.artifacts.put(steps, "application/json") if steps else ""
    kept = told.model_copy(update={"order": order, "detail": detail})
    ports.previewed.put(task.run.instance, task.project, kept)
    return kept.would_succeed


def finish(ports: PortfolioPorts, run: PreviewRun) -> None:
    """Write down that a dry run has ended."""
    found = ports.previews.get(PREVIEWS, run.id)
    if found and found[0].instance == run.instance:
        ended = {"finished_at": ports.projects.clock.now(), "reason": run.reason}
        ports.previews.put(PREVIEWS, run.id, found[0].model_copy(update=ended))


def newest(ports: PortfolioPorts, portfolio: str) -> PreviewView | None:
    """The newest dry run of a portfolio that took an orchestration; ``None`` when there was none."""
    found = ports.previews.get(PREVIEWS, portfolio)
    if found is None:
        return None
    run = found[0]
    planned = portfolio_of(ports, run.plan)
    told = sorted((row for _, _, row in ports.previewed.list(run.instance)), key=lambda row: row.order)
    views = tuple(_project(row, ports.projects.artifacts.get(row.detail) if row.detail else b"") for row in told)
    ended = run.finished_at is not None
    whole = ended and not run.reason and len(views) == len(planned.projects)
    return PreviewView(
        portfolio=portfolio,
        state="running" if not ended else "completed" if whole else "failed",
        done=len(views),
        total=len(planned.projects),
        would_succeed=(whole and all(view.would_succeed for view in views)) if ended else None,
        reason=run.reason,
        projects=views,
        removed=_removed(ports, planned),
    )


def _removed(ports: PortfolioPorts, portfolio: Portfolio) -> tuple[str, ...]:
    named = [request.project_id for request in portfolio.projects]
    return tuple(entry.project for entry in removed(ports, portfolio.id, named))


def _broken(request: ProjectRequest, reason: str) -> PreviewedProject:
    return PreviewedProject(
        project=request.project_id,
        name=request.name,
        order=0,
        difference=Difference.MAKE,
        would_succeed=False,
        reason=reason,
    )


def _project(told: PreviewedProject, steps: bytes) -> ProjectPreviewView:
    return ProjectPreviewView(
        project=told.project,
        name=told.name,
        difference=told.difference,
        fields=told.fields,
        would_succeed=told.would_succeed,
        reason=told.reason,
        changes=STEPS.validate_json(steps) if steps else (),
    )
