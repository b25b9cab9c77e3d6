"""Ensures that the main branch demands what the request's rules say, and reads the rules back."""

from __future__ import annotations

from pydantic import JsonValue

from shared.domain.forge import BranchRules, ForgeName
from shared.domain.plan import PlanStep, Reversal, StepOutcome
from shared.domain.strictness import tightened
from shared.projects.steps.step import (
    StepContext,
    StepDefinition,
    applied,
    confirmed,
    differences,
    failed,
    kept,
    removed,
    removing,
    repository_ref,
    text,
    waiting,
)
from shared.projects.undoing import creating, done, goes_along

BEYOND: dict[ForgeName, frozenset[str]] = {
    # GitHub has no rule for linked work items, and never lets an author approve their own pull request.
    ForgeName.GITHUB: frozenset({"require_linked_work_items", "author_may_approve"}),
    # Azure Repos: force push, deletion and bypass are permissions on the branch, not policies.
    ForgeName.AZURE_DEVOPS: frozenset({"allow_force_push", "allow_deletion", "enforce_for_administrators"}),
}
"""Rules a forge cannot express on a branch; they are left out of the comparison and shown as such."""

ELSEWHERE = frozenset({"require_build"})
"""Rules that a step of their own ensures, since they need to know what is built."""

OF_REVIEWERS = frozenset({"author_may_approve", "reset_approvals_on_push"})
"""Rules that say how approvals count; without reviewers there are none."""


def ensure(context: StepContext, step: PlanStep) -> StepOutcome:
    """Branch rules on the forge equal the planned ones, as far as the forge has them."""
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    branch = text(step, "branch")
    rules = BranchRules.model_validate(step.inputs["rules"])
    planned = comparable(step, rules)
    resource = _resource(step)
    url = forge.repository_page(ref)
    if forge.branch_head(ref, branch) is None:
        return waiting(f"{branch} of {ref} has no commit yet", url=url)

    def found() -> dict[str, JsonValue]:
        return comparable(step, forge.branch_rules(ref, branch))

    if step.inputs.get("at_least") is True:
        # Of a branch that had its own rules before us: what it demands beyond the plan stays.
        live = forge.branch_rules(ref, branch)
        rules = tightened(rules, live)
        planned, before = comparable(step, rules), comparable(step, live)
    else:
        before = found()
    ours = context.ledger.made_here(resource)
    if not differences(planned, before):
        if ours and not context.ledger.intended(done(resource)):
            context.ledger.intend(done(resource))
        return confirmed(url, _beyond(step.forge), **planned)
    if before:
        forge.protect_branch(ref, branch, rules)
    else:
        with creating(context.ledger, resource):
            forge.protect_branch(ref, branch, rules)
        ours = True
    if wrong := differences(planned, found()):
        return failed(
            f"the rules were set, and read back otherwise: {wrong}",
            "An organisation's rule may override them; compare the branch's settings with the request.",
            url,
        )
    if ours:
        context.ledger.intend(done(resource))
    return applied(url, _beyond(step.forge), **planned)


def reverse(context: StepContext, step: PlanStep) -> Reversal:
    """The rules this run put on a branch that had none are gone."""
    if along := goes_along(context, step):
        return along
    forge = context.forge(step.forge)
    ref = repository_ref(step)
    branch = text(step, "branch")
    resource = _resource(step)
    if not context.ledger.made_here(resource):
        return kept(f"{branch} of {ref} had rules before this run")
    found = forge.branch_rules(ref, branch) if forge.repository_page(ref) else None
    if found is not None:
        planned = comparable(step, BranchRules.model_validate(step.inputs["rules"]))
        if context.ledger.intended(done(resource)) and (other := differences(planned, comparable(step, found))):
            return kept(f"somebody changed the rules of {branch} since: {other}")
        forge.remove_branch_rules(ref, branch)
        if forge.branch_rules(ref, branch) is not None:
            return removing(f"the rules of {branch} were removed and still show")
    context.ledger.withdraw(done(resource))
    context.ledger.withdraw(resource)
    return removed(f"the rules of {branch}")


def _resource(step: PlanStep) -> str:
    return f"{step.forge}.branch_rules:{str(repository_ref(step)).lower()}:{text(step, 'branch')}"


def comparable(step: PlanStep, rules: BranchRules | None) -> dict[str, JsonValue]:
    if rules is None:
        return {}
    # Azure Repos keeps what is said of approvals with the number of reviewers, and drops both at none.
    dropped = OF_REVIEWERS if step.forge is ForgeName.AZURE_DEVOPS and not rules.minimum_reviewers else frozenset()
    return rules.model_dump(mode="json", exclude=set(BEYOND[step.forge] | ELSEWHERE | dropped))


def _beyond(forge: ForgeName) -> str:
    return "this forge has no branch rule for: " + ", ".join(sorted(BEYOND[forge]))


STEP = StepDefinition(
    kind="branch_rules",
    title="Branch protection",
    ensures="The main branch demands the reviewers, resolved comments and merge kinds of the request; of an adopted "
    "repository at least these, and what it demands beyond them stays.",
    reads_back="Every rule the forge has, compared one by one with the plan.",
    reverses="Goes with the repository when this run made that; else takes the rules off a branch that had none before "
    "this run, unless somebody changed them since. Rules that were there before and were changed stay as they are, and so "
    "do the repository's merge settings on GitHub.",
    ensure=ensure,
    reverse=reverse,
)
