"""What passed is merged once, as the kind of change wants it, and only the head that was reviewed."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.connection import Connection
from shared.domain.definition import ChangeKind
from shared.domain.forge import ForgeName, MergeKind
from shared.domain.publication import BegunRun, MergeOutcome
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Reviewed, Ruling
from shared.errors import TransientError
from shared.reviews import merging
from shared.reviews.merging import EVERY_KIND, merge_when_green, wanted_merge
from tests.fakes.app import a_connection
from tests.fakes.changes import HEAD, a_change, a_ref
from tests.fakes.forges import Fault
from tests.fakes.review_forge import MemoryReviewForge
from tests.fakes.reviewed import green

ON = {"merge_on_green": True}
RUN = "Delivery 7: https://forge.example/runs/7"
MAIN = ("contoso/desk", "main")


class Yard:
    """A pull request whose review passed, on a connection that merges."""

    def __init__(self, forge: ForgeName = ForgeName.GITHUB, **change: Any) -> None:
        self.forge = MemoryReviewForge(forge)
        self.ref = self.forge.open(a_change(forge, **change))
        self.connection: Connection = a_connection(**ON)
        self.reviewed: Reviewed = green(forge)
        self.told: list[tuple[str, MergeOutcome]] = []

    def merge(self, **rest: Any) -> MergeOutcome:
        def moved(outcome: MergeOutcome) -> list[str]:
            self.told.append(("moved", outcome))
            return ["ticket 12 is merged"]

        change = self.forge.change(self.ref)
        usual: dict[str, Any] = {"moved": moved}
        return merge_when_green(self.forge, self.reviewed, self.connection, change, **(usual | rest))

    @property
    def branch_is_there(self) -> bool:
        return ("contoso/desk", "feature/12-export") in self.forge.branches


@pytest.mark.parametrize(
    ("kinds", "kind"),
    [
        ((), MergeKind.SQUASH),
        ((ChangeKind.FEATURE,), MergeKind.SQUASH),
        ((ChangeKind.BUG_FIX, ChangeKind.DOCUMENTATION), MergeKind.SQUASH),
        ((ChangeKind.HOTFIX,), MergeKind.REBASE),
        ((ChangeKind.FEATURE, ChangeKind.BREAKING), MergeKind.MERGE),
        ((ChangeKind.HOTFIX, ChangeKind.BREAKING), MergeKind.MERGE),
    ],
)
def test_the_kind_of_change_decides_how_it_is_merged(kinds: tuple[ChangeKind, ...], kind: MergeKind) -> None:
    yard = Yard()
    yard.reviewed = green(kinds=kinds)
    assert wanted_merge(yard.reviewed, yard.connection, a_change()) is kind
    assert yard.merge().merged
    assert yard.forge.merges[0][1:3] == (HEAD, kind)


def test_a_kind_that_the_repository_does_not_allow_makes_room_for_the_next() -> None:
    hotfix = green(kinds=(ChangeKind.HOTFIX,))
    connection = a_connection(**ON)
    assert wanted_merge(hotfix, connection, a_change(), frozenset({MergeKind.SQUASH})) is MergeKind.SQUASH
    assert wanted_merge(hotfix, connection, a_change(), frozenset({MergeKind.MERGE})) is MergeKind.MERGE
    assert wanted_merge(hotfix, connection, a_change(), frozenset()) is None


@pytest.mark.parametrize("known", [True, False])
def test_what_the_forge_turns_down_is_tried_as_the_next_kind(known: bool) -> None:
    yard = Yard()
    yard.reviewed = green(kinds=(ChangeKind.HOTFIX,))
    yard.forge.allowed_merges = frozenset({MergeKind.MERGE})
    allowed = yard.forge.allowed_merges if known else EVERY_KIND
    assert yard.merge(allowed=allowed).merged
    assert [kind for _, _, kind, _ in yard.forge.merges] == [MergeKind.MERGE]
    assert yard.forge.called.count("merge") == (1 if known else 3)


def test_a_refusal_is_told_with_the_forges_words() -> None:
    yard = Yard()
    yard.forge.merge_refusal = "at least 1 approving review is required"
    outcome = yard.merge()
    assert not outcome.merged
    assert outcome.reason == "squash: at least 1 approving review is required"
    assert yard.forge.called.count("merge") == 1
    yard.forge.merge_refusal = ""
    yard.forge.fail("merge", Fault.REFUSED)
    assert "the forge refuses" in yard.merge().reason
    assert yard.told == []
    assert yard.branch_is_there


@pytest.mark.parametrize(
    ("connection", "reviewed", "change", "reason"),
    [
        ({"merge_on_green": False}, {}, {}, "does not merge"),
        ({}, {"advisory": True}, {}, "only advises"),
        ({}, {"ruling": Ruling.FAILED}, {}, "ended failed"),
        ({}, {"ruling": Ruling.INCONCLUSIVE}, {}, "ended inconclusive"),
        ({}, {}, {"draft": True}, "draft"),
        ({}, {}, {"fork": True}, "fork"),
        ({}, {}, {"conflicts": True}, "conflicts"),
        ({}, {}, {"state": PullRequestState.CLOSED}, "closed"),
        ({}, {"head": "0" * 40}, {}, "another than the one"),
    ],
)
def test_what_may_not_be_merged_is_not_even_tried(
    connection: dict[str, Any], reviewed: dict[str, Any], change: dict[str, Any], reason: str
) -> None:
    yard = Yard(**change)
    yard.connection = a_connection(**(ON | connection))
    yard.reviewed = green(**reviewed)
    assert wanted_merge(yard.reviewed, yard.connection, yard.forge.change(yard.ref)) is None
    outcome = yard.merge()
    assert (outcome.merged, yard.forge.called, yard.told) == (False, [], [])
    assert reason in outcome.reason


def test_a_repository_that_allows_no_merge_is_told_so() -> None:
    assert "no kind of merge" in Yard().merge(allowed=frozenset()).reason


@pytest.mark.parametrize("moment", ["head_of", "merge"])
def test_a_push_in_between_is_not_merged(moment: str) -> None:
    yard = Yard()
    yard.forge.before[moment] = lambda: yard.forge.alter(yard.ref, head="f6" * 20)
    stale = yard.forge.change(yard.ref)
    outcome = merge_when_green(yard.forge, yard.reviewed, yard.connection, stale)
    assert not outcome.merged
    assert "newer push" in outcome.reason
    assert yard.forge.merges == []


@pytest.mark.parametrize("state", [PullRequestState.CLOSED, None])
def test_a_pull_request_that_went_meanwhile_is_not_merged(state: PullRequestState | None) -> None:
    yard = Yard()
    stale = yard.forge.change(yard.ref)
    if state:
        yard.forge.alter(yard.ref, state=state)
    else:
        yard.forge.vanish(yard.ref)
    outcome = merge_when_green(yard.forge, yard.reviewed, yard.connection, stale)
    assert not outcome.merged
    assert ("is closed" if state else "is gone") in outcome.reason


def test_a_merge_whose_answer_was_lost_is_found_and_carried_on() -> None:
    yard = Yard()
    stale = yard.forge.change(yard.ref)
    yard.forge.fail("merge", Fault.LOST)
    with pytest.raises(TransientError):
        merge_when_green(yard.forge, yard.reviewed, yard.connection, stale)
    outcome = merge_when_green(yard.forge, yard.reviewed, yard.connection, stale)
    assert outcome.merged
    assert outcome.commit == yard.forge.change(yard.ref).merge_commit
    assert len(yard.forge.merges) == 1
    assert outcome.followed == ("the branch feature/12-export was deleted", f"the merge began {RUN}")


def test_a_merge_that_the_forge_goes_on_with_is_asked_about_again() -> None:
    yard = Yard()
    stale = yard.forge.change(yard.ref)
    yard.forge.merge_refusal, yard.forge.merge_under_way = "The merge is under way", True
    with pytest.raises(TransientError, match="under way"):
        merge_when_green(yard.forge, yard.reviewed, yard.connection, stale)
    assert yard.forge.called.count("merge") == 1
    yard.forge.alter(yard.ref, state=PullRequestState.MERGED, merge_commit="c0" * 20)
    outcome = merge_when_green(yard.forge, yard.reviewed, yard.connection, stale)
    assert (outcome.merged, outcome.commit) == (True, "c0" * 20)
    assert outcome.followed == ("the branch feature/12-export was deleted", f"the merge began {RUN}")


@pytest.mark.parametrize("forge", list(ForgeName))
def test_what_follows_a_merge_is_done_in_order_and_told(forge: ForgeName) -> None:
    yard = Yard(forge)
    outcome = yard.merge()
    assert outcome.followed == (
        "the branch feature/12-export was deleted", "ticket 12 is merged", f"the merge began {RUN}",
    )  # fmt: skip
    assert [what for what, _ in yard.told] == ["moved"]
    assert all(one.commit == outcome.commit for _, one in yard.told)
    assert not yard.branch_is_there


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What is waited between the looks at what a merge began, which no test does."""
    waited: list[float] = []
    monkeypatch.setattr(merging.time, "sleep", waited.append)
    return waited


def test_a_run_that_shows_a_moment_later_is_waited_for(pauses: list[float]) -> None:
    yard = Yard()
    shown = [(), (), (BegunRun(name="ci 3", url="https://forge.example/3"),)]
    yard.forge.begun_runs = lambda *_: shown.pop(0)  # type: ignore[method-assign]
    assert yard.merge().followed[-1] == "the merge began ci 3: https://forge.example/3"
    assert pauses == list(merging.LOOKS[:2])


def test_a_merge_that_begins_nothing_is_told_with_what_to_do(pauses: list[float]) -> None:
    yard = Yard()
    yard.forge.begun[MAIN] = ()
    outcome = yard.merge()
    assert outcome.merged
    assert f"no workflow or pipeline runs {outcome.commit[:7]} on main" in outcome.followed[-1]
    assert "begin it by hand" in outcome.followed[-1]
    assert pauses[:-1] == list(merging.LOOKS)


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.TRANSIENT])
def test_a_forge_that_does_not_show_its_runs_stops_nothing(fault: Fault) -> None:
    yard = Yard()
    yard.forge.fail("begun_runs", fault)
    outcome = yard.merge()
    assert outcome.merged
    assert outcome.followed[-1].startswith("whether the merge began a run is not known: ")


def test_of_many_runs_a_few_are_told() -> None:
    yard = Yard()
    yard.forge.begun[MAIN] = tuple(BegunRun(name=f"ci {n}", url=f"https://forge.example/{n}") for n in range(9))
    assert sum(one.startswith("the merge began ci") for one in yard.merge().followed) == 3


@pytest.mark.parametrize(
    "other",
    [{"target": "feature/12-export", "source": "feature/13-more"}, {"target": "release"}],
    ids=["stacked", "twice"],
)
def test_a_branch_that_another_open_pull_request_needs_stays(other: dict[str, Any]) -> None:
    yard = Yard()
    yard.forge.open(a_change(**({"ref": a_ref(number=8)} | other)))
    outcome = yard.merge()
    assert outcome.followed[0] == "the branch feature/12-export stays: open pull requests need it (8)"
    assert yard.branch_is_there
    assert [what for what, _ in yard.told] == ["moved"]


def test_a_forks_branch_of_the_same_name_needs_nothing_of_ours() -> None:
    yard = Yard()
    yard.forge.open(a_change(ref=a_ref(number=8), fork=True))
    assert yard.merge().followed[0] == "the branch feature/12-export was deleted"


def test_too_many_open_pull_requests_leave_the_branch() -> None:
    yard = Yard()
    for number in range(100, 201):
        yard.forge.open(a_change(ref=a_ref(number=number), source=f"feature/{number}", target="main"))
    assert "too many open pull requests" in yard.merge().followed[0]
    assert yard.branch_is_there


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.TRANSIENT, Fault.LOST])
@pytest.mark.parametrize("method", ["delete_branch", "changes"])
def test_a_branch_that_cannot_be_deleted_stops_nothing(method: str, fault: Fault) -> None:
    yard = Yard()
    yard.forge.fail(method, fault)
    outcome = yard.merge()
    assert outcome.merged
    assert outcome.followed[0].startswith("the branch feature/12-export stays: ")
    assert [what for what, _ in yard.told] == ["moved"]


def test_a_protected_branch_stays_and_is_told() -> None:
    yard = Yard()
    yard.forge.protected.add(("contoso/desk", "feature/12-export"))
    assert "is protected" in yard.merge().followed[0]


@pytest.mark.parametrize(
    ("title", "first"),
    [("feat: export\n orders", "feat: export orders (#7)"), ("feat: export (#7)", "feat: export (#7)")],
)
def test_the_commit_says_what_it_is_and_which_review_let_it_through(title: str, first: str) -> None:
    yard = Yard(title=title)
    yard.merge()
    message = yard.forge.merges[0][3]
    assert message == f"{first}\n\nDoneright-Review: {yard.reviewed.review}"
