"""Holds the engine's state and decides who waits for what: work for workers, timers, clients waiting for an end."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import InMemoryOrchestrationBackend, OrchestrationInstance

from .ready import NameKey, ReadyQueue
from .records import TERMINAL_STATUSES, Activity, Entity, Instance, WorkKind
from .redelivery import Leases, WorkerStream
from .states import state_of
from .timers import Timer, TimerKind, TimerQueue

_LINGER = timedelta(milliseconds=10)

_log = logging.getLogger(__name__)

ActivityKey = tuple[str, str, int]
"""Instance id, execution id, task id."""


@dataclass(eq=False)
class Waiter:
    """A client waiting for an instance; `notify` gets the answer (None: the instance was purged)."""

    predicate: Callable[[Instance], bool]
    notify: Callable[[pb.GetInstanceResponse | None], None]
    with_payloads: bool


class WorkSignal:
    """Stands in for the stock backend's one shared event: setting it wakes the streams that wait for work."""

    def __init__(self) -> None:
        self.streams: list[WorkerStream] = []

    def set(self) -> None:
        """Wake every open stream."""
        for stream in self.streams:
            stream.wake()

    def clear(self) -> None:
        """Nothing to clear: a stream looks for work before it waits."""


def utc_now() -> datetime:
    """The time now, aware, in UTC."""
    return datetime.now(UTC)


class Store(InMemoryOrchestrationBackend):
    """State, queues and waiting lists on top of the stock backend. All of it is guarded by `_lock`."""

    # The stock attributes hold our richer records; the stock annotations name its own classes.
    _instances: dict[str, Instance]  # type: ignore[assignment]
    _entities: dict[str, Entity]  # type: ignore[assignment]

    def __init__(self, max_history_size: int = 10_000) -> None:
        super().__init__(max_history_size=max_history_size, port=0)
        self.changes = 0
        """Counts state changes worth saving."""
        self._children: dict[str, set[str]] = {}
        self._activities: dict[ActivityKey, Activity] = {}
        self._ready_orchestrations: ReadyQueue[str] = ReadyQueue()
        self._ready_activities: ReadyQueue[ActivityKey] = ReadyQueue()
        self._ready_entities: ReadyQueue[str] = ReadyQueue()
        self._leases = Leases()
        self._waiters: dict[str, list[Waiter]] = {}
        self._locks_held: dict[str, set[str]] = {}
        """Entity ids by the orchestration that holds their locks."""
        self._work_available = WorkSignal()  # type: ignore[assignment]
        self._timers = TimerQueue(self._fire_timers, self._lock)

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._instances.clear()
            self._entities.clear()
            self._children.clear()
            self._activities.clear()
            self._ready_orchestrations.clear()
            self._ready_activities.clear()
            self._ready_entities.clear()
            self._locks_held.clear()
            self._timers.clear()
            for instance_id in list(self._waiters):
                self._dismiss_waiters(instance_id)
            self.touch()

    def touch(self) -> None:
        """Note that there is something new to save."""
        self.changes += 1

    # instances and who they belong to

    def _add_instance(self, instance: Instance) -> None:
        replaced = self._instances.get(instance.instance_id)
        if replaced is not None:
            self._forget_family(replaced)
        self._instances[instance.instance_id] = instance
        if instance.parent is not None:
            parent_id = instance.parent.orchestrationInstance.instanceId
            self._children.setdefault(parent_id, set()).add(instance.instance_id)
        self.touch()

    def _forget_family(self, instance: Instance) -> None:
        if instance.parent is None:
            return
        parent_id = instance.parent.orchestrationInstance.instanceId
        siblings = self._children.get(parent_id)
        if siblings is not None:
            siblings.discard(instance.instance_id)
            if not siblings:
                del self._children[parent_id]

    def _children_of(self, instance_id: str) -> list[Instance]:
        found = (self._instances.get(child) for child in sorted(self._children.get(instance_id, ())))
        return [child for child in found if child is not None]

    def _deliver(self, instance: Instance, event: pb.HistoryEvent, *, linger: bool = False) -> None:
        """Give a running instance an event; a terminal one takes none.

        With `linger` the turn it causes waits a moment: a turn replays the whole orchestration, so results that come
        together should share one.
        """
        if instance.is_terminal:
            return
        instance.pending_events.append(event)
        instance.last_updated_at = utc_now()
        self.touch()
        if not linger:
            self._enqueue_orchestration(instance.instance_id)
        elif not instance.lingers and self._can_run(instance):
            instance.lingers = True
            due = instance.last_updated_at + _LINGER
            self._timers.add(Timer(TimerKind.TURN, due, instance.instance_id, instance.execution_id))

    # work that is ready

    def _can_run(self, instance: Instance) -> bool:
        if instance.lease_token is not None or not instance.pending_events or instance.is_terminal:
            return False
        if instance.held_until is not None:
            return False
        if instance.status == pb.ORCHESTRATION_STATUS_SUSPENDED:
            return any(
                event.HasField("executionResumed") or event.HasField("executionTerminated")
                for event in instance.pending_events
            )
        return True

    def _enqueue_orchestration(self, instance_id: str, *, first: bool = False) -> None:
        instance = self._instances.get(instance_id)
        if instance is None or not self._can_run(instance):
            return
        if self._ready_orchestrations.push((instance.name, instance.version), instance_id, first=first):
            self._work_available.set()

    def _enqueue_activity(self, activity: Activity, *, first: bool = False) -> None:
        key = (activity.instance_id, activity.execution_id, activity.task_id)
        self._activities[key] = activity
        if self._ready_activities.push((activity.name, activity.version), key, first=first):
            self._work_available.set()

    def open_stream(self, request: pb.GetWorkItemsRequest, wake: Callable[[], None]) -> WorkerStream:
        """Register a worker's GetWorkItems call; `wake` is called whenever there may be work for it."""
        orchestrations, activities, entities = self._parse_work_item_filters(request)
        stream = WorkerStream(
            filters={
                WorkKind.ORCHESTRATION: orchestrations,
                WorkKind.ACTIVITY: activities,
                WorkKind.ENTITY: entities,
            },
            capacity={
                WorkKind.ORCHESTRATION: request.maxConcurrentOrchestrationWorkItems,
                WorkKind.ACTIVITY: request.maxConcurrentActivityWorkItems,
                WorkKind.ENTITY: request.maxConcurrentEntityWorkItems,
            },
            wake=wake,
        )
        with self._lock:
            self._signal.streams.append(stream)
        _log.info("worker connected", extra={"worker": request.worker_instance_id})
        return stream

    @property
    def _signal(self) -> WorkSignal:
        signal = self._work_available
        assert isinstance(signal, WorkSignal)  # noqa: S101 - set in __init__; the stock annotation says Event
        return signal

    # clients that wait

    def watch(
        self,
        instance_id: str,
        predicate: Callable[[Instance], bool],
        notify: Callable[[pb.GetInstanceResponse | None], None],
        *,
        with_payloads: bool,
    ) -> Waiter | pb.GetInstanceResponse:
        """The answer when the instance is in the wanted state, else a waiter that will be notified of it once."""
        with self._lock:
            instance = self._instances.get(instance_id)
            if instance is not None and predicate(instance):
                return self._build_instance_response(instance, with_payloads)
            waiter = Waiter(predicate, notify, with_payloads)
            self._waiters.setdefault(instance_id, []).append(waiter)
            return waiter

    def unwatch(self, instance_id: str, waiter: Waiter) -> None:
        """Drop a waiter whose client has gone or whose time is over."""
        with self._lock:
            waiters = self._waiters.get(instance_id, [])
            if waiter in waiters:
                waiters.remove(waiter)
                if not waiters:
                    del self._waiters[instance_id]

    def exists(self, instance_id: str) -> bool:
        """Whether there is such an instance."""
        with self._lock:
            return instance_id in self._instances

    def _notify_waiters(self, instance_id: str) -> None:
        waiters = self._waiters.get(instance_id)
        instance = self._instances.get(instance_id)
        if not waiters or instance is None:
            return
        still_waiting: list[Waiter] = []
        for waiter in waiters:
            if waiter.predicate(instance):
                waiter.notify(self._build_instance_response(instance, waiter.with_payloads))
            else:
                still_waiting.append(waiter)
        if still_waiting:
            self._waiters[instance_id] = still_waiting
        else:
            del self._waiters[instance_id]

    def _dismiss_waiters(self, instance_id: str) -> None:
        for waiter in self._waiters.pop(instance_id, []):
            waiter.notify(None)

    def _build_instance_response(
        self, instance: OrchestrationInstance, include_payloads: bool
    ) -> pb.GetInstanceResponse:
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        return pb.GetInstanceResponse(
            exists=True, orchestrationState=state_of(instance, with_payloads=include_payloads)
        )

    def _is_terminal_status(self, status: int) -> bool:
        return status in TERMINAL_STATUSES

    # timers

    def _timer_is_live(self, timer: Timer) -> bool:
        """Whether a timer still has someone to fire for."""
        if timer.kind is TimerKind.ENTITY_SIGNAL:
            return True
        instance = self._instances.get(timer.target)
        return instance is not None and instance.execution_id == timer.execution_id and not instance.is_terminal

    def _fire_timers(self, timers: list[Timer]) -> None:
        for timer in timers:
            if not self._timer_is_live(timer):
                continue
            if timer.kind is TimerKind.ENTITY_SIGNAL:
                if timer.event is not None:
                    self._queue_entity_operation(timer.target, timer.event)
                continue
            instance = self._instances[timer.target]
            if timer.kind is TimerKind.START:
                instance.held_until = None
                self.touch()
                self._enqueue_orchestration(instance.instance_id)
            elif timer.kind is TimerKind.TURN:
                instance.lingers = False
                self._enqueue_orchestration(instance.instance_id)
            else:
                self._deliver(instance, helpers.new_timer_fired_event(timer.timer_id, timer.due))

    def _schedule_delayed_entity_operation(self, entity_id: str, event: pb.HistoryEvent, fire_at: datetime) -> None:
        self._timers.add(Timer(TimerKind.ENTITY_SIGNAL, fire_at, entity_id, event=event))
        self.touch()

    @staticmethod
    def _entity_key(entity_id: str) -> NameKey:
        """The name a worker's filter sees: `@name@key` gives `name`."""
        name = entity_id.removeprefix("@").partition("@")[0]
        return name.lower(), None
