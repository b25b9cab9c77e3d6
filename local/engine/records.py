"""Says what the engine keeps about each orchestration, activity and entity, beyond what the stock backend keeps."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

import durabletask.internal.orchestrator_service_pb2 as pb
from durabletask.testing.in_memory_backend import ActivityWorkItem, EntityState, OrchestrationInstance
from google.protobuf.internal.encoder import _VarintBytes

PAST_EVENTS_FIELD = pb.OrchestratorRequest.DESCRIPTOR.fields_by_name["pastEvents"].number
_LENGTH_DELIMITED = 2

TERMINAL_STATUSES = frozenset(
    {
        pb.ORCHESTRATION_STATUS_COMPLETED,
        pb.ORCHESTRATION_STATUS_FAILED,
        pb.ORCHESTRATION_STATUS_TERMINATED,
    }
)


class WorkKind(StrEnum):
    """The three kinds of work item a worker is given."""

    ORCHESTRATION = "orchestration"
    ACTIVITY = "activity"
    ENTITY = "entity"


def varint(number: int) -> bytes:
    """Encode a non-negative integer as a protobuf varint."""
    encoded: bytes = _VarintBytes(number)
    return encoded


def wire_field(number: int, payload: bytes | bytearray) -> bytes:
    """Encode one length-delimited protobuf field (a message, string or bytes)."""
    return varint((number << 3) | _LENGTH_DELIMITED) + varint(len(payload)) + payload


def text_of(message: object, name: str = "input") -> str | None:
    """A StringValue field's text, or None when it is not set."""
    return getattr(message, name).value if message.HasField(name) else None  # type: ignore[attr-defined]


class EventLog(list[pb.HistoryEvent]):
    """A history that remembers its own encoding, so that sending or saving it does not encode old events again.

    Events must not be changed once they are in the log. Only `append`, `extend` and `clear` may change it.
    """

    def __init__(self, events: Iterable[pb.HistoryEvent] = ()) -> None:
        super().__init__(events)
        self._wire = bytearray()
        self._encoded = 0

    def clear(self) -> None:
        """Forget every event."""
        super().clear()
        self._wire = bytearray()
        self._encoded = 0

    def wire(self) -> bytes:
        """The events as the `pastEvents` entries of an encoded OrchestratorRequest."""
        count = len(self)
        for index in range(self._encoded, count):
            self._wire += wire_field(PAST_EVENTS_FIELD, self[index].SerializeToString())
        self._encoded = count
        return bytes(self._wire)


@dataclass
class Instance(OrchestrationInstance):
    """One orchestration instance; `execution_id` changes with each generation (continue-as-new, restart)."""

    history: list[pb.HistoryEvent] = field(default_factory=EventLog)
    execution_id: str = field(default_factory=lambda: uuid.uuid4().hex)
    parent: pb.ParentInstanceInfo | None = None
    held_until: datetime | None = None
    """When a scheduled start is due (UTC); None once started or when not scheduled."""
    scheduled_start: datetime | None = None
    lease_token: str | None = None
    """The token under which a worker has this instance now."""
    open_activities: int = 0
    """How many activities of this generation have no result yet."""
    lingers: bool = False
    """Whether the next turn waits a moment for more results to come."""
    lost_deliveries: int = 0
    """How often in a row a stream ended while it had this instance."""

    @property
    def is_terminal(self) -> bool:
        """Whether the instance has completed, failed or been terminated."""
        return self.status in TERMINAL_STATUSES

    @property
    def never_ran(self) -> bool:
        """Whether no worker has been given this generation yet."""
        return not self.history and self.lease_token is None


@dataclass
class Activity(ActivityWorkItem):
    """One scheduled activity that has no result yet."""

    execution_id: str = ""
    tags: dict[str, str] = field(default_factory=dict)
    trace_context: pb.TraceContext | None = None


@dataclass
class Entity(EntityState):
    """One entity; `locked_by` is the critical section's id, `lock_owner` the orchestration that holds it."""

    lock_owner: str | None = None
    lease_token: str | None = None
