"""Answers every call of the Durable Task protocol on the engine's state; knows no sockets and no event loop."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import NoReturn, override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from google.protobuf import wrappers_pb2

from . import limits
from .orchestrations import OrchestrationStore
from .records import Activity, Entity, Instance, WorkKind, text_of
from .redelivery import WorkerStream
from .timers import Timer, TimerKind

_log = logging.getLogger(__name__)

_PAGE_BYTES = limits.DEFAULT_CHANNEL_BYTES // 2  # a page stays within what any client's channel takes


class RefusalError(Exception):
    """A call is refused: the gRPC status code and a sentence for the caller."""

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Call:
    """What the stock backend asks of a call's context: a way to refuse it."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Refuse the call."""
        raise RefusalError(code, details)


def _within_limit(what: str, text: str) -> None:
    try:
        limits.check(what, text)
    except limits.PayloadTooLargeError as error:
        raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error


class Backend(OrchestrationStore):
    """The engine's state machine. Calls refuse by raising RefusalError through `Call.abort`."""

    # clients

    @override
    def StartInstance(
        self, request: pb.CreateInstanceRequest, context: grpc.ServicerContext
    ) -> pb.CreateInstanceResponse:
        """Start an instance, now or at its scheduled time."""
        _within_limit(f"The input of orchestration '{request.name}'", request.input.value)
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
        _within_limit(f"The data of event '{request.name}'", request.input.value)
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
        _within_limit("The output of a termination", request.output.value)
        with self._lock:
            self._terminate_instance_internal(request.instanceId, text_of(request, "output"), request.recursive)
        return pb.TerminateResponse()

    @override
    def SuspendInstance(self, request: pb.SuspendRequest, context: grpc.ServicerContext) -> pb.SuspendResponse:
        """Hold an instance; its events wait."""
        _within_limit("The reason of a suspension", request.reason.value)
        with self._lock:
            instance = self._required(request.instanceId, context)
            if instance.status != pb.ORCHESTRATION_STATUS_SUSPENDED:
                self._deliver(instance, helpers.new_suspend_event(encoded_input=text_of(request, "reason")))
        return pb.SuspendResponse()

    @override
    def ResumeInstance(self, request: pb.ResumeRequest, context: grpc.ServicerContext) -> pb.ResumeResponse:
        """Let a suspended instance go on."""
        _within_limit("The reason of a resumption", request.reason.value)
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
        _within_limit(f"The input of signal '{request.name}'", request.input.value)
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
                state = self._build_state(instance, with_payloads=query.fetchInputsAndOutputs)
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
