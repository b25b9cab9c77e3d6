"""Says how an orchestration instance looks to clients."""

from __future__ import annotations

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers

from .records import Instance


def state_of(instance: Instance, *, with_payloads: bool) -> pb.OrchestrationState:
    """An instance as clients see it."""
    state = pb.OrchestrationState(
        instanceId=instance.instance_id,
        name=instance.name,
        version=helpers.get_string_value(instance.version),
        orchestrationStatus=instance.status,
        createdTimestamp=helpers.new_timestamp(instance.created_at),
        lastUpdatedTimestamp=helpers.new_timestamp(instance.last_updated_at),
        executionId=helpers.get_string_value(instance.execution_id),
        customStatus=helpers.get_string_value(instance.custom_status or None),
        failureDetails=instance.failure_details,
        tags=instance.tags or {},
    )
    if instance.scheduled_start is not None:
        state.scheduledStartTimestamp.FromDatetime(instance.scheduled_start)
    if instance.completed_at is not None:
        state.completedTimestamp.FromDatetime(instance.completed_at)
    if instance.parent is not None:
        state.parentInstanceId.value = instance.parent.orchestrationInstance.instanceId
    if with_payloads:
        if instance.input:
            state.input.value = instance.input
        if instance.output:
            state.output.value = instance.output
    return state
