"""Plays bootstraps through the real use cases on a virtual clock, in the order of their waits; nothing ever sleeps.

The order is that of the runbook: what waits for nothing starts at once, a try that asks for patience is repeated when
its time has come. A step's deadline is left out, since the limits make a hundred at once take hours.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from itertools import count

from orchestrations.durable import FIRST_PAUSE, LONGEST_PAUSE
from shared.domain.plan import SUCCEEDED, StepState, ready
from shared.domain.run import Conclusion, DrawnPlan, StepTask
from shared.errors import TransientError
from shared.projects import admission, answering, planning
from shared.projects.applying import apply_step
from shared.projects.ports import ConnectedForges
from tests.fakes.app import App, a_connection, an_issue, form
from tests.fakes.storage import MemoryClock


class World:
    """A number of runs, all asked for at once."""

    def __init__(self, runs: int, clock: MemoryClock, forges: ConnectedForges, *, first: int = 1) -> None:
        self.clock = clock
        self.began = clock.now()
        self.app = App(clock=clock)
        self.app.connect_to(a_connection())
        self.ports = replace(self.app.ports, connect=lambda _: forges)
        self.tries = 0
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()
        self.runs = [Run(self, number) for number in range(first, first + runs)]

    def elapsed(self) -> float:
        """Seconds since all were asked for."""
        return (self.clock.now() - self.began).total_seconds()

    def later(self, seconds: float, act: Callable[[], None]) -> None:
        """Do ``act`` after ``seconds``."""
        heapq.heappush(self._due, (self.elapsed() + seconds, next(self._order), act))

    def next(self) -> bool:
        """Do what is due next; whether there was anything."""
        if not self._due:
            return False
        at, _, act = heapq.heappop(self._due)
        self.clock.advance(timedelta(seconds=max(0.0, at - self.elapsed())))
        act()
        return True

    def states(self) -> list[str]:
        """How the runs ended, each kind once."""
        return sorted({run.state for run in self.runs})

    def failures(self) -> list[str]:
        """Why steps failed."""
        return sorted(
            f"{progress.step}: {progress.reason}"
            for run in self.runs
            for progress in self.ports.steps(run.input.instance)
            if progress.state not in SUCCEEDED
        )


class Run:
    """One bootstrap, from admission to answer."""

    def __init__(self, world: World, number: int) -> None:
        self._world = world
        name = f"Shop {number:03}"
        body = form(Project_name=name, Owner="casey")
        issue = an_issue(body, id=str(number), number=1)
        self.input = world.app.run_for(issue)
        self.project = ""
        self.state = "unfinished"
        self._plan: DrawnPlan | None = None
        self._states: dict[str, str] = {}
        self._begun: set[str] = set()
        self._under_way = 0
        self._patiently(self._admit)

    def _patiently(self, act: Callable[[], None], attempt: int = 0) -> None:
        def tried() -> None:
            self._world.tries += 1
            try:
                act()
            except TransientError as error:
                pause = error.retry_after
                self._world.later(
                    min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt) if pause is None else pause,
                    partial(self._patiently, act, attempt + 1),
                )

        self._world.later(0.0, tried)

    def _admit(self) -> None:
        found = admission.admit(self._world.ports, self.input)
        if not found.admitted:
            self.state = f"refused: {found.reason}"
            return
        self.project = found.project
        self._patiently(self._announce)

    def _announce(self) -> None:
        answering.announce(self._world.ports, self.input, self.project)
        self._patiently(self._draw)

    def _draw(self) -> None:
        self._plan = planning.draw_plan(self._world.ports, self.input, self.project)
        self._start_steps()

    def _start_steps(self) -> None:
        assert self._plan is not None
        graph = [(step.id, step.depends_on) for step in self._plan.steps]
        succeeded = {name for name, state in self._states.items() if StepState(state) in SUCCEEDED}
        for step in ready(graph, succeeded, self._begun):
            self._begun.add(step)
            self._under_way += 1
            task = StepTask(
                instance=self.input.instance,
                project=self.project,
                connection=self.input.connection,
                plan=self._plan.digest,
                step=step,
                attempt=1,
            )
            self._world.later(0.0, partial(self._try, task))
        if not self._under_way:
            self._patiently(self._conclude)

    def _try(self, task: StepTask) -> None:
        self._world.tries += 1
        outcome = apply_step(self._world.ports, task)
        if outcome.state is StepState.WAITING:
            memory = outcome.observed or task.memory
            again = task.model_copy(update={"attempt": task.attempt + 1, "memory": memory})
            self._world.later(outcome.wait_seconds, partial(self._try, again))
            return
        self._states[task.step] = outcome.state.value
        self._under_way -= 1
        self._start_steps()

    def _conclude(self) -> None:
        conclusion = Conclusion(run=self.input, project=self.project, states=self._states, reason="")
        self.state = str(answering.conclude(self._world.ports, conclusion))


def play(world: World, most: int = 2_000_000) -> None:
    """Let all runs of ``world`` end, or stop after ``most`` acts."""
    for _ in range(most):
        if not world.next():
            return
