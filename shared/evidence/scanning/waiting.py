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
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Self

from shared.evidence.apart.child import MODULES
from shared.evidence.scanning.answers import UnansweredError
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.ports import ScanPorts
from shared.evidence.scanning.processes import environment, started

_ROOT = Path(__file__).resolve().parents[3]


@contextlib.contextmanager
def child(module: str, ports: ScanPorts, deadline: Deadline) -> Iterator[subprocess.Popen[bytes]]:
    """A process that loads the library of ``module``, then waits to be told files; ended when the block is left.

    Raises:
        UnansweredError: it could not be started, or too many others run until the deadline.
    """
    command = [*ports.python, "-m", "shared.evidence.apart.child", module]
    paths = os.pathsep.join([str(_ROOT), *(entry for entry in sys.path if entry)])
    with tempfile.TemporaryDirectory(prefix="doneright-scan-", ignore_cleanup_errors=True) as home:
        environ = environment(Path(home), PYTHONPATH=paths)
        with started(command, Path(home), environ, subprocess.PIPE, deadline) as process:
            try:
                yield process
            finally:
                for stream in (process.stdin, process.stdout):
                    if stream:
                        _close(stream)


def _close(stream: IO[bytes]) -> None:
    # What was written to a process that is gone cannot be flushed any more, and nobody would read it.
    with contextlib.suppress(BrokenPipeError):
        stream.close()


class Waiting:
    """Processes that wait for files, at most one of each library. Within a block of it; nobody's yet outside of one."""

    def __init__(self, ports: ScanPorts | None = None) -> None:
        """One of each library as soon as the block begins; without ``ports``, none."""
        self._ports = ports
        self._there: dict[str, tuple[subprocess.Popen[bytes], contextlib.ExitStack]] = {}

    def __enter__(self) -> Self:
        for module in MODULES if self._ports else ():
            assert self._ports is not None  # noqa: S101 - or there is no module
            stack = contextlib.ExitStack()
            try:
                # Where others have taken the room, whoever looks waits for it then.
                self._there[module] = (stack.enter_context(child(module, self._ports, Deadline.after(0))), stack)
            except UnansweredError:
                break
        return self

    def __exit__(self, *failure: object) -> None:
        with contextlib.ExitStack() as stacks:
            for _, stack in self._there.values():
                stacks.push(stack)
            self._there.clear()

    def taken(self, module: str, into: contextlib.ExitStack) -> subprocess.Popen[bytes] | None:
        """The process of that library, which ends with ``into`` from now on; ``None``: there is none, or it ended."""
        held = self._there.pop(module, None)
        if held is None:
            return None
        process, stack = held
        if process.poll() is not None:
            stack.close()
            return None
        into.push(stack)
        return process
