"""Measures a no-op HTTP function of the host beside the bare ASGI server that answers the same body."""

from __future__ import annotations

from pathlib import Path

from bench.load import Job, load
from bench.processes import APPS, host, python, running
from bench.result import Result, compare

GOAL = 0.5


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Requests a second at 50 connections."""
    rounds, seconds = (3, 1.5) if quick else (5, 3.0)
    ours: list[float] = []
    peer: list[float] = []
    with (
        host(APPS / "http", folder) as mine,
        running("bare-asgi", python("bench.bare_asgi"), folder) as theirs,
    ):
        sides = ((mine["url"], ours), (theirs["url"], peer))
        for number in range(rounds):
            for url, rates in sides if number % 2 else sides[::-1]:
                rates.append(load(Job(url=f"{url}/api/noop", seconds=seconds, warm_up=0.5)).rate)
    return [compare("one no-op HTTP function", "requests/s", ours, peer_name="bare uvicorn", peer=peer, goal=GOAL)]
