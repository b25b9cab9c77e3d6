"""Measures appends to the audit log on the storage emulator of a stack whose other parts have ended."""

from __future__ import annotations

from pathlib import Path

from bench import audit
from bench.result import Result
from local.stack import Configuration, Ports, Stack

QUICK_EVENTS, QUICK_ROUNDS = 80, 1


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Events a second."""
    with Stack(Configuration(ports=Ports.free(), state=folder / "state")) as stack:
        for name in ("host", "sandbox", "engine"):
            stack.children.pop(name).stop()
        rows = audit.run(stack.storage, QUICK_EVENTS, QUICK_ROUNDS) if quick else audit.run(stack.storage)
    return [Result.model_validate(row) for row in rows]
