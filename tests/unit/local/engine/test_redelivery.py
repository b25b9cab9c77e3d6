"""Work in a worker's hands is completed under its own token or given out again, and nobody starves."""

from __future__ import annotations

import threading
import time

import durabletask.internal.orchestrator_service_pb2 as pb
import durabletask.internal.orchestrator_service_pb2_grpc as stubs
import grpc
import pytest
from durabletask.client import OrchestrationStatus
from durabletask.entities import DurableEntity, EntityInstanceId

from local.engine.backend import Backend
from local.engine.ready import ReadyQueue
from local.engine.records import WorkKind
from local.engine.refusals import Call

CALL = Call()


def calls_one(ctx, value):
    return (yield ctx.call_activity("one", input=value))


class Counter(DurableEntity):
    def add(self, amount):
        total = self.get_state(int, 0) + amount
        self.set_state(total)
        return total


class RawWorker:
    """A worker that takes work and never does it."""

    def __init__(self, address, **request):
        self.channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self.stub = stubs.TaskHubSidecarServiceStub(self.channel)
        self.stream = self.stub.GetWorkItems(pb.GetWorkItemsRequest(**request))

    def take(self):
        return next(self.stream)

    def vanish(self):
        self.channel.close()


def test_orchestration_taken_by_a_vanished_worker_goes_to_another(bench):
    bench.engine()
    client = bench.client()
    instance = client.schedule_new_orchestration(calls_one, input="x")
    lost = RawWorker(bench.address)
    item = lost.take()
    assert item.orchestratorRequest.instanceId == instance
    lost.vanish()
    bench.worker(orchestrators=(calls_one,), activities=(_activity("one"),))
    assert client.wait_for_orchestration_completion(instance, timeout=10).get_output() == "x"


def _activity(name):
    def activity(ctx, value):
        return value

    activity.__name__ = name
    return activity


def test_activity_taken_by_a_vanished_worker_goes_to_another_and_a_stale_result_is_ignored(bench, eventually):
    engine = bench.engine()
    client = bench.client()
    filters = pb.WorkItemFilters(activities=[pb.ActivityFilter(name="one")])
    lost = RawWorker(bench.address, workItemFilters=filters)
    instance = client.schedule_new_orchestration(calls_one, input="x")
    first = bench.worker(orchestrators=(calls_one,), filtered=True)
    item = lost.take()
    assert item.activityRequest.name == "one"
    first.stop()
    lost.vanish()
    eventually(lambda: len(engine.backend._ready_activities) == 1)
    engine.backend.CompleteActivityTask(
        pb.ActivityResponse(instanceId=instance, taskId=1, completionToken=item.completionToken), CALL
    )
    assert client.get_orchestration_state(instance).runtime_status is OrchestrationStatus.RUNNING
    assert len(engine.backend.unfinished_activities()) == 1
    bench.worker(orchestrators=(calls_one,), activities=(_activity("one"),))
    assert client.wait_for_orchestration_completion(instance, timeout=10).get_output() == "x"


def test_entity_batch_taken_by_a_vanished_worker_goes_to_another(bench):
    bench.engine()
    client = bench.client()
    entity = EntityInstanceId("Counter", "c")
    client.signal_entity(entity, "add", input=3)
    lost = RawWorker(bench.address)
    assert len(lost.take().entityRequestV2.operationRequests) == 1
    client.signal_entity(entity, "add", input=4)
    lost.vanish()

    def reads(ctx, _):
        return (yield ctx.call_entity(entity, "add", 0))

    bench.worker(orchestrators=(reads,), entities=(Counter,))
    state = client.wait_for_orchestration_completion(client.schedule_new_orchestration(reads), timeout=10)
    assert state.get_output() == 7


@pytest.fixture
def backend():
    return Backend()


def _stream(backend, **request):
    return backend.open_stream(pb.GetWorkItemsRequest(**request), lambda: None)


def _take(backend, stream):
    item = backend.next_work_item(stream)
    return pb.WorkItem.FromString(item) if isinstance(item, bytes) else item


def _start(backend, instance_id="i", name="o"):
    backend.StartInstance(pb.CreateInstanceRequest(instanceId=instance_id, name=name), CALL)


def _schedule(backend, item, *names):
    actions = [
        pb.OrchestratorAction(id=number, scheduleTask=pb.ScheduleTaskAction(name=name))
        for number, name in enumerate(names, 1)
    ]
    backend.CompleteOrchestratorTask(
        pb.OrchestratorResponse(
            instanceId=item.orchestratorRequest.instanceId, completionToken=item.completionToken, actions=actions
        ),
        CALL,
    )


def test_stale_orchestration_completion_does_not_free_the_new_holder(backend):
    _start(backend)
    first, second = _stream(backend), _stream(backend)
    lost = _take(backend, first)
    assert backend.close_stream(first) == 1
    again = _take(backend, second)
    assert again.completionToken != lost.completionToken
    assert [e.WhichOneof("eventType") for e in again.orchestratorRequest.newEvents] == [
        "orchestratorStarted",
        "executionStarted",
    ]
    _schedule(backend, lost, "stale")
    assert backend.unfinished_activities() == []
    assert _take(backend, second) is None  # still in the second worker's hands
    _schedule(backend, again, "real")
    assert [one.name for one in backend.unfinished_activities()] == ["real"]


def test_a_turn_given_out_again_has_one_clock_tick(backend):
    _start(backend)
    stream = _stream(backend)
    _schedule(backend, _take(backend, stream))
    backend.RaiseEvent(pb.RaiseEventRequest(instanceId="i", name="e"), CALL)
    _take(backend, stream)
    backend.close_stream(stream)
    again = _take(backend, _stream(backend))
    assert [e.WhichOneof("eventType") for e in again.orchestratorRequest.newEvents] == [
        "orchestratorStarted",
        "eventRaised",
    ]


@pytest.mark.parametrize("kind", list(WorkKind))
def test_abandoned_work_is_given_out_again(backend, kind):
    _start(backend)
    backend.SignalEntity(pb.SignalEntityRequest(instanceId="@e@k", name="add"), CALL)
    stream = _stream(backend)
    turn = _take(backend, stream)
    abandon = {
        WorkKind.ORCHESTRATION: (backend.AbandonTaskOrchestratorWorkItem, pb.AbandonOrchestrationTaskRequest),
        WorkKind.ACTIVITY: (backend.AbandonTaskActivityWorkItem, pb.AbandonActivityTaskRequest),
        WorkKind.ENTITY: (backend.AbandonTaskEntityWorkItem, pb.AbandonEntityTaskRequest),
    }
    method, request = abandon[kind]
    if kind is WorkKind.ACTIVITY:
        _schedule(backend, turn, "a")
    item = turn if kind is WorkKind.ORCHESTRATION else _take(backend, stream)
    method(request(completionToken=item.completionToken), CALL)
    method(request(completionToken=item.completionToken), CALL)  # a second time does nothing
    again = _take(backend, stream)
    assert again.WhichOneof("request") == item.WhichOneof("request")
    assert again.completionToken != item.completionToken


def test_a_worker_gets_no_more_than_it_asks_for(backend):
    woken = []
    stream = backend.open_stream(pb.GetWorkItemsRequest(maxConcurrentActivityWorkItems=2), lambda: woken.append(1))
    _start(backend)
    _schedule(backend, _take(backend, stream), "a", "b", "c")
    held = [_take(backend, stream), _take(backend, stream)]
    assert _take(backend, stream) is None
    woken.clear()
    backend.CompleteActivityTask(pb.ActivityResponse(instanceId="i", completionToken=held[0].completionToken), CALL)
    assert woken
    third = _take(backend, stream)
    assert third.activityRequest.name == "c"


def test_filters_choose_by_name_and_version(backend):
    for number, version in enumerate(("", "1", "2")):
        request = pb.CreateInstanceRequest(instanceId=f"v{number}", name="o")
        if version:
            request.version.value = version
        backend.StartInstance(request, CALL)
    wants = pb.WorkItemFilters(orchestrations=[pb.OrchestrationFilter(name="o", versions=["2"])])
    picky = _stream(backend, workItemFilters=wants)
    assert _take(backend, picky).orchestratorRequest.instanceId == "v2"
    assert _take(backend, picky) is None
    everything = _stream(backend)
    assert {_take(backend, everything).orchestratorRequest.instanceId for _ in range(2)} == {"v0", "v1"}


def test_ready_queue_gives_names_turns_and_keeps_order():
    queue = ReadyQueue()
    for item in ("a1", "a2", "a3", "b1"):
        assert queue.push((item[0], None), item)
    assert not queue.push(("a", None), "a1")
    assert queue.push(("a", None), "a0", first=True)
    taken = [queue.pop(lambda _name, _version: True) for _ in range(6)]
    assert taken == ["a0", "b1", "a1", "a2", "a3", None]
    queue.push(("a", "1"), "x")
    assert queue.pop(lambda _name, version: version == "2") is None
    queue.clear()
    assert len(queue) == 0


def test_fifty_waiting_clients_do_not_starve_a_start(bench):
    def waits(ctx, _):
        return (yield ctx.wait_for_external_event("go"))

    bench.engine()
    bench.worker(orchestrators=(waits,))
    client = bench.client()
    client.schedule_new_orchestration(waits, instance_id="w")
    results = []
    waiters = [
        threading.Thread(
            target=lambda: results.append(client.wait_for_orchestration_completion("w", timeout=20).get_output())
        )
        for _ in range(50)
    ]
    for waiter in waiters:
        waiter.start()
    time.sleep(0.2)
    client.schedule_new_orchestration(waits, instance_id="other")
    assert client.wait_for_orchestration_start("other", timeout=5).instance_id == "other"
    client.raise_orchestration_event("w", "go", data="done")
    for waiter in waiters:
        waiter.join(10)
    assert results == ["done"] * 50


def test_a_wait_ends_at_its_deadline_and_leaves_nothing_behind(bench, eventually):
    engine = bench.engine()
    client = bench.client()
    client.schedule_new_orchestration("nobody_runs_this", instance_id="w")
    with pytest.raises(TimeoutError):
        client.wait_for_orchestration_completion("w", timeout=0.2)
    eventually(lambda: not engine.backend._waiters)


def test_a_wait_ends_when_its_instance_is_purged_or_the_engine_stops(bench, eventually):
    engine = bench.engine()
    client = bench.client()
    client.schedule_new_orchestration("nobody_runs_this", instance_id="w")
    outcome = []

    def wait():
        try:
            client.wait_for_orchestration_completion("w", timeout=20)
        except grpc.RpcError as error:
            outcome.append(error.code())

    waiter = threading.Thread(target=wait)
    waiter.start()
    eventually(lambda: engine.backend._waiters)
    engine.stop()
    waiter.join(10)
    assert outcome == [grpc.StatusCode.UNAVAILABLE]
