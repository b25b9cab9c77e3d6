"""A child that ends says how, what it said last in this run, and where its log is."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.stack.child import Child, ChildFailedError, wait_for_port


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[Child]]:
    children: list[Child] = []
    yield children
    for child in children:
        child.stop()


def child(started: list[Child], tmp_path: Path, code: str) -> Child:
    made = Child("part", [sys.executable, "-c", code], environ=os.environ, cwd=tmp_path, log=tmp_path / "part.log")
    started.append(made)
    return made


def test_an_exit_is_told_with_its_code_and_only_the_words_of_this_run(started: list[Child], tmp_path: Path) -> None:
    (tmp_path / "part.log").write_text("words of an earlier run\n")
    failing = child(started, tmp_path, "import sys; print('cannot', file=sys.stderr); sys.exit(3)")
    with pytest.raises(ChildFailedError) as caught:
        failing.ready(30)
    assert str(caught.value).splitlines() == [
        "the part exited with code 3; it said last:",
        "cannot",
        f"its log: {tmp_path / 'part.log'}",
    ]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGRTMIN + 2])
def test_a_signal_is_told_by_its_name_or_number(started: list[Child], tmp_path: Path, number: int) -> None:
    running = child(started, tmp_path, "import time; print('{\"ready\": true}', flush=True); time.sleep(60)")
    assert running.ready(30) == {"ready": True}
    assert running.ending() == "has not ended"
    running.process.send_signal(number)
    running.process.wait(30)
    name = number.name if isinstance(number, signal.Signals) else f"signal {number}"
    assert running.death().splitlines()[:2] == [f"the part was killed by {name}; it said last:", "(it said nothing)"]


def test_one_that_ends_before_it_listens_is_told_likewise(started: list[Child], tmp_path: Path) -> None:
    ended = child(started, tmp_path, "raise SystemExit(4)")
    ended.process.wait(30)
    with pytest.raises(ChildFailedError, match="the part exited with code 4"):
        wait_for_port(ended, 1, 5)
