"""Measures a hundred bootstraps at once under the forges' real limits, on a virtual clock, beside the limits' own bound.

The bound is the least time in which anybody could make the requests that the same bootstraps make without any limit.
The real use cases, budgets and waits are played; the forges are fakes behind which each call pays the requests that the
real adapters were seen to send. Nothing is slept, so the figures are the same on any machine but for the jitter.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.bootstraps import World, play
from bench.forge_calls import Recorded, record
from bench.limited_forges import Limited, LimitedAzureDevOps, LimitedGitHub
from bench.result import BenchError, Result, compare
from shared.adapters.azure_devops.limits import pace_of as azure_pace
from shared.adapters.github.limits import pace_of as github_pace
from shared.adapters.pacing import Costs, Pace, Pacing
from shared.domain.forge import ForgeName
from shared.projects.ports import ConnectedForges
from tests.fakes.code_host import MemoryGitHub
from tests.fakes.forges import MemoryAzureDevOps
from tests.fakes.storage import MemoryClock

RUNS, QUICK_RUNS = 100, 30
ROUNDS = 3
GOAL = 0.8
START = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)


class Played:
    """What one round came to."""

    def __init__(self, runs: int, recorded: Recorded, batches: dict[int, Costs], *, limited: bool) -> None:
        """Play ``runs`` bootstraps. Raises ``BenchError`` when one does not complete."""
        clock = MemoryClock(START)
        self.github = LimitedGitHub(clock)
        self.azure = LimitedAzureDevOps(clock)
        if not limited:
            self.github.lift()
            self.azure.lift()
        pacing = Pacing(clock)
        on_github = self._limited(
            MemoryGitHub(),
            ForgeName.GITHUB,
            github_pace(pacing, "https://api.github.com", "bench") if limited else None,
            self.github,
            recorded,
            batches,
        )
        on_azure = self._limited(
            MemoryAzureDevOps(),
            ForgeName.AZURE_DEVOPS,
            azure_pace(pacing, "https://dev.azure.com/acme", "bench") if limited else None,
            self.azure,
            recorded,
            batches,
        )
        self.world = World(
            runs,
            clock,
            ConnectedForges(
                forges={ForgeName.GITHUB: on_github, ForgeName.AZURE_DEVOPS: on_azure},
                issues=on_github,
                tracker=on_azure,
                settings=on_github,
            ),
        )
        play(self.world)
        if self.world.states() != ["completed"]:
            raise BenchError(f"bootstraps ended {self.world.states()}: {self.world.failures()[:5]}")

    @staticmethod
    def _limited(
        fake: MemoryGitHub | MemoryAzureDevOps,
        name: ForgeName,
        pace: Pace | None,
        side: LimitedGitHub | LimitedAzureDevOps,
        recorded: Recorded,
        batches: dict[int, Costs],
    ) -> Any:
        return Limited(fake, name, pace, side, recorded, batches)


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Measure; ``folder`` is not needed."""
    del folder
    runs = QUICK_RUNS if quick else RUNS
    recorded, batches = record()
    free = Played(runs, recorded, batches, limited=False)
    rounds = [Played(runs, recorded, batches, limited=True) for _ in range(1 if quick else ROUNDS)]
    bound = max(free.github.bound(), free.azure.bound())
    if not bound:
        raise BenchError(f"{runs} bootstraps stay within the limits: nothing is measured")
    result = compare(
        f"{runs} bootstraps at once within the forges' limits, on a virtual clock",
        "bootstraps/h",
        [runs * 3600 / played.world.elapsed() for played in rounds],
        peer_name="the limits' own bound",
        peer=[runs * 3600 / bound],
        goal=GOAL,
    )
    last = rounds[-1]
    print(
        f"{runs} bootstraps: GitHub {free.github.spent['requests']} requests and a bound of "
        f"{free.github.bound():.0f} s without limits, "
        f"{last.github.spent['requests']} with, {last.github.refused} refused; Azure DevOps {free.azure.spent:.0f} units "
        f"and {free.azure.bound():.0f} s "
        f"without, {last.azure.spent:.0f} with, {last.azure.refused} refused; {last.world.tries} tries",
        file=sys.stderr,
    )
    return [result]
