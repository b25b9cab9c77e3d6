"""Starts the processes that look at a change: without our secrets in their environment, and ended when they take too long."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shared.evidence.scanning.answers import UnansweredError
from shared.evidence.scanning.deadline import Deadline

MOST_AT_ONCE = 4
"""Processes of this worker, whichever change they look at: each may take some hundred MiB of its two GiB."""
_ROOM = threading.BoundedSemaphore(MOST_AT_ONCE)
_PASSED_ON = ("PATH", "SYSTEMROOT", "TEMP", "TMP", "TMPDIR", "LD_LIBRARY_PATH")


def environment(home: Path, **more: str) -> dict[str, str]:
    """What a process is told: where programs are and little else, so that no setting or secret of ours reaches it."""
    passed = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    return passed | {"HOME": str(home), "XDG_CACHE_HOME": str(home), "LANG": "C.UTF-8", "PYTHONUTF8": "1", **more}


@contextlib.contextmanager
def room(deadline: Deadline) -> Iterator[None]:
    """A place for one process that works, among those of all reviews of this worker.

    Raises:
        UnansweredError: too many others run until the deadline.
    """
    if not _ROOM.acquire(timeout=deadline.left):
        raise UnansweredError("too many other reviews are looked at", "Ask for another review")
    try:
        yield
    finally:
        _ROOM.release()


@contextlib.contextmanager
def started(
    command: Sequence[str], folder: Path, environ: Mapping[str, str], stdout: int
) -> Iterator[subprocess.Popen[bytes]]:
    """``command`` in a process group of its own, ended with all it started when the block is left.

    Raises:
        UnansweredError: the machine does not start it.
    """
    process = _start(command, folder, environ, stdout)
    try:
        yield process
    finally:
        end(process)


def _start(command: Sequence[str], folder: Path, environ: Mapping[str, str], stdout: int) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=dict(environ),
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise UnansweredError(f"it could not be started ({type(error).__name__})") from error


def end(process: subprocess.Popen[bytes]) -> None:
    """End it with all it started; without effect when it has ended."""
    if process.poll() is None:
        if sys.platform == "win32":
            process.kill()
        else:
            # Not waited for yet, so its number is still its own.
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def run(
    command: Sequence[str],
    folder: Path,
    home: Path,
    deadline: Deadline,
    most: int,
    good: frozenset[int] = frozenset({0}),
) -> bytes:
    """What a program writes to its standard output.

    Args:
        folder: where it runs.
        home: an empty folder that it may take for its user's.
        most: bytes of its answer.
        good: exit codes that are answers.

    Raises:
        UnansweredError: it could not be started, did not end in time, answered too much, or failed.
    """
    answer = home / "answer"
    with answer.open("w+b") as stream:
        with room(deadline), started(command, folder, environment(home), stream.fileno()) as process:
            try:
                process.communicate(timeout=deadline.left)
            except subprocess.TimeoutExpired as error:
                raise UnansweredError("it did not end in time", "Split the change, or try again") from error
        if process.returncode not in good:
            raise UnansweredError(f"it failed with the exit code {process.returncode}")
        if answer.stat().st_size > most:
            raise UnansweredError(f"its answer is larger than {most} bytes", "Split the change")
        stream.seek(0)
        return stream.read()
