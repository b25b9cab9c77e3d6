"""Runs of the bootstrap with scripted activities: the stories that are recorded and replayed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from orchestrations import bootstrap
from shared.domain.project import RequestOrigin
from shared.domain.run import RunInput
from tests.replay.engine import Engine, Instance

RUNBOOKS = {"bootstrap": bootstrap.bootstrap, "step": bootstrap.step}
GRAPH = {
    "azure_devops.project": (),
    "azure_devops.repository": ("azure_devops.project",),
    "azure_devops.scaffold": ("azure_devops.repository",),
    "azure_devops.branch_rules": ("azure_devops.scaffold",),
    "github.repository": (),
    "github.scaffold": ("github.repository",),
    "github.hook": ("github.repository",),
}
RUN = RunInput(
    instance="github-issue-77.1",
    subject="github-issue-77",
    run=1,
    connection="acme",
    origin=RequestOrigin(subject="github-issue-77", requester="casey", repository="acme/requests", issue=7),
    content_digest="0" * 64,
    form="sha256:" + "0" * 64,
    step_deadline_seconds=60,
    step_pause_seconds=1,
)

type Answer = dict[str, Any] | Exception | Callable[[dict[str, Any]], Any]


def done(value: Any = None) -> dict[str, Any]:
    """What an activity answers."""
    return {"done": value}


def again(reason: str, after: float | None = None) -> dict[str, Any]:
    """What an activity answers that asks for patience."""
    return {"again": {"reason": reason, "after": after}}


def outcome(state: str, **changes: Any) -> dict[str, Any]:
    """What a try of a step came to."""
    return done({"state": state} | changes)


ADMITTED = done({"project": "order-desk"})
REFUSED = done({"reason": "you may not ask", "remedy": "Ask an owner."})


class Script:
    """Answers of activities: each list is used up call by call, its last answer goes on."""

    def __init__(self, *, advisory: bool = False, **answers: list[Answer]) -> None:
        drawn = [{"id": name, "depends_on": list(needs)} for name, needs in GRAPH.items()]
        plan = {"digest": "sha256:" + "1" * 64, "steps": drawn, "advisory": advisory}
        self.steps: dict[str, list[Answer]] = {}
        self._calls: Counter[str] = Counter()
        self._answers: dict[str, list[Answer]] = {
            "admit_request": [ADMITTED],
            "abandon_request": [done()],
            "refuse_request": [done("https://github.example/1")],
            "announce_run": [done("https://github.example/1")],
            "draw_plan": [done(plan)],
            "end_step": [done()],
            "ask_for_decision": [done(True)],
            "take_decision": [done({"choice": "accept"})],
            "end_reversal": [done()],
            "conclude_run": [done("completed")],
        } | answers
        self.reversals: dict[str, list[Answer]] = {}
        self.events: list[str] = []
        """What people raise while the run waits for nothing else."""
        self.decision_seconds = 0
        self.activities = {name: self._answering(name) for name in self._answers} | {
            "apply_step": self._step,
            "reverse_step": self._reversal,
        }

    def play(self, *, latest: int = 0) -> tuple[Engine, Instance]:
        """The run from its start to its end."""
        engine = Engine(RUNBOOKS, self.activities, latest=latest)
        engine.scripted_events[RUN.instance] = list(self.events)
        run = RUN.model_copy(update={"decision_seconds": self.decision_seconds})
        return engine, engine.run("bootstrap", RUN.instance, run.model_dump(mode="json"))

    def _answering(self, name: str) -> Callable[[dict[str, Any]], Any]:
        return lambda payload: self._next(name, self._answers[name], payload)

    def _step(self, payload: dict[str, Any]) -> Any:
        step = payload["task"]["step"]
        return self._next(step, self.steps.get(step, [outcome("applied")]), payload)

    def _reversal(self, payload: dict[str, Any]) -> Any:
        step = payload["task"]["step"]
        return self._next(f"{step}.reverse", self.reversals.get(step, [outcome("removed")]), payload)

    def _next(self, key: str, answers: list[Answer], payload: dict[str, Any]) -> Any:
        answer = answers[min(self._calls[key], len(answers) - 1)]
        self._calls[key] += 1
        if isinstance(answer, Exception):
            raise answer
        return answer(payload) if callable(answer) else answer


def _failing() -> Script:
    script = Script(conclude_run=[done("failed")])
    script.steps["azure_devops.repository"] = [outcome("failed", reason="taken")]
    return script


def _waiting() -> Script:
    script = Script(announce_run=[again("throttled", 7), done("")])
    script.steps["azure_devops.project"] = [outcome("waiting", wait_seconds=2), outcome("applied")]
    script.steps["github.hook"] = [again("conflict"), outcome("unsupported")]
    return script


def _crashing() -> Script:
    script = Script(conclude_run=[done("failed")])
    script.steps["github.repository"] = [ValueError("broken")]
    script.steps["azure_devops.project"] = [ValueError("once"), outcome("confirmed")]
    return script


def failing_with(*decisions: str | None, events: list[str], failures: int = 1) -> Script:
    """A run whose Azure DevOps repository fails that often, and what is decided each time it looks."""
    script = Script(take_decision=[done({"choice": choice} if choice else {}) for choice in decisions])
    script.steps["azure_devops.repository"] = [outcome("failed", reason="taken")] * failures + [outcome("applied")]
    script.events = events
    script.decision_seconds = 3600
    return script


def _compensated() -> Script:
    script = failing_with("compensate", events=["decision.1"])
    script.reversals["azure_devops.project"] = [outcome("waiting", wait_seconds=2), outcome("removed")]
    script.reversals["github.hook"] = [ValueError("broken")]
    return script


STORIES: dict[str, Callable[[], Script]] = {
    "completed": Script,
    "refused": lambda: Script(admit_request=[REFUSED]),
    "advised": lambda: Script(advisory=True, conclude_run=[done("advised")]),
    "one-step-failed": _failing,
    "waited": _waiting,
    "crashed": _crashing,
    "retried": lambda: failing_with("retry", events=["decision.1"]),
    "accepted": lambda: failing_with("accept", events=["decision.1"]),
    "compensated": _compensated,
    "nobody-decided": lambda: failing_with("compensate", events=[]),
    "abandoned": lambda: Script(admit_request=[ValueError("no credential")]),
}
