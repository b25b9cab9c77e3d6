"""Ensures the repository, and refuses to take over one that was there before us."""

from __future__ import annotations

from shared.domain.plan import PlanStep, StepOutcome
from shared.domain.project import Visibility
from shared.errors import RefusedError
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    repository_ref,
    text,
    waiting,
)


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Repository exists under the planned name and visibility, and is ours."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    resource = f"{step.forge}.repository:{str(ref).lower()}"
    private = text(step, "visibility") == Visibility.PRIVATE
    found = forge.repository(ref)
    # Azure DevOps makes a repository of the project's name along with the project; who made the project made it.
    with_project = step.inputs.get("comes_with_project") is True
    ours = with_project or context.ledger.intended(resource)
    if found is not None and not ours:
        return failed(
            f"a repository named {ref} exists already and was not made by this request",
            "Choose another project name, or rename or remove the existing repository.",
            found.url,
        )
    created = False
    if found is None:
        context.ledger.intend(resource)
        try:
            forge.create_repository(ref, description=text(step, "description"), private=private)
        except RefusedError:
            context.ledger.withdraw(resource)
            raise
        created = True
        found = forge.repository(ref)
        if found is None:
            return waiting(f"{ref} was created and does not show yet")
    if found.private != private:
        return failed(
            f"{found.ref} is {'private' if found.private else 'public'}, planned {'private' if private else 'public'}",
            "Change the visibility in the repository's settings.",
            found.url,
        )
    first_time = created or not context.ledger.intended(f"{resource}:done")
    if first_time:
        context.ledger.intend(f"{resource}:done")
    return (applied if first_time else confirmed)(found.url, id=found.id)


STEP = StepDefinition(
    kind="repository",
    title="Repository",
    ensures="A repository of the planned name and visibility exists, made by this request.",
    reads_back="The repository: id, visibility, page.",
    reverses="Deletes the repository, when this request created it.",
    ensure=ensure,
)
