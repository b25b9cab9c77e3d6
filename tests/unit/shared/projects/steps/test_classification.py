"""The classification step: areas and iterations once, with a default team that plans with them."""

from __future__ import annotations

import pytest

from shared.domain.forge import Classification, TeamPlanning
from shared.domain.plan import ReversalState, StepState
from shared.errors import RefusedError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.steps import Bench

STEP = "azure_devops.classification"
SPRINTS = ["Sprint 1", "Sprint 2", "Sprint 3"]
ASKED = {"areas": ["Web", "Web/Checkout"], "iterations": ["June", "July"]}


@pytest.fixture
def azure(bench):
    return bench.app.azure


def iterations(azure):
    return [path for path in azure.nodes[Classification.ITERATION] if path]


def areas(azure):
    return [path for path in azure.nodes[Classification.AREA] if path]


def team_iterations(azure):
    names = {identifier: path for path, identifier in azure.nodes[Classification.ITERATION].items()}
    return sorted(names[one] for one in azure.planning.iterations)


def test_where_neither_the_request_nor_the_process_names_iterations_three_sprints_are_made(bench, azure):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason == "0 areas, 3 iterations"
    assert outcome.observed == {"areas": [], "iterations": SPRINTS}
    assert iterations(azure) == team_iterations(azure) == SPRINTS
    assert not azure.planning.sees_every_area


def test_the_process_own_iterations_are_taken_and_none_is_made(bench, azure):
    azure.nodes[Classification.ITERATION] |= {"Iteration 0": "i0", "Iteration 1": "i1", "Iteration 1/Week 1": "i2"}
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert team_iterations(azure) == ["Iteration 0", "Iteration 1"]
    assert azure.changes() == ["add_team_iteration"] * 2


def test_what_the_request_names_is_made_parents_first_and_seen_by_the_team(bench, azure):
    outcome = bench.attempt(STEP, **ASKED)
    assert outcome.observed == ASKED
    assert areas(azure) == ["Web", "Web/Checkout"]
    assert iterations(azure) == ["June", "July"]
    assert azure.planning.sees_every_area


def test_names_in_another_case_are_the_same(bench, azure):
    azure.nodes[Classification.ITERATION] |= {"june": "i1", "JULY": "i2"}
    azure.nodes[Classification.AREA] |= {"web": "a1", "web/checkout": "a2"}
    azure.planning = TeamPlanning(
        backlog_iteration="iterations-root", iterations=frozenset({"i1", "i2"}), sees_every_area=True
    )
    assert bench.attempt(STEP, **ASKED).state is StepState.CONFIRMED
    assert azure.changes() == []


def test_the_second_time_it_is_confirmed_with_one_read(bench, azure):
    assert bench.twice(STEP).state is StepState.CONFIRMED
    azure.calls.clear()
    assert bench.attempt(STEP).reason == "3 iterations"
    assert azure.calls == ["classification"]


def test_what_people_changed_since_stays(bench, azure):
    bench.made(STEP)
    azure.nodes[Classification.ITERATION] = {"": "iterations-root", "March": "m"}
    assert bench.attempt(STEP).state is StepState.CONFIRMED
    assert iterations(azure) == ["March"]


def test_a_team_without_a_backlog_iteration_gets_the_root(bench, azure):
    azure.planning = TeamPlanning(backlog_iteration="00000000-0000-0000-0000-000000000000")
    bench.made(STEP)
    assert azure.planning.backlog_iteration == "iterations-root"


@pytest.mark.parametrize(
    ("planning", "words"),
    [
        (TeamPlanning(), "without a backlog iteration and without its iterations and seeing the project's own area"),
        (TeamPlanning(backlog_iteration="iterations-root", sees_every_area=True), "without its iterations"),
    ],
)
def test_a_team_that_reads_back_otherwise_fails_with_the_remedy(bench, azure, planning, words):
    azure.planning, azure.spoil_planning = planning, True
    outcome = bench.attempt(STEP, **ASKED)
    assert outcome.state is StepState.FAILED
    assert words in outcome.reason
    assert outcome.remedy
    azure.spoil_planning = False
    assert bench.attempt(STEP, **ASKED).state is StepState.APPLIED


@pytest.mark.parametrize("call", ["create_classification_node", "add_team_iteration", "set_sees_every_area"])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.REFUSED])
def test_after_a_fault_there_is_one_of_each(bench, azure, call, fault):
    azure.fail(call, fault)
    with pytest.raises(TransientError if fault is Fault.LOST else RefusedError):
        bench.attempt(STEP, **ASKED)
    assert bench.attempt(STEP, **ASKED).state in {StepState.APPLIED, StepState.CONFIRMED}
    assert areas(azure) == ASKED["areas"]
    assert iterations(azure) == ASKED["iterations"]
    assert team_iterations(azure) == ["July", "June"]
    assert azure.planning.sees_every_area


def test_it_waits_until_the_service_shows_them(bench, azure):
    azure.nodes_unseen = 1
    assert bench.attempt(STEP).state is StepState.WAITING
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert iterations(azure) == SPRINTS


@pytest.fixture
def standing(bench, azure):
    """The project is an earlier run's."""
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    return bench


def test_taken_back_both_trees_and_the_teams_view_are_as_before(standing, azure):
    standing.attempt(STEP, **ASKED)
    assert standing.reversed(STEP, **ASKED).state is ReversalState.REMOVED
    assert areas(azure) == iterations(azure) == []
    assert azure.planning == TeamPlanning(backlog_iteration="iterations-root")
    assert not [one for one in standing.intents() if "areas" in one or "iterations" in one or "view" in one]


def test_an_area_that_people_put_others_below_stays(standing, azure):
    standing.attempt(STEP, **ASKED)
    azure.nodes[Classification.AREA]["Web/Checkout/Cards"] = "cards"
    standing.reversed(STEP, **ASKED)
    assert areas(azure) == ["Web", "Web/Checkout", "Web/Checkout/Cards"]
    assert iterations(azure) == []


def test_what_was_there_before_stays(standing, azure):
    azure.nodes[Classification.AREA]["Web"] = "web"
    standing.attempt(STEP, **ASKED)
    standing.reversed(STEP, **ASKED)
    assert areas(azure) == ["Web"]


def test_the_plan_names_every_parent_once_and_the_backlog_goes_into_the_first(bench):
    asked = a_request(areas=["Web/Checkout", "web", "Mobile"], iterations=["2026/June"])
    plan, _ = plan_for(bench.app.ports, asked, bench.app.connect_to(a_connection()), 2026)
    assert plan.step(STEP).inputs["areas"] == ["Web", "Web/Checkout", "Mobile"]
    assert plan.step(STEP).inputs["iterations"] == ["2026", "2026/June"]
    drawn = Bench(bench.app, plan)
    drawn.made("azure_devops.project", STEP, "azure_devops.backlog")
    items = bench.app.azure.items["order desk"]
    assert {(item.area, item.iteration) for item in items} == {("Web/Checkout", "2026/June")}


def test_without_a_request_the_backlog_goes_into_the_first_iteration_there_is(bench, azure):
    azure.nodes[Classification.ITERATION] |= {"Iteration 0": "i0", "Iteration 1": "i1"}
    bench.made(STEP, "azure_devops.backlog")
    assert {(item.area, item.iteration) for item in azure.items["order desk"]} == {("", "Iteration 0")}


def test_work_items_read_back_elsewhere_fail(bench, azure):
    bench.made(STEP)
    azure.items_as_read = lambda items: [item.model_copy(update={"iteration": "Elsewhere"}) for item in items]
    outcome = bench.attempt("azure_devops.backlog")
    assert outcome.state is StepState.FAILED
    assert "is in the iteration 'Elsewhere', planned 'Sprint 1'" in outcome.reason


def test_what_a_try_that_broke_off_made_is_not_taken_for_the_process_own(bench, azure):
    for made in (1, 2, 3):
        azure.fail("create_classification_node", Fault.LOST)
        with pytest.raises(TransientError):
            bench.attempt(STEP)
        assert iterations(azure) == SPRINTS[:made]
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert team_iterations(azure) == SPRINTS
