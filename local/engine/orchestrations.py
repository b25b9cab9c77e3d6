"""Runs orchestrations turn by turn: what a worker's actions change, and how each ends and tells its parent."""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import logging
import uuid
from datetime import UTC, datetime
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance
from google.protobuf import timestamp_pb2

from . import limits
from .activities import ActivityStore
from .records import Activity, EventLog, Instance, WorkKind, text_of, wire_field
from .redelivery import Lease, WorkerStream
from .store import utc_now
from .timers import Timer, TimerKind

_log = logging.getLogger(__name__)

_ORCHESTRATOR_REQUEST_FIELD = pb.WorkItem.DESCRIPTOR.fields_by_name["orchestratorRequest"].number
_LOST_DELIVERIES_ALLOWED = 3
_KEPT_ON_CONTINUE = ("eventRaised", "executionSuspended", "executionResumed", "executionTerminated")


class OrchestrationStore(ActivityStore):
    """Orchestrations: creation, turns, actions, ends."""

    # creation

    def _create_instance_internal(
        self, instance_id: str, name: str, encoded_input: str | None = None, version: str | None = None
    ) -> None:
        self._create(instance_id, name, encoded_input, version=version)

    def _create(
        self,
        instance_id: str,
        name: str,
        encoded_input: str | None,
        *,
        version: str | None = None,
        tags: dict[str, str] | None = None,
        parent: pb.ParentInstanceInfo | None = None,
        start_at: datetime | None = None,
        trace_context: pb.TraceContext | None = None,
    ) -> Instance:
        """Add a new instance, replacing one of the same id that has ended.

        Raises:
            ValueError: an instance of that id is still active.
        """
        existing = self._instances.get(instance_id)
        if existing is not None and not existing.is_terminal:
            raise ValueError(f"Orchestration instance '{instance_id}' already exists")
        now = utc_now()
        waits = start_at is not None and start_at > now
        instance = Instance(
            instance_id=instance_id,
            name=name,
            status=pb.ORCHESTRATION_STATUS_PENDING,
            version=version,
            input=encoded_input,
            created_at=now,
            last_updated_at=now,
            tags=tags,
            parent=parent,
            scheduled_start=start_at,
            held_until=start_at if waits else None,
        )
        instance.pending_events.extend(self._first_events(instance, start_at if waits else now, trace_context))
        self._add_instance(instance)
        if waits and start_at is not None:
            self._timers.add(Timer(TimerKind.START, start_at, instance_id, instance.execution_id))
        else:
            self._enqueue_orchestration(instance_id)
        return instance

    @staticmethod
    def _first_events(
        instance: Instance, now: datetime | None, trace_context: pb.TraceContext | None = None
    ) -> list[pb.HistoryEvent]:
        started = helpers.new_execution_started_event(
            instance.name,
            instance.instance_id,
            instance.input,
            instance.tags,
            version=instance.version,
            parent_trace_context=trace_context,
        )
        started.executionStarted.orchestrationInstance.executionId.value = instance.execution_id
        if instance.parent is not None:
            started.executionStarted.parentInstance.CopyFrom(instance.parent)
        if instance.scheduled_start is not None:
            started.executionStarted.scheduledStartTimestamp.FromDatetime(instance.scheduled_start)
        return [helpers.new_orchestrator_started_event(now), started]

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

    def _commit_events(self, instance: Instance) -> None:
        """Write the turn's events into the history."""
        events = instance.dispatched_events
        instance.dispatched_events = []
        instance.history.extend(events)
        instance.last_updated_at = utc_now()
        if instance.status == pb.ORCHESTRATION_STATUS_PENDING:
            instance.status = pb.ORCHESTRATION_STATUS_RUNNING
        for event in events:
            if event.HasField("executionSuspended"):
                instance.status = pb.ORCHESTRATION_STATUS_SUSPENDED
            elif event.HasField("executionResumed"):
                instance.status = pb.ORCHESTRATION_STATUS_RUNNING

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

    def _fail(self, instance: Instance, details: pb.TaskFailureDetails) -> None:
        instance.status = pb.ORCHESTRATION_STATUS_FAILED
        instance.output = None
        instance.failure_details = details

    def _finish(self, instance: Instance) -> None:
        """Close an instance that has just become terminal: history, locks, parent, clients."""
        instance.completed_at = utc_now()
        instance.last_updated_at = instance.completed_at
        instance.held_until = None
        instance.history.append(helpers.new_orchestrator_completed_event())
        instance.history.append(
            helpers.new_execution_completed_event(instance.status, instance.output, instance.failure_details)
        )
        instance.pending_events.clear()
        instance.dispatched_events = []
        self._release_locks_of(instance.instance_id)
        self._tell_parent(instance)
        self._notify_waiters(instance.instance_id)
        self.touch()

    def _tell_parent(self, child: Instance) -> None:
        """Give the parent its sub-orchestration's result, if the generation that asked for it still runs."""
        if child.parent is None:
            return
        origin = child.parent.orchestrationInstance
        parent = self._instances.get(origin.instanceId)
        if parent is None or parent.execution_id != origin.executionId.value:
            return
        task_id = child.parent.taskScheduledId
        if child.status == pb.ORCHESTRATION_STATUS_COMPLETED:
            event = helpers.new_sub_orchestration_completed_event(task_id, child.output)
        else:
            details = child.failure_details or pb.TaskFailureDetails(
                errorType="SubOrchestrationTerminated",
                errorMessage=f"Sub-orchestration '{child.instance_id}' was terminated",
            )
            event = pb.HistoryEvent(
                eventId=-1,
                timestamp=timestamp_pb2.Timestamp(),
                subOrchestrationInstanceFailed=pb.SubOrchestrationInstanceFailedEvent(
                    taskScheduledId=task_id, failureDetails=details
                ),
            )
        self._deliver(parent, event)

    # actions

    def _process_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        if action.HasField("terminateOrchestration"):
            terminate = action.terminateOrchestration
            self._terminate_instance_internal(terminate.instanceId, text_of(terminate, "reason"), terminate.recurse)
        else:
            super()._process_action(instance, action)

    def _process_complete_orchestration_action(
        self, instance: OrchestrationInstance, complete_action: pb.CompleteOrchestrationAction
    ) -> None:
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        if complete_action.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW:
            self._continue_as_new(instance, complete_action)
            return
        instance.status = complete_action.orchestrationStatus
        instance.output = text_of(complete_action, "result")
        instance.failure_details = (
            limits.bounded("The failure of the orchestration", complete_action.failureDetails)
            if complete_action.HasField("failureDetails")
            else None
        )

    def _continue_as_new(self, instance: Instance, action: pb.CompleteOrchestrationAction) -> None:
        """Begin a new generation. Events meant for the old one (results, timers) end with it; external ones stay."""
        arrived = [event for event in instance.pending_events if event.WhichOneof("eventType") in _KEPT_ON_CONTINUE]
        instance.history.clear()
        instance.execution_id = uuid.uuid4().hex
        instance.input = text_of(action, "result")
        if action.HasField("newVersion"):
            instance.version = action.newVersion.value
        instance.output = None
        instance.failure_details = None
        instance.scheduled_start = None
        instance.open_activities = 0
        instance.lingers = False
        if instance.status != pb.ORCHESTRATION_STATUS_SUSPENDED:
            instance.status = pb.ORCHESTRATION_STATUS_RUNNING
        instance.pending_events = [
            *self._first_events(instance, utc_now()),
            *action.carryoverEvents,
            *arrived,
        ]

    def _process_schedule_task_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        scheduled = action.scheduleTask
        event = helpers.new_task_scheduled_event(action.id, scheduled.name, text_of(scheduled))
        if scheduled.HasField("version"):
            event.taskScheduled.version.CopyFrom(scheduled.version)
        instance.history.append(event)
        activity = Activity(
            instance_id=instance.instance_id,
            name=scheduled.name,
            task_id=action.id,
            input=text_of(scheduled),
            completion_token=0,
            version=text_of(scheduled, "version"),
            execution_id=instance.execution_id,
            tags=dict(scheduled.tags),
            trace_context=scheduled.parentTraceContext if scheduled.HasField("parentTraceContext") else None,
        )
        instance.open_activities += 1
        self._enqueue_activity(activity)

    def _process_create_timer_action(self, instance: OrchestrationInstance, action: pb.OrchestratorAction) -> None:
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        due = action.createTimer.fireAt.ToDatetime(tzinfo=UTC)
        instance.history.append(helpers.new_timer_created_event(action.id, due))
        self._timers.add(
            Timer(TimerKind.ORCHESTRATION, due, instance.instance_id, instance.execution_id, timer_id=action.id)
        )

    def _process_create_sub_orchestration_action(
        self, instance: OrchestrationInstance, action: pb.OrchestratorAction
    ) -> None:
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        wanted = action.createSubOrchestration
        child_id = wanted.instanceId or uuid.uuid4().hex
        version = text_of(wanted, "version")
        instance.history.append(
            helpers.new_sub_orchestration_created_event(
                action.id, wanted.name, child_id, text_of(wanted), version=version
            )
        )
        try:
            child = self._create(
                child_id,
                wanted.name,
                text_of(wanted),
                version=version,
                tags=dict(wanted.tags) or None,
                parent=self._parent_info(instance, action.id),
                trace_context=wanted.parentTraceContext if wanted.HasField("parentTraceContext") else None,
            )
        except ValueError as error:
            self._deliver(instance, helpers.new_sub_orchestration_failed_event(action.id, error))
            return
        for event in instance.pending_events:
            # A recursive termination that arrived during this turn must reach the child born in it.
            if event.HasField("executionTerminated") and event.executionTerminated.recurse:
                self._terminate_instance_internal(child.instance_id, text_of(event.executionTerminated), recursive=True)

    @staticmethod
    def _parent_info(parent: Instance, task_id: int) -> pb.ParentInstanceInfo:
        return pb.ParentInstanceInfo(
            taskScheduledId=task_id,
            name=helpers.get_string_value(parent.name),
            version=helpers.get_string_value(parent.version),
            orchestrationInstance=pb.OrchestrationInstance(
                instanceId=parent.instance_id,
                executionId=helpers.get_string_value(parent.execution_id),
            ),
        )

    def _watch_sub_orchestration(self, parent_instance_id: str, sub_instance_id: str, task_id: int) -> None:
        """Tie a child to its parent again (the stock rewind asks for this); its end is told by `_tell_parent`."""
        parent = self._instances.get(parent_instance_id)
        child = self._instances.get(sub_instance_id)
        if parent is None or child is None:
            return
        self._forget_family(child)
        child.parent = self._parent_info(parent, task_id)
        self._children.setdefault(parent_instance_id, set()).add(sub_instance_id)
        for event in child.pending_events:
            if event.HasField("executionStarted"):
                event.executionStarted.parentInstance.CopyFrom(child.parent)

    def _process_rewind_orchestration_action(
        self, instance: OrchestrationInstance, rewind_action: pb.RewindOrchestrationAction
    ) -> None:
        """Rewind as the stock backend does, keeping events that arrived meanwhile and results that are already there."""
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        arrived = list(instance.pending_events)
        super()._process_rewind_orchestration_action(instance, rewind_action)
        instance.history = EventLog(instance.history)
        instance.completed_at = None
        instance.lease_token = None
        instance.pending_events.extend(arrived)
        answered = {
            event.subOrchestrationInstanceCompleted.taskScheduledId
            for event in instance.history
            if event.HasField("subOrchestrationInstanceCompleted")
        }
        for event in instance.history:
            created = event.subOrchestrationInstanceCreated
            child = self._instances.get(created.instanceId) if created.instanceId else None
            if child is not None and child.is_terminal and event.eventId not in answered:
                self._tell_parent(child)

    def _prepare_rewind(self, instance: OrchestrationInstance, reason: str | None = None) -> None:
        assert isinstance(instance, Instance)  # noqa: S101 - the store holds no other kind
        instance.completed_at = None
        instance.pending_events.clear()
        super()._prepare_rewind(instance, reason)
        self.touch()

    def _raise_event_internal(self, instance_id: str, event_name: str, event_data: str | None = None) -> None:
        instance = self._instances.get(instance_id)
        if instance is None:
            raise ValueError(f"Orchestration instance '{instance_id}' not found")
        self._deliver(instance, helpers.new_event_raised_event(event_name, event_data))

    def _terminate_instance_internal(self, instance_id: str, output: str | None, recursive: bool = False) -> None:
        instance = self._instances.get(instance_id)
        if instance is None:
            return
        if not instance.is_terminal:
            if instance.never_ran:
                # No worker needs to hear of it; asking one would run the first steps only to end them.
                self._commit_events(instance)
                instance.history.extend(instance.pending_events)
                instance.status = pb.ORCHESTRATION_STATUS_TERMINATED
                instance.output = output
                self._finish(instance)
            else:
                event = helpers.new_terminated_event(encoded_output=output)
                event.executionTerminated.recurse = recursive
                self._deliver(instance, event)
        if recursive:
            for child in self._children_of(instance_id):
                self._terminate_instance_internal(child.instance_id, output, recursive=True)
