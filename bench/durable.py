"""Measures orchestrations through the host beside the stock durabletask worker.

Each worker has an engine of its own, started alike, because two workers of one engine would share one round's work;
the idle pair waits on its connection and costs nothing.
"""

from __future__ import annotations

from pathlib import Path

from bench.fan_out import WIDTH
from bench.processes import APPS, answer_of, host, python, running
from bench.result import Result, compare

GOAL = 0.9
PEER = "stock TaskHubGrpcWorker"


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Orchestrations and activities a second."""
    rounds, count, warm_up = (3, 100, 50) if quick else (6, 300, 150)
    ours: list[float] = []
    peer: list[float] = []
    with (
        running("engine-host", python("local.engine"), folder) as mine,
        running("engine-stock", python("local.engine"), folder) as theirs,
        host(APPS / "durable", folder, "--engine", mine["address"]),
        running("stock-worker", python("bench.stock_worker", theirs["address"]), folder),
    ):
        sides = ((mine["address"], ours), (theirs["address"], peer))
        for address, _ in sides:
            _rate(address, warm_up)
        for number in range(rounds):
            for address, rates in sides if number % 2 else sides[::-1]:
                rates.append(_rate(address, count))
    return [
        compare(
            name, unit, [each * rate for rate in ours], peer_name=PEER, peer=[each * rate for rate in peer], goal=GOAL
        )
        for name, unit, each in (
            (f"orchestrations through the host, fan-out of {WIDTH}", "orchestrations/s", 1),
            (f"activities through the host, fan-out of {WIDTH}", "activities/s", WIDTH),
        )
    ]


def _rate(address: str, count: int) -> float:
    command = python("bench.durable_client", address, str(count))
    return count / float(answer_of(command, f"{count} orchestrations")["seconds"])
