"""The audit log's contract, over memory and over Azurite, and what only the real one can get wrong."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.adapters.clock import SystemClock
from shared.adapters.storage.account import StorageAccount
from shared.adapters.storage.audit_log import TableAuditLog
from shared.adapters.storage.audit_rows import dedupe_key, event_key
from shared.audit.verify import read_events, verify_log
from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.keys import encode_key
from shared.errors import DefectError, RefusedError, TransientError
from tests.fakes.storage import MemoryAuditLog, MemoryClock
from tests.integration.storage.conftest import BOTH, LossyTransport

PROJECT = "o rg/pro#ject?"


def event(step: str, instance: str = "i", **more: Any) -> NewAuditEvent:
    fields: dict[str, Any] = {"tag": AuditTag.PLAN_DRAWN, "subject": "issue 7", "detail": {"n": 1.5, "ü": ["x", None]}}
    return NewAuditEvent(instance=instance, step=step, **{**fields, **more})


@pytest.fixture
def log(kind: str, request: pytest.FixtureRequest, unique: Callable[[str], str]) -> Any:
    if kind == "memory":
        return MemoryAuditLog()
    return TableAuditLog(request.getfixturevalue("account"), MemoryClock(), table=unique("audit"))


@BOTH
class TestContract:
    def test_an_empty_log_has_an_empty_head_and_verifies(self, log: Any) -> None:
        head = log.head(PROJECT)
        assert (head.size, head.frontier) == (0, ())
        assert head.root == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        assert list(log.events(PROJECT)) == []
        assert verify_log(log, PROJECT).ok

    def test_an_event_reads_back_as_it_was_written(self, log: Any) -> None:
        given_event = event(
            "s", actor="p-0123", artifacts=("sha256:" + "0" * 64,), detail={"big": 1e20, "t": "\U0001d4b3\x00"}
        )
        recorded = log.append(PROJECT, given_event)
        (stored,) = log.events(PROJECT)
        assert recorded.sequence == 0 and not recorded.repeated
        assert NewAuditEvent.model_validate(stored.model_dump(include=set(NewAuditEvent.model_fields))) == given_event
        assert stored.project == PROJECT
        assert verify_log(log, PROJECT).model_dump(exclude={"root"}) == {
            "ok": True,
            "size": 1,
            "checked": 1,
            "first_fault": None,
        }

    def test_the_root_answered_is_the_root_right_after_the_event(self, log: Any) -> None:
        for n in range(5):
            recorded = log.append(PROJECT, event(str(n)))
            assert recorded.root == log.head(PROJECT).root

    def test_a_repeated_step_is_recorded_once_with_the_current_root(self, log: Any) -> None:
        first = log.append(PROJECT, event("a"))
        log.append(PROJECT, event("b"))
        again = log.append(PROJECT, event("a", detail={"other": True}))
        assert (again.sequence, again.leaf, again.repeated) == (first.sequence, first.leaf, True)
        assert again.root == log.head(PROJECT).root
        assert log.head(PROJECT).size == 2

    def test_instance_and_step_do_not_run_together(self, log: Any) -> None:
        log.append(PROJECT, event("bc", instance="a"))
        assert not log.append(PROJECT, event("c", instance="ab")).repeated

    def test_projects_are_logs_of_their_own(self, log: Any) -> None:
        log.append("a", event("s"))
        assert log.append("b", event("s")).sequence == 0
        assert log.head("a").root != log.head("b").root

    def test_many_writers_leave_a_dense_and_whole_log(self, log: Any) -> None:
        def write(writer: int) -> list[int]:
            return [log.append(PROJECT, event(str(n), instance=str(writer))).sequence for n in range(25)]

        with ThreadPoolExecutor(8) as pool:
            taken = sorted(n for numbers in pool.map(write, range(8)) for n in numbers)
        assert taken == list(range(200))
        found = verify_log(log, PROJECT)
        assert found.ok and found.checked == 200

    def test_writers_of_the_same_steps_agree_on_each(self, log: Any) -> None:
        def write(_: int) -> list[tuple[int, str]]:
            return [(r.sequence, r.leaf) for n in range(10) for r in [log.append(PROJECT, event(str(n)))]]

        with ThreadPoolExecutor(6) as pool:
            answers = list(pool.map(write, range(6)))
        assert all(answer == answers[0] for answer in answers)
        assert verify_log(log, PROJECT).size == 10

    def test_events_come_in_pages(self, log: Any) -> None:
        for n in range(7):
            log.append(PROJECT, event(str(n)))
        assert [e.sequence for e in log.events(PROJECT, 2, 3)] == [2, 3, 4]
        assert [e.sequence for e in log.events(PROJECT, 6, 100)] == [6]
        assert list(log.events(PROJECT, 7, 10)) == []
        assert [e.sequence for e in read_events(log, PROJECT, 5)] == [0, 1, 2, 3, 4]

    @pytest.mark.parametrize(("start", "limit"), [(-1, 1), (0, 0)])
    def test_an_impossible_page_is_refused(self, log: Any, start: int, limit: int) -> None:
        with pytest.raises(RefusedError):
            log.events(PROJECT, start, limit)

    def test_erasing_a_detail_keeps_the_proof(self, log: Any) -> None:
        for n in range(3):
            log.append(PROJECT, event(str(n), detail={"name": "A Person"}))
        before = log.head(PROJECT)
        log.erase_detail(PROJECT, 1)
        log.erase_detail(PROJECT, 1)
        assert [e.detail for e in log.events(PROJECT)] == [{"name": "A Person"}, None, {"name": "A Person"}]
        assert log.head(PROJECT) == before
        assert verify_log(log, PROJECT).ok
        assert log.append(PROJECT, event("3")).sequence == 3
        with pytest.raises(RefusedError):
            log.erase_detail(PROJECT, 9)

    @pytest.mark.parametrize(
        "broken",
        [
            {"detail": {"text": "x" * 33_000}},
            {"detail": {"text": "\U0001d4b3" * 17_000}},
            {"subject": "s" * 40_000},
            {"artifacts": ("sha256:" + "0" * 64,) * 500},
        ],
    )
    def test_what_no_row_holds_is_refused_with_the_way_out(self, log: Any, broken: dict[str, Any]) -> None:
        with pytest.raises(DefectError, match="artifact"):
            log.append(PROJECT, event("s", **broken))
        assert log.head(PROJECT).size == 0

    @pytest.mark.parametrize("detail", [{"n": 2**60 + 1}, {"n": float("nan")}, {"t": "\ud800"}, {"\ud800": 1}])
    def test_what_has_no_canonical_form_is_refused(self, log: Any, detail: dict[str, Any]) -> None:
        with pytest.raises(DefectError):
            log.append(PROJECT, NewAuditEvent.model_construct(**{**event("s").__dict__, "detail": detail}))

    def test_the_largest_detail_is_taken(self, log: Any) -> None:
        detail = {"t": "x" * (32 * 1024 - len('{"t":""}'))}
        log.append(PROJECT, event("s", detail=detail))
        assert log.events(PROJECT)[0].detail == detail


def test_memory_loses_an_answer_and_the_retry_finds_it() -> None:
    log = MemoryAuditLog()
    log.lose_answers(1)
    with pytest.raises(TransientError):
        log.append(PROJECT, event("s"))
    assert log.append(PROJECT, event("s")).repeated
    assert log.head(PROJECT).size == 1


@pytest.fixture
def tables(azurite: str, lossy: LossyTransport, unique: Callable[[str], str]) -> tuple[TableAuditLog, Any]:
    """A log over a lossy transport that does not wait, and its table."""
    account = StorageAccount(connection_string=azurite, transport=lambda: lossy)
    name = unique("audit")
    return TableAuditLog(account, SystemClock(), table=name, sleep=lambda _: None), account.table(name)


@pytest.mark.stack
class TestTable:
    @pytest.mark.parametrize("before", [0, 1, 4])
    def test_an_answer_lost_after_the_effect_is_found_again(
        self, tables: tuple[TableAuditLog, Any], lossy: LossyTransport, before: int
    ) -> None:
        log, _ = tables
        for n in range(before):
            log.append(PROJECT, event(str(n)))
        lossy.answers = 1
        recorded = log.append(PROJECT, event("lost"))
        assert recorded.sequence == before
        assert log.append(PROJECT, event("lost")).sequence == before
        found = verify_log(log, PROJECT)
        assert found.ok and found.size == before + 1

    @pytest.mark.parametrize("busy", [1, 2])
    def test_a_transaction_that_took_effect_but_was_answered_503_is_found_again(
        self, tables: tuple[TableAuditLog, Any], lossy: LossyTransport, busy: int
    ) -> None:
        log, _ = tables
        log.append(PROJECT, event("first"))
        lossy.busy = busy  # the SDK sends a POST again after 503 by itself, once
        assert log.append(PROJECT, event("s")).sequence == 1
        assert lossy.busy == 0
        assert verify_log(log, PROJECT).size == 2

    def test_answers_lost_again_and_again_are_reported_then_found(
        self, tables: tuple[TableAuditLog, Any], lossy: LossyTransport
    ) -> None:
        log, _ = tables
        log.append(PROJECT, event("first"))
        lossy.requests = 99
        with pytest.raises(TransientError):
            log.append(PROJECT, event("s"))
        lossy.requests = 0
        assert not log.append(PROJECT, event("s")).repeated
        assert verify_log(log, PROJECT).size == 2

    def test_lost_answers_among_many_writers_leave_each_event_once(
        self, tables: tuple[TableAuditLog, Any], lossy: LossyTransport
    ) -> None:
        log, _ = tables
        log.append(PROJECT, event("first", instance="first"))
        lossy.answers = 5

        def write(writer: int) -> list[int]:
            numbers = []
            for n in range(10):
                while True:
                    try:
                        numbers.append(log.append(PROJECT, event(str(n), instance=str(writer))).sequence)
                        break
                    except TransientError:
                        continue
            return numbers

        with ThreadPoolExecutor(8) as pool:
            taken = sorted(n for numbers in pool.map(write, range(8)) for n in numbers)
        assert taken == list(range(1, 81))
        assert verify_log(log, PROJECT).ok

    def test_processes_that_do_not_know_of_each_other_share_a_log(
        self, azurite: str, unique: Callable[[str], str]
    ) -> None:
        name = unique("audit")
        accounts = [StorageAccount(connection_string=azurite) for _ in range(4)]
        logs = [TableAuditLog(account, SystemClock(), table=name) for account in accounts]

        def write(writer: int) -> list[int]:
            return [logs[writer].append(PROJECT, event(str(n), instance=str(writer))).sequence for n in range(20)]

        with ThreadPoolExecutor(4) as pool:
            taken = sorted(n for numbers in pool.map(write, range(4)) for n in numbers)
        assert taken == list(range(80))
        assert verify_log(logs[0], PROJECT).ok
        for account in accounts:
            account.close()

    def test_an_append_costs_one_round_trip(self, tables: tuple[TableAuditLog, Any], lossy: LossyTransport) -> None:
        log, _ = tables
        log.append(PROJECT, event("first"))
        lossy.seen.clear()
        for n in range(5):
            log.append(PROJECT, event(str(n)))
        assert [seen.split()[0] for seen in lossy.seen] == ["POST"] * 5

    def test_waiting_appends_travel_together(self, tables: tuple[TableAuditLog, Any], lossy: LossyTransport) -> None:
        log, _ = tables
        log.append(PROJECT, event("first", instance="first"))
        lossy.seen.clear()
        gate = threading.Barrier(60)

        def write(writer: int) -> int:
            gate.wait()
            return log.append(PROJECT, event("s", instance=str(writer))).sequence

        lane = log._lane(PROJECT)
        with ThreadPoolExecutor(60) as pool:
            with lane.committing:  # as if a commit were under way while all arrive
                results = [pool.submit(write, n) for n in range(60)]
                while len(lane.waiting) < 60:
                    threading.Event().wait(0.001)
            taken = sorted(result.result() for result in results)
        assert taken == list(range(1, 61))
        assert len(lossy.seen) == 2, "60 events fit two transactions of at most 49"

    def test_writers_that_always_collide_are_told_to_come_again(
        self, tables: tuple[TableAuditLog, Any], account: StorageAccount
    ) -> None:
        log, table = tables
        log.append(PROJECT, event("first"))
        rival = TableAuditLog(account, SystemClock(), table=table.table_name)
        read, turns = log._read_tip, iter(range(1000))

        def overtaken(lane: Any) -> Any:
            tip = read(lane)
            rival.append(PROJECT, event(str(next(turns)), instance="rival"))
            return tip

        log._read_tip = overtaken  # type: ignore[method-assign]
        rival.append(PROJECT, event("x", instance="rival"))
        with pytest.raises(TransientError, match="too many writers"):
            log.append(PROJECT, event("s"))
        log._read_tip = read  # type: ignore[method-assign]
        assert not log.append(PROJECT, event("s")).repeated
        assert verify_log(log, PROJECT).ok

    def test_one_event_the_service_refuses_does_not_fail_its_companions(
        self, tables: tuple[TableAuditLog, Any]
    ) -> None:
        log, _ = tables
        transact = log._transact

        def picky(lane: Any, tip: Any, tickets: Any) -> None:
            if any(ticket.event.step == "bad" for ticket in tickets):
                raise DefectError("400")
            transact(lane, tip, tickets)

        log._transact = picky  # type: ignore[method-assign]
        lane = log._lane(PROJECT)
        with ThreadPoolExecutor(3) as pool:
            with lane.committing:
                results = {step: pool.submit(log.append, PROJECT, event(step)) for step in ("a", "bad", "c")}
                while len(lane.waiting) < 3:
                    threading.Event().wait(0.001)
            assert {results["a"].result().sequence, results["c"].result().sequence} == {0, 1}
            with pytest.raises(DefectError):
                results["bad"].result()

    def test_an_interrupted_writer_does_not_leave_its_companions_waiting(
        self, tables: tuple[TableAuditLog, Any]
    ) -> None:
        log, _ = tables
        transact = log._transact

        def interrupted(lane: Any, tip: Any, tickets: Any) -> None:
            log._transact = transact  # type: ignore[method-assign]
            raise KeyboardInterrupt

        log._transact = interrupted  # type: ignore[method-assign]
        lane = log._lane(PROJECT)
        with ThreadPoolExecutor(3) as pool:
            with lane.committing:
                results = [pool.submit(log.append, PROJECT, event(str(n))) for n in range(3)]
                while len(lane.waiting) < 3:
                    threading.Event().wait(0.001)
            failures = [result.exception() for result in results]
        assert sorted(type(failure).__name__ for failure in failures) == [
            "KeyboardInterrupt",
            "TransientError",
            "TransientError",
        ]
        assert [log.append(PROJECT, event(str(n))).sequence for n in range(3)] == [0, 1, 2]

    def test_a_denied_write_is_refused_with_the_remedy(
        self, azurite: str, lossy: LossyTransport, unique: Callable[[str], str]
    ) -> None:
        name = unique("audit")
        TableAuditLog(StorageAccount(connection_string=azurite, transport=lambda: lossy), SystemClock(), name).head("p")
        denied = StorageAccount(connection_string=azurite.replace("AccountKey=Eby8", "AccountKey=AAAA"))
        with pytest.raises(RefusedError) as failure:
            TableAuditLog(denied, SystemClock(), name).append("p", event("s"))
        denied.close()
        assert failure.value.remedy

    def test_an_append_that_got_no_answer_is_a_defect_and_not_waited_for(
        self, tables: tuple[TableAuditLog, Any]
    ) -> None:
        log, _ = tables
        log._transact = lambda *_: None  # type: ignore[method-assign]
        with pytest.raises(DefectError, match="without an answer"):
            log.append(PROJECT, event("s"))

    def test_the_same_step_twice_in_one_batch(self, tables: tuple[TableAuditLog, Any]) -> None:
        log, _ = tables
        lane = log._lane(PROJECT)
        with ThreadPoolExecutor(3) as pool:
            with lane.committing:
                results = [pool.submit(log.append, PROJECT, event(step)) for step in ("a", "a", "b")]
                while len(lane.waiting) < 3:
                    threading.Event().wait(0.001)
            answers = [result.result() for result in results]
        repeated = [answer for answer in answers if answer.repeated]
        assert len(repeated) == 1
        assert repeated[0].root == log.head(PROJECT).root
        assert verify_log(log, PROJECT).size == 2

    def test_a_transaction_stays_under_four_mebibytes(
        self, tables: tuple[TableAuditLog, Any], lossy: LossyTransport
    ) -> None:
        log, _ = tables
        log.append(PROJECT, event("first", instance="first"))
        lossy.seen.clear()
        lane = log._lane(PROJECT)
        detail = {"t": "é" * 32_000}  # six bytes each as sent
        with ThreadPoolExecutor(30) as pool:
            with lane.committing:
                results = [pool.submit(log.append, PROJECT, event(str(n), detail=detail)) for n in range(30)]
                while len(lane.waiting) < 30:
                    threading.Event().wait(0.001)
            assert sorted(result.result().sequence for result in results) == list(range(1, 31))
        assert len(lossy.seen) == 2, "30 events of 192 KB are more than 4 MiB"
        assert verify_log(log, PROJECT).ok

    def test_projects_beyond_those_remembered_still_append(
        self, tables: tuple[TableAuditLog, Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        log, _ = tables
        monkeypatch.setattr("shared.adapters.storage.audit_log._PROJECTS_REMEMBERED", 2)
        for step in ("a", "b"):
            for project in ("p", "q", "r"):
                log.append(project, event(step))
        assert len(log._lanes) == 2
        assert [log.head(project).size for project in ("p", "q", "r")] == [2, 2, 2]


def _events_table(log: TableAuditLog) -> None:
    for n in range(5):
        log.append(PROJECT, event(str(n), artifacts=("sha256:" + "1" * 64,)))


FIELDS = ("at", "tag", "instance", "step", "subject", "actor", "detail_digest", "artifacts", "detail")


@pytest.mark.stack
class TestTampering:
    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(field=st.sampled_from(FIELDS), sequence=st.integers(0, 4), data=st.data())
    def test_any_field_of_any_event(
        self, tables: tuple[TableAuditLog, Any], field: str, sequence: int, data: st.DataObject
    ) -> None:
        log, table = tables
        if log.head(PROJECT).size == 0:
            _events_table(log)
        row = table.get_entity(encode_key(PROJECT), event_key(sequence))
        plausible = {
            "at": st.sampled_from(["2020-01-01T00:00:00.000000Z"]),
            "tag": st.sampled_from([t.value for t in AuditTag]),
            "detail_digest": st.binary(min_size=32, max_size=32).map(bytes.hex),
            "artifacts": st.sampled_from(["[]", '["sha256:2"]']),
            "detail": st.sampled_from(["{}", '{"n":1.6}']),
        }
        nonsense = st.text(st.characters(categories=["L", "N"]), max_size=8)
        value = data.draw(st.one_of(plausible.get(field, nonsense), nonsense).filter(lambda v: v != row[field]))
        table.upsert_entity({**row, field: value}, mode="replace")
        found = verify_log(log, PROJECT)
        table.upsert_entity(row, mode="replace")
        assert not found.ok and found.first_fault is not None
        assert verify_log(log, PROJECT).ok

    @pytest.mark.parametrize("field", [f for f in FIELDS if f != "detail"])
    def test_a_field_taken_away(self, tables: tuple[TableAuditLog, Any], field: str) -> None:
        log, table = tables
        _events_table(log)
        row = table.get_entity(encode_key(PROJECT), event_key(2))
        table.upsert_entity({k: v for k, v in row.items() if k != field}, mode="replace")
        fault = verify_log(log, PROJECT).first_fault
        assert fault is not None
        assert field in fault.reason and event_key(2) in fault.reason

    @pytest.mark.parametrize(
        ("field", "value"),
        [("size", "4"), ("size", "6"), ("size", "x"), ("root", "00" * 32), ("frontier", "AAAA"), ("frontier", "é")],
    )
    def test_any_field_of_the_head(self, tables: tuple[TableAuditLog, Any], field: str, value: str) -> None:
        log, table = tables
        _events_table(log)
        row = table.get_entity(encode_key(PROJECT), "head")
        table.upsert_entity({**row, field: value}, mode="replace")
        assert not verify_log(log, PROJECT).ok

    def test_a_head_replaced_by_one_that_agrees_with_itself(self, tables: tuple[TableAuditLog, Any]) -> None:
        log, table = tables
        _events_table(log)
        log.append("other", event("a"))
        other = table.get_entity(encode_key("other"), "head")
        table.upsert_entity({**other, "PartitionKey": encode_key(PROJECT)}, mode="replace")
        assert not verify_log(log, PROJECT).ok

    def test_a_head_put_back_to_an_earlier_one(self, tables: tuple[TableAuditLog, Any]) -> None:
        log, table = tables
        log.append(PROJECT, event("a"))
        early = table.get_entity(encode_key(PROJECT), "head")
        log.append(PROJECT, event("b"))
        table.upsert_entity(early, mode="replace")
        with pytest.raises(DefectError, match="verify"):
            log.append(PROJECT, event("c"))

    def test_an_event_taken_out(self, tables: tuple[TableAuditLog, Any]) -> None:
        log, table = tables
        _events_table(log)
        table.delete_entity(encode_key(PROJECT), event_key(2))
        fault = verify_log(log, PROJECT).first_fault
        assert fault is not None and "event 2 should stand here" in fault.reason

    @pytest.mark.parametrize(
        ("field", "value"), [("sequence", "3"), ("sequence", "x"), ("sequence", "77"), ("leaf", "00" * 32)]
    )
    def test_a_dedupe_row_is_not_believed(self, tables: tuple[TableAuditLog, Any], field: str, value: str) -> None:
        log, table = tables
        _events_table(log)
        row = table.get_entity(encode_key(PROJECT), dedupe_key("i", "1"))
        table.upsert_entity({**row, field: value}, mode="replace")
        with pytest.raises(DefectError, match="altered"):
            log.append(PROJECT, event("1"))

    def test_the_last_dedupe_row_must_have_the_heads_root(self, tables: tuple[TableAuditLog, Any]) -> None:
        log, table = tables
        _events_table(log)
        row = table.get_entity(encode_key(PROJECT), dedupe_key("i", "4"))
        table.upsert_entity({**row, "root": "00" * 32}, mode="replace")
        with pytest.raises(DefectError, match="altered"):
            log.append(PROJECT, event("4"))
