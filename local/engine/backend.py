"""The engine's state machine whole: hands out work, takes it back when a worker is lost, and takes over a restored state.

It knows no sockets and no event loop.
"""

from __future__ import annotations

import logging
import threading

import durabletask.internal.orchestrator_service_pb2 as pb

from . import limits
from .clients import ClientCalls
from .records import Activity, Entity, Instance, WorkKind
from .redelivery import WorkerStream
from .timers import Timer, TimerKind

_log = logging.getLogger(__name__)


class Backend(ClientCalls):
    """The engine's state machine. Calls refuse by raising RefusalError through `Call.abort`."""

    # workers

    def next_work_item(self, stream: WorkerStream) -> pb.WorkItem | bytes | None:
        """The next work item for a worker (a message, or one already encoded), or None when there is none."""
        with self._lock:
            for kind in WorkKind:
                if not stream.has_room(kind):
                    continue
                item: pb.WorkItem | bytes | None
                match kind:
                    case WorkKind.ORCHESTRATION:
                        item = self._lease_orchestration(stream)
                    case WorkKind.ACTIVITY:
                        item = self._lease_activity(stream)
                    case WorkKind.ENTITY:
                        item = self._lease_entity(stream)
                if item is not None:
                    return item
        return None

    def close_stream(self, stream: WorkerStream) -> int:
        """Put back all that a worker had when its stream ended; returns how many items."""
        with self._lock:
            if stream in self._signal.streams:
                self._signal.streams.remove(stream)
            lost = self._leases.revoke_all(stream)
            for lease in reversed(lost):
                target = lease.target
                if isinstance(target, Activity):
                    self._enqueue_activity(target, first=True)
                elif isinstance(target, Entity):
                    self._put_back_entity(target)
                elif target.lease_token == lease.token and self._instances.get(target.instance_id) is target:
                    if lease.size > limits.DEFAULT_CHANNEL_BYTES:
                        target.lost_deliveries += 1
                    self._put_back_orchestration(target)
        if lost:
            _log.warning("a worker's stream ended; its work is given out again", extra={"items": len(lost)})
        return len(lost)

    # what a snapshot needs

    @property
    def lock(self) -> threading.RLock:
        """Guards all state; hold it to see several things at one moment."""
        return self._lock

    def instances(self) -> list[Instance]:
        """Every instance."""
        return list(self._instances.values())

    def entities(self) -> list[Entity]:
        """Every entity."""
        return list(self._entities.values())

    def unfinished_activities(self) -> list[Activity]:
        """Every activity without a result, in workers' hands or not."""
        return list(self._activities.values())

    def live_timers(self) -> list[Timer]:
        """Every timer that can still fire for someone, soonest first."""
        self._timers.keep_only(self._timer_is_live)
        return [timer for timer in self._timers.pending() if timer.kind is not TimerKind.TURN]

    def start_timers(self) -> None:
        """Begin to fire timers."""
        self._timers.start()

    def stop_timers(self) -> None:
        """Fire no more timers; they are kept."""
        self._timers.stop()

    def adopt(
        self, instances: list[Instance], activities: list[Activity], entities: list[Entity], timers: list[Timer]
    ) -> None:
        """Take over a restored state and make all that can go on ready."""
        with self._lock:
            for instance in instances:
                self._add_instance(instance)
            for entity in entities:
                self._entities[entity.instance_id] = entity
                if entity.locked_by is not None and entity.lock_owner is not None:
                    self._locks_held.setdefault(entity.lock_owner, set()).add(entity.instance_id)
            for timer in timers:
                self._timers.add(timer)
            for activity in activities:
                instance_of = self._instances.get(activity.instance_id)
                if instance_of is not None and instance_of.execution_id == activity.execution_id:
                    instance_of.open_activities += 1
                self._enqueue_activity(activity)
            for instance in instances:
                self._enqueue_orchestration(instance.instance_id)
            for entity in entities:
                self._enqueue_entity(entity.instance_id)
