"""Entity locks keep others out, are granted in order, and never outlive their holder."""

from __future__ import annotations

import threading

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask import task
from durabletask.entities import DurableEntity, EntityInstanceId

from local.engine.backend import Backend
from local.engine.refusals import Call

CALL = Call()


class Account(DurableEntity):
    def read(self, _=None):
        return self.get_state(int, 0)

    def write(self, value):
        self.set_state(value)
        return value


def _transfers(keys):
    """An orchestration that adds 1 to each account by reading and then writing: wrong unless it is alone."""

    def adds(ctx, _):
        ids = [EntityInstanceId("Account", key) for key in keys]
        with (yield ctx.lock_entities(ids)):
            for one in ids:
                value = yield ctx.call_entity(one, "read")
                yield ctx.create_timer(ctx.current_utc_datetime)
                yield ctx.call_entity(one, "write", value + 1)

    adds.__name__ = "adds_" + "_".join(keys)
    return adds


def test_critical_sections_exclude_each_other_and_do_not_deadlock(bench):
    forward, backward = _transfers(["a", "b"]), _transfers(["b", "a"])

    def total(ctx, _):
        return (yield task.when_all([ctx.call_entity(EntityInstanceId("Account", key), "read") for key in "ab"]))

    bench.engine()
    bench.worker(orchestrators=(forward, backward, total), entities=(Account,))
    client = bench.client()
    running = [client.schedule_new_orchestration(one) for _ in range(8) for one in (forward, backward)]
    for instance in running:
        client.wait_for_orchestration_completion(instance, timeout=20).raise_if_failed()
    state = client.wait_for_orchestration_completion(client.schedule_new_orchestration(total), timeout=10)
    assert state.get_output() == [16, 16]


def test_signals_and_calls_of_others_wait_while_locked(bench, eventually):
    entity = EntityInstanceId("Account", "x")
    inside = threading.Event()

    def reached(ctx, _):
        inside.set()

    def holds(ctx, _):
        with (yield ctx.lock_entities([entity])):
            yield ctx.call_activity(reached)
            yield ctx.wait_for_external_event("leave")
            return (yield ctx.call_entity(entity, "read"))

    def reads(ctx, _):
        return (yield ctx.call_entity(entity, "read"))

    engine = bench.engine()
    bench.worker(orchestrators=(holds, reads), activities=(reached,), entities=(Account,))
    client = bench.client()
    holder = client.schedule_new_orchestration(holds)
    assert inside.wait(10)
    client.signal_entity(entity, "write", input=5)
    reader = client.schedule_new_orchestration(reads)
    eventually(lambda: len(engine.backend.entities()[0].pending_operations) == 2)
    assert client.get_entity(entity)._locked_by == holder  # the SDK's own accessor wants an entity id here
    client.raise_orchestration_event(holder, "leave")
    assert client.wait_for_orchestration_completion(holder, timeout=10).get_output() == 0
    assert client.wait_for_orchestration_completion(reader, timeout=10).get_output() == 5
    assert not client.get_entity(entity)._locked_by


def test_terminating_the_holder_frees_its_locks(bench, eventually):
    entity = EntityInstanceId("Account", "y")

    def holds(ctx, _):
        with (yield ctx.lock_entities([entity])):
            yield ctx.wait_for_external_event("never")

    def reads(ctx, _):
        return (yield ctx.call_entity(entity, "read"))

    engine = bench.engine()
    bench.worker(orchestrators=(holds, reads), entities=(Account,))
    client = bench.client()
    holder = client.schedule_new_orchestration(holds)
    eventually(lambda: any(one.locked_by for one in engine.backend.entities()))
    waiting = client.schedule_new_orchestration(holds)
    reader = client.schedule_new_orchestration(reads)
    client.terminate_orchestration(waiting)
    client.terminate_orchestration(holder)
    assert client.wait_for_orchestration_completion(reader, timeout=10).get_output() == 0


def _lock(backend, owner, section, entities):
    stream = backend.open_stream(pb.GetWorkItemsRequest(), lambda: None)
    backend.StartInstance(pb.CreateInstanceRequest(instanceId=owner, name=owner), CALL)
    item = pb.WorkItem.FromString(backend.next_work_item(stream))
    request = pb.EntityLockRequestedEvent(criticalSectionId=section, lockSet=entities)
    request.parentInstanceId.value = owner
    action = pb.OrchestratorAction(id=1, sendEntityMessage=pb.SendEntityMessageAction(entityLockRequested=request))
    backend.CompleteOrchestratorTask(
        pb.OrchestratorResponse(instanceId=owner, completionToken=item.completionToken, actions=[action]), CALL
    )


def _holders(backend):
    return {one.instance_id: one.locked_by for one in backend.entities() if one.locked_by}


def test_locks_are_taken_in_one_order_and_in_turn():
    backend = Backend()
    _lock(backend, "first", "s1", ["@e@b", "@e@a"])
    _lock(backend, "second", "s2", ["@e@a", "@e@c"])
    assert _holders(backend) == {"@e@a": "s1", "@e@b": "s1"}
    backend._unlock("@e@a", "s1")
    assert _holders(backend) == {"@e@a": "s2", "@e@b": "s1", "@e@c": "s2"}
    # A request that is given up while it waits leaves the queue.
    _lock(backend, "third", "s3", ["@e@c"])
    backend._unlock("@e@c", "s3")
    backend._unlock("@e@c", "s2")
    assert "@e@c" not in _holders(backend)


def test_clean_storage_frees_orphaned_locks_and_removes_empty_entities():
    backend = Backend()
    _lock(backend, "gone", "s1", ["@e@a"])
    (entity,) = backend.entities()
    for instance in backend.instances():
        backend._instances.pop(instance.instance_id)
    cleaned = backend.CleanEntityStorage(
        pb.CleanEntityStorageRequest(releaseOrphanedLocks=True, removeEmptyEntities=True), CALL
    )
    assert (cleaned.orphanedLocksReleased, cleaned.emptyEntitiesRemoved) == (1, 1)
    assert entity.locked_by is None


def test_partly_done_batches_and_batch_failures():
    backend = Backend()
    stream = backend.open_stream(pb.GetWorkItemsRequest(), lambda: None)
    for number in range(3):
        backend.SignalEntity(pb.SignalEntityRequest(instanceId="@e@k", name=f"op{number}"), CALL)
    item = backend.next_work_item(stream)
    done = pb.EntityBatchResult(completionToken=item.completionToken, results=[pb.OperationResult()])
    done.entityState.value = "1"
    backend.CompleteEntityTask(done, CALL)
    backend.CompleteEntityTask(done, CALL)  # stale: ignored
    again = backend.next_work_item(stream)
    names = [op.entityOperationSignaled.operation for op in again.entityRequestV2.operationRequests]
    assert names == ["op1", "op2"]
    failed = pb.EntityBatchResult(completionToken=again.completionToken)
    failed.failureDetails.errorMessage = "broken"
    backend.CompleteEntityTask(failed, CALL)
    assert backend.entities()[0].serialized_state == "1"
    assert backend.next_work_item(stream) is None


def test_entities_signal_each_other_start_orchestrations_and_wait_for_their_time(bench, eventually):
    from datetime import UTC, datetime, timedelta

    class Relay(DurableEntity):
        def go(self, _=None):
            self.signal_entity(EntityInstanceId("Account", "z"), "write", 9)
            self.schedule_new_orchestration("noted", input="n")

    def noted(ctx, value):
        return value

    def reads(ctx, _):
        return (yield ctx.call_entity(EntityInstanceId("Account", "z"), "read"))

    engine = bench.engine()
    bench.worker(orchestrators=(noted, reads), entities=(Account, Relay))
    client = bench.client()
    client.signal_entity(EntityInstanceId("Relay", "r"), "go", signal_time=datetime.now(UTC) + timedelta(seconds=0.2))
    assert len(engine.backend.live_timers()) == 1
    eventually(
        lambda: {one.instance_id: one.serialized_state for one in engine.backend.entities()}.get("@account@z") == "9"
    )
    state = client.wait_for_orchestration_completion(client.schedule_new_orchestration(reads), timeout=10)
    assert state.get_output() == 9
    assert any(one.name == "noted" for one in engine.backend.instances())


def _signals(backend, entity_id, *names):
    for name in names:
        backend.SignalEntity(pb.SignalEntityRequest(instanceId=entity_id, name=name), CALL)


def _operations(item):
    return [event.entityOperationSignaled.operation for event in item.entityRequestV2.operationRequests]


def test_an_abandoned_batch_is_given_out_again_before_what_came_later():
    backend = Backend()
    stream = backend.open_stream(pb.GetWorkItemsRequest(), lambda: None)
    _signals(backend, "@e@k", "first")
    item = backend.next_work_item(stream)
    _signals(backend, "@e@k", "second")
    assert backend.next_work_item(stream) is None  # one batch at a time
    backend.AbandonTaskEntityWorkItem(pb.AbandonEntityTaskRequest(completionToken=item.completionToken), CALL)
    backend.AbandonTaskEntityWorkItem(pb.AbandonEntityTaskRequest(completionToken="unknown"), CALL)
    assert _operations(backend.next_work_item(stream)) == ["first", "second"]


def test_operations_behind_a_lock_request_wait_for_the_section_to_end():
    backend = Backend()
    stream = backend.open_stream(pb.GetWorkItemsRequest(), lambda: None)
    _signals(backend, "@e@k", "before")
    item = backend.next_work_item(stream)
    _lock(backend, "holder", "s1", ["@e@k"])
    _signals(backend, "@e@k", "behind")
    assert _holders(backend) == {}  # a batch still runs
    backend.CompleteEntityTask(
        pb.EntityBatchResult(completionToken=item.completionToken, results=[pb.OperationResult()]), CALL
    )
    assert _holders(backend) == {"@e@k": "s1"}
    holder = pb.WorkItem.FromString(backend.next_work_item(stream))  # told that it has the lock
    assert holder.orchestratorRequest.newEvents[-1].HasField("entityLockGranted")
    assert backend.next_work_item(stream) is None
    backend._unlock("@e@k", "s1")
    assert _operations(backend.next_work_item(stream)) == ["behind"]


def test_a_lock_request_whose_orchestration_is_gone_is_passed_over():
    backend = Backend()
    _lock(backend, "holder", "s1", ["@e@k"])
    stream = backend.open_stream(pb.GetWorkItemsRequest(), lambda: None)
    backend.next_work_item(stream)  # the holder is told, so that the next turn is another's
    _lock(backend, "gone", "s2", ["@e@k"])
    _lock(backend, "waiting", "s3", ["@e@k"])
    backend._instances.pop("gone")
    backend._unlock("@e@k", "s1")
    assert _holders(backend) == {"@e@k": "s3"}
    backend._unlock("@e@unknown", "s3")  # nothing to free, nothing made
    assert [one.instance_id for one in backend.entities()] == ["@e@k"]


def test_clean_storage_leaves_what_is_in_use_or_not_asked_for():
    backend = Backend()
    _lock(backend, "holder", "s1", ["@e@held"])
    _signals(backend, "@e@busy", "op")
    for orphaned, empty in ((True, True), (False, False)):
        cleaned = backend.CleanEntityStorage(
            pb.CleanEntityStorageRequest(releaseOrphanedLocks=orphaned, removeEmptyEntities=empty), CALL
        )
        assert (cleaned.orphanedLocksReleased, cleaned.emptyEntitiesRemoved) == (0, 0)
    assert {one.instance_id for one in backend.entities()} == {"@e@held", "@e@busy"}


def test_the_holder_of_a_lock_is_named_to_clients():
    backend = Backend()
    _lock(backend, "holder", "s1", ["@e@held"])
    _signals(backend, "@e@free", "op")
    found = backend.GetEntity(pb.GetEntityRequest(instanceId="@e@held"), CALL)
    assert found.entity.lockedBy.value == "holder"
    listed = backend.QueryEntities(pb.QueryEntitiesRequest(query=pb.EntityQuery(includeTransient=True)), CALL)
    holders = {one.instanceId: one.lockedBy.value for one in listed.entities}
    assert holders == {"@e@held": "holder", "@e@free": ""}


def test_an_entity_that_starts_an_orchestration_already_running_goes_on(caplog):
    backend = Backend()
    stream = backend.open_stream(pb.GetWorkItemsRequest(), lambda: None)
    backend.StartInstance(pb.CreateInstanceRequest(instanceId="taken", name="o"), CALL)
    backend.next_work_item(stream)
    _signals(backend, "@e@k", "op")
    item = backend.next_work_item(stream)
    start = pb.OperationAction(startNewOrchestration=pb.StartNewOrchestrationAction(instanceId="taken", name="o"))
    done = pb.EntityBatchResult(
        completionToken=item.completionToken, results=[pb.OperationResult()], actions=[start, pb.OperationAction()]
    )
    done.entityState.value = "1"
    backend.CompleteEntityTask(done, CALL)
    assert "entity could not start an orchestration" in caplog.text
    assert backend.entities()[0].serialized_state == "1"
    assert [one.instance_id for one in backend.instances()] == ["taken"]
