"""Ensures the Azure DevOps project, with its process, waiting for the service to finish creating it."""

from __future__ import annotations

from pydantic import JsonValue

from shared.domain.forge import Operation, OperationState, RepositoryRef, TeamProject
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.domain.project import Visibility
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    differences,
    failed,
    kept,
    not_removed,
    removed,
    removing,
    text,
    waiting,
)
from shared.projects.undoing import creating, done, forget_within, project_resource

POLL_SECONDS = 2.0
FIRST_POLLS = (0.1, 0.25, 0.5, 1.0)
"""Before the first looks: a small organisation's project is often there at once, and all else waits for it."""
LOOKS = 5
"""How often a reversal looks for a project that is still being made, before it goes on without."""


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Project exists, is well formed, and has the planned process and visibility."""
    boards = context.boards()
    name = text(step, "name")
    resource = project_resource(name)
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
            _under_way(context, context.boards().operation(known), found.url)
            if (known := _operation(context))
            else _wait(context, found.url)
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
    outcome = confirmed if context.ledger.intended(done(resource)) else applied
    if outcome is applied:
        context.ledger.intend(done(resource), reference=found.id)
    return outcome(found.url, "", id=found.id, process=found.process, private=found.private)


def _create(context: StepContext, step: PlanStep, name: str, resource: str) -> StepOutcome:
    boards = context.boards()
    if known := _operation(context):
        return _under_way(context, boards.operation(known))
    with creating(context.ledger, resource):
        operation = boards.create_project(
            name,
            description=text(step, "description"),
            process=text(step, "process"),
            private=text(step, "visibility") == Visibility.PRIVATE,
        )
    return _under_way(context, operation)


def _operation(context: StepContext) -> str:
    return str(context.memory.get("operation", ""))


def _under_way(context: StepContext, operation: Operation, url: str = "") -> StepOutcome:
    if operation.state in {OperationState.FAILED, OperationState.CANCELLED}:
        return failed(
            f"Azure DevOps could not create the project: {operation.detail or operation.state}",
            "Look at the organisation's project list, remove what is half-made, then try again.",
            url,
        )
    return _wait(context, url, operation.id)


def _wait(context: StepContext, url: str = "", operation: str = "") -> StepOutcome:
    looks = _looks(context)
    seconds = FIRST_POLLS[looks] if looks < len(FIRST_POLLS) else POLL_SECONDS
    return waiting("Azure DevOps is creating the project", seconds, url, operation=operation, looks=looks + 1)


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The project this run made is gone, with all that stood in it."""
    boards = context.boards()
    name = text(step, "name")
    resource = project_resource(name)
    if not context.ledger.made_here(resource):
        return kept(f"this run did not make the project {name}")
    known = str(context.memory.get("deletion", ""))
    return (_ended(boards.operation(known)) if known else None) or _removal(context, step, known)


def _ended(operation: Operation) -> Reversal | None:
    """What a deletion comes to that has not succeeded."""
    if operation.state is OperationState.SUCCEEDED:
        return None
    if operation.state is OperationState.RUNNING:
        return _deleting(operation.id)
    return not_removed(
        f"Azure DevOps could not delete the project: {operation.detail or operation.state}",
        "Delete it in the organisation's settings.",
    )


def _removal(context: StepContext, step: PlanStep, known: str) -> Reversal:
    name = text(step, "name")
    found = context.boards().project(name)
    resource = project_resource(name)
    made = context.ledger.reference(done(resource))
    looks = _looks(context)
    if found is None and not made and not known and looks < LOOKS:
        # It was never seen. Its creation may have reached the service all the same, with the answer lost.
        return removing("making sure that the project is not still being made", POLL_SECONDS, looks=looks + 1)
    if found is None:
        forget_within(context.ledger, resource)
        return removed(f"project {name}")
    if made and found.id != made:
        forget_within(context.ledger, resource)
        return kept(f"the project this run made is gone, and another one is called {name} now")
    if not known and not found.ready and looks < LOOKS:
        return removing("Azure DevOps is still creating the project", POLL_SECONDS, looks=looks + 1)
    if not known and not made and (other := _others(context, step, found)):
        forget_within(context.ledger, resource)
        return kept(
            f"a project is called {name}, but {other}: this run never saw its own, so this may be somebody else's"
        )
    return _deleting(known or context.boards().delete_project(found.id).id)


def _others(context: StepContext, step: PlanStep, found: TeamProject) -> str:
    """What speaks against a project that was never read back being this run's; empty when nothing does.

    The answer to its creation was lost, or it never reached the service; then anybody may have taken the name since.
    """
    if found.description.split() != text(step, "description").split():
        return "with another description"
    repository = context.forge(step.forge).repository(RepositoryRef(owner=found.name, name=found.name))
    return "its repository has commits" if repository and not repository.empty else ""


def _deleting(operation: str) -> Reversal:
    return removing("Azure DevOps is deleting the project", POLL_SECONDS, deletion=operation)


def _looks(context: StepContext) -> int:
    looks = context.memory.get("looks", 0)
    return looks if isinstance(looks, int) else 0


STEP = StepDefinition(
    kind="project",
    title="Azure DevOps project",
    ensures="A team project of the requested process and visibility exists and is well formed.",
    reads_back="The project with its capabilities: state, process template, visibility.",
    reverses="When this run made the project, deletes it with all it holds, what people added since included, and waits "
    "until the service is done; for 28 days an organisation's owner can restore it. A project that was there before, "
    "that an earlier run made, or that took the name since, stays; so does one this run never saw finished when its "
    "description or commits speak of somebody else.",
    ensure=ensure,
    reverse=reverse,
)
