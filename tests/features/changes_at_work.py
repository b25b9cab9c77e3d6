"""A change under review on the running stack: what people do with it, and what the product and the forges show of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from local.story import discount
from local.story.changes import REMARK, SUMMARY, AzureTeam, GitHubTeam, Opened, Team
from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.project import slug_of
from shared.reviews import recording
from tests.e2e.world import World

FORGES = {"GitHub": ForgeName.GITHUB, "Azure DevOps": ForgeName.AZURE_DEVOPS}


@dataclass
class Offered:
    """A pull request that Casey opened, and everything that is asked about it."""

    world: World
    project: str
    forge: ForgeName
    team: Team
    branch: str = ""
    item: int = 0
    opened: Opened | None = None
    heads: list[str] = field(default_factory=list)

    @classmethod
    def on(cls, world: World, project: str, forge: str) -> Offered:
        """Nothing yet; people of ``project`` at work on ``forge``."""
        name = FORGES[forge]
        team: Team = (
            GitHubTeam(world.ready, slug_of(project)) if name is ForgeName.GITHUB else AzureTeam(world.ready, project)
        )
        return cls(world, project, name, team)

    def open(self, files: Mapping[str, str]) -> None:
        """Casey opens it, linked to a bug of its own."""
        self.item = self.team.item(discount.BUG, discount.BUG_BODY)
        self.branch = discount.BRANCH.format(item=self.item)
        self.opened = self.team.open(
            self.branch,
            files,
            f"{discount.TITLE} (#{self.item})",
            title=discount.TITLE,
            body=discount.BODY,
            item=self.item,
        )
        self.heads.append(self.opened.head)

    def push(self, files: Mapping[str, str], message: str) -> None:
        """Casey pushes again."""
        self.heads.append(self.team.push(self.branch, files, f"{message} (#{self.item})"))

    @property
    def number(self) -> int:
        """Of the pull request."""
        assert self.opened is not None
        return self.opened.number

    @property
    def head(self) -> str:
        """The newest."""
        return self.heads[-1]

    @property
    def ref(self) -> ChangeRef:
        """As records name it."""
        slug = slug_of(self.project)
        where = ("acme", slug) if self.forge is ForgeName.GITHUB else (self.project, self.project)
        return ChangeRef(forge=self.forge, repository=RepositoryRef(owner=where[0], name=where[1]), number=self.number)

    def review(self, head: str = "") -> dict[str, Any] | None:
        """The review of ``head``, or of the newest, as scripts see it."""
        ident = recording.review_id(self.ref, head or self.head)
        answer = self.world.api.get(f"/api/reviews/{ident}", headers={"accept": "application/json"})
        return answer.json() if answer.status_code == 200 else None

    def verdict(self, what: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The verdict about the newest head, once ``holds`` says that it is the one waited for."""

        def look() -> dict[str, Any] | None:
            shown = self.review()
            found = shown["verdict"] if shown else None
            return found if found and holds(found) else None

        found = self.world.until(what, look)
        assert found is not None
        return found

    def at_rest(self, head: str = "") -> dict[str, Any]:
        """The record of the review once nothing is under way and nothing more was asked for."""

        def look() -> dict[str, Any] | None:
            shown = self.review(head)
            record = shown["record"] if shown else None
            return record if record and record["state"] != "running" else None

        found = self.world.until(f"the end of the review of {head or self.head}", look)
        assert found is not None
        return found

    def check(self, state: str) -> str:
        """The title of our check on the newest head, once it stands at ``state``."""

        def look() -> str | None:
            found = self.team.own_check(self.number, self.head)
            return found.title or "untitled" if found and found.state == state else None

        found = self.world.until(f"the check that is {state}", look)
        assert found is not None
        return found

    def run_checks(self) -> None:
        """The workflow or pipeline ends, all green."""
        self.team.run_checks(self.head, self.number)

    def report(self, commit: str, *, with_change: bool) -> None:
        """What the pipeline sends about a commit."""
        sent = [(discount.cobertura(with_change=with_change), flag) for flag in ("", "unit", "critical")]
        if with_change:
            sent.append((discount.junit(), "unit"))
        for report, flag in sent:
            answer = self.world.api.post(
                f"/api/evidence/{slug_of(self.project)}/{commit}",
                params={"flag": flag} if flag else {},
                content=report.encode(),
            )
            assert answer.status_code in {200, 201}, answer.text

    def comments(self) -> list[str]:
        """Every comment there is."""
        return self.team.comments(self.number)

    def summaries(self) -> list[str]:
        """The summary comments there are."""
        return [one for one in self.comments() if SUMMARY in one]

    def assert_said_once(self) -> None:
        """One summary, about the newest head, and no remark a second time."""
        comments = self.comments()
        summaries = [one for one in comments if SUMMARY in one]
        assert len(summaries) == 1, comments
        assert self.head[:7] in summaries[0], summaries[0]
        marks = [one.partition("-->")[0] for one in comments if REMARK in one]
        assert len(marks) == len(set(marks)), marks


def blocking(verdict: Mapping[str, Any]) -> set[str]:
    """Criteria that stand in the way of the merge."""
    return {
        one["criterion"]
        for one in verdict["findings"]
        if one["enforcement"] == "enforced" and one["outcome"] == "unmet" and not one["waiver"]
    }
