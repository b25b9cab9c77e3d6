"""Confirms the repository that was adopted; never makes, changes or removes one."""

from __future__ import annotations

from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.projects.steps.step import StepContext, StepDefinition, confirmed, failed, kept, repository_ref, text


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """The repository of the adopted name and id is there."""
    ref = repository_ref(step)
    found = context.forge(step.forge).repository(ref)
    if found is None:
        return failed(
            f"the repository {ref} that was adopted is not there any more",
            "Restore it or give it its name back, or adopt what took its place.",
        )
    if found.id != text(step, "id"):
        return failed(
            f"another repository is called {ref} now than the one that was adopted",
            "Adopt this one too if it is to be kept as planned.",
            found.url,
        )
    reason = "" if found.ref == ref else f"renamed since, to {found.ref}"
    return confirmed(found.url, reason, id=found.id)


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """It was there before it was adopted, so it stays."""
    return kept(f"the repository {repository_ref(step)} was there before it was adopted")


STEP = StepDefinition(
    kind="existing_repository",
    title="Existing repository",
    ensures="The repository that was adopted is there. Nothing is made or changed.",
    reads_back="The repository: id, page.",
    reverses="Nothing: it was there before it was adopted.",
    ensure=ensure,
    reverse=reverse,
)
