"""Takes the engine's whole state at one moment and puts it back: what was saved is what is restored, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from google.protobuf.message import DecodeError

from .backend import Backend
from .records import Activity, Entity, EventLog, Instance
from .snapshot_file import SnapshotError
from .snapshot_records import ActivityRecord, AnyRecord, EntityRecord, InstanceRecord, TimerRecord
from .timers import Timer


@dataclass(frozen=True)
class Picture:
    """The state at one moment: cheap to take under the lock, encoded afterwards."""

    changes: int
    instances: list[tuple[InstanceRecord, str, str, bytes, list[pb.HistoryEvent]]]
    """Facts, instance id, execution id, encoded history, unprocessed events."""
    activities: list[Activity]
    entities: list[tuple[EntityRecord, str, str | None, list[pb.HistoryEvent]]]
    """Facts, entity id, state, queue."""
    timers: list[Timer]


def take(backend: Backend) -> Picture:
    """Copy references to the state. Holds the engine's lock for a time that grows with the changes, not the payloads."""
    with backend.lock:
        return Picture(
            changes=backend.changes,
            instances=[_picture_of(one) for one in backend.instances()],
            activities=backend.unfinished_activities(),
            entities=[
                (
                    EntityRecord.model_construct(
                        last_modified_at=entity.last_modified_at,
                        locked_by=entity.locked_by,
                        lock_owner=entity.lock_owner,
                    ),
                    entity.instance_id,
                    entity.serialized_state,
                    [*entity.dispatched_operations, *entity.pending_operations],
                )
                for entity in backend.entities()
            ],
            timers=backend.live_timers(),
        )


def _picture_of(one: Instance) -> tuple[InstanceRecord, str, str, bytes, list[pb.HistoryEvent]]:
    # model_construct: the facts are our own, and 2,000 validations would be time under the lock.
    record = InstanceRecord.model_construct(
        name=one.name,
        status=one.status,
        version=one.version,
        input=one.input,
        output=one.output,
        custom_status=one.custom_status,
        created_at=one.created_at,
        last_updated_at=one.last_updated_at,
        completed_at=one.completed_at,
        scheduled_start=one.scheduled_start,
        held_until=one.held_until,
        tags=one.tags,
        failure=one.failure_details.SerializeToString() if one.failure_details is not None else None,
        parent=one.parent.SerializeToString() if one.parent is not None else None,
    )
    log = one.history
    wire = log.wire() if isinstance(log, EventLog) else EventLog(log).wire()
    return record, one.instance_id, one.execution_id, wire, [*Backend.events_to_redo(one), *one.pending_events]


def records_of(picture: Picture) -> Iterator[tuple[AnyRecord, bytes]]:
    """The records of a snapshot file with their protobuf payloads."""
    for record, instance_id, execution_id, past, pending in picture.instances:
        head = pb.OrchestratorRequest(
            instanceId=instance_id, executionId=helpers.get_string_value(execution_id), newEvents=pending
        )
        yield record, head.SerializeToString() + past
    for activity in picture.activities:
        yield (
            ActivityRecord.model_construct(
                instance_id=activity.instance_id,
                execution_id=activity.execution_id,
                task_id=activity.task_id,
                name=activity.name,
                version=activity.version,
                input=activity.input,
                tags=activity.tags,
            ),
            activity.trace_context.SerializeToString() if activity.trace_context is not None else b"",
        )
    for facts, entity_id, state, operations in picture.entities:
        request = pb.EntityRequest(
            instanceId=entity_id, entityState=helpers.get_string_value(state), operationRequests=operations
        )
        yield facts, request.SerializeToString()
    for timer in picture.timers:
        yield (
            TimerRecord.model_construct(
                kind=timer.kind,
                due=timer.due,
                target=timer.target,
                execution_id=timer.execution_id,
                timer_id=timer.timer_id,
            ),
            timer.event.SerializeToString() if timer.event is not None else b"",
        )


def restore(backend: Backend, records: list[tuple[AnyRecord, bytes]]) -> None:
    """Fill an empty engine. Work that was in workers' hands waits to be given out again.

    Raises:
        SnapshotError: a payload cannot be decoded.
    """
    instances: list[Instance] = []
    activities: list[Activity] = []
    entities: list[Entity] = []
    timers: list[Timer] = []
    try:
        for record, payload in records:
            match record:
                case InstanceRecord():
                    instances.append(_instance(record, payload))
                case ActivityRecord():
                    activities.append(_activity(record, payload))
                case EntityRecord():
                    entities.append(_entity(record, payload))
                case TimerRecord():
                    timers.append(_timer(record, payload))
    except DecodeError as error:
        raise SnapshotError("a protobuf payload cannot be decoded") from error
    backend.adopt(instances, activities, entities, timers)


def _instance(record: InstanceRecord, payload: bytes) -> Instance:
    events = pb.OrchestratorRequest.FromString(payload)
    return Instance(
        instance_id=events.instanceId,
        name=record.name,
        status=record.status,  # type: ignore[arg-type] # the generated enum is an int at run time
        version=record.version,
        input=record.input,
        output=record.output,
        custom_status=record.custom_status,
        created_at=record.created_at,
        last_updated_at=record.last_updated_at,
        completed_at=record.completed_at,
        failure_details=pb.TaskFailureDetails.FromString(record.failure) if record.failure is not None else None,
        history=EventLog(events.pastEvents),
        pending_events=list(events.newEvents),
        tags=record.tags,
        execution_id=events.executionId.value,
        parent=pb.ParentInstanceInfo.FromString(record.parent) if record.parent is not None else None,
        scheduled_start=record.scheduled_start,
        held_until=record.held_until,
    )


def _activity(record: ActivityRecord, payload: bytes) -> Activity:
    return Activity(
        instance_id=record.instance_id,
        name=record.name,
        task_id=record.task_id,
        input=record.input,
        completion_token=0,
        version=record.version,
        execution_id=record.execution_id,
        tags=record.tags,
        trace_context=pb.TraceContext.FromString(payload) if payload else None,
    )


def _entity(record: EntityRecord, payload: bytes) -> Entity:
    queue = pb.EntityRequest.FromString(payload)
    return Entity(
        instance_id=queue.instanceId,
        serialized_state=queue.entityState.value if queue.HasField("entityState") else None,
        last_modified_at=record.last_modified_at,
        locked_by=record.locked_by,
        lock_owner=record.lock_owner,
        pending_operations=list(queue.operationRequests),
    )


def _timer(record: TimerRecord, payload: bytes) -> Timer:
    return Timer(
        kind=record.kind,
        due=record.due,
        target=record.target,
        execution_id=record.execution_id,
        timer_id=record.timer_id,
        event=pb.HistoryEvent.FromString(payload) if payload else None,
    )
