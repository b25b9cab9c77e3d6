"""A pull request on a simulator and rounds of its review: real runbook, activities, adapters and gates on a virtual clock."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import pytest

from local.story import discount
from local.story.changes import REMARK, SUMMARY, AzureTeam, GitHubTeam, Team
from orchestrations import activities
from orchestrations.review import review
from shared.audit.verify import verify_log
from shared.domain.change import Change, ChangedFile, ChangeRef, Part, Reported, Scan, Unknown
from shared.domain.connection import Mode
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.review import Reviewed, ReviewRecord
from shared.evidence.scanning import ScanPorts, secrets
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.job import Job
from shared.intake.reviewing import Follows, look_again
from shared.reviews import recording
from tests.fakes.app import KEY, App, a_connection
from tests.integration.bootstrap.forges import Killed, Sandboxes
from tests.replay.engine import Engine, Instance

PROJECT = "theirs"
REPOSITORIES = {
    ForgeName.GITHUB: RepositoryRef(owner="acme", name="theirs"),
    ForgeName.AZURE_DEVOPS: RepositoryRef(owner="Theirs", name="Theirs"),
}
BASE = {"README.md": b"# Theirs\n", "CHANGELOG.md": b"# Changes\n\n## [Unreleased]\n"}
LEAK = discount.leaked_key()
CARELESS = discount.careless(LEAK)
MENDED = {discount.MODULE: discount.mended()[discount.MODULE]}


@cache
def _scanned(files: tuple[ChangedFile, ...]) -> tuple[Scan, ...]:
    job = Job(files=files, reports=(), ports=ScanPorts(key=KEY, advisories=None), deadline=Deadline.after(60))
    return secrets.scan(job)


def scan(_: Change, files: Part[tuple[ChangedFile, ...]], reports: tuple[Reported, ...]) -> tuple[Scan, ...]:
    """What the scanner for secrets says; each text is looked at once."""
    del reports
    return () if isinstance(files, Unknown) else _scanned(files)


@dataclass(frozen=True)
class Stands:
    """What people see of a review on the forge, free of what differs from run to run."""

    comments: tuple[str, ...]
    check: str
    title: str


@dataclass
class Rounds:
    """One pull request by robin; Doneright is casey there."""

    sandboxes: Sandboxes
    monkeypatch: pytest.MonkeyPatch
    forge: ForgeName
    mode: Mode = Mode.ENFORCED
    heads: list[str] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        sandboxes = self.sandboxes
        sandboxes.reset()
        app = self.app = App(clock=sandboxes.clock)  # type: ignore[arg-type] - it moves as that one does
        azure = {
            "organization_url": f"{sandboxes.urls[ForgeName.AZURE_DEVOPS]}/acme",
            "credential": {"kind": "pat", "token_secret": "ado"},
        }
        app.connect_to(a_connection(review_mode=self.mode, azure_devops=azure))
        app.reviews = replace(app.reviews, connect=lambda _: sandboxes.connect().forges)  # type: ignore[arg-type,return-value]
        room = app.review_room()
        room = replace(room, looking=replace(room.looking, scanners=lambda ahead: nullcontext(scan)))
        services = replace(app.services(), review_room=lambda: room)
        self.monkeypatch.setattr(activities, "services", lambda: services)
        self.between: dict[str, Callable[[], None]] = {}
        """What happens right before the next activity of that name."""
        self.team = self._people()
        where = REPOSITORIES[self.forge]
        sandboxes.connect().forges[self.forge].commit_files(where, "main", BASE, message="Begin")
        self.branch = ""
        self.number = 0

    def _people(self) -> Team:
        tokens = {"mona": "casey-token", "casey": "robin-token"}
        urls = {name.value: url for name, url in self.sandboxes.urls.items()}
        ready: Any = SimpleNamespace(**urls, github_tokens=tokens, azure_devops_tokens=tokens)
        if self.forge is ForgeName.GITHUB:
            return GitHubTeam(ready, "theirs")
        return AzureTeam(ready, "Theirs")

    # people

    def open(self, files: Mapping[str, str] = CARELESS) -> None:
        """Robin opens it."""
        item = self.team.item(discount.BUG, discount.BUG_BODY)
        self.branch = discount.BRANCH.format(item=item)
        opened = self.team.open(
            self.branch, files, f"{discount.TITLE} (#{item})", title=discount.TITLE, body=discount.BODY, item=item
        )
        self.number = opened.number
        self.heads.append(opened.head)

    def push(self, files: Mapping[str, str] = MENDED) -> None:
        """Robin pushes again."""
        self.heads.append(self.team.push(self.branch, files, "fix: take the key out"))

    @property
    def ref(self) -> ChangeRef:
        """The pull request."""
        return ChangeRef(forge=self.forge, repository=REPOSITORIES[self.forge], number=self.number)

    # the product

    def asked(self) -> Follows:
        """Somebody asks for a round of the review of the newest head."""
        return look_again(self.app.reviews, self.ref, project=PROJECT, connection="acme", reason="a test")

    def play(self) -> Instance:
        """One run from being asked for to its end."""
        (start,) = self.asked().start
        engine = Engine({"review": review}, {})
        engine = Engine(
            {"review": review},
            {one.__name__: self._on_time(one.__name__, lambda: engine) for one in activities.ACTIVITIES},
        )
        engine.now = self.sandboxes.clock.now()
        return engine.run("review", start.instance, start.model_dump(mode="json"))

    def _on_time(self, name: str, engine: Callable[[], Engine]) -> Callable[[dict[str, Any]], Any]:
        def perform(payload: dict[str, Any]) -> Any:
            if happens := self.between.pop(name, None):
                happens()
            self.sandboxes.clock.reach(engine().now)
            while True:
                self.sandboxes.work = name
                try:
                    return getattr(activities, name)(payload)
                except Killed:
                    # An engine hands the work of a process that died to the next one, with the same input.
                    self.deaths += 1
                    self.sandboxes.restart()
                finally:
                    self.sandboxes.work = ""

        return perform

    def record(self, head: str = "") -> ReviewRecord:
        """Where the review of ``head``, or of the newest, stands."""
        found = recording.of(self.app.reviews, recording.review_id(self.ref, head or self.heads[-1]))
        assert found is not None
        return found

    def reviewed(self) -> Reviewed:
        """What the review of the newest head came to."""
        found = recording.reviewed_of(self.app.reviews, self.record())
        assert found is not None
        return found

    # what stands in the end

    def stands(self) -> Stands:
        """What people see."""
        check = self.team.own_check(self.number, self.heads[-1])
        return Stands(
            comments=tuple(sorted(_plain(one) for one in self.team.comments(self.number))),
            check=check.state if check else "none",
            title=check.title if check else "",
        )

    def assert_said_once(self, told: str = "") -> None:
        """One summary at the most, about the newest head, and no remark a second time."""
        comments = self.team.comments(self.number)
        summaries = [one for one in comments if SUMMARY in one]
        assert len(summaries) <= 1, f"{len(summaries)} summaries: {told}"
        marks = [one.partition("-->")[0] for one in comments if REMARK in one]
        assert len(marks) == len(set(marks)), f"{marks}: {told}"
        assert not [one for one in comments if LEAK in one], f"the key is repeated: {told}"

    def assert_on_record(self) -> None:
        """The record verifies, and nothing stands in it twice."""
        assert verify_log(self.app.audit, PROJECT).ok
        keys = [(event.instance, event.step) for event in self.app.events(PROJECT)]
        assert len(keys) == len(set(keys))


_ADDRESS = re.compile(r"https?://[^\s)\]>\"]+")
_HANDED_OUT = re.compile(r"[0-9a-f]{8,}")


def _plain(comment: str) -> str:
    return _HANDED_OUT.sub("#", _ADDRESS.sub("URL", comment))
