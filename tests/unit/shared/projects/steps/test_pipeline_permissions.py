"""The permissions step: the pipeline may use what it names, once, and gets nothing back that people took away."""

from __future__ import annotations

import pytest

from shared.domain.forge import PipelineResource, ResourceKind
from shared.domain.plan import ReversalState, StepState
from shared.errors import RefusedError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import a_connection, a_request
from tests.fakes.forges import Fault

STEP = "azure_devops.pipeline_permissions"
BEFORE = (
    "azure_devops.project",
    "azure_devops.repository",
    "azure_devops.scaffold",
    "azure_devops.pipeline",
    "azure_devops.variable_group",
    "azure_devops.environments",
)
GROUP = PipelineResource(kind=ResourceKind.VARIABLE_GROUP, id="1")
PLACES = [PipelineResource(kind=ResourceKind.ENVIRONMENT, id=number) for number in ("e1", "e2")]


@pytest.fixture
def made(bench):
    bench.made(*BEFORE)
    bench.app.azure.calls.clear()
    return bench


@pytest.fixture
def azure(made):
    return made.app.azure


def test_the_pipeline_may_use_its_group_and_environments(made, azure):
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.observed == {
        "resources": ["variable group order-desk", "environment staging", "environment production"]
    }
    assert azure.permitted == {GROUP: {"1"}, PLACES[0]: {"1"}, PLACES[1]: {"1"}}


def test_the_second_time_it_is_confirmed_and_permissions_are_not_read(made, azure):
    assert made.twice(STEP).state is StepState.CONFIRMED
    azure.calls.clear()
    made.attempt(STEP)
    assert azure.calls == ["pipeline", "variable_group", "environments"]


def test_what_every_pipeline_may_use_needs_no_permission(made, azure):
    azure.permitted[GROUP] = None
    azure.permitted[PLACES[0]] = {"1", "7"}
    assert made.attempt(STEP).state is StepState.APPLIED
    assert azure.changes() == ["set_pipeline_permissions"]


def test_a_permission_that_people_took_away_is_not_given_back(made, azure):
    made.attempt(STEP)
    azure.permitted[PLACES[1]].clear()
    assert made.attempt(STEP).state is StepState.CONFIRMED
    assert azure.permitted[PLACES[1]] == set()


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.REFUSED, Fault.TRANSIENT])
def test_after_a_fault_every_permission_is_there(made, azure, fault):
    azure.fail("set_pipeline_permissions", fault)
    with pytest.raises(RefusedError if fault is Fault.REFUSED else TransientError):
        made.attempt(STEP)
    assert made.attempt(STEP).state is StepState.APPLIED
    assert azure.permitted == {GROUP: {"1"}, PLACES[0]: {"1"}, PLACES[1]: {"1"}}


def test_one_that_does_not_hold_fails_with_the_remedy(made, azure):
    azure.spoil_permissions = True
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert (
        "let use variable group order-desk, environment staging, environment production, and read back without"
        in outcome.reason
    )
    assert outcome.remedy


def test_without_its_pipeline_it_fails_with_the_remedy(bench):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert outcome.reason == "there is no pipeline order-desk to permit anything to"


def test_a_resource_that_people_removed_is_left_out(made, azure):
    azure.variable_groups.clear()
    assert made.attempt(STEP).observed == {"resources": ["environment staging", "environment production"]}


def test_a_request_without_environments_asks_for_the_group_alone(bench):
    plan, _ = plan_for(bench.app.ports, a_request(environments=()), a_connection(), 2026)
    assert plan.step(STEP).depends_on == ("azure_devops.pipeline", "azure_devops.variable_group")
    assert plan.step(STEP).inputs["environments"] == []


def test_taken_back_what_every_pipeline_has_by_now_stays(made, azure):
    made.of_an_earlier_run()
    made.attempt(STEP)
    azure.permitted[GROUP] = None
    assert made.reversed(STEP).state is ReversalState.REMOVED
    assert azure.permitted == {GROUP: None, PLACES[0]: set(), PLACES[1]: set()}


def test_taken_back_without_the_pipeline_there_is_nothing_to_take(made, azure):
    made.of_an_earlier_run()
    made.attempt(STEP)
    azure.pipelines.clear()
    assert made.reversed(STEP).state is ReversalState.KEPT
