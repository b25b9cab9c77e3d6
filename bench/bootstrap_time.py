"""Measures a bootstrap on the whole stack while every forge call takes 100 ms more, beside the critical path of its plan.

The critical path is the longest way through the plan's graph when each step takes its own calls, one after the other, at
100 ms each, and nothing else takes any time: no engine, no storage, no answer on an issue. How many calls a step makes is
counted from the same request in one process.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx

from bench.bootstrap_calls import counted
from bench.result import BenchError, Result, compare
from local.stack import Configuration, Ports, Ready, Stack
from shared.domain.plan import Plan
from shared.domain.project import ProjectRequest, slug_of

GOAL = 1.25
ROUNDS = 5
LATENCY = 0.1
"""Seconds added to every call."""
LOOK = 0.02
PATIENCE = 120.0


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Wall time from the request to its end, as its caller sees it."""
    path = critical_path(*_calls())
    walls = _walls(folder, 2 if quick else ROUNDS)
    return [
        compare(
            "a bootstrap, every forge call slower by 100 ms",
            "s",
            walls,
            peer_name=f"the critical path of its plan, {round(path)} calls",
            peer=[path * LATENCY],
            goal=GOAL,
        )
    ]


def critical_path(plan: Plan, calls: Mapping[str, int]) -> int:
    """The most calls that have to be made one after the other."""
    needed: dict[str, int] = {}
    for step in plan.steps:
        needed[step.id] = calls[step.id] + max((needed[before] for before in step.depends_on), default=0)
    return max(needed.values())


def _request(name: str) -> dict[str, Any]:
    return {"name": name, "owner": "casey", "stack": "fastapi"}


def _calls() -> tuple[Plan, Mapping[str, int]]:
    defaults = ProjectRequest.model_validate(_request("Order Desk")).model_dump(mode="json")
    with counted() as world:
        made, by_work = world.play(**defaults)
        return made.plan(), by_work


def _walls(folder: Path, rounds: int) -> list[float]:
    configuration = Configuration(
        ports=Ports.free(), state=folder / "state", contracts=False, project_seconds=(0.0, 0.0)
    )
    with Stack(configuration) as stack:
        ready = stack.ready()
        # The first one imports what it needs and asks once what Azure DevOps offers.
        _wall(ready, "Warm Desk")
        for url in (ready.github, ready.azure_devops):
            rule = {"kind": "latency", "seconds": LATENCY, "count": 1_000_000}
            httpx.post(f"{url}/_faults", json=rule, timeout=30).raise_for_status()
        return [_wall(ready, f"Slow Desk {number}") for number in range(rounds)]


def _wall(ready: Ready, name: str) -> float:
    """Seconds from asking for a project to its end.

    Raises:
        BenchError: it did not complete in time.
    """
    headers = {"x-functions-key": ready.function_key, "accept": "application/json"}
    with httpx.Client(base_url=ready.host, headers=headers, timeout=PATIENCE) as api:
        began = time.monotonic()
        answer = api.post("/api/projects", json={"connection": "acme", **_request(name)})
        if answer.status_code != 202:
            raise BenchError(f"{name} was not taken: {answer.status_code} {answer.text[:300]}")
        while time.monotonic() - began < PATIENCE:
            found = api.get(f"/api/projects/{slug_of(name)}")
            if found.status_code == 200 and found.json()["state"] != "running":
                wall = time.monotonic() - began
                if found.json()["state"] != "completed":
                    raise BenchError(f"{name} ended {found.json()['state']}: {found.text[:1000]}")
                return wall
            time.sleep(LOOK)
    raise BenchError(f"{name} did not end within {PATIENCE:.0f} s")
