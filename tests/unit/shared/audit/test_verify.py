"""What verification finds, event by event and at the head."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from shared.audit.encoding import detail_digest, leaf_of
from shared.audit.merkle import EMPTY_ROOT, Frontier, leaf_hash
from shared.audit.verify import Fault, verify
from shared.domain.audit import AuditEvent, AuditHead, AuditTag
from shared.errors import DefectError

AT = datetime(2026, 1, 31, tzinfo=UTC)


def log(count: int) -> tuple[list[AuditEvent], AuditHead]:
    frontier = Frontier()
    events = []
    for n in range(count):
        event = AuditEvent(
            project="p",
            sequence=n,
            at=AT,
            tag=AuditTag.PLAN_DRAWN,
            instance="i",
            step=str(n),
            subject="s",
            actor="doneright",
            detail_digest=detail_digest({"n": n}),
            detail={"n": n},
        )
        frontier.append(leaf_hash(leaf_of(event)))
        events.append(event)
    head = AuditHead(project="p", size=count, root=frontier.root().hex(), frontier=frontier.to_hex())
    return events, head


def test_a_whole_log_is_whole() -> None:
    events, head = log(9)
    found = verify(iter(events), head)
    assert (found.ok, found.size, found.checked, found.root, found.first_fault) == (True, 9, 9, head.root, None)


def test_an_empty_log_is_whole() -> None:
    assert verify([], AuditHead(project="p", root=EMPTY_ROOT.hex())).ok


def test_erased_details_do_not_count() -> None:
    events, head = log(4)
    assert verify([e.model_copy(update={"detail": None}) for e in events], head).ok


def test_events_are_read_one_by_one() -> None:
    events, head = log(5)
    alive = 0

    def counted() -> Iterator[AuditEvent]:
        nonlocal alive
        for event in events:
            alive += 1
            yield event

    assert verify(counted(), head.model_copy(update={"size": 2})).first_fault is not None
    assert alive == 3, "reading stops at the fault"


@pytest.mark.parametrize(
    ("change", "sequence", "reason"),
    [
        ({"detail": {"n": 7}}, 2, "detail does not match"),
        ({"detail": {}}, 2, "detail does not match"),
        ({"detail": {"n": float("nan")}}, 2, "NaN"),
        ({"subject": "\ud800"}, 2, "surrogate"),
        ({"project": "q"}, 2, "belongs to 'q'"),
        ({"sequence": 4}, 4, "event 2 should stand here"),
        ({"subject": "t"}, None, "root"),
        ({"at": AT.replace(year=2025)}, None, "root"),
        ({"tag": AuditTag.PLAN_ADVISED}, None, "root"),
        ({"artifacts": ("sha256:1",)}, None, "root"),
    ],
)
def test_an_altered_event(change: dict[str, object], sequence: int | None, reason: str) -> None:
    events, head = log(5)
    events[2] = events[2].model_copy(update=change)
    fault = verify(events, head).first_fault
    assert isinstance(fault, Fault)
    assert fault.sequence == sequence
    assert reason in fault.reason


@pytest.mark.parametrize(
    ("keep", "sequence", "reason"),
    [
        ([0, 1, 3, 4], 3, "event 2 should stand here"),
        ([0, 1, 1, 2, 3, 4], 1, "event 2 should stand here"),
        ([0, 2, 1, 3, 4], 2, "event 1 should stand here"),
        ([0, 1, 2, 3], 4, "missing"),
        ([], 0, "missing"),
    ],
)
def test_events_missing_doubled_or_out_of_order(keep: list[int], sequence: int, reason: str) -> None:
    events, head = log(5)
    found = verify([events[n] for n in keep], head)
    assert not found.ok and found.first_fault is not None
    assert (found.first_fault.sequence, reason in found.first_fault.reason) == (sequence, True)


def test_more_events_than_the_head_counts() -> None:
    events, _ = log(5)
    fault = verify(events, log(4)[1]).first_fault
    assert fault is not None and fault.sequence == 4 and "one more" in fault.reason


def test_an_altered_frontier() -> None:
    events, head = log(5)
    found = verify(events, head.model_copy(update={"frontier": log(6)[1].frontier}))
    assert found.first_fault is not None and "frontier" in found.first_fault.reason


def test_a_row_that_cannot_be_read_is_a_fault() -> None:
    def broken() -> Iterator[AuditEvent]:
        yield log(1)[0][0]
        raise DefectError("row e1 was altered")

    found = verify(broken(), log(2)[1])
    assert (found.ok, found.checked) == (False, 1)
    assert found.first_fault == Fault(sequence=None, reason="row e1 was altered")
