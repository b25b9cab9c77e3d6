"""Ensures the variable group the pipeline reads, and leaves to people the values they set there."""

from __future__ import annotations

from shared.domain.plan import PlanStep, StepOutcome
from shared.errors import DefectError
from shared.projects.steps.step import StepContext, StepDefinition, applied, confirmed, failed, text, waiting


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """A group of the planned name was there once with the planned variables."""
    boards = context.boards()
    project, name = text(step, "project"), text(step, "name")
    planned = _planned(step)
    done = f"azure_devops.variable_group:{project.lower()}/{name.lower()}:done"
    found = boards.variable_group(project, name)
    if context.ledger.intended(done):
        # Made once. The values are placeholders, so people must change them; what is there since is theirs.
        return confirmed(found.url if found else "", "" if found else f"somebody removed {name} since")
    created = found is None
    if found is None:
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
    context.ledger.intend(done)
    own = sum(found.variables[key] != value for key, value in planned.items())
    reason = f"{len(planned)} variables" + (f", {own} of them with values of somebody else" if own else "")
    return (applied if created else confirmed)(
        found.url, reason, id=found.id, variables=[str(key) for key in sorted(planned)]
    )


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
    reverses="Nothing of its own: the project's reversal removes it.",
    ensure=ensure,
)
