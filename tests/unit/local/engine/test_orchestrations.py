"""Sub-orchestrations, timers, generations, ends: each test here fails on the stock in-memory backend or guards it."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from durabletask import task
from durabletask.client import OrchestrationStatus
from durabletask.testing import in_memory_backend


def child_waits(ctx, _):
    value = yield ctx.wait_for_external_event("go")
    return {"parent": ctx.parent_instance_id, "value": value}


def calls_child(ctx, child_id):
    return (yield ctx.call_sub_orchestrator(child_waits, input=None, instance_id=child_id))


def test_parent_completes_after_a_child_that_outlasts_the_stock_wait(bench, monkeypatch, eventually):
    # The stock backend waits for a child with timeout None, which it turns into 30 s; here any such wait ends at once.
    monkeypatch.setattr(in_memory_backend.threading.Event, "wait", _impatient(threading.Event.wait))
    bench.engine()
    bench.worker(orchestrators=(calls_child, child_waits))
    client = bench.client()
    parent = client.schedule_new_orchestration(calls_child, input="child")
    eventually(lambda: client.get_orchestration_state("child"))
    client.raise_orchestration_event("child", "go", data=7)
    state = client.wait_for_orchestration_completion(parent, timeout=10)
    assert state.runtime_status is OrchestrationStatus.COMPLETED
    assert state.get_output() == {"parent": parent, "value": 7}


def _impatient(wait):
    def stub(self, timeout=None):
        return wait(self, 0.01 if timeout == 30.0 else timeout)

    return stub


def test_thousand_children_need_no_threads_and_know_their_parent(bench):
    def leaf(ctx, number):
        return [number, ctx.parent_instance_id]

    def parent(ctx, count):
        return (yield task.when_all([ctx.call_sub_orchestrator(leaf, input=n) for n in range(count)]))

    bench.engine()
    bench.worker(orchestrators=(parent, leaf))
    client = bench.client()
    instance = client.schedule_new_orchestration(parent, input=100)
    threads = threading.active_count()
    state = client.wait_for_orchestration_completion(instance, timeout=20)
    assert state.get_output() == [[n, instance] for n in range(100)]
    assert threading.active_count() < threads + 50


def test_child_shows_its_parent_in_the_protocol(bench, eventually):
    engine = bench.engine()
    bench.worker(orchestrators=(calls_child, child_waits))
    client = bench.client()
    parent = client.schedule_new_orchestration(calls_child, input="kid")
    eventually(lambda: client.get_orchestration_state("kid"))
    (kid,) = [one for one in engine.backend.instances() if one.instance_id == "kid"]
    started = next(
        e.executionStarted
        for e in [*kid.history, *kid.pending_events, *kid.dispatched_events]
        if e.HasField("executionStarted")
    )
    assert started.parentInstance.name.value == "calls_child"
    assert started.parentInstance.orchestrationInstance.instanceId == parent
    assert started.parentInstance.taskScheduledId == 1
    shown = engine.backend.GetInstance(_get("kid"), None)
    assert shown.orchestrationState.parentInstanceId.value == parent
    assert not engine.backend.GetInstance(_get(parent), None).orchestrationState.HasField("parentInstanceId")


def _get(instance_id):
    import durabletask.internal.orchestrator_service_pb2 as pb

    return pb.GetInstanceRequest(instanceId=instance_id, getInputsAndOutputs=True)


def test_failed_child_keeps_its_failure_details(bench):
    def leaf(ctx, _):
        raise ValueError("no such thing")

    def parent(ctx, _):
        try:
            yield ctx.call_sub_orchestrator(leaf)
        except task.TaskFailedError as error:
            return [error.details.error_type, error.details.message]

    bench.engine()
    bench.worker(orchestrators=(parent, leaf))
    client = bench.client()
    state = client.wait_for_orchestration_completion(client.schedule_new_orchestration(parent), timeout=10)
    assert state.get_output() == ["builtins.ValueError", "no such thing"]


def test_timer_made_before_continue_as_new_does_not_fire_into_the_next_generation(bench):
    def renews(ctx, generation):
        if generation == 0:
            ctx.create_timer(timedelta(milliseconds=150))  # left running
            ctx.continue_as_new(1)
            return None
        # The same task id as the stale timer's: if that fired here, this would end after 150 ms, not on the event.
        slow = ctx.create_timer(timedelta(seconds=30))
        answer = ctx.wait_for_external_event("end")
        first = yield task.when_any([slow, answer])
        return "stale timer" if first is slow else "event"

    engine = bench.engine()
    bench.worker(orchestrators=(renews,))
    client = bench.client()
    instance = client.schedule_new_orchestration(renews, input=0)
    assert client.wait_for_orchestration_start(instance, timeout=10)
    threading.Event().wait(0.4)
    client.raise_orchestration_event(instance, "end")
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert state.get_output() == "event"
    assert engine.backend.live_timers() == []


def test_activity_result_of_an_old_generation_is_dropped(bench):
    release = threading.Event()

    def slow(ctx, value):
        if value == "old":
            release.wait(10)
        return value

    def renews(ctx, generation):
        if generation == 0:
            ctx.call_activity(slow, input="old")
            ctx.continue_as_new(1, save_events=True)
            return None
        yield ctx.wait_for_external_event("checked")
        return (yield ctx.call_activity(slow, input="new"))

    engine = bench.engine()
    bench.worker(orchestrators=(renews,), activities=(slow,))
    client = bench.client()
    instance = client.schedule_new_orchestration(renews, input=0)
    release.set()
    client.raise_orchestration_event(instance, "checked")
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert state.get_output() == "new"
    assert engine.backend.unfinished_activities() == []


def test_thousands_of_timers_use_one_thread_and_all_fire(bench):
    def many(ctx, count):
        yield task.when_all([ctx.create_timer(timedelta(milliseconds=300)) for _ in range(count)])
        return count

    bench.engine()
    bench.worker(orchestrators=(many,))
    client = bench.client()
    before = threading.active_count()
    instance = client.schedule_new_orchestration(many, input=2000)
    client.wait_for_orchestration_start(instance, timeout=10)
    assert threading.active_count() < before + 20
    state = client.wait_for_orchestration_completion(instance, timeout=20)
    assert state.get_output() == 2000


def test_terminated_and_purged_instances_leave_no_timers(bench):
    def sleeps(ctx, _):
        yield ctx.create_timer(timedelta(hours=1))

    engine = bench.engine()
    bench.worker(orchestrators=(sleeps,))
    client = bench.client()
    instance = client.schedule_new_orchestration(sleeps)
    client.wait_for_orchestration_start(instance, timeout=10)
    assert [timer.target for timer in engine.backend.live_timers()] == [instance]
    client.terminate_orchestration(instance, output="enough")
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert state.runtime_status is OrchestrationStatus.TERMINATED
    assert state.get_output() == "enough"
    assert engine.backend.live_timers() == []
    assert client.purge_orchestration(instance).deleted_instance_count == 1
    assert client.get_orchestration_state(instance) is None


def test_scheduled_start_waits_until_its_time(bench):
    def says(ctx, _):
        return ctx.current_utc_datetime.replace(tzinfo=UTC).timestamp()

    bench.engine()
    bench.worker(orchestrators=(says,))
    client = bench.client()
    due = datetime.now(UTC) + timedelta(milliseconds=500)
    instance = client.schedule_new_orchestration(says, start_at=due)
    later = client.schedule_new_orchestration(says, start_at=datetime.now(UTC) + timedelta(hours=1))
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert state.get_output() >= due.timestamp() - 0.001
    assert state.last_updated_at.replace(tzinfo=UTC) >= due
    assert client.get_orchestration_state(later).runtime_status is OrchestrationStatus.PENDING
    client.terminate_orchestration(later, output="not needed")
    ended = client.wait_for_orchestration_completion(later, timeout=10)
    assert ended.runtime_status is OrchestrationStatus.TERMINATED


def test_events_before_the_start_and_during_suspension_are_kept(bench):
    def collects(ctx, _):
        first = yield ctx.wait_for_external_event("one")
        second = yield ctx.wait_for_external_event("two")
        return [first, second]

    bench.engine()
    client = bench.client()
    instance = client.schedule_new_orchestration(collects)
    client.raise_orchestration_event(instance, "one", data=1)
    assert client.get_orchestration_state(instance).runtime_status is OrchestrationStatus.PENDING
    client.suspend_orchestration(instance)
    bench.worker(orchestrators=(collects,))
    client.wait_for_orchestration_start(instance, timeout=10)
    client.raise_orchestration_event(instance, "two", data=2)
    assert client.get_orchestration_state(instance).runtime_status is OrchestrationStatus.SUSPENDED
    client.resume_orchestration(instance)
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert state.get_output() == [1, 2]


def test_continue_as_new_carries_events_over(bench):
    def tally(ctx, seen):
        event = yield ctx.wait_for_external_event("item")
        seen = [*seen, event]
        if len(seen) == 20:
            return seen
        ctx.continue_as_new(seen, save_events=True)
        return None

    bench.engine()
    bench.worker(orchestrators=(tally,))
    client = bench.client()
    instance = client.schedule_new_orchestration(tally, input=[])
    for number in range(20):
        client.raise_orchestration_event(instance, "item", data=number)
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert sorted(state.get_output()) == list(range(20))


def test_terminate_recursive_reaches_grandchildren_and_others_not(bench, eventually):
    def leaf(ctx, _):
        yield ctx.wait_for_external_event("never")

    def middle(ctx, leaf_id):
        yield ctx.call_sub_orchestrator(leaf, instance_id=leaf_id)

    def top(ctx, name):
        yield ctx.call_sub_orchestrator(middle, input=f"{name}-leaf", instance_id=f"{name}-middle")

    bench.engine()
    bench.worker(orchestrators=(leaf, middle, top))
    client = bench.client()
    for name in ("a", "b"):
        client.schedule_new_orchestration(top, input=name, instance_id=name)
        eventually(lambda name=name: client.get_orchestration_state(f"{name}-leaf"))
    client.terminate_orchestration("a", recursive=True)
    client.terminate_orchestration("b", recursive=False)
    for instance in ("a", "a-middle", "a-leaf", "b"):
        state = client.wait_for_orchestration_completion(instance, timeout=10)
        assert state.runtime_status is OrchestrationStatus.TERMINATED, instance
    assert client.get_orchestration_state("b-leaf").runtime_status.name != "TERMINATED"
    assert client.purge_orchestration("a", recursive=True).deleted_instance_count == 3


def test_rewind_runs_only_what_failed(bench):
    calls: list[str] = []

    def good(ctx, _):
        calls.append("good")
        return "kept"

    def flaky(ctx, _):
        calls.append("flaky")
        if calls.count("flaky") == 1:
            raise RuntimeError("not today")
        return "mended"

    def child(ctx, _):
        return (yield ctx.call_activity(flaky))

    def parent(ctx, _):
        first = yield ctx.call_activity(good)
        second = yield ctx.call_sub_orchestrator(child, instance_id="rewound-child")
        return [first, second]

    bench.engine()
    bench.worker(orchestrators=(parent, child), activities=(good, flaky))
    client = bench.client()
    instance = client.schedule_new_orchestration(parent)
    assert client.wait_for_orchestration_completion(instance, timeout=10).runtime_status is OrchestrationStatus.FAILED
    client.raise_orchestration_event(instance, "late")  # an ended instance takes none, and a rewind must not see it
    client.rewind_orchestration(instance, reason="again")
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert state.runtime_status is OrchestrationStatus.COMPLETED
    assert state.get_output() == ["kept", "mended"]
    assert calls == ["good", "flaky", "flaky"]
    with pytest.raises(grpc.RpcError) as refused:
        client.rewind_orchestration(instance)
    assert refused.value.code() is grpc.StatusCode.FAILED_PRECONDITION


def test_restart_and_reuse_of_ids(bench):
    def echo(ctx, value):
        return value

    bench.engine()
    bench.worker(orchestrators=(echo,))
    client = bench.client()
    instance = client.schedule_new_orchestration(echo, input="x", instance_id="one")
    client.wait_for_orchestration_completion(instance, timeout=10)
    with pytest.raises(grpc.RpcError) as refused:
        client.schedule_new_orchestration(echo, instance_id="one")
    assert refused.value.code() is grpc.StatusCode.ALREADY_EXISTS
    assert client.restart_orchestration("one") == "one"
    assert client.wait_for_orchestration_completion("one", timeout=10).get_output() == "x"
    other = client.restart_orchestration("one", restart_with_new_instance_id=True)
    assert other != "one"
    assert client.wait_for_orchestration_completion(other, timeout=10).get_output() == "x"
    for missing in (client.restart_orchestration, client.suspend_orchestration, client.resume_orchestration):
        with pytest.raises(grpc.RpcError) as unknown:
            missing("nobody")
        assert unknown.value.code() is grpc.StatusCode.NOT_FOUND


def test_history_and_queries(bench):
    def echo(ctx, value):
        return value

    bench.engine()
    bench.worker(orchestrators=(echo,))
    client = bench.client()
    for number in range(5):
        client.schedule_new_orchestration(echo, input="y" * 600_000, instance_id=f"q{number}")
    for number in range(5):
        client.wait_for_orchestration_completion(f"q{number}", timeout=10, fetch_payloads=False)
    assert len(client.get_orchestration_history("q0")) > 3
    from durabletask.client import OrchestrationQuery

    # 6 MB of payloads: more than one message, so the pages must be bounded.
    found = client.get_all_orchestration_states(OrchestrationQuery(fetch_inputs_and_outputs=True))
    assert [one.instance_id for one in found] == [f"q{number}" for number in range(5)]
    with pytest.raises(grpc.RpcError):
        client.get_orchestration_history("nobody")


def test_a_history_over_its_limit_fails_the_instance_with_the_remedy(bench):
    def waits(ctx, _):
        for _ in range(50):
            yield ctx.wait_for_external_event("tick")

    bench.engine(max_history_size=20)
    bench.worker(orchestrators=(waits,))
    client = bench.client()
    instance = client.schedule_new_orchestration(waits)
    client.wait_for_orchestration_start(instance, timeout=10)
    for _ in range(30):
        client.raise_orchestration_event(instance, "tick")
    state = client.wait_for_orchestration_completion(instance, timeout=10)
    assert state.runtime_status is OrchestrationStatus.FAILED
    assert "Continue as new" in state.failure_details.message
