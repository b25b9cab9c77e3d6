"""Gives orchestrations to workers turn by turn, and guarantees that a turn taken back leaves the instance a next step."""

from __future__ import annotations

import logging
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers

from . import limits
from .actions import ActionStore
from .records import EventLog, Instance, WorkKind, wire_field
from .redelivery import Lease, WorkerStream
from .store import utc_now

_log = logging.getLogger(__name__)

_ORCHESTRATOR_REQUEST_FIELD = pb.WorkItem.DESCRIPTOR.fields_by_name["orchestratorRequest"].number
_LOST_DELIVERIES_ALLOWED = 3


class OrchestrationStore(ActionStore):
    """Orchestrations: their turns."""

    # giving out and taking back turns

    def _lease_orchestration(self, stream: WorkerStream) -> bytes | None:
        while (instance_id := self._ready_orchestrations.pop(stream.accepts(WorkKind.ORCHESTRATION))) is not None:
            instance = self._instances.get(instance_id)
            if instance is None or not self._can_run(instance):
                continue
            self._begin_turn(instance)
            token = self._leases.next_token()
            instance.lease_token = token
            head = pb.OrchestratorRequest(
                instanceId=instance_id,
                executionId=helpers.get_string_value(instance.execution_id),
                newEvents=instance.dispatched_events,
            ).SerializeToString()
            log = instance.history
            past = log.wire() if isinstance(log, EventLog) else EventLog(log).wire()
            # Protobuf allows a message to be written as the concatenation of its parts.
            item: bytes = (
                wire_field(_ORCHESTRATOR_REQUEST_FIELD, head + past)
                + pb.WorkItem(completionToken=token).SerializeToString()
            )
            if len(item) > limits.DEFAULT_CHANNEL_BYTES and instance.lost_deliveries >= _LOST_DELIVERIES_ALLOWED:
                self._fail_undeliverable(instance, len(item))
                continue
            self._leases.grant(Lease(token, WorkKind.ORCHESTRATION, instance, stream, len(item)))
            return item
        return None

    def _begin_turn(self, instance: Instance) -> None:
        """Move the events of the next turn from pending to dispatched."""
        events = instance.pending_events
        if events[0].HasField("executionRewound"):
            # The SDK wants a rewind alone in its turn; whatever came after it waits for the next.
            instance.dispatched_events = events[:1]
            instance.pending_events = events[1:]
        else:
            instance.dispatched_events = events
            instance.pending_events = []
        if instance.history and not instance.dispatched_events[0].HasField("orchestratorStarted"):
            instance.dispatched_events.insert(0, helpers.new_orchestrator_started_event(utc_now()))

    @staticmethod
    def events_to_redo(instance: Instance) -> list[pb.HistoryEvent]:
        """The events of a turn that was given out, as they were before: its clock tick is made anew next time."""
        events = list(instance.dispatched_events)
        if instance.history and len(events) > 1 and events[0].HasField("orchestratorStarted"):
            del events[0]
        return events

    def _put_back_orchestration(self, instance: Instance) -> None:
        instance.pending_events = self.events_to_redo(instance) + instance.pending_events
        instance.dispatched_events = []
        instance.lease_token = None
        self._enqueue_orchestration(instance.instance_id, first=True)

    def _fail_undeliverable(self, instance: Instance, size: int) -> None:
        instance.lease_token = None
        message = (
            f"The history of '{instance.instance_id}' makes a message of {size} bytes, and the worker's connection "
            f"broke {instance.lost_deliveries} times in a row on receiving it. A gRPC channel takes "
            f"{limits.DEFAULT_CHANNEL_BYTES} bytes unless told otherwise: raise the worker's "
            "max_receive_message_length, pass references instead of content (the claim check pattern), or "
            "continue as new more often."
        )
        _log.error(message, extra={"instance": instance.instance_id})
        self._commit_events(instance)
        self._fail(instance, limits.failure(message))
        self._finish(instance)

    @override
    def AbandonTaskOrchestratorWorkItem(
        self, request: pb.AbandonOrchestrationTaskRequest, context: grpc.ServicerContext
    ) -> pb.AbandonOrchestrationTaskResponse:
        """Give the turn to another worker."""
        with self._lock:
            lease = self._leases.settle(request.completionToken, WorkKind.ORCHESTRATION)
            if lease is not None and isinstance(lease.target, Instance):
                self._put_back_orchestration(lease.target)
        return pb.AbandonOrchestrationTaskResponse()

    # a turn comes back

    @override
    def CompleteOrchestratorTask(
        self, request: pb.OrchestratorResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Apply a turn's actions. A stale token is ignored; whatever is wrong with the actions fails the instance."""
        with self._lock:
            lease = self._leases.settle(request.completionToken, WorkKind.ORCHESTRATION)
            if lease is None or not isinstance(lease.target, Instance):
                _log.info("ignored a stale orchestration completion", extra={"instance": request.instanceId})
                return pb.CompleteTaskResponse()
            instance = lease.target
            if instance.lease_token != lease.token or self._instances.get(instance.instance_id) is not instance:
                return pb.CompleteTaskResponse()  # purged, replaced or rewound meanwhile
            instance.lease_token = None
            instance.lost_deliveries = 0
            self.touch()
            generation = instance.execution_id
            self._commit_events(instance)
            self._apply_turn(instance, request)
            if instance.is_terminal:
                self._finish(instance)
            elif instance.execution_id == generation:
                instance.history.append(helpers.new_orchestrator_completed_event())
            self._notify_waiters(instance.instance_id)
            self._enqueue_orchestration(instance.instance_id)
        return pb.CompleteTaskResponse()

    def _apply_turn(self, instance: Instance, response: pb.OrchestratorResponse) -> None:
        if len(instance.history) > self._max_history_size:
            message = (
                f"The history has {len(instance.history)} events, over the limit of {self._max_history_size}. "
                "Continue as new, or split the work into sub-orchestrations."
            )
            self._fail(
                instance,
                pb.TaskFailureDetails(errorType="HistoryTooLong", errorMessage=message, isNonRetriable=True),
            )
            return
        try:
            limits.check_response(response)
            if response.HasField("customStatus"):
                instance.custom_status = response.customStatus.value
            for action in response.actions:
                self._process_action(instance, action)
        except limits.PayloadTooLargeError as error:
            _log.error("orchestration failed: %s", error, extra={"instance": instance.instance_id})
            self._fail(instance, limits.failure(str(error)))
        except Exception as error:
            # Whatever a worker sent, the instance must not be left without a next step.
            _log.exception("could not apply a turn", extra={"instance": instance.instance_id})
            self._fail(instance, helpers.new_failure_details(error))
