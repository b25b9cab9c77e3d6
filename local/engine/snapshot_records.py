"""Says which facts a snapshot keeps of each instance, activity, entity and timer, beside its protobuf payload."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, TypeAdapter

from .timers import TimerKind


class Record(BaseModel):
    """Facts that are saved beside a protobuf payload."""

    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_bytes="base64", val_json_bytes="base64")


class InstanceRecord(Record):
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


class ActivityRecord(Record):
    """An activity without a result."""

    record: Literal["activity"] = "activity"
    instance_id: str
    execution_id: str
    task_id: int
    name: str
    version: str | None
    input: str | None
    tags: dict[str, str]


class EntityRecord(Record):
    """An entity, its lock and (beside) its queue."""

    record: Literal["entity"] = "entity"
    last_modified_at: datetime
    locked_by: str | None
    lock_owner: str | None


class TimerRecord(Record):
    """A timer that has not fired."""

    record: Literal["timer"] = "timer"
    kind: TimerKind
    due: datetime
    target: str
    execution_id: str
    timer_id: int


type AnyRecord = InstanceRecord | ActivityRecord | EntityRecord | TimerRecord
RECORDS: TypeAdapter[AnyRecord] = TypeAdapter(
    InstanceRecord | ActivityRecord | EntityRecord | TimerRecord, config=ConfigDict()
)
