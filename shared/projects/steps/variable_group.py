"""Ensures the variable group the pipeline reads, and leaves to people the values they set there."""

from __future__ import annotations

from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.errors import DefectError
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, failed, text, waiting
from shared.projects.undoing import creating, done, goes_along, take_back


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """A group of the planned name was there once with the planned variables."""
    boards = context.boards()
    project, name = text(step, "project"), text(step, "name")
    planned = _planned(step)
    resource = _resource(step)
    found = boards.variable_group(project, name)
    if context.ledger.intended(done(resource)):
        # Made once. The values are placeholders, so people must change them; what is there since is theirs.
        return confirmed(found.url if found else "", "" if found else f"somebody removed {name} since")
    created = found is None
    if found is None:
        with creating(context.ledger, resource):
            boards.create_variable_group(project, name, f"What the pipeline of {project} reads; no secrets.", planned)
        found = boards.variable_group(project, name)
        if found is None:
            return waiting(f"variable group {name} was created and does not show yet")
    if missing := sorted(planned.keys() - found.variables.keys()):
        return failed(
            f"variable group {name} lacks {', '.join(missing)}",
            f"Add {', '.join(missing)} to it, or remove the group; then try again.",
            found.url,
        )
    context.ledger.intend(done(resource))
    own = sum(found.variables[key] != value for key, value in planned.items())
    reason = f"{len(planned)} variables" + (f", {own} of them with values of somebody else" if own else "")
    return (applied if created else confirmed)(
        found.url, reason, id=found.id, variables=[str(key) for key in sorted(planned)]
    )


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The variable group this run made is gone, unless people keep values in it."""
    if along := goes_along(context, step):
        return along
    boards = context.boards()
    project, name = text(step, "project"), text(step, "name")
    resource = _resource(step)
    mine = {name: resource} if context.ledger.made_here(resource) else {}
    found = boards.variable_group(project, name) if mine else None
    filled_in = found is not None and not found.variables.items() <= _planned(step).items()

    def remove(_: str) -> None:
        if found is not None:
            boards.delete_variable_group(project, found)

    return take_back(
        context.ledger,
        mine,
        lambda: mine if boards.variable_group(project, name) else {},
        remove,
        marks=[done(resource)],
        changed=mine if filled_in else (),
        nothing=f"this run did not make the variable group {name}",
    )


def _resource(step: PlanStep) -> str:
    return f"azure_devops.variable_group:{text(step, 'project').lower()}/{text(step, 'name').lower()}"


def _planned(step: PlanStep) -> dict[str, str]:
    raw = step.inputs.get("variables")
    if not isinstance(raw, dict) or not all(isinstance(value, str) for value in raw.values()):
        raise DefectError(f"step {step.id}: input 'variables' is not a table of texts")
    return {key: str(value) for key, value in raw.items()}


STEP = StepDefinition(
    kind="variable_group",
    title="Variable group",
    ensures="The variable group the pipeline reads exists with the project's id and placeholders to fill in.",
    reads_back="The group and the names of its variables; values that people set since are left alone.",
    reverses="Goes with the project when this run made that; else deletes the variable group this run made. It stays when "
    "somebody set a value in it since, for nothing brings that back.",
    ensure=ensure,
    reverse=reverse,
)
