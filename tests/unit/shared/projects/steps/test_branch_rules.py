"""The rules step: the branch demands what was asked, as far as the forge can, and that is read back."""

from __future__ import annotations

import pytest

from shared.domain.forge import BranchRules
from shared.domain.plan import StepState
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


def test_the_second_time_they_are_confirmed(bench, step):
    assert bench.twice(step).state is StepState.CONFIRMED


def test_what_drifted_is_set_again(bench, either, step):
    bench.made(step)
    bench.forge(either).stored(bench.ref(step)).rules["main"] = BranchRules(minimum_reviewers=0)
    assert bench.attempt(step).state is StepState.APPLIED


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
