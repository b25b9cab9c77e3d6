"""The variable group step: placeholders once, under the names the scaffold's pipeline and its page speak of."""

from __future__ import annotations

import re

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.domain.project import EnvironmentRequest
from shared.errors import DefectError, TransientError
from shared.projects.planning import plan_for, rendered
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault

STEP = "azure_devops.variable_group"
KEY = ("order desk", "order-desk")
NAMES = {"PROJECT_ID", "CONTAINER_REGISTRY", "STAGING_BASE_URL", "PRODUCTION_BASE_URL"}


@pytest.fixture
def azure(bench):
    return bench.app.azure


def test_it_is_made_with_placeholders_and_read_back(bench, azure):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.observed == {"id": "1", "variables": sorted(NAMES)}
    variables = azure.variable_groups[KEY].variables
    assert variables["PROJECT_ID"] == "order-desk"
    assert variables["STAGING_BASE_URL"] == "https://staging.invalid"


def test_it_is_what_the_scaffolds_pipeline_and_page_name():
    files = rendered(a_request(), a_connection(), 2026).files
    page = files["docs/deployment.md"].decode()
    row = next(line for line in page.splitlines() if line.startswith("| variable group"))
    assert "`order-desk`" in row
    assert set(re.findall(r"`([A-Z_]+)`", row)) <= NAMES
    assert "order-desk" in files["azure-pipelines.yml"].decode()


def test_every_environment_has_its_address():
    app = App()
    request = a_request(environments=(EnvironmentRequest(name="Pre prod.eu"),))
    plan, _ = plan_for(app.ports, request, app.connect_to(a_connection()), 2026)
    assert plan.step(STEP).inputs["variables"] == {
        "PROJECT_ID": "order-desk",
        "CONTAINER_REGISTRY": "registry.invalid",
        "PRE_PROD_EU_BASE_URL": "https://pre-prod-eu.invalid",
    }


def test_the_second_time_it_is_confirmed_with_one_read(bench, azure):
    assert bench.twice(STEP).state is StepState.CONFIRMED
    azure.calls.clear()
    bench.attempt(STEP)
    assert azure.calls == ["variable_group"]


def test_what_people_set_or_removed_since_is_theirs(bench, azure):
    bench.made(STEP)
    azure.variable_groups[KEY] = azure.variable_groups[KEY].model_copy(update={"variables": {"MINE": "1"}})
    assert bench.attempt(STEP).state is StepState.CONFIRMED
    assert azure.variable_groups[KEY].variables == {"MINE": "1"}
    azure.variable_groups.clear()
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.CONFIRMED
    assert "somebody removed" in outcome.reason
    assert not azure.variable_groups


def test_values_of_somebody_else_stay(bench, azure):
    azure.create_variable_group("Order Desk", "order-desk", "d", dict.fromkeys(NAMES, "theirs"))
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.CONFIRMED
    assert outcome.reason == "4 variables, 4 of them with values of somebody else"
    assert set(azure.variable_groups[KEY].variables.values()) == {"theirs"}


def test_variables_that_are_missing_fail_with_the_remedy(bench, azure):
    azure.spoil_variables = True
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "lacks PROJECT_ID" in outcome.reason
    assert "PROJECT_ID" in outcome.remedy
    assert outcome.url


def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench, azure):
    azure.fail("create_variable_group", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    assert bench.attempt(STEP).state is StepState.CONFIRMED
    assert azure.changes() == ["create_variable_group"]


def test_it_waits_until_the_service_shows_it(bench, azure):
    azure.variable_groups_unseen = 1
    assert bench.attempt(STEP).state is StepState.WAITING
    assert bench.attempt(STEP).state is StepState.CONFIRMED


def test_variables_that_are_no_texts_are_a_defect_of_the_plan(bench):
    with pytest.raises(DefectError, match="not a table"):
        bench.attempt(STEP, variables={"A": 1})


def test_taken_back_one_that_people_filled_in_stays(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    bench.made(STEP)
    group = azure.variable_groups[KEY]
    azure.variable_groups[KEY] = group.model_copy(update={"variables": {**group.variables, "KEY": ""}})
    intents = bench.intents()
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "changed since" in reversal.reason
    assert (list(azure.variable_groups), bench.intents()) == ([KEY], intents)


def test_taken_back_one_that_was_never_finished_goes(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    azure.spoil_variables = True
    assert bench.attempt(STEP).state is StepState.FAILED
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert azure.variable_groups == {}


def test_taken_back_one_that_is_gone_already_is_forgotten(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    before = bench.intents()
    bench.made(STEP)
    azure.variable_groups.clear()
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.intents() == before


def test_taken_back_one_made_by_hand_before_it_was_read_back_stays(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    azure.fail("create_variable_group", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    azure.create_variable_group("Order Desk", "order-desk", "d", {"THEIRS": "x"})
    assert bench.reversed(STEP).state is ReversalState.KEPT
    assert list(azure.variable_groups) == [KEY]
