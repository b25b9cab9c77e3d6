"""Measures import and index of the function app beside an empty Durable Functions app, each in fresh interpreters."""

from __future__ import annotations

from pathlib import Path

from bench.processes import APPS, ROOT, answer_of, python
from bench.result import BenchError, Result, compare

GOAL = 1.5
LEAST_FUNCTIONS = 10


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Milliseconds."""
    del folder
    rounds = 5 if quick else 15
    ours: list[float] = []
    peer: list[float] = []
    for number in range(rounds + 1):
        for directory, least, times in ((ROOT, LEAST_FUNCTIONS, ours), (APPS / "empty", 1, peer)):
            answer = answer_of(python("bench.index_once", str(directory)), f"indexing {directory.name}")
            if answer["functions"] < least:
                raise BenchError(f"{directory} has {answer['functions']} functions; at least {least} were expected")
            if number:  # the first fills the caches of files and bytecode
                times.append(answer["seconds"] * 1000)
    return [compare("import and index of function_app", "ms", ours, peer_name="an empty DFApp", peer=peer, goal=GOAL)]
