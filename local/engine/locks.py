"""Queues entity operations in order and decides which may run next: a locked entity answers its lock's owner alone.

A lock request waits in the entity's own queue, behind the operations that came before it. When it reaches the front
the entity is locked and the request moves to the next entity of its set (always in sorted order, so two critical
sections cannot wait for each other). Once all are locked the orchestration is told.
"""

from __future__ import annotations

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from google.protobuf import timestamp_pb2

from .records import Entity, Instance
from .store import Store


def sent_event(**content: object) -> pb.HistoryEvent:
    """An event of the engine's own making: no action asked for it, so it has no id (-1)."""
    return pb.HistoryEvent(eventId=-1, timestamp=timestamp_pb2.Timestamp(), **content)  # type: ignore[arg-type]


class EntityQueueStore(Store):
    """Entities: their queues and locks."""

    def _entity(self, entity_id: str) -> Entity:
        entity = self._entities.get(entity_id)
        if entity is None:
            entity = Entity(instance_id=entity_id)
            self._entities[entity_id] = entity
        return entity

    def _queue_entity_operation(self, entity_id: str, event: pb.HistoryEvent) -> None:
        entity = self._entity(entity_id)
        entity.pending_operations.append(event)
        self.touch()
        self._enqueue_entity(entity_id)

    def _enqueue_entity(self, entity_id: str, *, first: bool = False) -> None:
        entity = self._entities.get(entity_id)
        if entity is None:
            return
        self._take_lock_at_front(entity)
        if entity.lease_token is not None or not self._next_batch(entity):
            return
        if self._ready_entities.push(self._entity_key(entity_id), entity_id, first=first):
            self._work_available.set()

    def _next_batch(self, entity: Entity) -> list[pb.HistoryEvent]:
        """The operations that may run now: all up to the next lock request, or only the lock owner's."""
        if entity.locked_by is not None:
            return [
                event
                for event in entity.pending_operations
                if event.HasField("entityOperationCalled")
                and event.entityOperationCalled.parentInstanceId.value == entity.lock_owner
            ]
        batch: list[pb.HistoryEvent] = []
        for event in entity.pending_operations:
            if event.HasField("entityLockRequested"):
                break
            batch.append(event)
        return batch

    def _request_locks(self, instance: Instance, wanted: pb.EntityLockRequestedEvent) -> None:
        ordered = sorted(set(wanted.lockSet))
        request = sent_event(
            entityLockRequested=pb.EntityLockRequestedEvent(
                criticalSectionId=wanted.criticalSectionId,
                lockSet=ordered,
                position=0,
                parentInstanceId=helpers.get_string_value(instance.instance_id),
            )
        )
        self._queue_entity_operation(ordered[0], request)

    def _take_lock_at_front(self, entity: Entity) -> None:
        """Lock the entity for the request at the front of its queue, once nothing runs on it."""
        while (
            entity.locked_by is None
            and entity.lease_token is None
            and entity.pending_operations
            and entity.pending_operations[0].HasField("entityLockRequested")
        ):
            request = entity.pending_operations.pop(0).entityLockRequested
            owner = self._instances.get(request.parentInstanceId.value)
            if owner is None or owner.is_terminal:
                continue
            entity.locked_by = request.criticalSectionId
            entity.lock_owner = owner.instance_id
            self._locks_held.setdefault(owner.instance_id, set()).add(entity.instance_id)
            self.touch()
            if request.position + 1 < len(request.lockSet):
                onward = pb.EntityLockRequestedEvent()
                onward.CopyFrom(request)
                onward.position += 1
                self._queue_entity_operation(request.lockSet[onward.position], sent_event(entityLockRequested=onward))
            else:
                granted = pb.EntityLockGrantedEvent(criticalSectionId=request.criticalSectionId)
                self._deliver(owner, sent_event(entityLockGranted=granted))

    def _unlock(self, entity_id: str, critical_section_id: str) -> None:
        """End a critical section's hold on an entity, or its wish to hold it."""
        entity = self._entities.get(entity_id)
        if entity is None:
            return
        if entity.locked_by == critical_section_id:
            held = self._locks_held.get(entity.lock_owner or "", set())
            held.discard(entity_id)
            if not held:
                self._locks_held.pop(entity.lock_owner or "", None)
            entity.locked_by = None
            entity.lock_owner = None
        else:
            entity.pending_operations = [
                event
                for event in entity.pending_operations
                if event.entityLockRequested.criticalSectionId != critical_section_id
                or not event.HasField("entityLockRequested")
            ]
        self.touch()
        self._enqueue_entity(entity_id)

    def _release_locks_of(self, instance_id: str) -> None:
        """Free what an orchestration that has ended still holds."""
        for entity_id in sorted(self._locks_held.get(instance_id, ())):
            locked_by = self._entities[entity_id].locked_by
            if locked_by is not None:
                self._unlock(entity_id, locked_by)
