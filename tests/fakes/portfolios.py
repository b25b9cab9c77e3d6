"""Portfolios for tests: files, their runs, and what lets epics reach beyond a project's boards."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from orchestrations import activities, bootstrap
from orchestrations import portfolio as runbooks
from shared.domain.forge import IssueSnapshot, RepositoryRef
from shared.domain.portfolio import Portfolio, PortfolioRun
from shared.projects.portfolio import running
from shared.projects.portfolio.parsing import parse
from tests.fakes.app import App
from tests.replay.engine import Engine, Instance

RUNBOOKS = {
    "bootstrap": bootstrap.bootstrap,
    "step": bootstrap.step,
    "portfolio": runbooks.portfolio,
    "portfolio_preview": runbooks.portfolio_preview,
    "portfolio_project_preview": runbooks.portfolio_project_preview,
}
NAMES = ("Order Desk", "Price List", "Web Shop")
EPIC = {
    "title": "One sign-in everywhere",
    "description": "People sign in once.",
    "acceptance": ["Signing out ends every session"],
    "projects": ["Order Desk", "Web Shop"],
    "features": {"Order Desk": ["Accept the shared token"]},
}


def a_file(*names: str, **changes: Any) -> dict[str, Any]:
    """A file with a project of each name."""
    projects = [{"name": name} for name in names or NAMES]
    defaults = {"owner": "casey", "stack": "fastapi"}
    return {"name": "Shop", "connection": "acme", "defaults": defaults, "projects": projects} | changes


def a_portfolio(file: dict[str, Any] | None = None) -> Portfolio:
    """The portfolio of a file that is valid."""
    parsed = parse(file or a_file())
    assert parsed.portfolio, parsed.faults
    return parsed.portfolio


def begin(app: App, file: dict[str, Any] | None = None, **given: Any) -> PortfolioRun:
    """The run of a file, on record."""
    sent = file or a_file()
    settings = {"at_once": 2, "deadline_seconds": 60, "pause_seconds": 1.0, "decision_seconds": 0} | given
    content = (json.dumps(sent).encode(), "application/json")
    return running.begin(app.portfolios, a_portfolio(sent), content, app.ports.connection("acme"), "api", **settings)


def engine() -> Engine:
    """An engine over the real activities."""
    return Engine(RUNBOOKS, {activity.__name__: activity for activity in activities.ACTIVITIES})


def carry_out(app: App, file: dict[str, Any] | None = None, **given: Any) -> tuple[Engine, Instance]:
    """A file from its arrival to the end of its run."""
    run, driven = begin(app, file, **given), engine()
    return driven, driven.run("portfolio", run.instance, run.model_dump(mode="json"))


class MemoryReach:
    """Links and issues of both forges, in dictionaries."""

    def __init__(self) -> None:
        self.links: dict[int, set[str]] = defaultdict(set)
        self.issues: dict[str, list[IssueSnapshot]] = defaultdict(list)
        self.changes = 0
        self.unseen = 0
        """Reads that do not show yet what was made."""

    def related(self, project: str, item_id: int) -> frozenset[str]:
        if self._hidden():
            return frozenset()
        return frozenset(self.links[item_id])

    def add_related(self, project: str, item_id: int, items: Sequence[int], pages: Sequence[str]) -> None:
        self.changes += 1
        self.links[item_id] |= {str(item) for item in items} | set(pages)
        for item in items:
            self.links[item].add(str(item_id))

    def labelled_issues(self, ref: RepositoryRef, label: str) -> Sequence[IssueSnapshot]:
        if self._hidden():
            return ()
        return tuple(issue for issue in self.issues[str(ref)] if label in issue.labels)

    def create_issue(self, ref: RepositoryRef, title: str, body: str, labels: Sequence[str]) -> IssueSnapshot:
        self.changes += 1
        number = len(self.issues[str(ref)]) + 1
        made = IssueSnapshot(
            id=f"{ref}-{number}", ref=ref, number=number, title=title, body=body, author="doneright",
            labels=tuple(labels), url=f"https://github.example/{ref}/issues/{number}",
        )  # fmt: skip
        self.issues[str(ref)].append(made)
        return made

    def edit_issue_body(self, ref: RepositoryRef, number: int, body: str) -> IssueSnapshot:
        self.changes += 1
        edited = self.issues[str(ref)][number - 1].model_copy(update={"body": body.replace("\n", "\r\n")})
        self.issues[str(ref)][number - 1] = edited
        return edited

    def _hidden(self) -> bool:
        self.unseen -= 1
        return self.unseen >= 0
