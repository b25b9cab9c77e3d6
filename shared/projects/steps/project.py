"""Ensures the Azure DevOps project, with its process, waiting for the service to finish creating it."""

from __future__ import annotations

from pydantic import JsonValue

from shared.domain.forge import Operation, OperationState
from shared.domain.plan import PlanStep, StepOutcome
from shared.domain.project import Visibility
from shared.errors import RefusedError
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    differences,
    failed,
    text,
    waiting,
)

POLL_SECONDS = 2.0


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Project exists, is well formed, and has the planned process and visibility."""
    boards = context.boards()
    name = text(step, "name")
    resource = f"azure_devops.project:{name.lower()}"
    found = boards.project(name)
    ours = context.ledger.intended(resource)
    if found is None:
        return _create(context, step, name, resource)
    if not ours:
        return failed(
            f"a project named {name!r} exists already and was not made by this request",
            "Choose another name, or remove or rename the existing project.",
            found.url,
        )
    if not found.ready:
        return (
            _under_way(context.boards().operation(known), found.url)
            if (known := _operation(context))
            else _wait(found.url)
        )
    private = text(step, "visibility") == Visibility.PRIVATE
    planned: dict[str, JsonValue] = {"process": text(step, "process"), "private": private}
    observed: dict[str, JsonValue] = {"process": found.process, "private": found.private}
    if wrong := differences(planned, observed):
        return failed(
            f"the project was made, but {wrong}",
            "Change it in the project's settings, or remove it and retry.",
            found.url,
        )
    done = confirmed if context.ledger.intended(f"{resource}:done") else applied
    context.ledger.intend(f"{resource}:done")
    return done(found.url, "", id=found.id, process=found.process, private=found.private)


def _create(context: StepContext, step: PlanStep, name: str, resource: str) -> StepOutcome:
    boards = context.boards()
    if known := _operation(context):
        return _under_way(boards.operation(known))
    context.ledger.intend(resource)
    try:
        operation = boards.create_project(
            name,
            description=text(step, "description"),
            process=text(step, "process"),
            private=text(step, "visibility") == Visibility.PRIVATE,
        )
    except RefusedError:
        context.ledger.withdraw(resource)
        raise
    return _under_way(operation)


def _operation(context: StepContext) -> str:
    return str(context.memory.get("operation", ""))


def _under_way(operation: Operation, url: str = "") -> StepOutcome:
    if operation.state in {OperationState.FAILED, OperationState.CANCELLED}:
        return failed(
            f"Azure DevOps could not create the project: {operation.detail or operation.state}",
            "Look at the organisation's project list, remove what is half-made, then try again.",
            url,
        )
    return _wait(url, operation.id)


def _wait(url: str = "", operation: str = "") -> StepOutcome:
    return waiting("Azure DevOps is creating the project", POLL_SECONDS, url, operation=operation)


STEP = StepDefinition(
    kind="project",
    title="Azure DevOps project",
    ensures="A team project of the requested process and visibility exists and is well formed.",
    reads_back="The project with its capabilities: state, process template, visibility.",
    reverses="Deletes the project, when this request created it.",
    ensure=ensure,
)
