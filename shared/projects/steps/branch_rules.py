"""Ensures that the main branch demands what the request's rules say, and reads the rules back."""

from __future__ import annotations

from pydantic import JsonValue

from shared.domain.forge import BranchRules, ForgeName
from shared.domain.plan import PlanStep, StepOutcome
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    differences,
    failed,
    repository_ref,
    text,
    waiting,
)

BEYOND: dict[ForgeName, frozenset[str]] = {
    # GitHub has no rule for linked work items, and never lets an author approve their own pull request.
    # Its merge kinds are a repository setting, not a branch rule.
    ForgeName.GITHUB: frozenset({"require_linked_work_items", "author_may_approve", "allowed_merges"}),
    # Azure Repos: force push, deletion and bypass are permissions on the branch, not policies.
    ForgeName.AZURE_DEVOPS: frozenset({"allow_force_push", "allow_deletion", "enforce_for_administrators"}),
}
"""Rules a forge cannot express on a branch; they are left out of the comparison and shown as such."""


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Branch rules on the forge equal the planned ones, as far as the forge has them."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    branch = text(step, "branch")
    rules = BranchRules.model_validate(step.inputs["rules"])
    planned = rules.model_dump(mode="json", exclude=set(BEYOND[step.forge]))
    repository = forge.repository(ref)
    url = repository.url if repository else ""
    if forge.branch_head(ref, branch) is None:
        return waiting(f"{branch} of {ref} has no commit yet", url=url)

    def found() -> dict[str, JsonValue]:
        seen = forge.branch_rules(ref, branch)
        return seen.model_dump(mode="json", exclude=set(BEYOND[step.forge])) if seen else {}

    before = found()
    if not differences(planned, before):
        return confirmed(url, _beyond(step.forge), **planned)
    forge.protect_branch(ref, branch, rules)
    if wrong := differences(planned, found()):
        return failed(
            f"the rules were set, and read back otherwise: {wrong}",
            "An organisation's rule may override them; compare the branch's settings with the request.",
            url,
        )
    return applied(url, _beyond(step.forge), **planned)


def _beyond(forge: ForgeName) -> str:
    return "this forge has no branch rule for: " + ", ".join(sorted(BEYOND[forge]))


STEP = StepDefinition(
    kind="branch_rules",
    title="Branch protection",
    ensures="The main branch demands the reviewers, resolved comments and merge kinds of the request.",
    reads_back="Every rule the forge has, compared one by one with the plan.",
    reverses="Nothing of its own: the repository's reversal removes it.",
    ensure=ensure,
)
