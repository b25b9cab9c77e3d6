"""The review step: where reviews block, our status is required of pull requests, and only ours is taken back."""

from __future__ import annotations

import pytest

from shared.domain.connection import Mode
from shared.domain.forge import BranchRules
from shared.domain.plan import ReversalState, StepState
from shared.errors import RefusedError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.steps import Bench

STATUS = "doneright/review"


@pytest.fixture
def bench():
    app = App()
    connection = app.connect_to(a_connection(review_mode=Mode.ENFORCED))
    plan, scaffolds = plan_for(app.ports, a_request(), connection, 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, "application/zip")
    return Bench(app, plan)


@pytest.fixture
def step(bench, either):
    project = ["azure_devops.project"] if either == "azure_devops" else []
    bench.made(*project, f"{either}.repository", f"{either}.scaffold")
    return f"{either}.review_check"


@pytest.fixture
def statuses(bench, either, step):
    return bench.forge(either).stored(bench.ref(step)).statuses.setdefault("main", {})


def test_the_status_is_required_and_read_back(bench, step, statuses):
    outcome = bench.attempt(step)
    assert outcome.state is StepState.APPLIED
    assert statuses == {STATUS: True}


def test_the_second_time_it_is_confirmed(bench, step):
    assert bench.twice(step).state is StepState.CONFIRMED


def test_one_that_is_required_in_a_weaker_way_is_made_stricter_and_stays_theirs(bench, step, statuses):
    bench.of_an_earlier_run()
    statuses[STATUS] = False
    assert bench.attempt(step).state is StepState.APPLIED
    assert statuses == {STATUS: True}
    assert bench.reversed(step).state is ReversalState.KEPT
    assert statuses == {STATUS: True}


def test_an_answer_lost_after_the_effect_is_found_required(bench, either, step):
    bench.forge(either).fail("require_status", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(step)
    assert bench.attempt(step).state is StepState.CONFIRMED


def test_a_refused_requirement_is_not_ours(bench, either, step):
    before = bench.intents()
    bench.forge(either).fail("require_status", Fault.REFUSED)
    with pytest.raises(RefusedError):
        bench.attempt(step)
    assert bench.intents() == before


def test_one_that_reads_back_otherwise_fails_with_the_remedy(bench, either, step, monkeypatch):
    monkeypatch.setattr(bench.forge(either), "required_statuses", lambda ref, branch: {})
    outcome = bench.attempt(step)
    assert outcome.state is StepState.FAILED
    assert STATUS in outcome.reason
    assert outcome.remedy


def test_taken_back_what_others_require_stays(bench, step, statuses):
    bench.of_an_earlier_run()
    statuses["theirs/check"] = True
    bench.made(step)
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert statuses == {"theirs/check": True}


def test_where_reviews_only_advise_nothing_is_required():
    app = App()
    plan, _ = plan_for(app.ports, a_request(), app.connect_to(a_connection()), 2026)
    assert [step for step in plan.steps if step.kind == "review_check"] == []


@pytest.mark.parametrize(("build", "after"), [(True, ["branch_rules", "build_validation"]), (False, ["branch_rules"])])
def test_it_waits_for_whatever_else_writes_the_rules(build, after):
    app = App()
    connection = app.connect_to(a_connection(review_mode=Mode.ENFORCED))
    plan, _ = plan_for(app.ports, a_request(rules=BranchRules(require_build=build)), connection, 2026)
    for forge in ("github", "azure_devops"):
        assert plan.step(f"{forge}.review_check").depends_on == tuple(f"{forge}.{one}" for one in after)
