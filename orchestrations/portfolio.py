"""From a file to many projects: a bootstrap for each, some at once; one that fails or waits for a person stops no other."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from durabletask.task import OrchestrationContext, Task, TaskFailedError, when_all, when_any

from orchestrations.durable import BROKEN, Yields, call, dump, in_words
from shared.domain.portfolio import (
    STANDING,
    DrawnPortfolio,
    EntryBegun,
    EntryState,
    EntryTask,
    EpicTask,
    Looked,
    LookTask,
    PortfolioEnd,
    PortfolioRun,
    PreviewRun,
    PreviewTask,
    SeedState,
)

LONGEST_LOOK = 60.0
"""Seconds between looks while projects wait for a place; a person's decision may take days, and frees its place."""
LONGEST_WATCH = 900.0
"""Seconds between looks at runs that are under way elsewhere, when nothing else waits for them."""


def portfolio(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """One portfolio, from its file to the epics across its projects."""
    run = PortfolioRun.model_validate(payload)
    reason = ""
    try:
        drawn = yield from call(context, "draw_portfolio", run, DrawnPortfolio)
    except BROKEN as error:
        drawn, reason = DrawnPortfolio(projects=()), in_words(error)
    standing = yield from _make(context, run, drawn)
    for epic in drawn.epics:
        for project in epic.projects:
            if project in standing:
                yield from _about_epic(context, "link_epic", EpicTask(run=run, epic=epic.key, project=project))
    state = yield from call(context, "conclude_portfolio", PortfolioEnd(run=run, reason=reason), str)
    return {"state": state, "reason": reason}


def _make(context: OrchestrationContext, run: PortfolioRun, drawn: DrawnPortfolio) -> Yields[list[str]]:
    """Carry every project out, and seed its epics as soon as it stands; the projects that do."""
    queue = list(drawn.projects)
    under_way: dict[str, Task[Any]] = {}
    watched: list[str] = []
    parked: list[str] = []
    standing: list[str] = []
    timer: Task[Any] | None = None
    pause = run.step_pause_seconds
    while True:
        while queue and len(under_way) + len(watched) - len(parked) < run.at_once:
            project = queue.pop(0)
            begun = yield from _begin(context, run, project)
            if begun.start is not None:
                under_way[project] = context.call_sub_orchestrator(
                    "bootstrap", input=dump(begun.start), instance_id=begun.start.instance
                )
            elif begun.watch:
                watched.append(project)
            elif begun.stands:
                yield from _seed(context, run, drawn, project)
                standing.append(project)
        left = len(queue) + len(under_way) + len(watched)
        context.set_custom_status({"portfolio": run.id, "ended": len(drawn.projects) - left, "of": len(drawn.projects)})
        if not left:
            return standing
        waits = list(under_way.values())
        if queue or watched:
            timer = timer or context.create_timer(timedelta(seconds=pause))
            waits.append(timer)
        first = yield when_any(waits)
        if first is timer:
            timer = None
            look = LookTask(run=run, projects=(*under_way, *watched))
            looked = yield from _look(context, look, parked)
            ended = [project for project in watched if project in looked.ended]
            changed = ended or list(looked.parked) != parked
            parked = list(looked.parked)
            longest = LONGEST_LOOK if queue else LONGEST_WATCH
            pause = run.step_pause_seconds if changed else min(longest, pause * 2)
        else:
            ended = [project for project, task in under_way.items() if task is first]
        for project in ended:
            task = under_way.pop(project, None)
            watched = [other for other in watched if other != project]
            parked = [other for other in parked if other != project]
            if (yield from _end(context, run, project, _failure(task))) in STANDING:
                yield from _seed(context, run, drawn, project)
                standing.append(project)


def _begin(context: OrchestrationContext, run: PortfolioRun, project: str) -> Yields[EntryBegun]:
    try:
        return (yield from call(context, "begin_portfolio_project", EntryTask(run=run, project=project), EntryBegun))
    except BROKEN as error:
        yield from _end(context, run, project, in_words(error))
        return EntryBegun()


def _look(context: OrchestrationContext, look: LookTask, parked: list[str]) -> Yields[Looked]:
    try:
        return (yield from call(context, "look_at_portfolio", look, Looked))
    except BROKEN:
        # It is looked at again; nothing that is under way depends on this look.
        return Looked(parked=tuple(parked))


def _end(context: OrchestrationContext, run: PortfolioRun, project: str, reason: str) -> Yields[EntryState]:
    task = EntryTask(run=run, project=project, reason=reason)
    try:
        return (yield from call(context, "end_portfolio_project", task, EntryState))
    except BROKEN:
        # The project's own record has its end; the portfolio's shows that it never heard of it.
        return EntryState.FAILED


def _failure(task: Task[Any] | None) -> str:
    if task is None:
        return ""
    try:
        task.get_result()
    except TaskFailedError as error:
        return in_words(error)
    return ""


def _seed(context: OrchestrationContext, run: PortfolioRun, drawn: DrawnPortfolio, project: str) -> Yields[None]:
    for epic in drawn.epics:
        if project in epic.projects:
            yield from _about_epic(context, "seed_epic", EpicTask(run=run, epic=epic.key, project=project))


def _about_epic(context: OrchestrationContext, activity: str, task: EpicTask) -> Yields[None]:
    try:
        yield from call(context, activity, task, SeedState)
    except BROKEN as error:
        broken = task.model_copy(update={"reason": in_words(error)})
        yield from call(context, "end_broken_epic", broken, SeedState)


def portfolio_preview(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """A dry run over a portfolio's projects, some at once. One that cannot be looked at does not stop the others."""
    run = PreviewRun.model_validate(payload)
    reason, projects, good = "", [], 0
    try:
        projects = yield from call(context, "list_portfolio_projects", run, list[str])
    except BROKEN as error:
        reason = in_words(error)
    for first in range(0, len(projects), run.at_once):
        wave = projects[first : first + run.at_once]
        answers = yield when_all([_child(context, run, project) for project in wave])
        good += sum(answer["would_succeed"] for answer in answers)
        context.set_custom_status({"portfolio": run.id, "looked_at": first + len(wave), "of": len(projects)})
    yield from call(context, "finish_portfolio_preview", run.model_copy(update={"reason": reason}), type(None))
    return {"projects": len(projects), "would_succeed": good, "reason": reason}


def _child(context: OrchestrationContext, run: PreviewRun, project: str) -> Task[Any]:
    task = PreviewTask(run=run, project=project)
    return context.call_sub_orchestrator(
        "portfolio_project_preview", input=dump(task), instance_id=f"{run.instance}.{project}"
    )


def portfolio_project_preview(context: OrchestrationContext, payload: dict[str, Any]) -> Yields[dict[str, Any]]:
    """The dry run of one project. It always answers, so that no project can stop a dry run."""
    task = PreviewTask.model_validate(payload)
    try:
        good = yield from call(context, "preview_portfolio_project", task, bool)
    except BROKEN as error:
        broken = task.model_copy(update={"reason": in_words(error)})
        good = yield from call(context, "preview_portfolio_project", broken, bool)
    return {"would_succeed": good}
