"""Ensures the areas work items are sorted into and the iterations to plan in, and that the default team sees them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.domain.forge import Classification, TeamPlanning
from shared.domain.plan import PlanStep, Reversal, ReversalState, StepOutcome
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    text,
    texts,
    waiting,
)
from shared.projects.undoing import creating, done, goes_along, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Every planned area and iteration was there once, and the default team planned with them."""
    boards = context.boards()
    project = text(step, "project")
    mark = done(_resource(project))
    if context.ledger.intended(mark):
        # Made once. How people name, order and date them since is theirs.
        return confirmed(reason=f"{len(_own(boards.classification(project, Classification.ITERATION)))} iterations")
    changed = 0
    shown: dict[Classification, Mapping[str, str]] = {}
    planned: dict[Classification, list[str]] = {}
    for kind in Classification:
        found = boards.classification(project, kind)
        planned[kind] = _planned(context, step, kind, found)
        missing = [path for path in planned[kind] if path.lower() not in _lower(found)]
        for path in missing:
            with creating(context.ledger, _node(project, kind, path)):
                boards.create_classification_node(project, kind, path)
        shown[kind] = boards.classification(project, kind) if missing else found
        if lost := [path for path in missing if path.lower() not in _lower(shown[kind])]:
            return waiting(f"{kind} were created and do not show yet: {', '.join(lost)}")
        changed += len(missing)
    iterations = _lower(shown[Classification.ITERATION])
    wanted = TeamPlanning(
        backlog_iteration=iterations.get("", ""),
        iterations=frozenset(iterations[path.lower()] for path in planned[Classification.ITERATION]),
        sees_every_area=bool(planned[Classification.AREA]),
    )
    before = boards.team_planning(project)
    set_here = _plan_with(context, project, before, wanted, set(iterations.values()))
    after = boards.team_planning(project) if set_here else before
    if wrong := _wrong(after, wanted, set(iterations.values())):
        return failed(
            f"the default team of {project} was set, and read back {wrong}",
            "Look at the team's iterations and areas in the project's settings, then try again.",
        )
    context.ledger.intend(mark)
    return (applied if changed + set_here else confirmed)(
        reason=f"{len(planned[Classification.AREA])} areas, {len(planned[Classification.ITERATION])} iterations",
        areas=[*planned[Classification.AREA]],
        iterations=[*planned[Classification.ITERATION]],
    )


def _planned(context: StepContext, step: PlanStep, kind: Classification, found: Mapping[str, str]) -> list[str]:
    asked = texts(step, kind.value)
    if asked or kind is Classification.AREA:
        return asked
    otherwise = texts(step, "otherwise")
    project = text(step, "project")
    # What a try that broke off has made is no iteration of the process: the rest of ours is still to come.
    if any(context.ledger.intended(_node(project, kind, path)) for path in otherwise):
        return otherwise
    # Most processes bring iterations of their own; those are planned with before any of ours.
    return _own(found) or otherwise


def _own(found: Mapping[str, str]) -> list[str]:
    """What stands right below the root."""
    return [path for path in found if path and "/" not in path]


def _plan_with(context: StepContext, project: str, before: TeamPlanning, wanted: TeamPlanning, known: set[str]) -> int:
    """Give the default team what it lacks, one thing each; returns how many that were."""
    boards = context.boards()
    changed = 0
    # First what looks at the areas itself, while they are as they were just read.
    if wanted.sees_every_area and not before.sees_every_area:
        with creating(context.ledger, _view(project)):
            boards.set_sees_every_area(project, True)
        changed += 1
    if before.backlog_iteration not in known:
        # A team without one can plan in no iteration.
        boards.set_backlog_iteration(project, wanted.backlog_iteration)
        changed += 1
    for identifier in sorted(wanted.iterations - before.iterations):
        boards.add_team_iteration(project, identifier)
        changed += 1
    return changed


def _wrong(after: TeamPlanning, wanted: TeamPlanning, known: set[str]) -> str:
    problems = {
        "without a backlog iteration": after.backlog_iteration not in known,
        "without its iterations": not wanted.iterations <= after.iterations,
        "seeing the project's own area alone": wanted.sees_every_area and not after.sees_every_area,
    }
    return " and ".join(problem for problem, is_so in problems.items() if is_so)


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The areas and iterations this run made are gone, but for those that people put others into."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project = text(step, "project")
    outcomes = [_take_back(context, step, kind) for kind in Classification]
    view = _view(project)
    if context.ledger.made_here(view):
        if boards.project(project) and boards.team_planning(project).sees_every_area:
            boards.set_sees_every_area(project, False)
        context.ledger.withdraw(view)
    ends = [one for state in (ReversalState.WAITING, ReversalState.REMOVED) for one in outcomes if one.state is state]
    return ends[0] if ends else outcomes[0]


def _take_back(context: StepContext, step: PlanStep, kind: Classification) -> Reversal:
    boards = context.boards()
    project = text(step, "project")
    # Children first: a parent that goes takes them along, and people's own with them.
    paths = sorted({*texts(step, kind.value), *_otherwise(step, kind)}, key=lambda path: -path.count("/"))
    mine = {path: resource for path in paths if context.ledger.made_here(resource := _node(project, kind, path))}

    def there() -> list[str]:
        shown = _lower(boards.classification(project, kind))
        return [path for path in mine if path.lower() in shown]

    shown = _lower(boards.classification(project, kind)) if mine else {}
    ours = {path.lower() for path in mine}
    taken = [path for path in mine if any(one.startswith(f"{path.lower()}/") and one not in ours for one in shown)]
    return take_back(
        context.ledger,
        mine,
        there,
        lambda path: boards.delete_classification_node(project, kind, path),
        marks=[done(_resource(project))],
        changed=taken,
        nothing=f"no {kind} were made by this run",
    )


def _otherwise(step: PlanStep, kind: Classification) -> list[str]:
    return texts(step, "otherwise") if kind is Classification.ITERATION else []


def _lower(found: Mapping[str, str]) -> dict[str, str]:
    return {path.lower(): identifier for path, identifier in found.items()}


def _resource(project: str) -> str:
    return f"azure_devops.classification:{project.lower()}"


def _node(project: str, kind: Classification, path: str) -> str:
    return f"azure_devops.{kind}:{project.lower()}/{path.lower()}"


def _view(project: str) -> str:
    return f"azure_devops.team_view:{project.lower()}"


STEP = StepDefinition(
    kind="classification",
    title="Areas and iterations",
    ensures="The areas and iterations of the request exist, and the default team plans in the iterations and sees the "
    "areas. Where the request names no iterations, the process's own are taken; where there are none, Sprint 1 to 3 are "
    "made.",
    reads_back="Both trees below their roots, and the default team's backlog iteration, iterations and areas.",
    reverses="Goes with the project when this run made that; else deletes the areas and iterations this run made, whose work "
    "items go to the project's own, and lets the default team see that area alone again. One that people put others below "
    "stays.",
    ensure=ensure,
    reverse=reverse,
)
