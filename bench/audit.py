"""Measures appends to the audit log beside raw three-operation transactions on the same Azurite.

The peer does the least that keeps the same rows: one transaction an event that creates an event row, creates a dedupe
row and overwrites the head without asking whether it changed, with rows of the same size. It proves nothing and lets
two writers take the same number; it is what the storage can do. Both sides take turns over several rounds, so that a
slower moment of the machine hits both.

Run alone: ``python -m bench.audit "<connection string>"``.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

from shared.adapters.clock import SystemClock
from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.audit_log import TableAuditLog
from shared.adapters.storage.audit_rows import dedupe_row, event_row, head_row, new_event
from shared.audit.merkle import Frontier, leaf_hash
from shared.audit.verify import verify_log
from shared.domain.audit import AuditTag, NewAuditEvent, Recorded

WRITERS = 8
ROUNDS = 3
WARM_UP = 5
GOAL = 0.7
_DETAIL = {"name": "orders-api", "url": "https://example.org/orders-api", "attempt": 1, "seconds": 1.25}


def _event(instance: str, step: str) -> NewAuditEvent:
    return NewAuditEvent(
        tag=AuditTag.GITHUB_STEP_APPLIED,
        instance=instance,
        step=step,
        subject="repository acme/orders-api",
        detail=dict(_DETAIL),
        artifacts=("sha256:" + "0" * 64,),
    )


def _rate(append: Callable[[int, int], Any], writers: int, events: int) -> float:
    """Events a second when ``writers`` threads call ``append(writer, number)`` for ``events`` in all."""
    each = events // writers

    def write(writer: int, numbers: range) -> None:
        for number in numbers:
            append(writer, number)

    with ThreadPoolExecutor(writers) as pool:
        # threads and connections exist before the clock starts
        list(pool.map(write, range(writers), repeat(range(WARM_UP))))
        started = time.perf_counter()
        list(pool.map(write, range(writers), repeat(range(WARM_UP, WARM_UP + each))))
        return each * writers / (time.perf_counter() - started)


def _ours(account: StorageAccount, projects: int, writers: int, events: int) -> float:
    log = TableAuditLog(account, SystemClock(), table="benchaudit")
    run = uuid.uuid4().hex[:8]
    rate = _rate(
        lambda writer, n: log.append(f"{run}-{writer % projects}", _event(f"instance-{writer}", f"step-{n}")),
        writers,
        events,
    )
    found = verify_log(log, f"{run}-0")
    if not found.ok or found.checked != (WARM_UP + events // writers) * (writers // projects):
        raise AssertionError(f"the log measured is not whole: {found}")
    return rate


def _peer(account: StorageAccount, projects: int, writers: int, events: int) -> float:
    table = account.table("benchpeer")
    run = uuid.uuid4().hex[:8]
    frontier = Frontier()
    for n in range(events // projects):  # so that the head has a usual size
        frontier.append(leaf_hash(str(n).encode()))
    head = head_row("p", frontier)
    drafted = new_event("p", _event("instance-0", "step-0"), SystemClock().now())
    event = event_row("p", drafted)
    dedupe = dedupe_row("p", drafted, Recorded(sequence=0, leaf="0" * 64, root="0" * 64))

    def append(writer: int, n: int) -> None:
        keys = {"PartitionKey": f"{run}-{writer % projects}"}
        operations: list[tuple[Any, ...]] = [
            ("create", {**event, **keys, "RowKey": f"e{writer:02d}{n:014d}"}),
            ("create", {**dedupe, **keys, "RowKey": f"d{uuid.uuid4().hex}{uuid.uuid4().hex}"}),
            ("upsert", {**head, **keys}, {"mode": "replace"}),
        ]
        table.submit_transaction(operations)

    return _rate(append, writers, events)


def run(connection_string: str, events: int = 400, rounds: int = ROUNDS) -> list[dict[str, Any]]:
    """Rows ``{name, unit, ours, peer_name, peer, ratio, goal, met}``; each figure is the median of ``rounds``."""
    rows = []
    for name, projects, writers in (
        ("log append, 1 project, 1 writer", 1, 1),
        (f"log append, 1 project, {WRITERS} writers", 1, WRITERS),
        (f"log append, {WRITERS} projects, {WRITERS} writers", WRITERS, WRITERS),
    ):
        ours: list[float] = []
        peer: list[float] = []
        for _ in range(rounds):
            for side, results in ((_peer, peer), (_ours, ours)):
                # connections of its own: those of the round before may be closed just now for being idle
                account = StorageAccount(connection_string=connection_string)
                results.append(side(account, projects, writers, events))
                account.close()
        ratio = statistics.median(ours) / statistics.median(peer)
        rows.append(
            {
                "name": name,
                "unit": "events/s",
                "ours": round(statistics.median(ours), 1),
                "peer_name": "raw transactions of three operations",
                "peer": round(statistics.median(peer), 1),
                "ratio": round(ratio, 2),
                "goal": GOAL,
                "met": ratio >= GOAL,
            }
        )
    return rows


if __name__ == "__main__":
    print(json.dumps(run(sys.argv[1]), indent=2))
