"""Gives activities to workers and takes their results, each exactly once for the generation that asked for it."""

from __future__ import annotations

import logging
from typing import override

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
from durabletask.internal import helpers
from google.protobuf import timestamp_pb2

from . import limits
from .entities import EntityStore
from .records import Activity, WorkKind
from .redelivery import Lease, WorkerStream

_log = logging.getLogger(__name__)


class ActivityStore(EntityStore):
    """Activities that have no result yet."""

    def _lease_activity(self, stream: WorkerStream) -> pb.WorkItem | None:
        while (key := self._ready_activities.pop(stream.accepts(WorkKind.ACTIVITY))) is not None:
            activity = self._activities.get(key)
            if activity is None:
                continue
            if activity.instance_id not in self._instances:
                del self._activities[key]  # purged: nobody is left to take the result
                continue
            token = self._leases.next_token()
            self._leases.grant(Lease(token, WorkKind.ACTIVITY, activity, stream))
            request = pb.ActivityRequest(
                name=activity.name,
                taskId=activity.task_id,
                version=helpers.get_string_value(activity.version),
                input=helpers.get_string_value(activity.input),
                orchestrationInstance=pb.OrchestrationInstance(
                    instanceId=activity.instance_id,
                    executionId=helpers.get_string_value(activity.execution_id),
                ),
                tags=activity.tags,
                parentTraceContext=activity.trace_context,
            )
            return pb.WorkItem(completionToken=token, activityRequest=request)
        return None

    @override
    def AbandonTaskActivityWorkItem(
        self, request: pb.AbandonActivityTaskRequest, context: grpc.ServicerContext
    ) -> pb.AbandonActivityTaskResponse:
        """Give the activity to another worker."""
        with self._lock:
            lease = self._leases.settle(request.completionToken, WorkKind.ACTIVITY)
            if lease is not None and isinstance(lease.target, Activity):
                self._enqueue_activity(lease.target, first=True)
        return pb.AbandonActivityTaskResponse()

    @override
    def CompleteActivityTask(
        self, request: pb.ActivityResponse, context: grpc.ServicerContext
    ) -> pb.CompleteTaskResponse:
        """Take an activity's result; one over the size limit fails the task. A stale token is ignored."""
        with self._lock:
            lease = self._leases.settle(request.completionToken, WorkKind.ACTIVITY)
            if lease is None or not isinstance(lease.target, Activity):
                _log.info("ignored a stale activity completion", extra={"instance": request.instanceId})
                return pb.CompleteTaskResponse()
            activity = lease.target
            self._activities.pop((activity.instance_id, activity.execution_id, activity.task_id), None)
            self.touch()
            instance = self._instances.get(activity.instance_id)
            if instance is not None and instance.execution_id == activity.execution_id:
                instance.open_activities -= 1
                self._deliver(instance, self._activity_result(activity, request), linger=instance.open_activities > 0)
        return pb.CompleteTaskResponse()

    @staticmethod
    def _activity_result(activity: Activity, response: pb.ActivityResponse) -> pb.HistoryEvent:
        event = pb.HistoryEvent(eventId=-1, timestamp=timestamp_pb2.Timestamp())
        size = limits.oversize(response.result.value)
        if response.HasField("failureDetails") and (
            response.failureDetails.errorMessage or response.failureDetails.errorType
        ):
            details = limits.bounded(f"The failure of activity '{activity.name}'", response.failureDetails)
        elif size:
            details = limits.failure(limits.too_large(f"The result of activity '{activity.name}'", size))
        else:
            event.taskCompleted.taskScheduledId = activity.task_id
            if response.HasField("result"):
                event.taskCompleted.result.CopyFrom(response.result)
            return event
        event.taskFailed.taskScheduledId = activity.task_id
        event.taskFailed.failureDetails.CopyFrom(details)
        return event
