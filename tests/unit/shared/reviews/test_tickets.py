"""Tickets on both forges: labels, tags and states are set together, once, on record, and only as they were read."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from shared.definitions.load import definition_of_done
from shared.domain.audit import AuditTag
from shared.domain.backlog import Entry
from shared.domain.change import ChangeEvidence
from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.publication import MergeOutcome
from shared.domain.review import Outcome, ReviewInput, Spoken
from shared.errors import RefusedError, TransientError
from shared.policies.pinning import keep
from shared.projects.ports import ConnectedForges
from shared.reviews.tickets import MovePorts, Moving, after_merge, foretold, move_tickets
from shared.reviews.words import spoken_of
from tests.fakes.changes import HEAD, UNKNOWN, a_change, a_ref, evidence, item
from tests.fakes.forges import Fault
from tests.fakes.planning import PlanningAzureDevOps, PlanningGitHub
from tests.fakes.talk import PROJECT, Talk, a_finding

DESK = RepositoryRef(owner="contoso", name="desk")
BOTH = pytest.mark.parametrize("forge", [ForgeName.GITHUB, ForgeName.AZURE_DEVOPS])


@dataclass
class Work:
    """A pull request with one ticket behind it, an issue or a card."""

    forge: ForgeName
    talk: Talk
    github: PlanningGitHub
    azure: PlanningAzureDevOps
    unreachable: RefusedError | None = None

    def move(
        self,
        *unmet: str,
        merged: MergeOutcome | None = None,
        round: int = 1,
        advisory: bool = False,
        **rest: Any,
    ) -> tuple[str, ...]:
        ports = self.talk.ports
        keep(ports.artifacts, definition_of_done())
        usual = {"change": a_change(self.forge), "items": (self.ticket(),), "process": "agile"}
        found = evidence(**(usual | rest))
        digest = ports.artifacts.put(ChangeEvidence.model_dump_json(found).encode(), "application/json")
        reviewed = self.talk.reviewed(
            a_finding("ci_is_green", Outcome.MET),
            *(a_finding(one) for one in unmet),
            evidence=digest,
            advisory=advisory,
        )
        run = ReviewInput(
            instance="review-1.1", review=reviewed.review, ref=self.talk.ref, project=PROJECT, connection="acme",
            head=HEAD, round=round,
        )  # fmt: skip
        return self.moving()(run, reviewed, merged)

    def moving(self) -> Moving:
        return partial(move_tickets, MovePorts(self.talk.ports, self.forges))

    def forges(self, _: Connection) -> ConnectedForges:
        if self.unreachable:
            raise self.unreachable
        return ConnectedForges(forges={}, issues=self.github, tracker=self.azure, settings=self.github)

    def ticket(self):
        if self.forge is ForgeName.GITHUB:
            return item(12, "", forge=ForgeName.GITHUB, project="contoso/desk", url="https://github.example/12")
        return item(12, url="https://dev.azure.example/12")

    def says(self, *names: str, state: str = "Active") -> None:
        if self.forge is ForgeName.GITHUB:
            self.github.put_issue(12, "Export", "", ref=DESK, labels=("bug", *names))
        else:
            self.azure.put(Entry(id=12, type="User Story", title="Export", state=state, tags=("bug", *names)))

    @property
    def names(self) -> set[str]:
        if self.forge is ForgeName.GITHUB:
            return set(self.github.issue(DESK, 12).labels)
        return set(self.azure.shown[12].tags)

    @property
    def board(self) -> str:
        return self.azure.shown[12].state

    @property
    def tags(self) -> list[AuditTag]:
        return [event.tag for event in self.talk.events()]


@pytest.fixture
def work(forge):
    github = PlanningGitHub()
    github.create_repository(DESK, description="", private=True)
    return Work(forge, Talk(forge), github, PlanningAzureDevOps())


def moved_tag(forge):
    return AuditTag.GITHUB_TICKET_MOVED if forge is ForgeName.GITHUB else AuditTag.AZURE_DEVOPS_TICKET_MOVED


@BOTH
def test_a_ticket_goes_with_its_review_to_the_merge(work, forge):
    work.says("state: branched")
    (told,) = work.move()
    assert "moves from branched to in review" in told
    assert work.names == {"bug", "state: in review"}
    (told,) = work.move(merged=MergeOutcome(merged=True, commit="c"), round=2)
    assert "moves from in review to merged" in told
    assert work.names == {"bug", "state: merged"}
    assert work.tags == [moved_tag(forge)] * 2
    first = work.talk.events()[0]
    assert first.detail["passed"] == ["implemented", "tested", "in_review"]
    assert first.subject.endswith("/12")
    if forge is ForgeName.AZURE_DEVOPS:
        assert work.board == "Resolved"


@BOTH
def test_the_same_again_changes_nothing(work, forge):
    work.says("state: branched")
    work.move()
    board = work.github if forge is ForgeName.GITHUB else work.azure
    board.calls.clear()
    assert work.move(round=2) == ()
    assert not [call for call in board.calls if call.startswith(("set_", "add_", "remove_", "create_"))]
    assert len(work.tags) == 1


@BOTH
def test_what_is_missing_is_told_and_on_record(work, forge):
    work.says("state: branched")
    (told,) = work.move("unit_tests_accompany_code")
    assert "moves from branched to implemented; it goes no further" in told
    assert work.tags == [moved_tag(forge), AuditTag.TICKET_STAYED]
    assert work.talk.events()[-1].detail["missing"] == ["unit_tests_accompany_code"]


@BOTH
def test_a_ticket_that_says_nothing_is_taken_up(work, forge):
    work.says(state="New")
    (told,) = work.move()
    assert "(taken up) to in review" in told
    assert work.names == {"bug", "state: in review"}
    assert work.talk.events()[0].detail["origin"] == ""


@BOTH
def test_a_ticket_that_contradicts_itself_is_left_to_people(work, forge):
    work.says("state: branched", "state: tested")
    (told,) = work.move()
    assert "2 states at once" in told
    assert work.names == {"bug", "state: branched", "state: tested"}
    assert work.tags == [AuditTag.TICKET_STAYED]


@BOTH
@pytest.mark.parametrize("changes", [{"mode": "advisory"}, {"paused": True}])
def test_where_nothing_is_changed_no_ticket_is(work, forge, changes):
    work.says("state: branched")
    work.talk.connect(**changes)
    assert work.move() == ()
    assert work.names == {"bug", "state: branched"}


@BOTH
def test_a_review_that_only_advises_moves_nothing(work, forge):
    work.says("state: branched")
    assert work.move(advisory=True) == ()
    assert work.names == {"bug", "state: branched"}


@BOTH
def test_a_ticket_that_is_gone_is_told(work, forge):
    work.says("state: branched")
    if forge is ForgeName.GITHUB:
        work.github.fail("issue", Fault.REFUSED)
    else:
        work.azure.shown.clear()
    (told,) = work.move()
    assert "stays as it is" in told
    assert work.tags == [AuditTag.TICKET_STAYED]


WRITES = {
    ForgeName.GITHUB: ("create_label", "add_issue_label", "remove_issue_label"),
    ForgeName.AZURE_DEVOPS: ("set_work_item_state",),
}


@pytest.mark.parametrize(("forge", "method"), [(forge, one) for forge, every in WRITES.items() for one in every])
@pytest.mark.parametrize("fault", [Fault.TRANSIENT, Fault.LOST])
def test_a_move_that_breaks_off_is_finished_and_recorded_once(work, forge, method, fault):
    work.says("state: branched")
    board = work.github if forge is ForgeName.GITHUB else work.azure
    board.fail(method, fault)
    with pytest.raises(TransientError):
        work.move()
    work.move()
    assert work.names == {"bug", "state: in review"}
    assert work.tags == [moved_tag(forge)]
    assert work.talk.events()[0].detail["origin"] == "branched"
    assert spoken_of(work.talk.ports, work.talk.ref).moving == {}


@BOTH
def test_a_record_that_breaks_off_is_written_once(work, forge):
    work.says("state: branched")
    work.talk.audit.lose_answers(1)
    with pytest.raises(TransientError):
        work.move()
    work.move()
    assert work.tags == [moved_tag(forge)]


@pytest.mark.parametrize("forge", [ForgeName.GITHUB])
def test_what_people_made_of_it_since_a_move_broke_off_stands(work, forge):
    work.says("state: branched")
    work.github.fail("add_issue_label", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        work.move()
    work.says("state: deployed")
    (told,) = work.move()
    assert "stays deployed" in told
    assert work.names == {"bug", "state: deployed"}


@pytest.mark.parametrize("forge", [ForgeName.AZURE_DEVOPS])
def test_a_card_that_changes_meanwhile_is_read_again(work, forge, monkeypatch):
    work.says("state: branched")
    put = work.azure.set_work_item_state
    once = iter([True])

    def meanwhile(item_id, state, **rest):
        if next(once, False):
            found = work.azure.shown[item_id]
            work.azure.shown[item_id] = found.model_copy(update={"tags": (*found.tags, "urgent"), "revision": 9})
        put(item_id, state, **rest)

    monkeypatch.setattr(work.azure, "set_work_item_state", meanwhile)
    work.move()
    assert work.names == {"bug", "urgent", "state: in review"}
    assert work.tags == [AuditTag.AZURE_DEVOPS_TICKET_MOVED]


@pytest.mark.parametrize("forge", [ForgeName.AZURE_DEVOPS])
def test_a_card_that_changes_all_the_time_is_left_for_later(work, forge, monkeypatch):
    work.says("state: branched")

    def always(item_id, state, *, tags, revision):
        work.azure._as_seen(item_id, revision - 1)

    monkeypatch.setattr(work.azure, "set_work_item_state", always)
    with pytest.raises(TransientError, match="changes all the time"):
        work.move()
    assert work.names == {"bug", "state: branched"}


@pytest.mark.parametrize("forge", [ForgeName.AZURE_DEVOPS])
def test_a_rule_that_bars_a_state_leaves_tag_and_state_as_they_were(work, forge):
    work.says("state: branched")
    work.azure.barred.add("Resolved")
    (told,) = work.move()
    assert "cannot be Resolved" in told
    assert (work.board, work.names) == ("Active", {"bug", "state: branched"})
    assert work.tags == [AuditTag.TICKET_STAYED]


@pytest.mark.parametrize("forge", [ForgeName.AZURE_DEVOPS])
def test_a_card_that_somebody_moved_by_hand_is_explained(work, forge):
    work.says("state: branched", state="Closed")
    (told,) = work.move()
    assert "whose board state is 'Active'; the work item is 'Closed'" in told


@pytest.mark.parametrize("forge", [ForgeName.AZURE_DEVOPS])
def test_an_unknown_process_moves_the_tag_alone(work, forge):
    work.says("state: branched", state="Doing")
    work.move(process="")
    assert (work.board, work.names) == ("Doing", {"bug", "state: in review"})


@BOTH
def test_what_one_change_cannot_finish_is_not_moved(work, forge):
    work.says("state: branched")
    assert work.move(items=(item(12, "Epic"), item(13, "Feature"))) == ()
    assert work.names == {"bug", "state: branched"}


@BOTH
def test_tickets_that_are_not_known_are_told_and_too_many_are_left(work, forge):
    (told,) = work.move(items=UNKNOWN)
    assert "not known, and stay as they are: the forge refused: 403" in told
    (told,) = work.move(items=tuple(item(number) for number in range(1, 30)))
    assert "29 tickets" in told
    assert work.move(items=()) == ()
    assert work.tags == []


@BOTH
def test_what_will_become_of_a_ticket_is_told_before_with_nothing_asked_of_a_forge(work, forge):
    ticket = work.ticket().model_copy(update={"tags": ("bug", "state: branched")})
    found = evidence(change=a_change(forge), items=(ticket, item(13, "Epic")), process="agile")
    unmet = (a_finding("unit_tests_accompany_code"),)
    (told,) = foretold(found, unmet, Spoken(ref=a_ref(forge)), definition_of_done())
    assert "moves from branched to implemented; it goes no further: 1 of 3 criteria are missing" in told
    work.says("state: branched")
    assert work.move("unit_tests_accompany_code") == (told,)


@BOTH
def test_of_tickets_that_are_not_known_that_is_told_before(work, forge):
    (told,) = foretold(evidence(items=UNKNOWN), (), Spoken(ref=a_ref(forge)), definition_of_done())
    assert "are not known" in told


@BOTH
def test_a_merge_by_people_moves_as_a_merge_of_our_own(work, forge):
    work.says("state: branched")
    ports = work.talk.ports
    assert after_merge(ports, work.moving(), work.talk.ref) == ()
    work.move()
    (told,) = after_merge(ports, work.moving(), work.talk.ref, "c" * 40)
    assert "moves from in review to merged" in told
    assert after_merge(ports, work.moving(), work.talk.ref, "c" * 40) == ()
    assert work.tags == [moved_tag(forge)] * 2


@BOTH
def test_a_connection_that_cannot_be_reached_is_told(work, forge):
    work.says("state: branched")
    work.unreachable = RefusedError("the connection has no credential", "Give it one.")
    assert work.move() == ("No ticket is moved: the connection has no credential. Give it one.",)
