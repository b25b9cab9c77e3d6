"""Answers what clients ask of orchestrations and entities: start, raise, hold, end, purge and list."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from google.protobuf import wrappers_pb2

from . import limits
from .orchestrations import OrchestrationStore
from .records import Instance, text_of
from .refusals import RefusalError, within_limit
from .states import state_of

_PAGE_BYTES = limits.DEFAULT_CHANNEL_BYTES // 2  # a page stays within what any client's channel takes


class ClientCalls(OrchestrationStore):
    """The protocol's calls that clients make; they refuse by raising RefusalError through `Call.abort`."""

    @override
    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance, now or at its scheduled time."""
        within_limit(f"The input of orchestration '{request.name}'", request.input.value)
        instance_id = request.instanceId or uuid.uuid4().hex
        with self._lock:
            existing = self._instances.get(instance_id)
            if existing is not None:
                if existing.status not in request.orchestrationIdReusePolicy.replaceableStatus:
                    context.abort(
                        grpc.StatusCode.ALREADY_EXISTS,
                        f"Orchestration instance '{instance_id}' already exists "
                        f"({helpers.get_orchestration_status_str(existing.status)})",
                    )
                if not existing.is_terminal:
                    self._terminate_quietly(existing)
            self._create(
                instance_id,
                request.name,
                text_of(request),
                version=text_of(request, "version"),
                tags=dict(request.tags) or None,
                start_at=request.scheduledStartTimestamp.ToDatetime(tzinfo=UTC)
                if request.HasField("scheduledStartTimestamp")
                else None,
                trace_context=request.parentTraceContext if request.HasField("parentTraceContext") else None,
            )
        return pb.CreateInstanceResponse(instanceId=instance_id)

    def _terminate_quietly(self, instance: Instance) -> None:
        """End an active instance that its reuse policy allows to be replaced."""
        instance.lease_token = None
        instance.status = pb.ORCHESTRATION_STATUS_TERMINATED
        self._release_locks_of(instance.instance_id)
        self._tell_parent(instance)

    @override
    def RaiseEvent(self, request: pb.RaiseEventRequest, context: grpc.ServicerContext) -> pb.RaiseEventResponse:
        """Give an instance an external event; a pending or suspended one keeps it for later."""
        within_limit(f"The data of event '{request.name}'", request.input.value)
        with self._lock:
            instance = self._required(request.instanceId, context)
            self._deliver(instance, helpers.new_event_raised_event(request.name, text_of(request)))
        return pb.RaiseEventResponse()

    def _required(self, instance_id: str, context: grpc.ServicerContext) -> Instance:
        instance = self._instances.get(instance_id)
        if instance is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Orchestration instance '{instance_id}' not found")
            raise AssertionError("abort raises")
        return instance

    @override
    def TerminateInstance(self, request: pb.TerminateRequest, context: grpc.ServicerContext) -> pb.TerminateResponse:
        """End an instance, with `recursive` also its sub-orchestrations."""
        within_limit("The output of a termination", request.output.value)
        with self._lock:
            self._terminate_instance_internal(request.instanceId, text_of(request, "output"), request.recursive)
        return pb.TerminateResponse()

    @override
    def SuspendInstance(self, request: pb.SuspendRequest, context: grpc.ServicerContext) -> pb.SuspendResponse:
        """Hold an instance; its events wait."""
        within_limit("The reason of a suspension", request.reason.value)
        with self._lock:
            instance = self._required(request.instanceId, context)
            if instance.status != pb.ORCHESTRATION_STATUS_SUSPENDED:
                self._deliver(instance, helpers.new_suspend_event(encoded_input=text_of(request, "reason")))
        return pb.SuspendResponse()

    @override
    def ResumeInstance(self, request: pb.ResumeRequest, context: grpc.ServicerContext) -> pb.ResumeResponse:
        """Let a suspended instance go on."""
        within_limit("The reason of a resumption", request.reason.value)
        with self._lock:
            instance = self._required(request.instanceId, context)
            self._deliver(instance, helpers.new_resume_event(encoded_input=text_of(request, "reason")))
        return pb.ResumeResponse()

    @override
    def RestartInstance(
        self, request: pb.RestartInstanceRequest, context: grpc.ServicerContext
    ) -> pb.RestartInstanceResponse:
        """Run an instance that has ended again, with the same input."""
        with self._lock:
            instance = self._required(request.instanceId, context)
            if not instance.is_terminal:
                context.abort(
                    grpc.StatusCode.FAILED_PRECONDITION,
                    f"Orchestration instance '{request.instanceId}' is not in a terminal state",
                )
            new_id = uuid.uuid4().hex if request.restartWithNewInstanceId else request.instanceId
            self._create(new_id, instance.name, instance.input, version=instance.version, tags=instance.tags)
        return pb.RestartInstanceResponse(instanceId=new_id)

    @override
    def PurgeInstances(
        self, request: pb.PurgeInstancesRequest, context: grpc.ServicerContext
    ) -> pb.PurgeInstancesResponse:
        """Remove instances that have ended, with `recursive` also their sub-orchestrations."""
        with self._lock:
            if request.HasField("purgeInstanceFilter"):
                chosen = [one.instance_id for one in self._instances.values() if self._to_purge(one, request)]
            elif request.HasField("instanceBatch"):
                chosen = list(request.instanceBatch.instanceIds)
            else:
                chosen = [request.instanceId]
            purged = sum(self._purge(instance_id, recursive=request.recursive) for instance_id in chosen)
        return pb.PurgeInstancesResponse(deletedInstanceCount=purged, isComplete=wrappers_pb2.BoolValue(value=True))

    @staticmethod
    def _to_purge(instance: Instance, request: pb.PurgeInstancesRequest) -> bool:
        wanted = request.purgeInstanceFilter
        return (
            instance.is_terminal
            and (not wanted.runtimeStatus or instance.status in wanted.runtimeStatus)
            and (
                not wanted.HasField("createdTimeFrom") or instance.created_at >= wanted.createdTimeFrom.ToDatetime(UTC)
            )
            and (not wanted.HasField("createdTimeTo") or instance.created_at < wanted.createdTimeTo.ToDatetime(UTC))
        )

    def _purge(self, instance_id: str, *, recursive: bool) -> int:
        instance = self._instances.get(instance_id)
        if instance is None or not instance.is_terminal:
            return 0
        children = self._children_of(instance_id) if recursive else []
        del self._instances[instance_id]
        self._forget_family(instance)
        self._dismiss_waiters(instance_id)
        self.touch()
        return 1 + sum(self._purge(child.instance_id, recursive=True) for child in children)

    @override
    def SignalEntity(self, request: pb.SignalEntityRequest, context: grpc.ServicerContext) -> pb.SignalEntityResponse:
        """Queue an operation for an entity, now or at its scheduled time."""
        within_limit(f"The input of signal '{request.name}'", request.input.value)
        signaled = pb.EntityOperationSignaledEvent(
            requestId=request.requestId,
            operation=request.name,
            targetInstanceId=helpers.get_string_value(request.instanceId),
        )
        if request.HasField("input"):
            signaled.input.CopyFrom(request.input)
        event = pb.HistoryEvent(eventId=-1, entityOperationSignaled=signaled)
        due = request.scheduledTime.ToDatetime(tzinfo=UTC) if request.HasField("scheduledTime") else None
        with self._lock:
            if due is not None and due > datetime.now(UTC):
                self._schedule_delayed_entity_operation(request.instanceId, event, due)
            else:
                self._queue_entity_operation(request.instanceId, event)
        return pb.SignalEntityResponse()

    @override
    def QueryInstances(
        self, request: pb.QueryInstancesRequest, context: grpc.ServicerContext
    ) -> pb.QueryInstancesResponse:
        """List instances, oldest first, in pages of bounded size."""
        query = request.query
        token = query.continuationToken.value
        start = int(token) if token.isdecimal() else 0
        with self._lock:
            matching = sorted(
                (one for one in self._instances.values() if self._matches_query(one, query)),
                key=lambda one: (one.created_at, one.instance_id),
            )
            states: list[pb.OrchestrationState] = []
            size = 0
            for instance in matching[start:]:
                state = state_of(instance, with_payloads=query.fetchInputsAndOutputs)
                size += state.ByteSize()
                if states and (size > _PAGE_BYTES or len(states) == query.maxInstanceCount):
                    break
                states.append(state)
        after = start + len(states)
        return pb.QueryInstancesResponse(
            orchestrationState=states,
            continuationToken=helpers.get_string_value(str(after) if after < len(matching) else None),
        )

    @staticmethod
    def _matches_query(instance: Instance, query: pb.InstanceQuery) -> bool:
        return (
            (not query.runtimeStatus or instance.status in query.runtimeStatus)
            and (not query.HasField("createdTimeFrom") or instance.created_at >= query.createdTimeFrom.ToDatetime(UTC))
            and (not query.HasField("createdTimeTo") or instance.created_at < query.createdTimeTo.ToDatetime(UTC))
            and instance.instance_id.startswith(query.instanceIdPrefix.value)
        )

    def history_chunks(self, instance_id: str) -> Iterator[pb.HistoryChunk]:
        """An instance's history in messages of bounded size.

        Raises:
            RefusalError: there is no such instance.
        """
        with self._lock:
            instance = self._instances.get(instance_id)
            if instance is None:
                raise RefusalError(grpc.StatusCode.NOT_FOUND, f"Orchestration instance '{instance_id}' not found")
            history = list(instance.history)
        chunk: list[pb.HistoryEvent] = []
        size = 0
        for event in history:
            size += event.ByteSize()
            if chunk and (size > _PAGE_BYTES or len(chunk) == 500):
                yield pb.HistoryChunk(events=chunk)
                chunk, size = [], event.ByteSize()
            chunk.append(event)
        yield pb.HistoryChunk(events=chunk)
