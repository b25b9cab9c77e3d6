"""A library in its own process: what stops it costs one file."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.evidence.apart import child
from shared.evidence.scanning import libraries, processes
from shared.evidence.scanning.answers import UnansweredError
from shared.evidence.scanning.placing import numbered, place
from shared.evidence.scanning.ports import ScanLimits
from tests.fakes.changes import file

STAND_IN = """
import json, os, sys, time
print(json.dumps({"version": "1"}), flush=True)
asked = json.load(sys.stdin)
for name in asked["files"]:
    what = open(os.path.join(asked["folder"], name)).read()
    if what == "crash": print(json.dumps({"crashed": "MemoryError"}), flush=True); sys.exit(1)
    if what == "die": os.abort()
    if what == "hang": time.sleep(60)
    if what == "mumble": print("what?", flush=True)
    if what == "flood": print("x" * 5000, flush=True)
    print(json.dumps({"file": name, "found": [{"said": what}]}), flush=True)
print(json.dumps({"done": True}), flush=True)
"""


@pytest.fixture
def over(tmp_path: Path, job):
    script = tmp_path / "stand_in.py"

    def run(*texts: str, stand_in: str = STAND_IN, limits: ScanLimits | None = None, seconds: float = 30.0):
        script.write_text(stand_in)
        files = [file(f"{number}.txt", None, text) for number, text in enumerate(texts)]
        given = limits or ScanLimits(file_seconds=10)
        a_job = job(*files, python=(sys.executable, str(script)), limits=given, seconds=seconds)
        folder = tmp_path / "texts"
        folder.mkdir()
        placed, _ = place(files, folder, given, numbered)
        looked = libraries.look("secrets", placed, folder, a_job.ports, a_job.deadline, a_job.waiting)
        return [found[0]["said"] for _, found in looked.found], {one.path: one.reason for one in looked.unseen}

    return run


def test_every_file_is_answered(over) -> None:
    assert over("a", "b", "c") == (["a", "b", "c"], {})


@pytest.mark.parametrize(("what", "told"), [("crash", "MemoryError"), ("die", "stopped"), ("mumble", "stopped")])
def test_a_file_that_stops_it_is_told_and_the_rest_go_on(over, what, told) -> None:
    said, unseen = over("a", what, "c", what, "e")
    assert said == ["a", "c", "e"]
    assert set(unseen) == {"1.txt", "3.txt"} and all(told in reason for reason in unseen.values())


def test_a_file_that_takes_too_long_is_told(over) -> None:
    said, unseen = over("a", "hang", "c", limits=ScanLimits(file_seconds=1))
    assert said == ["a", "c"]
    assert "in time" in unseen["1.txt"]


def test_an_answer_without_end_is_cut_off(over) -> None:
    said, unseen = over("a", "flood", limits=ScanLimits(output_bytes=3000))
    assert said == ["a"] and set(unseen) == {"1.txt"}


def test_after_many_stops_nothing_more_is_tried(over) -> None:
    said, unseen = over(*["die"] * 8, "a")
    assert said == [] and len(unseen) == 9


def test_no_time_left_is_told_of_each_file(over) -> None:
    said, unseen = over("a", "b", seconds=0.0)
    assert said == [] and set(unseen) == {"0.txt", "1.txt"}


def test_a_library_that_does_not_begin_is_not_a_files_fault(over) -> None:
    with pytest.raises(UnansweredError):
        over("a", "b", stand_in="raise SystemExit(3)")


def test_a_python_that_is_not_there_is_told(tmp_path, job) -> None:
    a_job = job(file("a.txt", None, "x"), python=(str(tmp_path / "none"),))
    placed, _ = place(a_job.known_files, tmp_path, ScanLimits(), numbered)
    with pytest.raises(UnansweredError, match="could not be started"):
        libraries.look("secrets", placed, tmp_path, a_job.ports, a_job.deadline, a_job.waiting)


def test_no_more_processes_run_at_once_than_there_is_room_for(tmp_path, job, monkeypatch) -> None:
    room = threading.BoundedSemaphore(1)
    monkeypatch.setattr(processes, "_ROOM", room)
    a_job = job(file("a.txt", None, "x"), seconds=0.1)
    placed, _ = place(a_job.known_files, tmp_path, ScanLimits(), numbered)
    with room, pytest.raises(UnansweredError, match="too many"):
        libraries.look("secrets", placed, tmp_path, a_job.ports, a_job.deadline, a_job.waiting)
    assert room.acquire(blocking=False), "what was not started takes no room"


def test_room_is_given_back_whatever_happens(over, monkeypatch) -> None:
    room = threading.BoundedSemaphore(1)
    monkeypatch.setattr(processes, "_ROOM", room)
    assert over("a", "die", "c")[0] == ["a", "c"]
    assert room.acquire(blocking=False)


def test_what_was_found_before_the_room_was_gone_is_told(over, monkeypatch) -> None:
    taken = iter([True, False])
    monkeypatch.setattr(processes, "_ROOM", SimpleNamespace(acquire=lambda **_: next(taken), release=lambda: None))
    said, unseen = over("a", "die", "c")
    assert said == ["a"]
    assert "too many" in unseen["2.txt"] and set(unseen) == {"1.txt", "2.txt"}


def test_nothing_to_look_at_starts_nothing(tmp_path, job) -> None:
    a_job = job(python=(str(tmp_path / "none"),))
    looked = libraries.look("secrets", [], tmp_path, a_job.ports, a_job.deadline, a_job.waiting)
    assert looked.found == [] and looked.unseen == []


def test_only_modules_of_ours_are_run() -> None:
    assert child.main(["os"]) == 2
