"""Libraries that are loaded ahead: whoever looks first has them ready, and whatever happens none of them stays."""

from __future__ import annotations

import contextlib
import sys
import tempfile
import threading
import time
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


def test_no_room_is_waited_for_ahead(started, room) -> None:
    room.acquire()
    room.acquire()
    began = time.monotonic()
    with Waiting(ScanPorts(key=KEY)):
        assert len(started) == 2
    assert time.monotonic() - began < 5
    room.release(2)
    assert is_free(room)


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
