"""Ensures the inherited process with the states and fields that the organisation wants in its projects."""

from __future__ import annotations

from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.domain.process import InheritedProcess, ProcessAdditions, ProcessType, TypeAdditions
from shared.errors import DefectError, RefusedError
from shared.ports import WorkTracker
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    kept,
    removed,
    removing,
    waiting,
)
from shared.projects.undoing import creating, listed

_LOOK_AGAIN = "Look at the process in the organisation's settings, or correct the connection; then try again."


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """The process is derived from the planned one and its types have the planned states and fields."""
    boards = context.boards()
    planned = _planned(step)
    found = boards.process(planned.title)
    created = found is None
    if found is None:
        with creating(context.ledger, _resource(planned)):
            boards.create_process(planned.title, planned.process.value, f"{planned.process} with additions.")
        found = boards.process(planned.title)
        if found is None:
            return waiting(f"process {planned.title} was created and does not show yet")
    if found.parent != planned.process:
        return failed(
            f"the process {found.name} is derived from {found.parent or 'nothing'}, planned {planned.process}",
            "Give the process of the connection another name, then try again.",
        )
    added = 0
    for additions in planned.types:
        before = boards.process_type(found, additions.type)
        if before is None:
            return failed(f"process {found.name} has no work item type {additions.type}", _LOOK_AGAIN)
        more = _add(boards, found, additions, before)
        after = boards.process_type(found, additions.type) if more else before
        if problem := _wrong(additions, after or before):
            return failed(f"{additions.type} of process {found.name} was read back {problem}", _LOOK_AGAIN)
        added += more
    return (applied if created or added else confirmed)(
        reason=f"{sum(len(one.states) for one in planned.types)} states and "
        f"{sum(len(one.fields) for one in planned.types)} fields beside those of {planned.process}",
        id=found.id,
        process=found.name,
    )


def _add(boards: WorkTracker, process: InheritedProcess, additions: TypeAdditions, there: ProcessType) -> int:
    states = [state for state in additions.states if state.name.lower() not in there.states]
    fields = [field for field in additions.fields if field.name.lower() not in there.fields]
    for state in states:
        boards.add_process_state(process, additions.type, state)
    for field in fields:
        boards.add_process_field(process, additions.type, field)
    return len(states) + len(fields)


def _wrong(additions: TypeAdditions, there: ProcessType) -> str:
    states = [state.name for state in additions.states if there.states.get(state.name.lower()) != state.category]
    fields = [field.name for field in additions.fields if field.name.lower() not in there.fields]
    return " and ".join(
        f"without the {kind} {listed(names)} as planned"
        for kind, names in (("state", states), ("field", fields))
        if names
    )


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The process this run made is gone, unless projects use it by now."""
    boards = context.boards()
    planned = _planned(step)
    resource = _resource(planned)
    if not context.ledger.made_here(resource):
        return kept(f"this run did not make the process {planned.title}")
    found = boards.process(planned.title)
    if found is not None and found.projects:
        return kept(f"{listed(found.projects)} use the process {found.name}")
    if found is not None:
        try:
            boards.delete_process(found)
        except RefusedError as error:
            # A deleted project keeps its process until it is deleted for good, 28 days later.
            return kept(f"Azure DevOps keeps the process {found.name}: {error.reason}")
        if boards.process(planned.title) is not None:
            return removing(f"removed and still shown: {found.name}")
    context.ledger.withdraw(resource)
    return removed(f"process {planned.title}")


def _resource(planned: ProcessAdditions) -> str:
    # The slashes keep it apart from what stands in a project of the same name.
    return f"azure_devops.process://{planned.title.lower()}"


def _planned(step: PlanStep) -> ProcessAdditions:
    try:
        return ProcessAdditions.model_validate(step.inputs.get("additions"))
    except ValueError as error:
        raise DefectError(f"step {step.id}: input 'additions' describes no process: {error}") from None


STEP = StepDefinition(
    kind="inherited_process",
    title="Inherited process",
    ensures="Where the connection wants states or fields beyond a process' own: a process derived from it has them on its "
    "work item types, and the project is made with that.",
    reads_back="The process with its parent, and the states and fields of each work item type.",
    reverses="Deletes the process when this run made it and no project uses it. States and fields of one that was there stay: "
    "they are the organisation's, as are the fields themselves.",
    ensure=ensure,
    reverse=reverse,
)
