"""A child process that says when it is ready, ends when told, and never outlives the stack."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1


class ChildFailedError(Exception):
    """A child ended before it was ready; the message holds what it said last."""


class Child:
    """One process of the stack, in its own session so that Ctrl-C reaches the stack alone."""

    def __init__(self, name: str, command: Sequence[str], *, environ: Mapping[str, str], cwd: Path, log: Path) -> None:
        self.name = name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        self._stderr = log.open("ab")
        self._log_began = self._stderr.seek(0, os.SEEK_END)
        self.process = subprocess.Popen(
            list(command),
            env=dict(environ),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one prctl call
        )
        self._ready: dict[str, Any] | None = None
        self._told = threading.Event()
        self._reader = threading.Thread(target=self._read, name=f"read {name}", daemon=True)
        self._reader.start()

    def _read(self) -> None:
        stream = self.process.stdout
        if stream is None:
            return
        with self.log.open("ab") as log:
            for line in stream:
                if self._ready is None and line.startswith(b"{"):
                    try:
                        said = json.loads(line)
                    except ValueError:
                        said = {}
                    if isinstance(said, dict) and said.get("ready"):
                        self._ready = said
                        self._told.set()
                        continue
                log.write(line)
                log.flush()
        self._told.set()

    def ready(self, seconds: float) -> dict[str, Any]:
        """What the child said when it was ready. Raises ``ChildFailedError`` when it ended or took too long."""
        self._told.wait(seconds)
        if self._ready is not None:
            return self._ready
        if not self._told.is_set():
            raise ChildFailedError(f"the {self.name} was not ready within {seconds:.0f} s; its log: {self.log}")
        # It closed its output, so it is ending; without this wait its exit code would not be there yet.
        self.process.wait(seconds)
        raise ChildFailedError(self.death())

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def ending(self) -> str:
        """How it ended: ``exited with code 3`` or ``was killed by SIGKILL``."""
        code = self.process.poll()
        if code is None:
            return "has not ended"
        if code >= 0:
            return f"exited with code {code}"
        try:
            return f"was killed by {signal.Signals(-code).name}"
        except ValueError:
            return f"was killed by signal {-code}"

    def death(self) -> str:
        """Which child ended, how, what it said last, and where its log is."""
        return f"the {self.name} {self.ending()}; it said last:\n{self.last_words()}\nits log: {self.log}"

    def last_words(self, lines: int = 12) -> str:
        """The end of what it wrote to its log; the log goes on from earlier starts, whose words are left out."""
        with self.log.open("rb") as log:
            log.seek(self._log_began)
            text = log.read().decode("utf-8", errors="replace")
        return "\n".join(text.strip().splitlines()[-lines:]) or "(it said nothing)"

    def stop(self, seconds: float = 10.0) -> None:
        """End it politely, then for good, and wait until it is gone."""
        if self.is_running:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.kill()
        self._close()

    def kill(self) -> None:
        """End it as ``kill -9`` does."""
        if self.is_running:
            self.process.kill()
            self.process.wait()
        self._close()

    def _close(self) -> None:
        self._reader.join(5)
        if self.process.stdout:
            self.process.stdout.close()
        self._stderr.close()


def wait_for_port(child: Child, port: int, seconds: float) -> None:
    """Wait until ``child`` listens on ``port``. Raises ``ChildFailedError``."""
    import socket

    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not child.is_running:
            raise ChildFailedError(child.death())
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise ChildFailedError(f"the {child.name} does not listen on port {port} after {seconds:.0f} s")


def _die_with_parent() -> None:
    # Also when the stack itself is killed with -9, which no handler sees.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() == 1:
        os._exit(1)
