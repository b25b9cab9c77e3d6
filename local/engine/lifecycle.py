"""Decides how an orchestration begins and ends, and guarantees that a parent that still waits is told of its child's end."""

from __future__ import annotations

from datetime import datetime

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from google.protobuf import timestamp_pb2

from .activities import ActivityStore
from .records import Instance
from .store import utc_now
from .timers import Timer, TimerKind


class LifecycleStore(ActivityStore):
    """Orchestrations: creation and ends."""

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
