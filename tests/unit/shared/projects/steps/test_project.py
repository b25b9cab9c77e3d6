"""The project step: queues the creation once, waits for the service, and adopts nobody else's project."""

from __future__ import annotations

import pytest

from shared.domain.forge import Operation, OperationState
from shared.domain.plan import StepState
from shared.errors import DefectError, RefusedError, TransientError
from shared.projects.steps.project import POLL_SECONDS
from tests.fakes.forges import Fault

STEP = "azure_devops.project"


def test_it_is_queued_awaited_and_read_back(bench):
    bench.app.azure.reads_until_ready = 2
    seen = [bench.attempt(STEP) for _ in range(4)]
    assert [outcome.state for outcome in seen] == [*[StepState.WAITING] * 3, StepState.APPLIED]
    assert {outcome.wait_seconds for outcome in seen[:3]} == {POLL_SECONDS}
    assert seen[-1].observed == {"id": "p1", "process": "agile", "private": True}
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
