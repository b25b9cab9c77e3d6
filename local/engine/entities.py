"""Runs entity operations one batch at a time and gives each caller its answer, once and in its own generation."""

from __future__ import annotations

import logging
import uuid
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance
from google.protobuf import timestamp_pb2

from . import limits
from .locks import EntityQueueStore, sent_event
from .records import Entity, Instance, WorkKind
from .redelivery import Lease, WorkerStream
from .store import utc_now

_log = logging.getLogger(__name__)


class EntityStore(EntityQueueStore):
    """Entities: their batches and answers."""

    # giving out and taking back batches

    def _lease_entity(self, stream: WorkerStream) -> pb.WorkItem | None:
        while (entity_id := self._ready_entities.pop(stream.accepts(WorkKind.ENTITY))) is not None:
            entity = self._entities.get(entity_id)
            if entity is None or entity.lease_token is not None:
                continue
            batch = self._next_batch(entity)
            if not batch:
                continue
            chosen = {id(event) for event in batch}
            entity.pending_operations = [event for event in entity.pending_operations if id(event) not in chosen]
            entity.dispatched_operations = batch
            entity.lease_token = self._leases.next_token()
            self._leases.grant(Lease(entity.lease_token, WorkKind.ENTITY, entity, stream))
            return pb.WorkItem(
                completionToken=entity.lease_token,
                entityRequestV2=pb.EntityRequest(
                    instanceId=entity_id,
                    entityState=helpers.get_string_value(entity.serialized_state or None),
                    operationRequests=batch,
                ),
            )
        return None

    def _put_back_entity(self, entity: Entity) -> None:
        entity.pending_operations = entity.dispatched_operations + entity.pending_operations
        entity.dispatched_operations = []
        entity.lease_token = None
        self._enqueue_entity(entity.instance_id, first=True)

    @override
    def AbandonTaskEntityWorkItem(
        self, request: pb.AbandonEntityTaskRequest, context: grpc.ServicerContext
    ) -> pb.AbandonEntityTaskResponse:
        """Give the batch to another worker."""
        with self._lock:
            lease = self._leases.settle(request.completionToken, WorkKind.ENTITY)
            if lease is not None and isinstance(lease.target, Entity):
                self._put_back_entity(lease.target)
        return pb.AbandonEntityTaskResponse()

    @override
    def CompleteEntityTask(
        self, request: pb.EntityBatchResult, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take a batch's results; a batch over the size limit fails its callers and leaves the state as it was."""
        with self._lock:
            lease = self._leases.settle(request.completionToken, WorkKind.ENTITY)
            if lease is None or not isinstance(lease.target, Entity):
                _log.info("ignored a stale entity completion", extra={"token": request.completionToken})
                return pb.CompleteTaskResponse()
            entity = lease.target
            operations = entity.dispatched_operations
            entity.dispatched_operations = []
            entity.lease_token = None
            self.touch()
            try:
                limits.check_entity_batch(request)
            except limits.PayloadTooLargeError as error:
                _log.error("entity batch refused: %s", error, extra={"entity": entity.instance_id})
                for operation in operations:
                    self._answer_failure(operation, limits.failure(str(error)))
            else:
                self._apply_batch(entity, operations, request)
            self._enqueue_entity(entity.instance_id)
        return pb.CompleteTaskResponse()

    def _apply_batch(self, entity: Entity, operations: list[pb.HistoryEvent], result: pb.EntityBatchResult) -> None:
        if result.HasField("failureDetails") and not result.results:
            for operation in operations:
                self._answer_failure(operation, result.failureDetails)
            return
        entity.serialized_state = result.entityState.value or None
        entity.last_modified_at = utc_now()
        done = len(result.results)
        for operation, outcome in zip(operations, result.results, strict=False):
            if outcome.HasField("failure"):
                self._answer_failure(operation, outcome.failure.failureDetails)
                continue
            size = limits.oversize(outcome.success.result.value)
            if size:
                what = f"The result of entity operation '{operation.entityOperationCalled.operation}'"
                self._answer_failure(operation, limits.failure(limits.too_large(what, size)))
            else:
                called = operation.entityOperationCalled
                answer = pb.EntityOperationCompletedEvent(requestId=called.requestId)
                if outcome.success.HasField("result"):
                    answer.output.CopyFrom(outcome.success.result)
                self._answer(operation, sent_event(entityOperationCompleted=answer))
        # A worker may stop part-way through a batch; the rest keeps its place.
        entity.pending_operations = operations[done:] + entity.pending_operations
        for action in result.actions:
            self._perform_entity_action(entity, action)

    def _perform_entity_action(self, entity: Entity, action: pb.OperationAction) -> None:
        if action.HasField("sendSignal"):
            signal = action.sendSignal
            self._signal_entity_internal(
                signal.instanceId,
                signal.name,
                signal.input.value if signal.HasField("input") else None,
                scheduled_time=signal.scheduledTime.ToDatetime(utc_now().tzinfo)
                if signal.HasField("scheduledTime")
                else None,
            )
        elif action.HasField("startNewOrchestration"):
            start = action.startNewOrchestration
            try:
                self._create_instance_internal(
                    start.instanceId or uuid.uuid4().hex,
                    start.name,
                    start.input.value if start.HasField("input") else None,
                    version=start.version.value if start.HasField("version") else None,
                )
            except ValueError as error:
                _log.warning("entity could not start an orchestration: %s", error, extra={"entity": entity.instance_id})

    def _answer_failure(self, operation: pb.HistoryEvent, details: pb.TaskFailureDetails) -> None:
        answer = pb.EntityOperationFailedEvent(
            requestId=operation.entityOperationCalled.requestId,
            failureDetails=limits.bounded("The failure of an entity operation", details),
        )
        self._answer(operation, sent_event(entityOperationFailed=answer))

    def _answer(self, operation: pb.HistoryEvent, event: pb.HistoryEvent) -> None:
        """Give the caller its answer, unless it was a signal or the caller's generation is over."""
        if not operation.HasField("entityOperationCalled"):
            return
        called = operation.entityOperationCalled
        caller = self._instances.get(called.parentInstanceId.value)
        if caller is not None and caller.execution_id == called.parentExecutionId.value:
            self._deliver(caller, event)

    # what orchestrations send to entities

    def _process_send_entity_message_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        message = action.sendEntityMessage
        if message.HasField("entityOperationCalled"):
            called = message.entityOperationCalled
            instance.history.append(
                pb.HistoryEvent(eventId=action.id, timestamp=timestamp_pb2.Timestamp(), entityOperationCalled=called)
            )
            queued = sent_event(entityOperationCalled=called)
            # The SDK leaves the generation out; without it an answer could reach a later one, which fails on it.
            queued.entityOperationCalled.parentExecutionId.value = instance.execution_id
            queued.entityOperationCalled.parentInstanceId.value = instance.instance_id
            self._queue_entity_operation(called.targetInstanceId.value, queued)
        elif message.HasField("entityLockRequested"):
            instance.history.append(
                pb.HistoryEvent(
                    eventId=action.id,
                    timestamp=timestamp_pb2.Timestamp(),
                    entityLockRequested=message.entityLockRequested,
                )
            )
            self._request_locks(instance, message.entityLockRequested)
        elif message.HasField("entityUnlockSent"):
            unlock = message.entityUnlockSent
            instance.history.append(
                pb.HistoryEvent(eventId=action.id, timestamp=timestamp_pb2.Timestamp(), entityUnlockSent=unlock)
            )
            self._unlock(unlock.targetInstanceId.value, unlock.criticalSectionId)
        else:
            super()._process_send_entity_message_action(instance, action)

    @override
    def GetEntity(self, request: pb.GetEntityRequest, context: grpc.ServicerContext) -> pb.GetEntityResponse:
        """An entity's state; `lockedBy` is the orchestration that holds its lock, as on Azure."""
        with self._lock:
            response = super().GetEntity(request, context)
            self._name_lock_owner(response.entity)
        return response

    @override
    def QueryEntities(
        self, request: pb.QueryEntitiesRequest, context: grpc.ServicerContext
    ) -> pb.QueryEntitiesResponse:
        """Entities as the stock backend lists them, `lockedBy` as in GetEntity."""
        with self._lock:
            response = super().QueryEntities(request, context)
            for metadata in response.entities:
                self._name_lock_owner(metadata)
        return response

    def _name_lock_owner(self, metadata: pb.EntityMetadata) -> None:
        entity = self._entities.get(metadata.instanceId)
        if entity is not None and entity.lock_owner is not None:
            metadata.lockedBy.value = entity.lock_owner

    @override
    def CleanEntityStorage(
        self, request: pb.CleanEntityStorageRequest, context: grpc.ServicerContext
    ) -> pb.CleanEntityStorageResponse:
        """Remove entities without state, and locks whose orchestration has ended."""
        removed = 0
        released = 0
        with self._lock:
            if request.releaseOrphanedLocks:
                for entity in list(self._entities.values()):
                    owner = self._instances.get(entity.lock_owner or "")
                    if entity.locked_by is not None and (owner is None or owner.is_terminal):
                        self._unlock(entity.instance_id, entity.locked_by)
                        released += 1
            if request.removeEmptyEntities:
                for entity in list(self._entities.values()):
                    busy = entity.pending_operations or entity.lease_token or entity.locked_by
                    if entity.serialized_state is None and not busy:
                        del self._entities[entity.instance_id]
                        removed += 1
            self.touch()
        return pb.CleanEntityStorageResponse(emptyEntitiesRemoved=removed, orphanedLocksReleased=released)
