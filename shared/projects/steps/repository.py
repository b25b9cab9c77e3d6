"""Ensures the repository, and refuses to take over one that was there before us."""

from __future__ import annotations

from shared.domain.forge import ForgeName, Repository
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.domain.project import Visibility
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    kept,
    removed,
    removing,
    repository_ref,
    text,
    waiting,
)
from shared.projects.undoing import (
    OF_A_REPOSITORY,
    creating,
    done,
    forget_within,
    goes_along,
    repository_resource,
)


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Repository exists under the planned name and visibility, and is ours."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    resource = repository_resource(step)
    private = text(step, "visibility") == Visibility.PRIVATE
    found = forge.repository(ref)
    # Azure DevOps makes a repository of the project's name along with the project; who made the project made it.
    with_project = step.inputs.get("comes_with_project") is True
    ours = with_project or context.ledger.intended(resource)
    if found is not None and not ours:
        return failed(
            f"a repository named {ref} exists already and was not made by this request",
            "Choose another name, or rename or remove the existing repository.",
            found.url,
        )
    created = False
    if found is None:
        with creating(context.ledger, resource):
            forge.create_repository(ref, description=text(step, "description"), private=private)
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
    first_time = created or not context.ledger.intended(done(resource))
    if first_time:
        context.ledger.intend(done(resource), reference=found.id)
    return (applied if first_time else confirmed)(found.url, id=found.id)


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The repository this run made is gone, with all that stood in it."""
    if along := goes_along(context, step):
        return along
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    resource = repository_resource(step)
    kinds = OF_A_REPOSITORY if step.forge is ForgeName.AZURE_DEVOPS else None
    if not context.ledger.made_here(resource):
        return kept(f"this run did not make the repository {ref}")
    found = forge.repository(ref)
    made = context.ledger.reference(done(resource))
    if found is not None and made and found.id != made:
        forget_within(context.ledger, resource, kinds)
        return kept(f"the repository this run made is gone, and another one is called {ref} now")
    if found is not None and not made and (other := _others(step, found)):
        forget_within(context.ledger, resource, kinds)
        return kept(
            f"a repository is called {ref}, but {other}: this run never saw its own, so this may be somebody else's"
        )
    if found is not None or not made:
        # One whose creation was answered may not show yet; it may also have been renamed since.
        forge.delete_repository(found.ref if found else ref)
        if forge.repository(ref) is not None:
            return removing(f"{ref} was deleted and still shows")
    forget_within(context.ledger, resource, kinds)
    return removed(f"repository {ref}")


def _others(step: PlanStep, found: Repository) -> str:
    """What speaks against a repository that was never read back being this run's; empty when nothing does.

    The answer to its creation was lost, or it never reached the forge; then anybody may have taken the name since.
    """
    # Azure Repos keeps no descriptions.
    if step.forge is ForgeName.GITHUB and found.description.split() != text(step, "description").split():
        return "with another description"
    return "" if found.empty else "it has commits"


STEP = StepDefinition(
    kind="repository",
    title="Repository",
    ensures="A repository of the planned name and visibility exists, made by this request.",
    reads_back="The repository: id, visibility, page.",
    reverses="When this run made the repository, deletes it with all it holds, what people pushed since included; the "
    "forge can restore it for some time (GitHub 90 days, Azure Repos from its recycle bin). One that came with the "
    "project goes with the project. A repository that was there before, that an earlier run made, or that took the name "
    "since, stays; so does one this run never saw finished when its description or commits speak of somebody else.",
    ensure=ensure,
    reverse=reverse,
)
