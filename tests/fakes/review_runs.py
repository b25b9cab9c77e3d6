"""A review from an event to the word on the forge, over real runbooks and use cases and forges in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orchestrations import activities
from orchestrations.review import review
from shared.domain.change import ChangedFile, ChangeEvidence, ChangeRef, Part
from shared.domain.connection import Mode
from shared.domain.forge import ForgeName
from shared.domain.review import Reviewed, ReviewRecord
from shared.intake.change_events import ChangeNews, Written
from shared.intake.reviewing import Follows, what_follows
from shared.reviews import recording
from tests.fakes.app import App, a_connection
from tests.fakes.changes import NOW, a_change, file, person
from tests.fakes.review_forge import MemoryReviewForge
from tests.replay.engine import Engine, Instance

PROJECT = "desk"
NAMES = ("collect_evidence", "hear_agent", "judge_change", "publish_review", "offer_proposals", "merge_change",
         "conclude_review")  # fmt: skip


class ReviewWorld:
    """One pull request under review."""

    def __init__(self, monkeypatch: Any, forge: ForgeName, *, mode: Mode = Mode.ENFORCED, **connection: Any) -> None:
        self.app = App()
        self.connection = self.app.connect_to(a_connection(review_mode=mode, **connection))
        self.forge: MemoryReviewForge = self.app.review_forges[forge]
        self.name = forge
        self.monkeypatch = monkeypatch
        services = self.app.services()
        monkeypatch.setattr(activities, "services", lambda: services)
        self.between: dict[str, Callable[[], None]] = {}
        """What happens right before the next activity of that name."""

    def open(self, *files: ChangedFile, **rest: Any) -> ChangeRef:
        """Open a pull request."""
        changed: Part[tuple[ChangedFile, ...]] = files or (file("src/a.py", "a = 1\n", "a = 2\n"),)
        return self.forge.open(a_change(self.name, **rest), changed)

    def news(self, ref: ChangeRef, *, said: str = "", by: str = "noor", **rest: Any) -> Follows:
        """An event arrives about the pull request."""
        written = Written(comment="issue:9", author=person(by), body=said) if said else None
        head = rest.pop("head", "" if said else self.forge.change(ref).head)
        told = ChangeNews(
            forge=ref.forge, repository=ref.repository, number=ref.number, head=head, reason="a push", written=written
        )
        return what_follows(
            self.app.reviews, told, project=PROJECT, connection=self.connection.id, at=rest.pop("at", NOW)
        )

    def run(self, follows: Follows, engine: Engine | None = None) -> Instance:
        """Carry out the run that follows."""
        (start,) = follows.start
        engine = engine or self.engine()
        return engine.run("review", start.instance, start.model_dump(mode="json"))

    def engine(self) -> Engine:
        """An engine with the real activities."""

        def real(name: str) -> Callable[[dict[str, Any]], Any]:
            def act(payload: dict[str, Any]) -> Any:
                if happens := self.between.pop(name, None):
                    happens()
                return getattr(activities, name)(payload)

            return act

        return Engine({"review": review}, {name: real(name) for name in NAMES})

    def reviewed(self, ref: ChangeRef, **rest: Any) -> Reviewed:
        """Review it as it stands; what it came to."""
        self.run(self.news(ref, **rest))
        found = recording.reviewed_of(self.app.reviews, self.record(ref))
        assert found is not None
        return found

    def evidence(self, ref: ChangeRef) -> ChangeEvidence:
        """What the latest verdict about it rests on."""
        reviewed = recording.reviewed_of(self.app.reviews, self.record(ref))
        assert reviewed is not None
        return ChangeEvidence.model_validate_json(self.app.artifacts.get(reviewed.evidence))

    def record(self, ref: ChangeRef) -> ReviewRecord:
        """Of the newest head."""
        found = recording.latest_of(self.app.reviews, ref)
        assert found is not None
        return found
