"""Ensures that pull requests into the main branch need Doneright's review: our status is required, and only we can set it."""

from __future__ import annotations

from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    failed,
    kept,
    repository_ref,
    text,
)
from shared.projects.undoing import creating, goes_along, stands, take_back

GENRE, NAME = "doneright", "review"


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """The status is required of pull requests; what else is required stays."""
    forge, ref, branch = context.forge(step.forge), repository_ref(step), text(step, "branch")
    url = forge.repository_page(ref)
    found = forge.required_statuses(ref, branch)
    if found.get(_status()):
        return confirmed(url, status=_status())
    if _status() in found:
        # Somebody asked for it in a weaker way: it is made stricter, and stays theirs.
        forge.require_status(ref, branch, GENRE, NAME)
    else:
        with creating(context.ledger, _resource(step)):
            forge.require_status(ref, branch, GENRE, NAME)
    if not forge.required_statuses(ref, branch).get(_status()):
        return failed(
            f"{_status()} was required, and read back as not required of us alone",
            "An organisation's rule may override it; compare the branch's settings with the plan.",
            url,
        )
    return applied(url, status=_status())


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The status is required no longer, where this run required it."""
    if along := goes_along(context, step):
        return along
    forge, ref, branch = context.forge(step.forge), repository_ref(step), text(step, "branch")
    if not context.ledger.made_here(resource := _resource(step)):
        return kept(f"this run did not require {_status()} of {branch}")
    return take_back(
        context.ledger,
        {_status(): resource},
        lambda: [_status()] if _status() in forge.required_statuses(ref, branch) else [],
        lambda _: forge.remove_required_status(ref, branch, GENRE, NAME),
        stands=lambda: stands(context, step),
        nothing=f"this run did not require {_status()} of {branch}",
    )


def _status() -> str:
    return f"{GENRE}/{NAME}"


def _resource(step: PlanStep) -> str:
    return f"{step.forge}.review_check:{str(repository_ref(step)).lower()}:{text(step, 'branch')}/{_status()}"


STEP = StepDefinition(
    kind="review_check",
    title="Review by Doneright",
    ensures="Pull requests into the main branch need the status `doneright/review`, which nobody but Doneright can set where "
    "it is a GitHub App or signs in to Azure DevOps under its own name. Only where the connection's reviews block.",
    reads_back="The statuses that are required, and of whom.",
    reverses="Goes with the repository when this run made that; else takes the requirement back when this run made it.",
    ensure=ensure,
    reverse=reverse,
)
