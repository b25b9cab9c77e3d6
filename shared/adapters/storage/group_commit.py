"""Appends that arrive while another commits wait in a lane and travel together, as many as one transaction takes."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

from shared.adapters.storage.audit_rows import dedupe_key, event_row
from shared.adapters.storage.limits import TRANSACTION_BYTES, TRANSACTION_OPERATIONS, sent_bytes
from shared.audit.merkle import Frontier
from shared.domain.audit import AuditEvent, Recorded
from shared.domain.keys import encode_key
from shared.errors import DonerightError, RefusedError, TransientError

BATCH = (TRANSACTION_OPERATIONS - 1) // 2
"""Events in a transaction: two rows each, and the head."""

_HEAD_BYTES = 8 * 1024
_LARGEST_DEDUPE: dict[str, str | int] = {"PartitionKey": "p" * 512, "RowKey": "d" * 65, "rest": "0" * 256}


class Tip(NamedTuple):
    """The head as last seen: what to append to, and the ETag it must still have (``None``: no head row yet)."""

    frontier: Frontier
    etag: str | None


class Ticket:
    """One append waiting for its answer."""

    __slots__ = ("answer", "event", "failure", "key", "size")

    def __init__(self, event: AuditEvent, partition: str) -> None:
        self.event = event
        self.key = dedupe_key(event.instance, event.step)
        self.size = sent_bytes(event_row(partition, event)) + sent_bytes(_LARGEST_DEDUPE)
        self.answer: Recorded | None = None
        self.failure: DonerightError | None = None

    @property
    def open(self) -> bool:
        """Neither answered nor failed yet."""
        return self.answer is None and self.failure is None


class Lane:
    """The appends of this process to one project: who waits, who commits, and the head as last seen."""

    __slots__ = ("committing", "partition", "project", "tip", "waiting")

    def __init__(self, project: str) -> None:
        self.project = project
        self.partition = encode_key(project)
        self.committing = threading.Lock()
        self.waiting: deque[Ticket] = deque()
        self.tip: Tip | None = None


def next_batch(waiting: deque[Ticket]) -> list[Ticket]:
    """As many waiting appends, oldest first, as fit one transaction; they leave the queue."""
    batch: list[Ticket] = []
    size = _HEAD_BYTES
    while waiting and len(batch) < BATCH and (not batch or size + waiting[0].size <= TRANSACTION_BYTES):
        ticket = waiting.popleft()
        size += ticket.size
        batch.append(ticket)
    return batch


def own_copy(error: TransientError | RefusedError) -> DonerightError:
    """An error of its own for each thread: raising one instance in several would mix their tracebacks."""
    copy: DonerightError
    if isinstance(error, RefusedError):
        copy = RefusedError(error.reason, error.remedy)
    else:
        copy = TransientError(error.reason, error.retry_after)
    copy.__cause__ = error
    return copy
