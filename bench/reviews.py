"""Measures the review of a change of 100 files on each forge while every call takes 100 ms more.

Told of each forge are the calls that the evidence takes, and those of the whole review as the simulator saw them, each
beside the budget of 15 and one a page of files. Then, in one process over the stack's own storage, how long it takes until
the last of the evidence's calls is answered, beside the critical path of those very calls (`bench/critical_path.py` says how
that is found); and how long all of collecting takes, beside that path and the scanners' libraries by themselves
(`bench/scanner_floor.py`). Last, how long the whole review takes on the stack, from the event that a pull request was
opened to the review's end: beside the same path, and on GitHub beside pr-agent, which reviews changes alike in the same
repository from a process that has imported and set up everything, with a model that answers at once.
"""

from __future__ import annotations

import json
import math
import statistics
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from bench import peer_python
from bench.critical_path import Recorder, critical_path, evidence_calls, path_to
from bench.processes import environment, python, running
from bench.result import BenchError, Result, compare
from bench.review_world import PROJECT, World, world
from bench.scanner_floor import floor
from shared.domain.change import ChangeEvidence
from shared.domain.forge import ForgeName
from shared.projects.ports import CONNECTIONS
from shared.reviews import recording
from shared.reviews.collecting import collect
from shared.services import Services, compose
from shared.settings import read

FILES = 100
LATENCY = 0.1
BUDGET = 15
PAGE = {ForgeName.GITHUB: 100, ForgeName.AZURE_DEVOPS: 2_000}
"""Files that a forge lists in one answer."""
NAMES = {ForgeName.GITHUB: "GitHub", ForgeName.AZURE_DEVOPS: "Azure DevOps"}
PATH_GOAL, CALLS_GOAL, PEER_GOAL = 1.3, 1.0, 1.0
PEER = "pr-agent 0.49.0"
ROUNDS, QUICK_ROUNDS = 3, 2
PATIENCE = 90.0


class Collection(NamedTuple):
    """One collection that was timed."""

    seconds: float
    asked: float
    """Seconds until the last call of the evidence was answered."""
    path: float
    chain: tuple[str, ...]
    scanned: float
    """Seconds until the scanners could have answered: the path to the texts, and their libraries by themselves."""
    calls: int


def run(folder: Path, *, quick: bool) -> list[Result]:
    """Calls and times, both forges."""
    rounds = QUICK_ROUNDS if quick else ROUNDS
    peer_python.install()
    rows: list[Result] = []
    with world(folder) as stage, _pr_agent(folder, stage) as pr_agent:
        stage.silence()
        services = compose(read(stage.stack.settings), stage.stack.settings)
        recorder = _recorder(services, stage)
        for forge in ForgeName:
            collected = _collections(services, recorder, stage, forge, rounds)
            calls, walls = _reviews(stage, forge, rounds)
            rows += _rows(forge, collected, calls, walls)
            if forge is ForgeName.GITHUB:
                rows.append(_beside_pr_agent(walls, pr_agent.walls(stage, rounds)))
    return rows


def budget(forge: ForgeName, files: int) -> int:
    """Calls that a review may make."""
    return BUDGET + math.ceil(files / PAGE[forge])


def _rows(forge: ForgeName, collected: list[Collection], calls: list[float], walls: list[float]) -> list[Result]:
    on, allowed = NAMES[forge], [float(budget(forge, FILES))]
    peer = f"{BUDGET} and one a page"
    middle = sorted(collected, key=lambda one: one.path)[len(collected) // 2]
    return [
        compare(
            f"calls for the evidence of {FILES} files on {on}",
            "calls",
            [float(one.calls) for one in collected],
            peer_name=peer,
            peer=allowed,
            goal=CALLS_GOAL,
        ),
        compare(
            f"calls of the whole review on {on}", "calls", calls, peer_name=peer, peer=allowed, goal=CALLS_GOAL
        ),
        compare(
            f"asking for that evidence on {on}, every call slower by 100 ms",
            "s",
            [one.asked for one in collected],
            peer_name=f"the critical path of its calls: {' → '.join(middle.chain)}",
            peer=[one.path for one in collected],
            goal=PATH_GOAL,
        ),
        compare(
            f"collecting it on {on}, with scanning",
            "s",
            [one.seconds for one in collected],
            peer_name="the same path, or that to the texts and the scanners' libraries by themselves",
            peer=[max(one.path, one.scanned) for one in collected],
            goal=PATH_GOAL,
        ),
        compare(
            f"the whole review on {on}, every call slower by 100 ms",
            "s",
            walls,
            peer_name="the critical path of its evidence",
            peer=[one.path for one in collected],
            goal=PATH_GOAL,
        ),
    ]  # fmt: skip


def _recorder(services: Services, stage: World) -> Recorder:
    found = services.review_ports.connections.get(CONNECTIONS, stage.ready.connection)
    if found is None:
        raise BenchError(f"connection {stage.ready.connection} is not there")
    forges: Any = services.review_ports.connect(found[0])
    return Recorder(forges[ForgeName.GITHUB]._client, forges[ForgeName.AZURE_DEVOPS]._client)


def _collections(
    services: Services, recorder: Recorder, stage: World, forge: ForgeName, rounds: int
) -> list[Collection]:
    """The first one imports what it needs and is not kept."""
    room = services.review_room()
    found = []
    for number in range(rounds + 1):
        opened = stage.open_large(forge, f"collected{number}", FILES)
        ref = stage.ref(forge, opened.number)
        wanted = recording.want(
            services.review_ports, ref, opened.head, project=PROJECT, connection=stage.ready.connection, reason="bench"
        )
        if wanted.start is None:
            raise BenchError(f"{ref.key} is under review already")
        recorder.made.clear()
        with stage.slower(LATENCY):
            began = time.perf_counter()
            kept = collect(services.review_ports, room.looking, wanted.start)
            seconds = time.perf_counter() - began
        if kept.ended:
            raise BenchError(f"nothing was collected: {kept.ended}")
        evidence = ChangeEvidence.model_validate_json(services.artifacts.get(kept.evidence))
        if len(evidence.known_files) != FILES:
            raise BenchError(f"{len(evidence.known_files)} of {FILES} files were collected")
        asked = evidence_calls(forge, recorder.made)
        path, chain = critical_path(forge, recorder.made)
        found.append(
            Collection(
                seconds=seconds,
                asked=max(one.ended for one in asked) - began,
                path=path,
                chain=chain,
                scanned=path_to(forge, recorder.made, "texts") + floor(evidence.known_files),
                calls=len(asked),
            )
        )
    return found[1:]


def _reviews(stage: World, forge: ForgeName, rounds: int) -> tuple[list[float], list[float]]:
    """Calls and seconds of whole reviews by the host; the first one warms up."""
    calls, walls = [], []
    for number in range(rounds + 1):
        opened = stage.open_large(forge, f"reviewed{number}", FILES)
        with stage.slower(LATENCY):
            stage.forget(forge)
            began = time.perf_counter()
            stage.verdict(stage.tell(forge, opened))
            walls.append(time.perf_counter() - began)
            calls.append(float(len(stage.requests(forge))))
    return calls[1:], walls[1:]


class _PrAgent:
    """The peer's process, or why there is none."""

    def __init__(self, process: subprocess.Popen[str], url: str) -> None:
        self._process = process
        self._url = url
        self._broken = ""
        try:
            # What it imports takes a while, and would weigh on whatever is measured meanwhile.
            self.told()
        except (BenchError, OSError, ValueError) as error:
            self._broken = str(error)

    def told(self) -> dict[str, Any]:
        """The next line of its answers."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise BenchError(f"{PEER} ended with {self._process.wait(10)}")
        found: dict[str, Any] = json.loads(line)
        return found

    def walls(self, stage: World, rounds: int) -> list[float] | str:
        """Seconds of each of its reviews, or in words how far it came."""
        if self._broken:
            return self._broken
        walls = []
        try:
            for number in range(rounds + 1):
                opened = stage.open_large(ForgeName.GITHUB, f"peer{number}", FILES)
                assert self._process.stdin is not None
                with stage.slower(LATENCY):
                    stage.forget(ForgeName.GITHUB)
                    print(f"{self._url}/acme/{PROJECT}/pull/{opened.number}", file=self._process.stdin, flush=True)
                    answer = self.told()
                said = [one for one in stage.teams[ForgeName.GITHUB].comments(opened.number) if "Review" in one]
                if not answer["done"] or not said:
                    seen = len(stage.requests(ForgeName.GITHUB))
                    return f"it said nothing after {seen} calls"
                walls.append(float(answer["seconds"]))
        except (BenchError, OSError, ValueError) as error:
            return str(error)
        return walls[1:]


@contextmanager
def _pr_agent(folder: Path, stage: World) -> Iterator[_PrAgent]:
    """The peer with a model stub beside it, importing while others are measured would weigh on them: waited for first."""
    script = str(peer_python.PR_AGENT / "review.py")
    with (
        running("model", python("bench.model_stub"), folder) as model,
        (folder / "pr-agent.log").open("w", encoding="utf-8") as log,
    ):
        job = {
            "base_url": stage.ready.github,
            "token": stage.ready.github_tokens["doneright"],
            "model_url": model["url"],
        }
        process = subprocess.Popen(
            [str(peer_python.python_of(peer_python.PR_AGENT)), script, json.dumps(job)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment(),
        )
        try:
            yield _PrAgent(process, stage.ready.github)
        finally:
            process.kill()
            process.wait(10)


def _beside_pr_agent(walls: list[float], peer: list[float] | str) -> Result:
    name = f"a review of {FILES} files on GitHub, every call slower by 100 ms"
    if isinstance(peer, str):
        return Result(
            name=f"{name} (peer not run: {peer})",
            unit="s",
            ours=round(statistics.median(walls), 3),
            peer_name=PEER,
            peer=0.0,
            ratio=0.0,
            goal=PEER_GOAL,
            met=False,
        )
    return compare(name, "s", walls, peer_name=f"{PEER}, a model that answers at once", peer=peer, goal=PEER_GOAL)
