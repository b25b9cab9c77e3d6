"""Confirms the Azure DevOps project that was adopted; never makes, changes or removes one."""

from __future__ import annotations

from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.projects.steps.step import StepContext, StepDefinition, confirmed, failed, kept, text


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """The project of the adopted id is there, under whatever name."""
    name, wanted = text(step, "name"), text(step, "id")
    # A project renamed since is found by its id, and one made anew under the old name is another.
    found = context.boards().project(wanted)
    if found is None:
        return failed(
            f"the project {name} that was adopted is not there any more",
            "Restore it in the organisation's settings, or adopt what took its place.",
        )
    reason = "" if found.name == name else f"renamed since, from {name} to {found.name}"
    return confirmed(found.url, reason, id=found.id, process=found.process, private=found.private)


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """It was there before it was adopted, so it stays."""
    return kept(f"the project {text(step, 'name')} was there before it was adopted")


STEP = StepDefinition(
    kind="existing_project",
    title="Existing Azure DevOps project",
    ensures="The project that was adopted is there. Nothing is made or changed.",
    reads_back="The project by its id: name, process template, visibility.",
    reverses="Nothing: it was there before it was adopted.",
    ensure=ensure,
    reverse=reverse,
)
