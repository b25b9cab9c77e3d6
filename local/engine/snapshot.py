"""Writes the engine's whole state to one file and reads it back: what was saved is what is restored, or nothing.

Format, version 1 (integers are big-endian, 4 bytes unsigned unless said otherwise):

    DONERIGHT-ENGINE-SNAPSHOT\\n          18-byte name of the format, and a line end
    {"version": 1, "records": N}\\n       one line of JSON
    N times a record:
        length, JSON                     the record's facts (see the models below; "record" names the kind)
        length, protobuf                 OrchestratorRequest of an instance: pastEvents is its history, newEvents what
                                         it has not processed (events in a worker's hands are among them);
                                         EntityRequest of an entity: operationRequests is its queue, lock requests
                                         included; TraceContext of an activity; HistoryEvent of an entity's timer;
                                         empty where there is nothing to say
    SHA-256 of everything before         32 bytes

A file is written beside its destination, flushed to disk and renamed over it, so a crash leaves the old or the new.
"""

# mypy: disable-error-code="import-untyped"
from __future__ import annotations

import contextlib
import hashlib
import json
import os
import struct
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.internal import helpers
from google.protobuf.message import DecodeError
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from .backend import Backend
from .records import Activity, Entity, EventLog, Instance
from .timers import Timer, TimerKind

MAGIC = b"DONERIGHT-ENGINE-SNAPSHOT\n"
VERSION = 1
_LENGTH = struct.Struct(">I")
_DIGEST_BYTES = 32


class SnapshotError(Exception):
    """A snapshot cannot be used; the message says why."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class InstanceRecord(_Record):
    """An orchestration instance."""

    record: Literal["instance"] = "instance"
    name: str
    status: int
    version: str | None
    input: str | None
    output: str | None
    custom_status: str | None
    created_at: datetime
    last_updated_at: datetime
    completed_at: datetime | None
    scheduled_start: datetime | None
    held_until: datetime | None
    tags: dict[str, str] | None
    failure: bytes | None
    """TaskFailureDetails, encoded."""
    parent: bytes | None
    """ParentInstanceInfo, encoded."""


class ActivityRecord(_Record):
    """An activity without a result."""

    record: Literal["activity"] = "activity"
    instance_id: str
    execution_id: str
    task_id: int
    name: str
    version: str | None
    input: str | None
    tags: dict[str, str]


class EntityRecord(_Record):
    """An entity, its lock and (beside) its queue."""

    record: Literal["entity"] = "entity"
    last_modified_at: datetime
    locked_by: str | None
    lock_owner: str | None


class TimerRecord(_Record):
    """A timer that has not fired."""

    record: Literal["timer"] = "timer"
    kind: TimerKind
    due: datetime
    target: str
    execution_id: str
    timer_id: int


type AnyRecord = InstanceRecord | ActivityRecord | EntityRecord | TimerRecord
_RECORDS: TypeAdapter[AnyRecord] = TypeAdapter(
    InstanceRecord | ActivityRecord | EntityRecord | TimerRecord, config=ConfigDict()
)


class Header(_Record):
    """The file's second line."""

    version: int
    records: int = Field(ge=0)


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


def encode(picture: Picture) -> bytes:
    """The file's content."""
    records = [*_encoded_records(picture)]
    header = json.dumps({"version": VERSION, "records": len(records)}).encode()
    body = b"".join([MAGIC, header, b"\n", *records])
    return body + hashlib.sha256(body).digest()


def _frame(record: _Record, payload: bytes) -> bytes:
    facts = record.model_dump_json().encode()
    return b"".join([_LENGTH.pack(len(facts)), facts, _LENGTH.pack(len(payload)), payload])


def _encoded_records(picture: Picture) -> Iterator[bytes]:
    for record, instance_id, execution_id, past, pending in picture.instances:
        head = pb.OrchestratorRequest(
            instanceId=instance_id, executionId=helpers.get_string_value(execution_id), newEvents=pending
        )
        yield _frame(record, head.SerializeToString() + past)
    for activity in picture.activities:
        yield _frame(
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
        yield _frame(facts, request.SerializeToString())
    for timer in picture.timers:
        yield _frame(
            TimerRecord.model_construct(
                kind=timer.kind,
                due=timer.due,
                target=timer.target,
                execution_id=timer.execution_id,
                timer_id=timer.timer_id,
            ),
            timer.event.SerializeToString() if timer.event is not None else b"",
        )


def write(path: Path, content: bytes) -> None:
    """Replace the file's content as a whole.

    Raises:
        OSError: the file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    with contextlib.suppress(OSError):  # not every system can flush a directory; the rename itself is done
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def decode(content: bytes) -> list[tuple[AnyRecord, bytes]]:
    """The records of a snapshot with their protobuf payloads.

    Raises:
        SnapshotError: the content is damaged, not a snapshot, or of a newer version.
    """
    if not content.startswith(MAGIC):
        raise SnapshotError("it is not an engine snapshot")
    line_end = content.find(b"\n", len(MAGIC))
    try:
        header = Header.model_validate_json(content[len(MAGIC) : line_end])
    except ValidationError as error:
        raise SnapshotError("its header cannot be read") from error
    if header.version != VERSION:
        raise SnapshotError(f"it has version {header.version} and this engine reads version {VERSION}")
    body, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
    if hashlib.sha256(body).digest() != digest:
        raise SnapshotError("its checksum does not match: it is damaged or cut short")
    records: list[tuple[AnyRecord, bytes]] = []
    offset = line_end + 1
    try:
        for _ in range(header.records):
            facts, offset = _block(body, offset)
            payload, offset = _block(body, offset)
            records.append((_RECORDS.validate_json(facts), payload))
    except (ValidationError, struct.error) as error:
        raise SnapshotError(f"record {len(records) + 1} of {header.records} cannot be read") from error
    return records


def _block(body: bytes, offset: int) -> tuple[bytes, int]:
    (length,) = _LENGTH.unpack_from(body, offset)
    start = offset + _LENGTH.size
    return body[start : start + length], start + length


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
