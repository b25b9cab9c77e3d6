"""Lets a library look at files in a process of its own; a file that stops it is told as not looked at, and the rest go on."""

from __future__ import annotations

import contextlib
import json
import queue
import subprocess
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from shared.evidence.scanning.answers import UnansweredError
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.placing import Placed, Unseen
from shared.evidence.scanning.ports import ScanPorts
from shared.evidence.scanning.processes import end, room
from shared.evidence.scanning.waiting import Waiting, child

MOST_STARTS = 4
"""Of one library for one change: a file that stops it costs one."""


@dataclass
class Looked:
    """What a library said."""

    version: str = ""
    found: list[tuple[Placed, list[dict[str, Any]]]] = field(default_factory=list)
    unseen: list[Unseen] = field(default_factory=list)


def look(
    module: str, placed: Sequence[Placed], folder: Path, ports: ScanPorts, deadline: Deadline, waiting: Waiting
) -> Looked:
    """What the library of ``module`` says of each file in ``folder``, by a process of ``waiting`` where it has one.

    Raises:
        UnansweredError: it could not be started, or answered nothing that can be read.
    """
    looked = Looked()
    deadline = deadline.within(ports.limits.scanner_seconds)
    left = list(placed)
    for _ in range(MOST_STARTS):
        if not left:
            break
        try:
            stopped = _Run(module, left, folder, ports, deadline, looked).follow(waiting)
        except UnansweredError as error:
            if not looked.version:
                raise
            # What was found before is told all the same.
            looked.unseen += [Unseen(one.file.path, error.reason) for one in left]
            return looked
        answered = len(left) - len(stopped.left)
        left = stopped.left
        if not left:
            break
        if deadline.left <= 0:
            break
        if not answered and not looked.version:
            # Not a file's fault: it did not even begin.
            raise UnansweredError(stopped.reason)
        looked.unseen.append(Unseen(left[0].file.path, stopped.reason))
        left = left[1:]
    reason = "there was no time left" if deadline.left <= 0 else "too many files before it stopped the scanner"
    looked.unseen += [Unseen(one.file.path, reason) for one in left]
    return looked


@dataclass
class _Stopped:
    left: list[Placed]
    reason: str


class _Run:
    """One process over some files."""

    def __init__(
        self, module: str, files: Sequence[Placed], folder: Path, ports: ScanPorts, deadline: Deadline, into: Looked
    ) -> None:
        self._files = list(files)
        self._deadline = deadline
        self._patience = ports.limits.file_seconds
        self._most = ports.limits.output_bytes
        self._into = into
        self._folder = folder
        self._module = module
        self._ports = ports
        self._lines: queue.Queue[bytes | None] = queue.Queue()

    def follow(self, waiting: Waiting) -> _Stopped:
        """Read until it is done or stops; which files are left, and why."""
        with room(self._deadline), contextlib.ExitStack() as stack:
            process = waiting.taken(self._module, stack)
            if process is None:
                process = stack.enter_context(child(self._module, self._ports))
            reader = threading.Thread(target=self._read, args=(process,), daemon=True)
            reader.start()
            self._hand_over(process)
            stopped = self._follow()
            end(process)
            # What it wrote is read to its end, which comes now that it is gone.
            reader.join()
        return stopped

    def _hand_over(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is None:
            return
        try:
            with process.stdin as stdin:
                asked = {"folder": str(self._folder), "files": [one.name for one in self._files]}
                stdin.write(json.dumps(asked).encode())
        except OSError:
            # It ended before it read; what it said before then tells why.
            return

    def _read(self, process: subprocess.Popen[bytes]) -> None:
        size = 0
        while process.stdout and (line := process.stdout.readline(self._most + 1)):
            size += len(line)
            if size > self._most:
                break
            self._lines.put(line)
        self._lines.put(None)

    def _follow(self) -> _Stopped:
        left = self._files
        begun = False
        while True:
            # To load a library takes a busy machine long, and is no file's fault.
            wait = self._deadline.within(self._patience).left if begun else self._deadline.left
            try:
                line = self._lines.get(timeout=wait)
            except queue.Empty:
                return _Stopped(left, "the scanner did not end with it in time")
            if line is None:
                return _Stopped(left, "the scanner stopped at it")
            try:
                said = json.loads(line)
            except ValueError:
                return _Stopped(left, "the scanner stopped at it")
            if "version" in said:
                self._into.version = said["version"]
                begun = True
            elif "crashed" in said:
                return _Stopped(left, f"the scanner stopped at it ({said['crashed']})")
            elif "done" in said:
                return _Stopped(left, "the scanner left it out")
            elif left and said.get("file") == left[0].name:
                left = self._take(left, said)

    def _take(self, left: list[Placed], said: dict[str, Any]) -> list[Placed]:
        if "unread" in said:
            self._into.unseen.append(Unseen(left[0].file.path, str(said["unread"])[:200]))
        else:
            self._into.found.append((left[0], said["found"]))
        return left[1:]
