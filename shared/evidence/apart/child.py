"""Runs one library over files in a process of its own, telling each file's answer as soon as it is known.

``python -m shared.evidence.apart.child MODULE`` loads the library and writes JSON lines: its version, then, once standard
input has told the files as ``{"folder": …, "files": [names]}``, one line for each, and at last that it is done.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, TextIO

MODULES = ("complexity", "python_security", "secrets")
"""Files of this folder that look at texts by a library; each has ``begin``."""
MOST_MEMORY = 1536 * 1024 * 1024
"""Bytes of address space. A worker of Azure Functions has 2 GiB."""
MOST_WRITTEN = 16 * 1024 * 1024


def main(arguments: list[str]) -> int:
    """Look at the files; returns the exit code. What a library raises ends the process, and its class is told."""
    (module,) = arguments
    if module not in MODULES:
        return 2
    # Libraries print; their words must not stand between ours, nor reach a log.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)
    os.dup2(silence, 2)
    sys.excepthook = _TellsClass(answers)
    _hold_back()
    # Loaded before anything is asked: whoever started it early has it ready.
    version, look = importlib.import_module(f"shared.evidence.apart.{module}").begin()
    _tell(answers, {"version": version})
    asked = json.load(sys.stdin)
    for name in asked["files"]:
        _tell(answers, {"file": name, **look(Path(asked["folder"]), name)})
    _tell(answers, {"done": True})
    return 0


class _TellsClass:
    """Tells the class of what ended the process, never its words: they may hold what stood in a file."""

    def __init__(self, answers: TextIO) -> None:
        self._answers = answers

    def __call__(self, kind: type[BaseException], _error: BaseException, _trace: TracebackType | None) -> None:
        _tell(self._answers, {"crashed": kind.__name__})


def _tell(answers: TextIO, value: dict[str, Any]) -> None:
    answers.write(json.dumps(value) + "\n")
    answers.flush()


def _hold_back() -> None:
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415 - not on Windows

    for what, most in (
        (resource.RLIMIT_AS, MOST_MEMORY),
        (resource.RLIMIT_FSIZE, MOST_WRITTEN),
        (resource.RLIMIT_CORE, 0),
    ):
        _, hard = resource.getrlimit(what)
        resource.setrlimit(what, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
