"""Starts the sides of a measurement as processes of their own and ends each by its process id."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from bench.result import BenchError
from local.stack.child import Child, ChildFailedError

ROOT = Path(__file__).resolve().parent.parent
APPS = ROOT / "bench" / "apps"
PATIENCE = 60.0


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a child inherits: the shell's environment without the settings of another Doneright."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DONERIGHT_", "AzureWebJobs", "AzureFunctions"))}
    return kept | {"PYTHONUNBUFFERED": "1"} | dict(more or {})


@contextmanager
def running(
    name: str, command: Sequence[str], folder: Path, environ: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    """A child that printed ``{"ready": true, ...}``; yields that object. Raises ``BenchError`` when it did not."""
    child = Child(name, command, environ=environment(environ), cwd=ROOT, log=folder / f"{name}.log")
    try:
        yield child.ready(PATIENCE)
        if not child.is_running:
            raise BenchError(f"{name} ended while it was measured:\n{child.last_words()}")
    except ChildFailedError as error:
        raise BenchError(str(error)) from error
    finally:
        child.stop()


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of this repository."""
    return [sys.executable, "-m", module, *arguments]


def host(app: Path, folder: Path, *arguments: str) -> AbstractContextManager[dict[str, Any]]:
    """The function host serving ``app`` on a free port, quiet as its peers are."""
    command = python("local.host", "--app", str(app), "--port", "0", "--log-level", "warning", *arguments)
    return running(f"host-{app.name}", command, folder, {"DONERIGHT_HOST_STATE_DIR": str(folder / f"host-{app.name}")})


def answer_of(command: Sequence[str], what: str, said: Any = None, seconds: float = 300.0) -> Any:
    """The JSON a child prints when it is done, given ``said`` as JSON on its standard input.

    Raises:
        BenchError: it failed, took too long or printed no JSON.
    """
    try:
        done = subprocess.run(
            list(command),
            input=json.dumps(said).encode(),
            capture_output=True,
            cwd=ROOT,
            env=environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchError(f"{what} was not done within {seconds:.0f} s") from error
    if done.returncode:
        tail = "\n".join(done.stderr.decode(errors="replace").strip().splitlines()[-8:])
        raise BenchError(f"{what} ended with {done.returncode}:\n{tail}")
    try:
        return json.loads(done.stdout)
    except ValueError as error:
        raise BenchError(f"{what} printed no JSON: {done.stdout[:200]!r}") from error
