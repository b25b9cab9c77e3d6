"""The rules step: the branch demands what was asked, as far as the forge can, and that is read back."""

from __future__ import annotations

import pytest

from shared.domain.forge import BranchRules, MergeKind
from shared.domain.plan import ReversalState, StepState
from shared.errors import NotSupportedError, TransientError
from shared.projects.steps.branch_rules import BEYOND
from tests.fakes.forges import Fault


@pytest.fixture
def step(bench, either):
    project = ["azure_devops.project"] if either == "azure_devops" else []
    bench.made(*project, f"{either}.repository", f"{either}.scaffold")
    return f"{either}.branch_rules"


def test_they_are_set_and_read_back(bench, either, step):
    outcome = bench.attempt(step)
    assert outcome.state is StepState.APPLIED
    assert outcome.observed["minimum_reviewers"] == 1
    assert set(outcome.observed) & BEYOND[bench.plan.step(step).forge] == set()
    assert all(name in outcome.reason for name in BEYOND[bench.plan.step(step).forge])


def test_azure_repos_keeps_nothing_about_approvals_where_none_are_asked_for(bench):
    bench.made("azure_devops.project", "azure_devops.repository", "azure_devops.scaffold")
    step, asked = "azure_devops.branch_rules", BranchRules(minimum_reviewers=0)
    kept = asked.model_copy(update={"reset_approvals_on_push": False})
    bench.forge("azure_devops").stored(bench.ref(step)).rules["main"] = kept
    outcome = bench.attempt(step, rules=asked.model_dump(mode="json"))
    assert outcome.state is StepState.CONFIRMED
    assert "reset_approvals_on_push" not in outcome.observed


def test_the_second_time_they_are_confirmed(bench, step):
    assert bench.twice(step).state is StepState.CONFIRMED


def test_what_drifted_is_set_again(bench, either, step):
    bench.made(step)
    bench.forge(either).stored(bench.ref(step)).rules["main"] = BranchRules(minimum_reviewers=0)
    assert bench.attempt(step).state is StepState.APPLIED


def test_merge_kinds_that_were_not_set_with_the_other_rules_are_set(bench, either, step):
    """On GitHub they are settings of the repository, which a try that broke off between two calls leaves as they were."""
    bench.made(step)
    rules = bench.forge(either).stored(bench.ref(step)).rules
    planned = rules["main"]
    rules["main"] = planned.model_copy(update={"allowed_merges": frozenset(MergeKind)})
    assert bench.attempt(step).state is StepState.APPLIED
    assert rules["main"] == planned


def test_an_answer_lost_after_the_effect_is_found_set(bench, either, step):
    bench.forge(either).fail("protect_branch", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(step)
    assert bench.attempt(step).state is StepState.CONFIRMED


def test_rules_that_read_back_otherwise_fail_with_the_remedy(bench, either, step):
    bench.forge(either).rules_as_read = BranchRules(minimum_reviewers=4)
    outcome = bench.attempt(step)
    assert outcome.state is StepState.FAILED
    assert "minimum_reviewers is 4, planned 1" in outcome.reason
    assert outcome.remedy


def test_a_branch_without_commit_is_waited_for(bench, either):
    bench.forge(either).put_repository(bench.ref(f"{either}.branch_rules"))
    assert bench.attempt(f"{either}.branch_rules").state is StepState.WAITING


def test_a_plan_that_lacks_protection_says_so(bench, either, step):
    bench.forge(either).fail("protect_branch", Fault.UNSUPPORTED)
    with pytest.raises(NotSupportedError):
        bench.attempt(step)


def test_taken_back_rules_that_somebody_changed_since_stay(bench, either, step):
    bench.of_an_earlier_run()
    bench.made(step)
    rules = bench.forge(either).stored(bench.ref(step)).rules
    rules["main"] = rules["main"].model_copy(update={"minimum_reviewers": 3})
    intents = bench.intents()
    reversal = bench.reversed(step)
    assert reversal.state is ReversalState.KEPT
    assert "minimum_reviewers is 3, planned 1" in reversal.reason
    assert rules["main"].minimum_reviewers == 3
    assert bench.intents() == intents


def test_taken_back_rules_that_were_never_finished_go(bench, either, step):
    bench.of_an_earlier_run()
    before = bench.intents()
    forge = bench.forge(either)
    forge.rules_as_read = BranchRules(minimum_reviewers=0)
    assert bench.attempt(step).state is StepState.FAILED
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert forge.stored(bench.ref(step)).rules == {}
    assert bench.intents() == before


def test_taken_back_rules_that_were_there_before_stay_as_they_are_now(bench, either, step):
    bench.of_an_earlier_run()
    rules = bench.forge(either).stored(bench.ref(step)).rules
    rules["main"] = BranchRules(minimum_reviewers=0)
    bench.made(step)
    assert bench.reversed(step).state is ReversalState.KEPT
    assert rules["main"].minimum_reviewers == 1


def test_taken_back_with_the_answer_lost_they_are_ours_and_finished(bench, either, step):
    bench.of_an_earlier_run()
    bench.forge(either).fail("protect_branch", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(step)
    bench.made(step)
    rules = bench.forge(either).stored(bench.ref(step)).rules
    rules["main"] = rules["main"].model_copy(update={"minimum_reviewers": 3})
    assert bench.reversed(step).state is ReversalState.KEPT


def test_rules_that_still_show_are_looked_at_again(bench, either, step):
    bench.of_an_earlier_run()
    bench.made(step)
    bench.forge(either).remove_branch_rules = lambda ref, branch: None
    assert bench.reverse(step).state is ReversalState.WAITING


def test_of_a_repository_that_somebody_removed_no_rules_are_left(bench, either, step):
    bench.of_an_earlier_run()
    bench.made(step)
    bench.forge(either).delete_repository(bench.ref(step))
    assert bench.reversed(step).state is ReversalState.REMOVED


def test_a_refused_protection_is_not_ours(bench, either, step):
    bench.of_an_earlier_run()
    before = bench.intents()
    bench.forge(either).fail("protect_branch", Fault.UNSUPPORTED)
    with pytest.raises(NotSupportedError):
        bench.attempt(step)
    assert bench.intents() == before
