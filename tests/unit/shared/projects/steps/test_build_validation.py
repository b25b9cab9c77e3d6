"""The build step: pull requests need a green build, what people require beside it stays, and ours alone is taken back."""

from __future__ import annotations

import pytest

from shared.domain.forge import BranchRules
from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, RefusedError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import a_connection, a_request
from tests.fakes.forges import Fault


@pytest.fixture
def step(bench, either):
    project = ["azure_devops.project"] if either == "azure_devops" else []
    bench.made(*project, f"{either}.repository", f"{either}.scaffold")
    if either == "azure_devops":
        bench.made("azure_devops.pipeline")
    return f"{either}.build_validation"


@pytest.fixture
def builds(bench, either, step):
    """What is required of the main branch, as it changes."""
    return bench.forge(either).stored(bench.ref(step)).builds.setdefault("main", {})


def planned(bench, either):
    return bench.plan.step("github.build_validation").inputs["checks"] if either == "github" else ["1"]


def test_each_build_is_required_and_read_back(bench, either, step, builds):
    outcome = bench.attempt(step)
    assert outcome.state is StepState.APPLIED
    assert builds == dict.fromkeys(planned(bench, either), True)
    named = planned(bench, either) if either == "github" else ["order-desk"]
    assert outcome.observed == {"builds": named}


def test_the_second_time_it_is_confirmed(bench, step):
    assert bench.twice(step).state is StepState.CONFIRMED


def test_one_that_was_taken_off_since_is_required_again_and_others_stay(bench, either, step, builds):
    bench.made(step)
    builds.pop(planned(bench, either)[0])
    builds["theirs"] = True
    assert bench.attempt(step).state is StepState.APPLIED
    assert builds == dict.fromkeys([*planned(bench, either), "theirs"], True)


def test_what_an_earlier_plan_required_and_nothing_reports_any_more_goes(bench, either, step, builds):
    bench.made(step)
    bench.app.ports.ledger(bench.plan.project, "before").intend(
        f"{either}.build_validation:{str(bench.ref(step)).lower()}:main/renamed"
    )
    builds.update(renamed=True, theirs=True)
    assert bench.attempt(step).state is StepState.APPLIED
    assert builds == dict.fromkeys([*planned(bench, either), "theirs"], True)
    assert bench.attempt(step).state is StepState.CONFIRMED
    # Once it is gone it is no longer ours: who requires it again has it stay.
    builds["renamed"] = True
    assert bench.attempt(step).state is StepState.CONFIRMED
    assert builds["renamed"]


def test_one_that_goes_on_being_required_fails_with_the_remedy(bench, either, step, builds, monkeypatch):
    bench.made(step)
    bench.app.ports.ledger(bench.plan.project, "before").intend(
        f"{either}.build_validation:{str(bench.ref(step)).lower()}:main/renamed"
    )
    builds["renamed"] = True
    monkeypatch.setattr(bench.forge(either), "remove_required_builds", lambda *_: None)
    outcome = bench.attempt(step)
    assert outcome.state is StepState.FAILED
    assert "nothing reports any more are still required: renamed" in outcome.reason
    assert outcome.remedy


def test_an_answer_lost_after_the_effect_is_found_required(bench, either, step):
    bench.forge(either).fail("require_builds", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(step)
    assert bench.attempt(step).state is StepState.CONFIRMED


def test_one_that_reads_back_otherwise_fails_with_the_remedy(bench, either, step):
    bench.forge(either).builds_unread = True
    outcome = bench.attempt(step)
    assert outcome.state is StepState.FAILED
    assert "the build was required, and read back without" in outcome.reason
    assert outcome.remedy


def test_without_its_pipeline_it_fails_with_the_remedy(bench):
    bench.made("azure_devops.project", "azure_devops.repository", "azure_devops.scaffold")
    outcome = bench.attempt("azure_devops.build_validation")
    assert outcome.state is StepState.FAILED
    assert outcome.reason == "there is no pipeline order-desk whose build could be required"
    assert outcome.remedy


def test_a_plan_without_a_check_is_a_defect(bench):
    bench.made("github.repository", "github.scaffold")
    with pytest.raises(DefectError, match="no check"):
        bench.attempt("github.build_validation", checks=[])


def test_a_refused_requirement_is_not_ours(bench, either, step):
    before = bench.intents()
    bench.forge(either).fail("require_builds", Fault.REFUSED)
    with pytest.raises(RefusedError):
        bench.attempt(step)
    assert bench.intents() == before


def test_taken_back_what_was_asked_for_before_stays_as_strict_as_it_is_now(bench, either, step, builds):
    bench.of_an_earlier_run()
    builds.update(dict.fromkeys(planned(bench, either), False))
    assert bench.attempt(step).state is StepState.APPLIED
    assert bench.reversed(step).state is ReversalState.KEPT
    assert builds == dict.fromkeys(planned(bench, either), True)


def test_taken_back_what_people_require_beside_it_stays(bench, either, step, builds):
    bench.of_an_earlier_run()
    builds["theirs"] = True
    bench.made(step)
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert builds == {"theirs": True}


def test_a_request_that_wants_no_build_has_no_such_step(bench):
    asked = a_request(rules=BranchRules(require_build=False))
    plan, _ = plan_for(bench.app.ports, asked, a_connection(), 2026)
    assert [step for step in plan.steps if step.kind == "build_validation"] == []


def test_it_waits_for_the_rules_and_the_pipeline(bench):
    assert bench.plan.step("github.build_validation").depends_on == ("github.branch_rules",)
    azure = bench.plan.step("azure_devops.build_validation")
    assert azure.depends_on == ("azure_devops.branch_rules", "azure_devops.pipeline")
