"""Starts the processes in which libraries look at texts, where there is time while nothing is there to look at yet.

To load a library takes a process longer than to look at an ordinary change with it, and a forge that is asked for the
change takes as long again: done at the same time, the loading costs no wait.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from shared.evidence.apart.child import MODULES
from shared.evidence.scanning.answers import UnansweredError
from shared.evidence.scanning.ports import ScanPorts
from shared.evidence.scanning.processes import end, environment, started

_ROOT = Path(__file__).resolve().parents[3]


_AHEAD = threading.BoundedSemaphore(1)
"""Reviews of this worker that have processes wait for them. Those have no place among the ones that work, and take none."""


@contextlib.contextmanager
def child(module: str, ports: ScanPorts) -> Iterator[subprocess.Popen[bytes]]:
    """A process that loads the library of ``module``, then waits to be told files; ended when the block is left.

    Raises:
        UnansweredError: it could not be started.
    """
    command = [*ports.python, "-m", "shared.evidence.apart.child", module]
    paths = os.pathsep.join([str(_ROOT), *(entry for entry in sys.path if entry)])
    with tempfile.TemporaryDirectory(prefix="doneright-scan-", ignore_cleanup_errors=True) as home:
        environ = environment(Path(home), PYTHONPATH=paths)
        with started(command, Path(home), environ, subprocess.PIPE) as process:
            try:
                yield process
            finally:
                # First: whoever still reads from it keeps the stream until it is gone.
                end(process)
                for stream in (process.stdin, process.stdout):
                    if stream:
                        _close(stream)


def _close(stream: IO[bytes]) -> None:
    # What was written to a process that is gone cannot be flushed any more, and nobody would read it.
    with contextlib.suppress(BrokenPipeError):
        stream.close()


class Waiting:
    """Processes that wait for files, one of each library. Within a block of it; nobody's yet outside of one."""

    def __init__(self, ports: ScanPorts | None = None) -> None:
        """They begin with the block, unless another review has some waiting; without ``ports``, none do."""
        self._ports = ports
        self._ahead = False
        self._lock = threading.Lock()
        self._there: dict[str, tuple[subprocess.Popen[bytes], contextlib.ExitStack]] = {}

    def __enter__(self) -> Self:
        self._ahead = self._ports is not None and _AHEAD.acquire(blocking=False)
        try:
            # Where one cannot begin, whoever needs it tries again, and tells why it cannot.
            with contextlib.suppress(UnansweredError, OSError):
                for module in MODULES if self._ahead else ():
                    assert self._ports is not None  # noqa: S101 - or nothing is ahead
                    with contextlib.ExitStack() as stack:
                        process = stack.enter_context(child(module, self._ports))
                        self._there[module] = (process, stack.pop_all())
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *failure: object) -> None:
        self._leave()

    def _leave(self) -> None:
        with contextlib.ExitStack() as stacks:
            stacks.callback(self._free)
            for _, stack in self._there.values():
                stacks.push(stack)
            self._there.clear()

    def _free(self) -> None:
        """None of them waits any more, so that another review's may."""
        with self._lock:
            if self._ahead and not self._there:
                self._ahead = False
                _AHEAD.release()

    def taken(self, module: str, into: contextlib.ExitStack) -> subprocess.Popen[bytes] | None:
        """The process of that library, which ends with ``into`` from now on; ``None``: there is none, or it ended."""
        held = self._there.pop(module, None)
        if held is None:
            return None
        self._free()
        process, stack = held
        if process.poll() is not None:
            stack.close()
            return None
        into.push(stack)
        return process

    def spared(self, module: str) -> None:
        """Nobody needs the process of that library: it ends."""
        with contextlib.ExitStack() as stack:
            self.taken(module, stack)
