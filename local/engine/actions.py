"""Decides what each action that an orchestration's turn asks for changes in the engine."""

from __future__ import annotations

import uuid
from datetime import UTC

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from durabletask.testing.in_memory_backend import OrchestrationInstance

from . import limits
from .lifecycle import LifecycleStore
from .records import Activity, EventLog, Instance, text_of
from .store import utc_now
from .timers import Timer, TimerKind

_KEPT_ON_CONTINUE = ("eventRaised", "executionSuspended", "executionResumed", "executionTerminated")


class ActionStore(LifecycleStore):
    """Orchestrations: what their actions do."""

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
