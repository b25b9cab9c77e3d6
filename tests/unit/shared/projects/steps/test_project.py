"""The project step: queues the creation once, waits for the service, and adopts nobody else's project."""

from __future__ import annotations

import pytest

from shared.domain.forge import Operation, OperationState
from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, RefusedError, TransientError
from shared.projects.steps.project import FIRST_POLLS, POLL_SECONDS
from tests.fakes.forges import Fault

STEP = "azure_devops.project"


def test_it_is_queued_awaited_and_read_back(bench):
    bench.app.azure.reads_until_ready = 2
    seen = [bench.attempt(STEP) for _ in range(4)]
    assert [outcome.state for outcome in seen] == [*[StepState.WAITING] * 3, StepState.APPLIED]
    assert seen[-1].observed == {"id": "p1", "process": "agile", "private": True}
    assert bench.app.azure.changes() == ["create_project"]


def test_what_may_be_there_at_once_is_looked_for_soon_and_what_is_not_ever_less_often(bench):
    bench.app.azure.reads_until_ready = 9
    memory, waits = {}, []
    while (outcome := bench.attempt(STEP, memory=memory)).state is StepState.WAITING:
        memory = outcome.observed
        waits.append(outcome.wait_seconds)
    assert waits[: len(FIRST_POLLS)] == list(FIRST_POLLS) == sorted(FIRST_POLLS)
    assert set(waits[len(FIRST_POLLS) :]) == {POLL_SECONDS}
    assert bench.app.azure.changes() == ["create_project"]


def test_the_second_time_it_is_confirmed(bench):
    assert bench.twice(STEP).state is StepState.CONFIRMED


def test_somebody_elses_is_refused_and_untouched(bench):
    bench.app.azure.put_project("order desk")
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "was not made by this request" in outcome.reason
    assert bench.app.azure.changes() == []


def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench):
    bench.app.azure.fail("create_project", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    bench.made(STEP)
    assert list(bench.app.azure.projects) == ["order desk"]


@pytest.mark.parametrize("state", [OperationState.FAILED, OperationState.CANCELLED])
def test_a_creation_the_service_gives_up_fails(bench, state):
    bench.app.azure.creation = state
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert outcome.remedy


def test_another_process_than_planned_fails_with_the_remedy(bench):
    bench.app.azure.process_as_made = "scrum"
    while (outcome := bench.attempt(STEP)).state is StepState.WAITING:
        assert outcome.wait_seconds
    assert outcome.state is StepState.FAILED
    assert "process is 'scrum', planned 'agile'" in outcome.reason
    assert outcome.remedy


def test_without_azure_devops_it_is_a_defect_of_the_plan(bench):
    with pytest.raises(DefectError, match="needs Azure DevOps"):
        bench.attempt(STEP, tracker=False)
    with pytest.raises(DefectError, match="'name' is 7, not text"):
        bench.attempt(STEP, name=7)


def test_the_operation_is_polled_and_its_failure_told(bench):
    first = bench.attempt(STEP)
    operation = first.observed["operation"]
    assert bench.attempt(STEP, memory=first.observed).state is StepState.WAITING
    bench.app.azure.projects.clear()
    bench.app.azure.operations[operation] = Operation(
        id=operation, state=OperationState.FAILED, detail="TF200: no room for it"
    )
    outcome = bench.attempt(STEP, memory=first.observed)
    assert outcome.state is StepState.FAILED
    assert "no room for it" in outcome.reason
    assert bench.app.azure.changes() == ["create_project"], "a failed creation is not queued again"


def test_what_appears_after_a_refused_creation_is_not_ours(bench):
    bench.app.azure.fail("create_project", Fault.REFUSED)
    with pytest.raises(RefusedError):
        bench.attempt(STEP)
    bench.app.azure.put_project("Order Desk")
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "was not made by this request" in outcome.reason
    bench.app.azure.projects.clear()
    bench.made(STEP)


def test_taken_back_it_is_deleted_awaited_and_forgotten(bench):
    azure = bench.app.azure
    azure.polls_until_deleted = 2
    bench.made(STEP)
    bench.made("azure_devops.repository", "azure_devops.backlog", "azure_devops.wiki", "azure_devops.variable_group")
    seen = [bench.reverse(STEP)]
    while seen[-1].state is ReversalState.WAITING:
        assert bench.intents(), "not forgotten before it was seen to be gone"
        seen.append(bench.reverse(STEP, memory=seen[-1].observed))
    assert [reversal.state for reversal in seen] == [*[ReversalState.WAITING] * 3, ReversalState.REMOVED]
    assert {reversal.wait_seconds for reversal in seen[:-1]} == {POLL_SECONDS}
    assert (azure.projects, azure.names(), bench.intents()) == ({}, [], [])
    assert azure.calls.count("delete_project") == 1
    assert bench.reversed(STEP).state is ReversalState.KEPT
    azure.reads_until_ready = 1
    bench.made(STEP)
    assert bench.attempt("azure_devops.backlog").state is StepState.APPLIED, "its marks went with the project"


def test_a_deletion_the_service_gives_up_is_told_with_the_remedy(bench):
    bench.made(STEP)
    bench.app.azure.deletion = OperationState.FAILED
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.FAILED
    assert "could not delete" in reversal.reason
    assert reversal.remedy
    bench.app.azure.deletion = OperationState.SUCCEEDED
    assert bench.reversed(STEP).state is ReversalState.REMOVED


def test_a_deletion_whose_answer_was_lost_counts(bench):
    bench.made(STEP)
    bench.app.azure.fail("delete_project", Fault.LOST)
    with pytest.raises(TransientError):
        bench.reverse(STEP)
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.intents() == []


def test_one_that_is_still_being_made_is_awaited_before_it_is_deleted(bench):
    bench.app.azure.reads_until_ready = 3
    bench.attempt(STEP)
    assert bench.reverse(STEP).state is ReversalState.WAITING
    assert bench.app.azure.changes() == ["create_project"]
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.app.azure.projects == {}


def test_one_that_never_gets_ready_is_deleted_all_the_same(bench):
    bench.app.azure.reads_until_ready = 1000
    bench.attempt(STEP)
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.app.azure.projects == {}


def test_a_creation_without_effect_is_looked_for_and_forgotten(bench):
    bench.app.azure.fail("create_project", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    first = bench.reverse(STEP)
    assert first.state is ReversalState.WAITING
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert bench.intents() == []
    assert bench.app.azure.changes() == ["create_project"]


def test_one_that_shows_late_is_deleted(bench):
    bench.app.azure.fail("create_project", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    first = bench.reverse(STEP)
    bench.app.azure.put_project("Order Desk")
    second = bench.reverse(STEP, memory=first.observed)
    assert second.observed["deletion"]
    assert bench.reverse(STEP, memory=second.observed).state is ReversalState.WAITING
    assert bench.app.azure.projects == {}


@pytest.mark.parametrize("whose", ["an earlier run's", "somebody else's"])
def test_taken_back_another_ones_stays(bench, whose):
    if whose == "somebody else's":
        bench.app.azure.put_project("Order Desk")
        bench.attempt(STEP)
    else:
        bench.made(STEP)
        bench.of_an_earlier_run()
        bench.made(STEP)
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert list(bench.app.azure.projects) == ["order desk"]


def test_taken_back_the_one_that_has_its_name_now_stays(bench):
    bench.made(STEP)
    azure = bench.app.azure
    azure.projects["order desk"] = azure.projects["order desk"].model_copy(update={"id": "p9"})
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "another one is called Order Desk now" in reversal.reason
    assert "delete_project" not in azure.calls
    assert bench.intents() == [], "what has the name now is not ours"


@pytest.mark.parametrize("whose", ["description", "commits"])
def test_one_made_by_hand_while_the_run_waited_stays(bench, whose):
    azure = bench.app.azure
    azure.fail("create_project", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    azure.put_project("Order Desk", description="By hand" if whose == "description" else "")
    if whose == "commits":
        ref = bench.ref("azure_devops.repository")
        azure.commit_files(ref, "main", {"a": b"theirs"}, message="Begin")
    reversal = bench.reversed(STEP)
    assert reversal.state is ReversalState.KEPT
    assert "somebody else's" in reversal.reason
    assert whose[:-1] in reversal.reason
    assert list(azure.projects) == ["order desk"]
    assert bench.intents() == []
    assert bench.attempt(STEP).state is StepState.FAILED, "it is nobody's of ours from now on"
