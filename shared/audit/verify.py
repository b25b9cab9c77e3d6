"""Says whether a log is whole: every event hashed again, in order, up to the root its head claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import BaseModel, ConfigDict, Field

from shared.audit.encoding import detail_digest, leaf_of
from shared.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from shared.domain.audit import AuditEvent, AuditHead
from shared.errors import DefectError
from shared.ports import AuditLog

_PAGE = 1000


class Fault(BaseModel):
    """The first thing found wrong."""

    model_config = ConfigDict(frozen=True)

    sequence: int | None = Field(description="The event's sequence number; `None` when only the head shows the fault.")
    reason: str


class Verification(BaseModel):
    """What verifying a log found."""

    model_config = ConfigDict(frozen=True)

    ok: bool
    size: int = Field(ge=0, description="How many events the head claims.")
    root: str = Field(description="The root computed from the events read, hex.")
    checked: int = Field(ge=0, description="How many events were hashed.")
    first_fault: Fault | None = None


def verify(events: Iterable[AuditEvent], head: AuditHead) -> Verification:
    """Check ``events`` (all of a log, in order; may be a generator, none is kept) against ``head``.

    Checks sequence numbers, the project, details that were not erased against their digests, and the recomputed size,
    root and frontier. Stops at the first fault; a reader that raises ``DefectError`` found one.
    """
    frontier = Frontier()

    def outcome(fault: Fault | None) -> Verification:
        return Verification(
            ok=fault is None, size=head.size, root=frontier.root().hex(), checked=frontier.size, first_fault=fault
        )

    try:
        for event in events:
            reason = _fault_of(event, head, frontier.size)
            if reason is None:
                try:
                    frontier.append(leaf_hash(leaf_of(event)))
                except DefectError as error:
                    reason = str(error)
            if reason is not None:
                return outcome(Fault(sequence=event.sequence, reason=reason))
    except DefectError as error:  # a stored row is no event any more; its message names the row
        return outcome(Fault(sequence=None, reason=str(error)))
    return outcome(_fault_of_head(head, frontier))


def _fault_of(event: AuditEvent, head: AuditHead, expected: int) -> str | None:
    if event.sequence != expected:
        return f"event {expected} should stand here, but event {event.sequence} does"
    if expected >= head.size:
        return f"the head counts {head.size} events, yet there is one more"
    if event.project != head.project:
        return f"the event belongs to {event.project!r}, not to {head.project!r}"
    if event.detail is None:
        return None
    try:
        unchanged = detail_digest(event.detail) == event.detail_digest
    except DefectError as error:
        return str(error)
    return None if unchanged else "the detail does not match its digest"


def _fault_of_head(head: AuditHead, frontier: Frontier) -> Fault | None:
    if frontier.size < head.size:
        return Fault(sequence=frontier.size, reason=f"the head counts {head.size} events, yet this one is missing")
    if frontier.root().hex() != head.root:
        return Fault(
            sequence=None, reason="the events do not hash to the head's root: an event or the head was altered"
        )
    if frontier.to_hex() != head.frontier:
        return Fault(sequence=None, reason="the head's frontier is not that of its events: the head was altered")
    return None


def read_events(log: AuditLog, project: str, end: int) -> Iterator[AuditEvent]:
    """The events of ``project`` with sequence numbers below ``end``, a page at a time."""
    start = 0
    while start < end:
        page = log.events(project, start, min(_PAGE, end - start))
        if not page:
            return
        yield from page
        start = page[-1].sequence + 1


def verify_log(log: AuditLog, project: str) -> Verification:
    """Read the head of ``project``, then its events up to there, and verify them; appends meanwhile do not disturb.

    Raises:
        TransientError: storage does not answer.
        RefusedError: storage denies access.
    """
    try:
        head = log.head(project)
    except DefectError as error:
        fault = Fault(sequence=None, reason=str(error))
        return Verification(ok=False, size=0, root=EMPTY_ROOT.hex(), checked=0, first_fault=fault)
    return verify(read_events(log, project, head.size), head)
