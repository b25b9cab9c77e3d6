"""Checks on what would be merged are counted; what is pending, ours or about an earlier push never passes anything."""

from __future__ import annotations

import pytest

from shared.domain.change import CheckState
from shared.domain.forge import ForgeName
from shared.domain.review import Outcome
from tests.fakes.changes import (
    EARLIER,
    HEAD,
    TRIAL_MERGE,
    UNKNOWN,
    UNSUPPORTED,
    a_change,
    asked,
    check,
    evidence,
    judged,
)

GATE = "ci_is_green"
PASSED, FAILED, PENDING = CheckState.PASSED, CheckState.FAILED, CheckState.PENDING
SKIPPED, NEUTRAL = CheckState.SKIPPED, CheckState.NEUTRAL


def found(*checks, criterion=GATE, change=None, **limits):
    return judged(GATE, evidence(checks=checks, change=change or a_change()), asked(criterion, **limits))


def test_passed_checks_are_green():
    one = found(check("lint"), check("unit"), check("docs", SKIPPED), check("old", NEUTRAL))
    assert one.outcome is Outcome.MET
    assert one.measured == {"checks": 4, "passed": 2, "failed": 0, "pending": 0}


def test_a_failed_check_is_named_with_what_it_says():
    one = found(check("lint"), check("unit", FAILED, summary="2 tests failed", url="https://ci/1"))
    assert one.outcome is Outcome.UNMET
    assert "unit" in one.reason
    assert "lint" not in one.reason
    [remark] = one.remarks
    assert "2 tests failed" in remark.message
    assert remark.help_url == "https://ci/1"


def test_no_check_at_all_is_not_green():
    one = found()
    assert one.outcome is Outcome.UNMET
    assert "pipeline" in one.remedy


@pytest.mark.parametrize("other", [check("doneright", ours=True), check("unit", commit=EARLIER)])
def test_our_own_check_and_those_of_earlier_pushes_are_none(other):
    assert found(other).outcome is Outcome.UNMET
    assert found(other, check("unit", FAILED)).outcome is Outcome.UNMET
    assert found(other.model_copy(update={"state": FAILED}), check("lint")).outcome is Outcome.MET


def test_pending_is_neither():
    one = found(check("lint"), check("unit", PENDING))
    assert one.outcome is Outcome.NOT_AVAILABLE
    assert "unit" in one.reason


def test_what_failed_stays_failed_while_others_run():
    assert found(check("lint", FAILED), check("unit", PENDING)).outcome is Outcome.UNMET


def test_where_everything_was_skipped_nothing_was_checked():
    assert found(check("unit", SKIPPED), check("lint", NEUTRAL)).outcome is Outcome.UNMET


def test_required_checks_decide_and_others_advise():
    one = found(check("unit", required=True), check("size", FAILED))
    assert one.outcome is Outcome.MET
    assert ["size" in remark.message for remark in one.remarks] == [True]
    assert found(check("unit", FAILED, required=True), check("size")).outcome is Outcome.UNMET
    assert found(check("unit", PENDING, required=True), check("size")).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize("commit", ["", HEAD, TRIAL_MERGE])
def test_checks_of_the_head_and_of_its_trial_merge_count(commit):
    assert found(check(commit=commit)).outcome is Outcome.MET


@pytest.mark.parametrize(("part", "outcome"), [(UNKNOWN, Outcome.NOT_AVAILABLE), (UNSUPPORTED, Outcome.NOT_SUPPORTED)])
def test_unknown_checks_are_not_green(part, outcome):
    assert judged(GATE, evidence(checks=part), asked(GATE)).outcome is outcome


STAGES = "pipeline_has_all_stages"
SCAFFOLD = ("Lint and format", "Types", "Unit tests", "Smoke tests", "Integration tests", "Security", "Coverage floor")


def test_the_scaffolds_pipeline_has_all_stages_on_both_forges():
    assert found(*(check(name) for name in SCAFFOLD), criterion=STAGES).outcome is Outcome.MET
    build = check("CI", stages=("lint", "types", "unit", "smoke", "integration", "security", "coverage"))
    assert found(build, criterion=STAGES, change=a_change(ForgeName.AZURE_DEVOPS)).outcome is Outcome.MET


@pytest.mark.parametrize("left_out", range(7))
def test_each_stage_is_missed(left_out):
    one = found(*(check(name) for place, name in enumerate(SCAFFOLD) if place != left_out), criterion=STAGES)
    assert one.outcome is Outcome.UNMET
    assert one.measured == {"stages": 6}


def test_a_skipped_stage_is_not_there():
    checks = [check(name, SKIPPED if name == "Security" else PASSED) for name in SCAFFOLD]
    assert found(*checks, criterion=STAGES).outcome is Outcome.UNMET


def test_a_build_that_does_not_tell_its_stages_may_have_any():
    change = a_change(ForgeName.AZURE_DEVOPS)
    one = found(check("CI"), criterion=STAGES, change=change)
    assert one.outcome is Outcome.NOT_AVAILABLE
    assert "CI" in one.reason
    assert found(check("CI", stages=("lint",)), criterion=STAGES, change=change).outcome is Outcome.UNMET


def test_a_policy_may_ask_for_stages_of_its_own():
    checks = [check("mypy"), check("ruff"), check("licenceCheck")]
    assert found(*checks, criterion=STAGES, stages=("lint", "types", "licence check")).outcome is Outcome.MET
    assert found(*checks, criterion=STAGES, stages=("fuzzing",)).outcome is Outcome.UNMET


MERGED = "merge_result_is_tested"


def test_checks_of_the_trial_merge_test_the_merge():
    behind = a_change(behind=4)
    assert found(check(commit=TRIAL_MERGE), criterion=MERGED, change=behind).outcome is Outcome.MET
    assert found(check(state=FAILED, commit=TRIAL_MERGE), criterion=MERGED, change=behind).outcome is Outcome.UNMET


def test_a_branch_that_holds_its_target_is_what_the_merge_makes():
    assert found(check(), criterion=MERGED, change=a_change(behind=0)).outcome is Outcome.MET
    assert found(check(state=PENDING), criterion=MERGED, change=a_change(behind=0)).outcome is Outcome.NOT_AVAILABLE


def test_checks_of_a_branch_that_lacks_commits_test_something_else():
    one = found(check(), criterion=MERGED, change=a_change(ForgeName.AZURE_DEVOPS, behind=4))
    assert one.outcome is Outcome.UNMET
    assert "lacks 4 commits" in one.reason
    assert found(check(), criterion=MERGED, change=a_change(behind=None)).outcome is Outcome.NOT_AVAILABLE


def test_github_shows_checks_of_the_merge_on_the_head_so_that_nobody_can_tell():
    one = found(check(), criterion=MERGED, change=a_change(behind=4))
    assert one.outcome is Outcome.NOT_AVAILABLE
    assert "up to date" in one.remedy


RELEASED = "release_checks_pass"


def test_of_a_release_every_check_of_the_very_commit_counts():
    assert found(check("unit", required=True), check("docs"), criterion=RELEASED).outcome is Outcome.MET
    assert found(check("unit", required=True), check("docs", FAILED), criterion=RELEASED).outcome is Outcome.UNMET
    assert found(check(commit=TRIAL_MERGE), criterion=RELEASED).outcome is Outcome.UNMET


@pytest.mark.parametrize(
    ("criterion", "limits"),
    [(MERGED, {"commit": ("merge_result", "moon")}), (RELEASED, {"scope": ("release_commit", "moon")})],
)
def test_what_nobody_knows_is_never_met(criterion, limits):
    assert found(check(), criterion=criterion, **limits).outcome is Outcome.NOT_AVAILABLE


def test_the_longest_names_are_shown_by_their_beginning():
    one = found(*(check(f"job {number} " + "x" * 5_000, FAILED, summary="y" * 9_000) for number in range(9)))
    assert one.outcome is Outcome.UNMET
    assert "4 more" in one.reason
    assert len(one.remarks) == 9
