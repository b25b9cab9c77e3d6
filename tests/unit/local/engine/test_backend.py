"""The protocol's rarer calls, on the state machine alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
import pytest

from local.engine.backend import Backend
from local.engine.refusals import Call, RefusalError

CALL = Call()
TERMINATED = pb.ORCHESTRATION_STATUS_TERMINATED


class Hand:
    """Takes turns from a backend and answers them."""

    def __init__(self, backend):
        self.backend = backend
        self.stream = backend.open_stream(pb.GetWorkItemsRequest(), lambda: None)

    def start(self, instance_id, **request):
        return self.backend.StartInstance(pb.CreateInstanceRequest(instanceId=instance_id, name="o", **request), CALL)

    def take(self):
        item = self.backend.next_work_item(self.stream)
        return pb.WorkItem.FromString(item) if isinstance(item, bytes) else item

    def answer(self, item, *actions):
        self.backend.CompleteOrchestratorTask(
            pb.OrchestratorResponse(
                instanceId=item.orchestratorRequest.instanceId, completionToken=item.completionToken, actions=actions
            ),
            CALL,
        )

    def status(self, instance_id):
        found = self.backend.GetInstance(pb.GetInstanceRequest(instanceId=instance_id), CALL)
        return found.orchestrationState.orchestrationStatus if found.exists else None

    def terminate(self, instance_id, *, recursive=False):
        self.backend.TerminateInstance(pb.TerminateRequest(instanceId=instance_id, recursive=recursive), CALL)


@pytest.fixture
def hand():
    return Hand(Backend())


def _child(number, instance_id):
    return pb.OrchestratorAction(
        id=number, createSubOrchestration=pb.CreateSubOrchestrationAction(name="c", instanceId=instance_id)
    )


def _ends(status, **fields):
    return pb.OrchestratorAction(
        id=99, completeOrchestration=pb.CompleteOrchestrationAction(orchestrationStatus=status, **fields)
    )


def _kinds(events):
    return [event.WhichOneof("eventType") for event in events]


def test_recursive_termination_reaches_a_child_born_in_the_same_turn(hand):
    hand.start("p")
    turn = hand.take()
    hand.terminate("p", recursive=True)
    hand.answer(turn, _child(1, "kid"))
    assert hand.status("kid") == TERMINATED


def test_a_child_whose_id_is_in_use_fails_its_task(hand):
    hand.start("busy")
    busy = hand.take()
    hand.start("p")
    hand.answer(hand.take(), _child(1, "busy"))
    again = hand.take().orchestratorRequest
    (failed,) = [e for e in again.newEvents if e.HasField("subOrchestrationInstanceFailed")]
    assert "already exists" in failed.subOrchestrationInstanceFailed.failureDetails.errorMessage
    assert busy is not None


def test_a_terminated_child_tells_its_parent(hand):
    hand.start("p")
    hand.answer(hand.take(), _child(7, "kid"))
    hand.terminate("kid")
    events = hand.take().orchestratorRequest.newEvents
    failed = events[-1].subOrchestrationInstanceFailed
    assert failed.taskScheduledId == 7
    assert "terminated" in failed.failureDetails.errorMessage


def test_a_child_of_an_old_generation_tells_nobody(hand):
    hand.start("p")
    hand.answer(hand.take(), _child(1, "kid"), _ends(pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW))
    first, second = hand.take(), hand.take()
    by_id = {one.orchestratorRequest.instanceId: one for one in (first, second)}
    hand.answer(by_id["kid"], _ends(pb.ORCHESTRATION_STATUS_COMPLETED))
    hand.answer(by_id["p"])
    assert hand.take() is None


def test_events_that_arrive_during_the_last_turn_of_a_generation_reach_the_next(hand):
    hand.start("p")
    turn = hand.take()
    hand.backend.RaiseEvent(pb.RaiseEventRequest(instanceId="p", name="e"), CALL)
    hand.answer(turn, _ends(pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW))
    events = hand.take().orchestratorRequest
    assert _kinds(events.newEvents) == ["orchestratorStarted", "executionStarted", "eventRaised"]
    assert list(events.pastEvents) == []


def test_an_orchestration_terminates_another(hand):
    hand.start("target")
    target = hand.take()
    hand.answer(target)
    hand.start("p")
    action = pb.OrchestratorAction(
        id=1, terminateOrchestration=pb.TerminateOrchestrationAction(instanceId="target", recurse=True)
    )
    hand.answer(hand.take(), action)
    assert _kinds(hand.take().orchestratorRequest.newEvents)[-1] == "executionTerminated"


def test_an_active_instance_is_replaced_only_when_its_policy_says_so(hand):
    hand.start("i")
    old = hand.take()
    with pytest.raises(RefusalError) as refused:
        hand.start("i")
    assert refused.value.code is grpc.StatusCode.ALREADY_EXISTS
    allowed = pb.OrchestrationIdReusePolicy(replaceableStatus=[pb.ORCHESTRATION_STATUS_PENDING])
    hand.start("i", orchestrationIdReusePolicy=allowed)
    new = hand.take()
    hand.answer(old, _ends(pb.ORCHESTRATION_STATUS_COMPLETED))  # the old one's result is nobody's
    assert hand.status("i") == pb.ORCHESTRATION_STATUS_PENDING
    hand.answer(new, _ends(pb.ORCHESTRATION_STATUS_COMPLETED))
    assert hand.status("i") == pb.ORCHESTRATION_STATUS_COMPLETED


def test_purge_by_filter_and_by_batch_takes_only_what_has_ended(hand):
    for name in "abc":
        hand.start(name)
    for name in "ab":
        hand.terminate(name)
    later = datetime.now(UTC) + timedelta(hours=1)
    nothing = pb.PurgeInstanceFilter()
    nothing.createdTimeFrom.FromDatetime(later)
    purge = hand.backend.PurgeInstances
    assert purge(pb.PurgeInstancesRequest(purgeInstanceFilter=nothing), CALL).deletedInstanceCount == 0
    batch = pb.InstanceBatch(instanceIds=["a", "c", "nobody"])
    assert purge(pb.PurgeInstancesRequest(instanceBatch=batch), CALL).deletedInstanceCount == 1
    ended = pb.PurgeInstanceFilter(runtimeStatus=[TERMINATED])
    ended.createdTimeTo.FromDatetime(later)
    assert purge(pb.PurgeInstancesRequest(purgeInstanceFilter=ended), CALL).deletedInstanceCount == 1
    assert [hand.status(name) for name in "abc"] == [None, None, pb.ORCHESTRATION_STATUS_PENDING]


def test_purging_drops_activities_and_dismisses_waiters(hand):
    hand.start("i")
    task = pb.OrchestratorAction(id=1, scheduleTask=pb.ScheduleTaskAction(name="a"))
    hand.answer(hand.take(), task, _ends(pb.ORCHESTRATION_STATUS_COMPLETED))
    answers = []
    hand.backend.watch("i", lambda _one: False, answers.append, with_payloads=False)
    hand.backend.PurgeInstances(pb.PurgeInstancesRequest(instanceId="i"), CALL)
    assert answers == [None]
    assert hand.take() is None
    assert hand.backend.unfinished_activities() == []


def test_an_action_that_cannot_be_applied_fails_the_instance(hand, monkeypatch):
    def breaks(*_arguments):
        raise RuntimeError("cannot")

    monkeypatch.setattr(hand.backend, "_process_schedule_task_action", breaks)
    hand.start("i")
    hand.answer(hand.take(), pb.OrchestratorAction(id=1, scheduleTask=pb.ScheduleTaskAction(name="a")))
    assert hand.status("i") == pb.ORCHESTRATION_STATUS_FAILED


def test_restart_of_an_active_instance_is_refused(hand):
    hand.start("i")
    with pytest.raises(RefusalError) as refused:
        hand.backend.RestartInstance(pb.RestartInstanceRequest(instanceId="i"), CALL)
    assert refused.value.code is grpc.StatusCode.FAILED_PRECONDITION


def test_an_ended_instance_takes_no_more_events(hand):
    hand.start("i")
    hand.terminate("i")
    hand.terminate("i")
    hand.backend.RaiseEvent(pb.RaiseEventRequest(instanceId="i", name="e"), CALL)
    hand.backend.SuspendInstance(pb.SuspendRequest(instanceId="i"), CALL)
    hand.terminate("nobody")
    assert hand.take() is None
    assert hand.backend.instances()[0].pending_events == []
