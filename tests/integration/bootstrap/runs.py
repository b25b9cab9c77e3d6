"""One run of the real runbooks and activities against both simulators, with what is aimed at each step's requests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import pytest

from orchestrations import activities
from shared.adapters import looks
from shared.audit.verify import verify_log
from shared.domain.connection import Mode
from shared.domain.decision import Choice, event_of
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan, StepProgress
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.run import RunInput
from shared.projects import deciding
from tests.fakes.app import App, a_connection
from tests.integration.bootstrap import inventory
from tests.integration.bootstrap.forges import Killed, Sandboxes
from tests.replay.engine import Engine, Instance
from tests.replay.story import RUNBOOKS

APPROVER = {"github": "robin", "azure_devops": "robin@acme.example"}
DECISION_SECONDS = 3600
DEADLINE_SECONDS = 120
"""Of a step: long enough for every fault that passes by itself."""


def a_request(forges: frozenset[ForgeName] = frozenset(ForgeName), **changes: Any) -> ProjectRequest:
    """A request that asks for a piece of everything."""
    given: dict[str, Any] = {
        "name": "Order Desk",
        "owner": "casey",
        "stack": "fastapi",
        "description": "Takes orders.",
        "forges": sorted(forges),
        "teams": [{"name": "Release crew", "members": ["robin@acme.example"]}],
        "environments": [{"name": "staging"}, {"name": "production", "approvers": [APPROVER]}],
        "topics": ["orders"],
        "areas": ["Web", "Web/Checkout"],
        "notifications": [{"event": "build_failed", "to": ["robin@acme.example"]}],
        "backlog": ["Take an order"],
    }
    return ProjectRequest.model_validate(given | changes)


@dataclass
class Ended:
    """What a run came to."""

    instance: Instance
    engine: Engine
    app: App
    run: RunInput
    found: dict[str, Any]
    """The inventory at its end."""
    deaths: int = 0

    @property
    def state(self) -> str:
        """How the project stands."""
        return str(self.instance.output["state"]) if self.instance.output else self.instance.failure

    @property
    def steps(self) -> list[StepProgress]:
        """Its steps."""
        return self.app.ports.steps(self.run.instance)

    def states(self) -> dict[str, str]:
        """Where each step stands."""
        return {step.step: step.state.value for step in self.steps}

    def plan(self) -> Plan:
        """The plan it carried out."""
        record = self.app.ports.project(self.instance.output["project"])
        assert record is not None
        return Plan.model_validate_json(self.app.artifacts.get(record.plan))

    def why(self) -> list[str]:
        """What to show when it did not end as it should."""
        told = [f"{self.state}: {self.instance.output}"]
        for step in self.steps:
            told.append(f"{step.step}: {step.state} {step.reason}")
            if step.reversal is not None:
                told.append(f"  taken back: {step.reversal.state} {step.reversal.reason}")
        return told

    def assert_on_record(self) -> None:
        """The record verifies, and nothing stands in it twice."""
        project = self.instance.output["project"]
        verified = verify_log(self.app.audit, project)
        assert verified.ok, verified
        keys = [(event.instance, event.step) for event in self.app.events(project)]
        assert len(keys) == len(set(keys))


@dataclass
class Player:
    """Plays runs; each begins with the forges as they were at first."""

    sandboxes: Sandboxes
    monkeypatch: pytest.MonkeyPatch

    def play(
        self,
        request: ProjectRequest,
        *,
        decide: Choice | None = None,
        lift: Callable[[], None] | None = None,
        from_issue: bool = False,
        after: Ended | None = None,
        latest: int = 0,
        review_mode: Mode = Mode.ENFORCED,
    ) -> Ended:
        """A run from its admission to its end.

        Args:
            request: what is asked for.
            decide: what is decided when it fails; ``None`` when nobody is to be asked.
            lift: done before the decision: somebody mends what made it fail.
            from_issue: whether it is answered on an issue.
            after: the run before, of the same project, whose records this one finds.
            latest: which of several waiting activities ends first; see ``Engine``.
            review_mode: whether the connection's reviews block, from this run on.
        """
        sandboxes = self.sandboxes
        app = after.app if after else self._app()
        app.connect_to(a_connection(azure_devops=self._azure(), github=self._github(), review_mode=review_mode))
        number = after.run.run + 1 if after else 1
        services = SimpleNamespace(project_ports=app.ports)
        self.monkeypatch.setattr(activities, "services", lambda: services)
        issue = sandboxes.open_issue() if from_issue else 0
        run = RunInput(
            instance=f"run-{number}",
            subject="run",
            run=number,
            connection="acme",
            origin=RequestOrigin(
                subject="run", requester="casey", repository="acme/requests" if issue else "", issue=issue
            ),
            content_digest="0" * 64,
            request=request,
            step_deadline_seconds=DEADLINE_SECONDS,
            decision_seconds=DECISION_SECONDS if decide else 0,
        )
        ended = Ended(Instance("", ""), Engine({}, {}), app, run, {})
        engine = Engine(RUNBOOKS, self._activities(ended, decide, lift), latest=latest)
        engine.now = sandboxes.clock.now()
        if decide:
            engine.scripted_events[run.instance] = [event_of(1)]
        ended.engine = engine
        ended.instance = engine.run("bootstrap", run.instance, run.model_dump(mode="json"))
        ended.found = inventory.of(sandboxes.state.data)
        return ended

    def _app(self) -> App:
        app = App(clock=self.sandboxes.clock)  # type: ignore[arg-type] - it moves as that one does
        app.ports = replace(app.ports, connect=lambda _: self.sandboxes.connect(), together=looks.together)
        return app

    def _github(self) -> dict[str, Any]:
        return {
            "organization": "acme",
            "credential": {"kind": "pat", "token_secret": "gh"},
            "request_repositories": ["acme/requests"],
        }

    def _azure(self) -> dict[str, Any]:
        return {
            "organization_url": f"{self.sandboxes.urls[ForgeName.AZURE_DEVOPS]}/acme",
            "credential": {"kind": "pat", "token_secret": "ado"},
        }

    def _activities(
        self, ended: Ended, decide: Choice | None, lift: Callable[[], None] | None
    ) -> dict[str, Callable[[dict[str, Any]], Any]]:
        def on_time(name: str, activity: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
            def perform(payload: dict[str, Any]) -> Any:
                self.sandboxes.clock.reach(ended.engine.now)
                work = work_of(name, payload)
                answer = self._mortal(ended, work, activity, payload)
                if name == "ask_for_decision" and decide and answer == {"done": True}:
                    if lift:
                        lift()
                    deciding.decide(ended.app.ports, payload["project"], decide, actor="a person", source="tests")
                return answer

            return perform

        return {activity.__name__: on_time(activity.__name__, activity) for activity in activities.ACTIVITIES}

    def _mortal(
        self, ended: Ended, work: str, activity: Callable[[dict[str, Any]], Any], payload: dict[str, Any]
    ) -> Any:
        """An engine hands the work of a process that died to the next one, with the same input."""
        while True:
            self.sandboxes.work = work
            try:
                return activity(payload)
            except Killed:
                ended.deaths += 1
                self.sandboxes.restart()
            finally:
                self.sandboxes.work = ""


def work_of(activity: str, payload: dict[str, Any]) -> str:
    """What an activity works on: a step, the reversal of one, or what its name says."""
    match activity:
        case "apply_step":
            return str(payload["task"]["step"])
        case "reverse_step":
            return f"reverse {payload['task']['step']}"
        case _:
            return activity
