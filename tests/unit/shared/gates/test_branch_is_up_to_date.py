"""The two questions about a branch and its target are asked one by one."""

from __future__ import annotations

import pytest

from shared.domain.review import Outcome
from tests.fakes.changes import a_change, asked, evidence, judged

GATE = "branch_is_up_to_date"


def found(criterion=GATE, /, limits=None, **change):
    return judged(GATE, evidence(change=a_change(**change)), asked(criterion, **(limits or {})))


def test_a_branch_that_holds_its_target_is_up_to_date():
    assert found(behind=0).outcome is Outcome.MET
    assert found(behind=0).measured == {"commits_behind": 0}


def test_one_that_lacks_commits_is_not_and_the_remedy_names_the_branches():
    one = found(behind=3)
    assert one.outcome is Outcome.UNMET
    assert "3 commits" in one.reason
    assert "Merge main into feature/12-export" in one.remedy


@pytest.mark.parametrize(("behind", "outcome"), [(2, Outcome.MET), (3, Outcome.UNMET)])
def test_a_policy_may_allow_a_few(behind, outcome):
    assert found(limits={"commits_behind": 2}, behind=behind).outcome is outcome


def test_conflicts_are_another_criterion():
    assert found(behind=0, conflicts=True).outcome is Outcome.MET
    assert found("merge_has_no_conflicts", behind=9, conflicts=False).outcome is Outcome.MET
    one = found("merge_has_no_conflicts", behind=0, conflicts=True)
    assert one.outcome is Outcome.UNMET
    assert one.measured == {"conflicts": 1}


def test_what_the_forge_has_not_found_out_is_not_known():
    assert found(behind=None).outcome is Outcome.NOT_AVAILABLE
    assert found("merge_has_no_conflicts", conflicts=None).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("behind", "conflicts", "outcome"),
    [
        (0, False, Outcome.MET),
        (1, False, Outcome.UNMET),
        (0, None, Outcome.NOT_AVAILABLE),
        (None, True, Outcome.UNMET),
        (1, True, Outcome.UNMET),
    ],
)
def test_asked_for_neither_both_count_and_the_worst_is_told(behind, conflicts, outcome):
    one = judged(GATE, evidence(change=a_change(behind=behind, conflicts=conflicts)))
    assert one.outcome is outcome
