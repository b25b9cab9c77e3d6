"""The inherited process: made once with its states and fields, used by the project, and gone only with its last use."""

from __future__ import annotations

import pytest

from shared.domain.forge import OperationState
from shared.domain.plan import ReversalState, StepState
from shared.domain.process import InheritedProcess
from shared.errors import DefectError, RefusedError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.steps import Bench

STEP = "azure_devops.inherited_process"
NAME = "Doneright Agile"
ADDITIONS = {
    "process": "agile",
    "types": [
        {
            "type": "User Story",
            "states": [{"name": "In review", "category": "InProgress"}, {"name": "Told", "category": "Resolved"}],
            "fields": [{"name": "Release note"}],
        },
        {"type": "Epic", "fields": [{"name": "Budget", "type": "double"}]},
    ],
}


def connected(*additions):
    azure = {
        "organization_url": "https://dev.azure.example/acme",
        "credential": {"kind": "pat", "token_secret": "ado"},
        "process_additions": additions,
    }
    return a_connection(azure_devops=azure)


@pytest.fixture
def bench():
    app = App()
    plan, scaffolds = plan_for(app.ports, a_request(), app.connect_to(connected(ADDITIONS)), 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, "application/zip")
    return Bench(app, plan)


@pytest.fixture
def azure(bench):
    return bench.app.azure


def types(azure):
    return {name: (set(one.states), set(one.fields)) for (_, name), one in azure.process_types.items()}


WANTED = {
    "user story": ({"new", "in review", "told"}, {"title", "release note"}),
    "epic": ({"new"}, {"title", "budget"}),
    "issue": ({"new"}, {"title"}),
}


def test_it_is_made_with_its_states_and_fields_and_read_back(bench, azure):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason == "2 states and 2 fields beside those of agile"
    assert azure.processes["doneright agile"].parent == "agile"
    assert types(azure) == WANTED


def test_the_project_is_made_with_it(bench, azure):
    assert bench.plan.step("azure_devops.project").depends_on == (STEP,)
    assert bench.plan.step("azure_devops.project").title == "Project Order Desk (Doneright Agile)"
    bench.made(STEP, "azure_devops.project")
    assert azure.projects["order desk"].process == NAME


def test_the_second_time_it_is_confirmed(bench):
    assert bench.twice(STEP).state is StepState.CONFIRMED


def test_without_additions_for_its_process_a_project_has_no_such_step():
    app = App()
    for connection, process in ((a_connection(), "agile"), (connected(ADDITIONS), "scrum")):
        plan, _ = plan_for(app.ports, a_request(process=process), connection, 2026)
        assert STEP not in {step.id for step in plan.steps}
        assert plan.step("azure_devops.project").inputs["process"] == process


def test_one_that_is_there_gets_what_it_lacks(bench, azure):
    azure.create_process(NAME, "agile", "theirs")
    azure.process_types["process-1", "epic"].fields["budget"] = "double"
    azure.process_types["process-1", "user story"].states["told"] = "Resolved"
    azure.calls.clear()
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert types(azure) == WANTED
    assert azure.changes() == ["add_process_state", "add_process_field"]


def test_one_of_another_parent_is_not_touched(bench, azure):
    azure.processes[NAME.lower()] = InheritedProcess(id="p", name=NAME, parent="scrum")
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert outcome.reason == "the process Doneright Agile is derived from scrum, planned agile"
    assert azure.changes() == []


def test_a_state_that_counts_elsewhere_fails_with_the_remedy(bench, azure):
    azure.create_process(NAME, "agile", "theirs")
    azure.process_types["process-1", "user story"].states["told"] = "Proposed"
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert outcome.reason == "User Story of process Doneright Agile was read back without the state Told as planned"
    assert outcome.remedy


def test_what_does_not_hold_fails_with_the_remedy(bench, azure):
    azure.spoil_processes = True
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "without the state In review, Told as planned and without the field Release note" in outcome.reason


def test_a_type_that_is_not_there_fails_with_the_remedy(bench, azure):
    azure.create_process(NAME, "agile", "theirs")
    del azure.process_types["process-1", "epic"]
    assert bench.attempt(STEP).reason == "process Doneright Agile has no work item type Epic"


@pytest.mark.parametrize("call", ["create_process", "add_process_state", "add_process_field"])
@pytest.mark.parametrize("fault", [Fault.LOST, Fault.REFUSED, Fault.TRANSIENT])
def test_after_a_fault_there_is_one_of_each(bench, azure, call, fault):
    azure.fail(call, fault)
    with pytest.raises(RefusedError if fault is Fault.REFUSED else TransientError):
        bench.attempt(STEP)
    assert bench.attempt(STEP).state in {StepState.APPLIED, StepState.CONFIRMED}
    assert list(azure.processes) == ["doneright agile"]
    assert types(azure) == WANTED
    assert bench.reversed(STEP).state is ReversalState.REMOVED


def test_it_waits_until_the_service_shows_it(bench, azure):
    azure.processes_unseen = 1
    assert bench.attempt(STEP).state is StepState.WAITING
    assert bench.attempt(STEP).state is StepState.APPLIED


def test_additions_that_describe_no_process_are_a_defect_of_the_plan(bench):
    with pytest.raises(DefectError, match="describes no process"):
        bench.attempt(STEP, additions={"process": "kanban"})


def test_taken_back_it_is_gone_and_forgotten_and_can_be_made_again(bench, azure):
    bench.made(STEP)
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert azure.processes == {}
    assert bench.intents() == []
    assert bench.reversed(STEP).state is ReversalState.KEPT
    assert bench.attempt(STEP).state is StepState.APPLIED


def test_taken_back_after_its_project_it_goes_too(bench, azure):
    bench.made(STEP, "azure_devops.project")
    bench.reversed("azure_devops.project")
    assert STEP not in azure.processes
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.intents() == []


def test_one_that_another_project_uses_by_now_stays(bench, azure):
    bench.made(STEP)
    azure.put_project("Someone Else", process=NAME)
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert reversal.reason == "Someone Else use the process Doneright Agile"
    assert azure.processes


def test_one_that_the_service_keeps_for_a_deleted_project_stays(bench, azure):
    bench.made(STEP)
    azure.fail("delete_process", Fault.REFUSED)
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "Azure DevOps keeps the process" in reversal.reason


@pytest.mark.parametrize("whose", ["before", "earlier"])
def test_one_that_this_run_did_not_make_stays(bench, azure, whose):
    if whose == "before":
        azure.create_process(NAME, "agile", "theirs")
    bench.made(STEP)
    bench.of_an_earlier_run()
    assert bench.reversed(STEP).state is ReversalState.KEPT
    assert azure.processes


def test_a_removal_whose_answer_was_lost_counts(bench, azure):
    bench.made(STEP)
    azure.fail("delete_process", Fault.LOST)
    with pytest.raises(TransientError):
        bench.reverse(STEP)
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.intents() == []


def test_a_project_that_could_not_be_made_is_forgotten_before_its_process(bench, azure):
    bench.made(STEP)
    azure.creation = OperationState.FAILED
    assert bench.attempt("azure_devops.project").state is StepState.FAILED
    assert bench.reversed(STEP).state is ReversalState.REMOVED
