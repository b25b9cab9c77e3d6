"""Runs of portfolios with scripted activities: the stories that are recorded and replayed beside those of single runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from orchestrations import bootstrap
from orchestrations import portfolio as runbooks
from shared.domain.portfolio import PortfolioRun, PreviewRun
from shared.domain.project import RequestOrigin
from tests.replay.engine import Engine, Instance
from tests.replay.story import RUN, Answer, Script, again, done

RUNBOOKS = {
    "bootstrap": bootstrap.bootstrap,
    "step": bootstrap.step,
    "portfolio": runbooks.portfolio,
    "portfolio_preview": runbooks.portfolio_preview,
    "portfolio_project_preview": runbooks.portfolio_project_preview,
}
OF = PortfolioRun(
    instance="portfolio-shop.1",
    id="shop",
    run=1,
    connection="acme",
    plan="sha256:" + "2" * 64,
    file="sha256:" + "3" * 64,
    origin=RequestOrigin(subject="portfolio-shop", requester="api"),
    at_once=1,
    step_pause_seconds=1,
)
PREVIEW = PreviewRun(
    instance="portfolio-preview-shop.1",
    id="shop",
    run=1,
    connection="acme",
    plan="sha256:" + "2" * 64,
    at_once=2,
    started_at=datetime(2026, 1, 31, tzinfo=UTC),
)
EPIC = {"key": "sign-in-0f", "projects": ["begun", "stands"]}


def _start() -> dict[str, Any]:
    run = RUN.model_copy(update={"instance": "api-begun.1", "subject": "api-begun", "decision_seconds": 0})
    return run.model_dump(mode="json")


class PortfolioScript:
    """Answers of activities by name, or by name and project; each list is used up call by call, its last goes on."""

    def __init__(self, runbook: str = "portfolio", **answers: list[Answer]) -> None:
        self.runbook = runbook
        self.bootstrap = Script()
        self._calls: Counter[str] = Counter()
        self._answers: dict[str, list[Answer]] = {
            "draw_portfolio": [done({"projects": ["begun", "watched", "stands", "refused"], "epics": [EPIC]})],
            "begin_portfolio_project:begun": [done({"start": _start()})],
            "begin_portfolio_project:watched": [done({"watch": True})],
            "begin_portfolio_project:stands": [done({"stands": True})],
            "begin_portfolio_project:refused": [done({})],
            "look_at_portfolio": [done({}), done({"parked": ["watched"]}), done({"ended": ["watched"]})],
            "end_portfolio_project": [done("completed")],
            "seed_epic": [done("applied")],
            "link_epic": [again("does not show yet", 2), done("applied")],
            "end_broken_epic": [done("failed")],
            "conclude_portfolio": [done("completed")],
            "list_portfolio_projects": [done(["a", "b", "c"])],
            "preview_portfolio_project": [done(True)],
            "finish_portfolio_preview": [done()],
        } | answers

    def play(self, *, latest: int = 0) -> tuple[Engine, Instance]:
        """The run from its start to its end."""
        names = {key.partition(":")[0] for key in self._answers}
        engine = Engine(RUNBOOKS, self.bootstrap.activities | {n: self._answering(n) for n in names}, latest=latest)
        given = OF if self.runbook == "portfolio" else PREVIEW
        return engine, engine.run(self.runbook, given.instance, given.model_dump(mode="json"))

    def _answering(self, name: str) -> Callable[[dict[str, Any]], Any]:
        def answer(payload: dict[str, Any]) -> Any:
            key = f"{name}:{payload.get('project', '')}"
            key = key if key in self._answers else name
            answers = self._answers[key]
            given = answers[min(self._calls[key], len(answers) - 1)]
            self._calls[key] += 1
            if isinstance(given, Exception):
                raise given
            return given(payload) if callable(given) else given

        return answer


def _broken() -> PortfolioScript:
    script = PortfolioScript(
        seed_epic=[ValueError("broken")],
        look_at_portfolio=[ValueError("broken"), done({"ended": ["watched"]})],
        conclude_portfolio=[done("partly_failed")],
    )
    script.bootstrap = Script(conclude_run=[ValueError("broken")])
    return script


STORIES: dict[str, Callable[[], PortfolioScript]] = {
    "portfolio-completed": PortfolioScript,
    "portfolio-broken": _broken,
    "portfolio-not-drawn": lambda: PortfolioScript(
        draw_portfolio=[ValueError("broken")], conclude_portfolio=[done("failed")]
    ),
    "portfolio-preview": lambda: PortfolioScript(
        "portfolio_preview", preview_portfolio_project=[done(True), ValueError("broken"), done(False)]
    ),
}
