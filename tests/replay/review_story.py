"""Runs of reviews and simulations with scripted activities: the stories that are recorded and replayed beside the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from orchestrations.review import review
from orchestrations.simulation import simulation
from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.review import ReviewInput
from shared.domain.simulation import AskedSimulation
from tests.replay.engine import Engine, Instance
from tests.replay.story import Answer, again, done

RUNBOOKS = {"review": review, "simulation": simulation}
HEAD = "a1" * 20
RUN = ReviewInput(
    instance="review-desk-7.1",
    review="desk-7",
    ref=ChangeRef(forge=ForgeName.GITHUB, repository=RepositoryRef(owner="acme", name="desk"), number=7),
    project="desk",
    connection="acme",
    head=HEAD,
    round=1,
    reason="a push",
)
ASKED = AskedSimulation(id="simulation-1", project="desk", policy="sha256:" + "4" * 64)
COLLECTED = {
    "evidence": "sha256:" + "5" * 64,
    "policy": "sha256:" + "6" * 64,
    "agents": ["quality", "security"],
}


def verdict(ruling: str = "failed", **rest: Any) -> dict[str, Any]:
    """What judging answers."""
    return done({"ruling": ruling, "reason": "as it is", "reviewed": "sha256:" + "7" * 64} | rest)


class ReviewScript:
    """Answers of activities by name; each list is used up call by call, its last goes on."""

    def __init__(self, runbook: str = "review", **answers: list[Answer]) -> None:
        self.runbook = runbook
        self._calls: Counter[str] = Counter()
        self._answers: dict[str, list[Answer]] = {
            "collect_evidence": [done(COLLECTED)],
            "hear_agent": [done("sha256:" + "8" * 64), done("sha256:" + "9" * 64)],
            "judge_change": [verdict()],
            "publish_review": [done(True)],
            "offer_proposals": [done("proposed tests are offered on doneright/tests-7")],
            "merge_change": [done({"merged": True, "commit": "c" * 40})],
            "conclude_review": [done(0)],
            "simulate_policy": [done("sha256:" + "a" * 64)],
            "break_off_simulation": [done("KeyError: broken")],
        } | answers

    def play(self, *, latest: int = 0) -> tuple[Engine, Instance]:
        """The run from its start to its end."""
        engine = Engine(RUNBOOKS, {name: self._answering(name) for name in self._answers}, latest=latest)
        instance, payload = (RUN.instance, RUN) if self.runbook == "review" else (ASKED.id, ASKED)
        return engine, engine.run(self.runbook, instance, payload.model_dump(mode="json"))

    def _answering(self, name: str) -> Callable[[dict[str, Any]], Any]:
        def answering(payload: dict[str, Any]) -> Any:
            answers = self._answers[name]
            answer = answers[min(self._calls[name], len(answers) - 1)]
            self._calls[name] += 1
            if isinstance(answer, Exception):
                raise answer
            return answer(payload) if callable(answer) else answer

        return answering


STORIES: dict[str, Callable[[], ReviewScript]] = {
    "review-blocked": ReviewScript,
    "review-asked-again": lambda: ReviewScript(
        collect_evidence=[again("throttled", 30), done(COLLECTED)], conclude_review=[done(2), done(0)]
    ),
    "review-merged": lambda: ReviewScript(judge_change=[verdict("passed", merge=True)]),
    "review-offered": lambda: ReviewScript(judge_change=[verdict(offer=True)]),
    "review-not-offered": lambda: ReviewScript(
        judge_change=[verdict(offer=True)], offer_proposals=[ValueError("broken")]
    ),
    "review-ended": lambda: ReviewScript(collect_evidence=[done({"ended": "the pull request is closed"})]),
    "review-superseded": lambda: ReviewScript(publish_review=[done(False)]),
    "review-broken": lambda: ReviewScript(judge_change=[ValueError("broken")]),
    "simulation-completed": lambda: ReviewScript(
        "simulation", simulate_policy=[again("away"), done("sha256:" + "a" * 64)]
    ),
    "simulation-broken": lambda: ReviewScript("simulation", simulate_policy=[KeyError("broken")]),
}
