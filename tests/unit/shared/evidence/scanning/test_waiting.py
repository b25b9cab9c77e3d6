"""Libraries that are loaded ahead: whoever looks first has them ready, and whatever happens none of them stays."""

from __future__ import annotations

import contextlib
import itertools
import sys
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from shared.evidence.apart.child import MODULES
from shared.evidence.scanning import ScanPorts, processes, scanners
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.libraries import look
from shared.evidence.scanning.placing import numbered, place
from shared.evidence.scanning.ports import ScanLimits
from shared.evidence.scanning.waiting import Waiting
from tests.fakes.changes import a_change, file

KEY = b"the key of tests"
PYTHON = file("app.py", None, "import pickle\npickle.loads(b'')\n")


@pytest.fixture
def started(monkeypatch):
    """Every process that was started."""
    found = []
    start = processes._start
    monkeypatch.setattr(processes, "_start", lambda *args: found.append(start(*args)) or found[-1])
    return found


@pytest.fixture
def room(monkeypatch):
    """Where processes run."""
    made = threading.BoundedSemaphore(4)
    monkeypatch.setattr(processes, "_ROOM", made)
    return made


def is_free(room: threading.BoundedSemaphore) -> bool:
    taken = [room.acquire(blocking=False) for _ in range(4)]
    for held in taken:
        if held:
            room.release()
    return all(taken)


def test_what_was_loaded_ahead_looks_and_nothing_else_is_started(started, room) -> None:
    with scanners(ScanPorts(key=KEY), ahead=True) as scan:
        assert len(started) == len(MODULES)
        scans = {one.scanner: one for one in scan(a_change(), (PYTHON,), ())}
    assert [one.rule for one in scans["bandit"].findings] == ["B403", "B301"]
    assert scans["detect-secrets"].findings == () and scans["lizard"].findings == ()
    assert len(started) == len(MODULES)
    assert all(one.poll() is not None for one in started) and is_free(room)


def test_a_second_look_begins_its_own(started, room) -> None:
    with scanners(ScanPorts(key=KEY), ahead=True) as scan:
        first = scan(a_change(), (PYTHON,), ())
        again = scan(a_change(), (PYTHON,), ())
    assert [one.model_dump() for one in first] == [one.model_dump() for one in again]
    assert len(started) == 2 * len(MODULES) and is_free(room)


def test_nothing_is_loaded_ahead_where_nobody_asks_for_it(started) -> None:
    with scanners(ScanPorts(key=KEY), ahead=False):
        assert started == []


@pytest.mark.parametrize("how", ["used", "unused", "broken off"])
def test_none_of_them_stays(started, room, monkeypatch, tmp_path: Path, how: str) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with contextlib.suppress(RuntimeError), scanners(ScanPorts(key=KEY), ahead=True) as scan:
        if how == "used":
            scan(a_change(), (PYTHON,), ())
        if how == "broken off":
            raise RuntimeError
    assert all(one.poll() is not None for one in started) and is_free(room)
    assert list(tmp_path.iterdir()) == []


def test_what_waits_takes_no_place_of_what_works(started, room) -> None:
    for _ in range(4):
        room.acquire()
    with Waiting(ScanPorts(key=KEY)):
        assert len(started) == len(MODULES)
    room.release(4)
    assert is_free(room)


def test_one_review_has_processes_waiting_at_a_time(started) -> None:
    ports = ScanPorts(key=KEY)
    with Waiting(ports), Waiting(ports):
        assert len(started) == len(MODULES)
    with Waiting(ports):
        assert len(started) == 2 * len(MODULES)


def test_once_none_waits_any_more_anothers_may(started) -> None:
    ports = ScanPorts(key=KEY)
    with Waiting(ports) as first, contextlib.ExitStack() as working:
        for module in MODULES:
            assert first.taken(module, working) is not None
        with Waiting(ports):
            assert len(started) == 2 * len(MODULES)


def test_a_process_that_nobody_needs_ends_as_soon_as_that_is_known(started) -> None:
    with scanners(ScanPorts(key=KEY), ahead=True) as scan:
        scan(a_change(), (file("a.md", None, "words\n"),), ())
        assert all(one.poll() is not None for one in started)
    assert len(started) == len(MODULES)


def test_reviews_at_once_do_not_wait_for_each_others_idle_processes(room) -> None:
    begin = threading.Barrier(3)

    def review(_: int) -> list[object]:
        limits = ScanLimits(total_seconds=30, scanner_seconds=30)
        with scanners(ScanPorts(key=KEY, limits=limits), ahead=True) as scan:
            begin.wait(20)
            return [one.findings for one in scan(a_change(), (file("a.md", None, "words\n"),), ())]

    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(review, range(3))) == [[()]] * 3
    assert is_free(room)


@pytest.mark.parametrize("error", [OSError("no space left"), MemoryError()])
def test_what_cannot_begin_ahead_ends_no_review(monkeypatch, started, room, error: BaseException) -> None:
    made = tempfile.TemporaryDirectory
    count = itertools.count()

    def full(*args, **given):
        if next(count) == 1:
            raise error
        return made(*args, **given)

    monkeypatch.setattr("shared.evidence.scanning.waiting.tempfile.TemporaryDirectory", full)
    if isinstance(error, MemoryError):
        with pytest.raises(MemoryError), scanners(ScanPorts(key=KEY), ahead=True):
            pytest.fail("it began")
    else:
        with scanners(ScanPorts(key=KEY), ahead=True) as scan:
            assert {one.scanner for one in scan(a_change(), (PYTHON,), ())} == {"bandit", "detect-secrets", "lizard"}
    assert all(one.poll() is not None for one in started) and is_free(room)
    with Waiting(ScanPorts(key=KEY)) as again:
        assert again._ahead, "the place of those that wait was given back"


def test_a_fault_while_it_is_followed_ends_the_process_first(monkeypatch, started, job, tmp_path: Path) -> None:
    a_job = job(PYTHON)
    placed, _ = place(a_job.known_files, tmp_path, ScanLimits(), numbered)

    def broken(*_: object) -> None:
        raise RuntimeError

    monkeypatch.setattr("shared.evidence.scanning.libraries._Run._follow", broken)
    monkeypatch.setattr("shared.evidence.scanning.libraries._Run._hand_over", lambda *_: None)
    with pytest.raises(RuntimeError):
        look("python_security", placed, tmp_path, a_job.ports, Deadline.after(60), Waiting())
    assert [one.poll() is not None for one in started] == [True]


def test_one_that_ended_before_it_was_needed_is_started_anew(started, job, tmp_path: Path) -> None:
    a_job = job(PYTHON)
    placed, _ = place(a_job.known_files, tmp_path, ScanLimits(), numbered)
    with Waiting(a_job.ports) as waiting:
        for one in started:
            one.kill()
            one.wait(10)
        looked = look("python_security", placed, tmp_path, a_job.ports, Deadline.after(60), waiting)
    assert [found["rule"] for _, found in looked.found for found in found] == ["B403", "B301"]
    assert looked.unseen == []


def test_a_python_that_is_not_there_is_told_by_the_scanner_not_before(tmp_path: Path) -> None:
    with scanners(ScanPorts(key=KEY, python=(str(tmp_path / "none"),)), ahead=True) as scan:
        (told,) = scan(a_change(), (file("a.md", None, "words\n"),), ())
    assert "could not be started" in told.findings.reason
    assert sys.executable not in told.findings.reason
