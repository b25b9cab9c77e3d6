"""What was saved is what is restored; what cannot be used is moved aside with one clear line."""

from __future__ import annotations

import json
import logging
import threading
import time
from datetime import UTC, datetime, timedelta

import durabletask.internal.orchestrator_service_pb2 as pb
import pytest
from durabletask import task
from durabletask.entities import DurableEntity, EntityInstanceId
from google.protobuf import timestamp_pb2
from hypothesis import given, settings
from hypothesis import strategies as st

from local.engine import snapshot, snapshot_file
from local.engine.backend import Backend
from local.engine.records import Activity, Entity, EventLog, Instance
from local.engine.refusals import Call
from local.engine.snapshot_records import EntityRecord
from local.engine.timers import Timer, TimerKind, TimerQueue

CALL = Call()
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TIMES = st.integers(1_600_000_000, 2_200_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
EVENTS = st.builds(
    lambda number, name, data: pb.HistoryEvent(eventId=number, eventRaised=pb.EventRaisedEvent(name=name + data)),
    st.integers(-1, 1000),
    TEXT,
    TEXT,
)
OPERATIONS = st.builds(
    lambda name, number: pb.HistoryEvent(
        eventId=-1, entityOperationSignaled=pb.EntityOperationSignaledEvent(operation=name, requestId=str(number))
    ),
    TEXT,
    st.integers(0, 99),
)
RUNNING = (pb.ORCHESTRATION_STATUS_RUNNING, pb.ORCHESTRATION_STATUS_PENDING, pb.ORCHESTRATION_STATUS_SUSPENDED)
INSTANCES = st.builds(
    Instance,
    instance_id=TEXT,
    name=TEXT,
    status=st.sampled_from([*RUNNING, pb.ORCHESTRATION_STATUS_COMPLETED, pb.ORCHESTRATION_STATUS_FAILED]),
    version=st.none() | TEXT,
    input=st.none() | TEXT,
    output=st.none() | TEXT,
    custom_status=st.none() | TEXT,
    created_at=TIMES,
    last_updated_at=TIMES,
    completed_at=st.none() | TIMES,
    scheduled_start=st.none() | TIMES,
    held_until=st.none() | TIMES,
    tags=st.none() | st.dictionaries(TEXT, TEXT, max_size=2),
    failure_details=st.none() | st.builds(lambda text: pb.TaskFailureDetails(errorMessage=text), TEXT),
    parent=st.none() | st.builds(lambda number: pb.ParentInstanceInfo(taskScheduledId=number), st.integers(0, 9)),
    history=st.lists(EVENTS, max_size=5).map(EventLog),
    pending_events=st.lists(EVENTS, max_size=3),
)
ACTIVITIES = st.builds(
    Activity,
    instance_id=TEXT,
    name=TEXT,
    task_id=st.integers(0, 1000),
    input=st.none() | TEXT,
    completion_token=st.just(0),
    version=st.none() | TEXT,
    execution_id=TEXT,
    tags=st.dictionaries(TEXT, TEXT, max_size=2),
    trace_context=st.none() | st.just(pb.TraceContext(traceParent="00-1-2-01")),
)
ENTITIES = st.builds(
    Entity,
    instance_id=TEXT.map(lambda text: f"@e@{text}"),
    serialized_state=st.none() | TEXT,
    last_modified_at=TIMES,
    locked_by=st.none() | TEXT,
    lock_owner=st.none() | TEXT,
    pending_operations=st.lists(OPERATIONS, max_size=3),
)
SIGNALS = st.builds(Timer, kind=st.just(TimerKind.ENTITY_SIGNAL), due=TIMES, target=TEXT, event=st.none() | OPERATIONS)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(INSTANCES, max_size=4, unique_by=lambda one: one.instance_id),
    st.lists(ACTIVITIES, max_size=4, unique_by=lambda one: (one.instance_id, one.execution_id, one.task_id)),
    st.lists(ENTITIES, max_size=3, unique_by=lambda one: one.instance_id),
    st.lists(SIGNALS, max_size=3),
)
def test_round_trip(instances, activities, entities, timers):
    first, second = Backend(), Backend()
    first.adopt(instances, activities, entities, timers)
    content = snapshot_file.encode(snapshot.records_of(snapshot.take(first)))
    snapshot.restore(second, snapshot_file.decode(content))
    assert snapshot_file.encode(snapshot.records_of(snapshot.take(second))) == content
    for before, after in zip(first.instances(), second.instances(), strict=True):
        before.lingers = after.lingers
        assert after == before
    assert second.unfinished_activities() == first.unfinished_activities()
    assert second.entities() == first.entities()
    assert second.live_timers() == first.live_timers()


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1, exclude_max=True), st.integers(0, 255))
def test_any_damage_is_noticed(where, flip):
    backend = Backend()
    backend.StartInstance(pb.CreateInstanceRequest(instanceId="i", name="o"), CALL)
    content = snapshot_file.encode(snapshot.records_of(snapshot.take(backend)))
    place = int(where * len(content))
    damaged = content[:place]
    if flip:  # without a flip the file is cut short here
        damaged += bytes([content[place] ^ flip]) + content[place + 1 :]
    with pytest.raises(snapshot_file.SnapshotError):
        snapshot_file.decode(damaged)


def _resealed(content, old, new):
    import hashlib

    body = content[:-32].replace(old, new)
    return body + hashlib.sha256(body).digest()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: b"hello", "not an engine snapshot"),
        (lambda content: _resealed(content, b'"version": 1', b'"version": 2'), "has version 2"),
        (lambda content: content[:-1], "checksum"),
        (lambda content: _resealed(content, b'"record":"instance"', b'"record":"instants"'), "record 1 of 1"),
        (lambda content: _resealed(content, b'{"version": 1', b"{version: 1"), "header"),
    ],
)
def test_an_unusable_snapshot_is_moved_aside(tmp_path, bench, caplog, change, reason):
    backend = Backend()
    backend.StartInstance(pb.CreateInstanceRequest(instanceId="i", name="o"), CALL)
    content = change(snapshot_file.encode(snapshot.records_of(snapshot.take(backend))))
    path = tmp_path / "state"
    path.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        engine = bench.engine(path)
    assert reason in engine.restored
    assert "\n" not in engine.restored
    assert engine.restored in caplog.text
    (aside,) = tmp_path.glob("state.unusable-*")
    assert aside.read_bytes() == content
    assert engine.backend.instances() == []


def test_undecodable_payload_is_refused():
    backend = Backend()
    facts = EntityRecord(last_modified_at=datetime.now(UTC), locked_by=None, lock_owner=None)
    with pytest.raises(snapshot_file.SnapshotError, match="protobuf"):
        snapshot.restore(backend, [(facts, b"\xff\xff")])


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path, monkeypatch):
    path = tmp_path / "state"
    snapshot_file.write(path, b"old")

    def full(_descriptor):
        raise OSError("disk full")

    monkeypatch.setattr(snapshot_file.os, "fsync", full)
    with pytest.raises(OSError, match="disk full"):
        snapshot_file.write(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


class Counter(DurableEntity):
    def add(self, amount):
        total = self.get_state(int, 0) + amount
        self.set_state(total)
        return total


def test_a_restart_goes_on_where_it_was(tmp_path, bench, eventually):
    release = threading.Event()
    done: list[int] = []

    def work(ctx, number):
        if number >= 3:
            release.wait(20)
        done.append(number)
        return number

    def fans(ctx, due):
        results = yield task.when_all([ctx.call_activity(work, input=n) for n in range(6)])
        yield ctx.create_timer(datetime.fromisoformat(due))
        answer = yield ctx.wait_for_external_event("answer")
        total = yield ctx.call_entity(EntityInstanceId("Counter", "c"), "add", 1)
        return [sum(results), answer, total]

    path = tmp_path / "folder" / "state"
    engine = bench.engine(path)
    worker = bench.worker(orchestrators=(fans,), activities=(work,), entities=(Counter,))
    client = bench.client()
    due = datetime.now(UTC) + timedelta(seconds=1)
    client.signal_entity(EntityInstanceId("Counter", "c"), "add", input=41)
    instance = client.schedule_new_orchestration(fans, input=due.isoformat(), instance_id="fan")
    client.raise_orchestration_event(instance, "answer", data="yes")
    later = client.schedule_new_orchestration(fans, start_at=datetime.now(UTC) + timedelta(hours=1))
    eventually(lambda: sorted(done) == [0, 1, 2])
    eventually(lambda: len(engine.backend.unfinished_activities()) == 3)
    eventually(lambda: client.get_entity(EntityInstanceId("Counter", "c")))
    engine.stop()
    release.set()
    worker.stop()

    restored = bench.engine(path)
    assert restored.restored is None
    assert len(restored.backend.unfinished_activities()) == 3
    assert [timer.kind for timer in restored.backend.live_timers()] == [TimerKind.START]
    assert restored.backend.live_timers()[0].target == later
    done.clear()
    bench.worker(orchestrators=(fans,), activities=(work,), entities=(Counter,))
    state = bench.client().wait_for_orchestration_completion("fan", timeout=20)
    assert state.get_output() == [15, "yes", 42]
    assert sorted(done) == [3, 4, 5]  # what was finished before is not done again


def test_timers_keep_their_due_time_over_a_restart(tmp_path, bench):
    def sleeps(ctx, due):
        yield ctx.create_timer(datetime.fromisoformat(due))
        return "woke"

    path = tmp_path / "state"
    engine = bench.engine(path)
    bench.worker(orchestrators=(sleeps,))
    client = bench.client()
    due = datetime.now(UTC) + timedelta(seconds=1)
    client.schedule_new_orchestration(sleeps, input=due.isoformat(), instance_id="s")
    client.wait_for_orchestration_start("s", timeout=10)
    engine.stop()
    restored = bench.engine(path)
    assert [timer.due for timer in restored.backend.live_timers()] == [due]
    bench.worker(orchestrators=(sleeps,))
    assert bench.client().wait_for_orchestration_completion("s", timeout=10).get_output() == "woke"


def test_saves_only_when_something_changed(tmp_path, bench, eventually):
    path = tmp_path / "state"
    engine = bench.engine(path, snapshot_seconds=0.05)
    client = bench.client()
    assert not path.exists()
    client.schedule_new_orchestration("o", instance_id="i")
    eventually(path.exists)
    first = path.stat()
    time.sleep(0.2)
    assert path.stat().st_mtime_ns == first.st_mtime_ns
    assert not engine.save()
    client.raise_orchestration_event("i", "e")
    eventually(lambda: path.stat().st_mtime_ns != first.st_mtime_ns)


def test_a_write_failure_is_logged_and_tried_again(tmp_path, bench, eventually, monkeypatch, caplog):
    path = tmp_path / "state"
    engine = bench.engine(path, snapshot_seconds=0.02)
    write = snapshot_file.write
    failures = []

    def fails_once(where, content):
        if not failures:
            failures.append(1)
            raise OSError("disk full")
        write(where, content)

    monkeypatch.setattr(snapshot_file, "write", fails_once)
    bench.client().schedule_new_orchestration("o")
    eventually(path.exists)
    assert "disk full" in caplog.text
    assert engine.backend.instances()


def test_two_thousand_instances_hold_the_lock_briefly():
    backend = Backend()
    event = pb.HistoryEvent(eventId=1, timestamp=timestamp_pb2.Timestamp(), eventRaised=pb.EventRaisedEvent(name="e"))
    for number in range(2000):
        backend.StartInstance(pb.CreateInstanceRequest(instanceId=str(number), name="o"), CALL)
    for instance in backend.instances():
        instance.history.extend([event] * 20)
    content = snapshot_file.encode(snapshot.records_of(snapshot.take(backend)))
    header = json.loads(content.split(b"\n", 2)[1])
    assert header == {"version": 1, "records": 2000}
    assert len(snapshot_file.decode(content)) == 2000


def test_timer_queue_with_a_clock_of_its_own():
    now = [100.0]
    fired: list[str] = []
    queue = TimerQueue(lambda due: fired.extend(one.target for one in due), clock=lambda: now[0])
    for seconds, name in ((30, "c"), (10, "a"), (20, "b")):
        queue.add(Timer(TimerKind.START, datetime.fromtimestamp(100 + seconds, UTC), name))
    assert [one.target for one in queue.pending()] == ["a", "b", "c"]
    assert queue.run_due() == 0
    now[0] = 120.0
    assert queue.run_due() == 2
    assert fired == ["a", "b"]
    queue.keep_only(lambda timer: timer.target != "c")
    assert len(queue) == 0
    queue.add(Timer(TimerKind.START, datetime.fromtimestamp(100, UTC), "d"))
    queue.clear()
    assert queue.run_due() == 0
