"""A review told through both adapters to their simulators: once whatever is lost, settled when fixed, said anew after."""

from __future__ import annotations

from typing import Any

import pytest

from shared.domain.definition import ChangeKind
from shared.domain.forge import ForgeName
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Remark
from shared.errors import TransientError
from shared.reviews import remarking
from shared.reviews.merging import merge_when_green
from shared.reviews.publishing import BLOCKED, READY, announce
from tests.fakes.app import a_connection
from tests.integration.adapters.places import FIXED, LEAKED, MOVED, Place


def key(line: int = 5, **rest: Any) -> Remark:
    given = {"message": "An AWS access key", "path": "src/door.py", "line": line, "severity": "critical", "rule": "AWS"}
    return Remark.model_validate(given | {"suggestion": "    key = vault()"} | rest)


FAR = Remark(message="Nobody reads this line.", path="README.md", line=1, rule="R2")


def test_a_review_is_told_settled_and_told_anew(place: Place) -> None:
    ref = place.open()
    change, _ = place.looked(ref)
    announce(place.forge, ref, change.head, "https://doneright.example/r", "r-1")
    assert [state for _, state in place.state(ref)] == ["pending"]

    first = place.tell(ref, key(), FAR)
    summary, remark = sorted(place.words(ref), key=lambda word: not word.summary)
    assert summary.summary and "Blocked: 1 criterion is not met" in summary.body
    assert "Nobody reads this line." in summary.body
    assert (remark.path, remark.line, remark.resolved) == ("src/door.py", 5, False)
    assert "```suggestion" in remark.body
    assert (first.summary, len(first.said), first.unplaced) == (summary.id, 1, ())
    assert [state for _, state in place.state(ref)] == ["failed"]
    assert place.looked(ref)[0].labels == (BLOCKED,)

    before = place.words(ref)
    again = place.tell(ref, key(), FAR)
    assert place.words(ref) == before
    assert again.said == ()

    place.push(MOVED)
    moved = place.tell(ref, key(7), FAR)
    assert (moved.said, moved.resolved) == ((), ())

    place.push(FIXED)
    fixed = place.tell(ref)
    assert fixed.resolved == first.said
    settled = next(word for word in place.words(ref) if remarking.is_settled(word))
    assert settled.resolved
    assert "Passed" in next(word for word in place.words(ref) if word.summary).body
    assert [state for _, state in place.state(ref)] == ["passed"]
    assert place.looked(ref)[0].labels == (READY,)

    place.push(LEAKED)
    back = place.tell(ref, key(), FAR)
    assert back.said == first.said
    words = place.words(ref)
    assert len([word for word in words if word.summary]) == 1
    assert [word.resolved for word in words if word.fingerprint] == [False]
    assert len(words) == 3


@pytest.mark.parametrize("step", range(8))
def test_a_write_whose_answer_is_lost_is_told_once(place: Place, step: int) -> None:
    ref = place.open()
    # Whichever write it is: the fault skips as many as `step` says.
    place.sandbox.faults.clear()
    lost = 0
    for method in ("POST", "PATCH", "PUT"):
        place.sandbox.faults.add({"kind": "answer_lost", "method": method, "path": "/", "skip": step, "count": 1})
    for _ in range(12):
        try:
            place.tell(ref, key(), FAR)
            break
        except TransientError:
            lost += 1
    else:
        raise AssertionError("it never got through")
    fired = sum(rule["fired"] for rule in place.sandbox.faults.listing())
    place.sandbox.faults.clear()
    # A question to GraphQL is asked once more by itself; every write is left to whoever tries again.
    assert fired >= lost
    assert fired or step > 4, "nothing was lost, so nothing was shown"
    words = place.words(ref)
    assert len(words) == 2, (lost, [word.body[:60] for word in words])
    assert [state for _, state in place.state(ref)] == ["failed"]
    assert place.looked(ref)[0].labels == (BLOCKED,)


@pytest.mark.parametrize("kinds", [(), (ChangeKind.HOTFIX,), (ChangeKind.BREAKING,)], ids=["squash", "rebase", "merge"])
@pytest.mark.parametrize("lost", [False, True])
def test_what_passed_is_merged_once_and_its_branch_deleted(
    place: Place, kinds: tuple[ChangeKind, ...], lost: bool, monkeypatch
) -> None:
    monkeypatch.setattr("shared.reviews.merging.LOOKS", ())
    place.sandbox.faults.clear()
    ref = place.open()
    change, _ = place.looked(ref)
    reviewed = place.reviewed(change).model_copy(update={"kinds": kinds})
    connection = a_connection(merge_on_green=True)
    if lost:
        method = "PUT" if place.name is ForgeName.GITHUB else "PATCH"
        place.sandbox.lose_answer(method, "/pull")
    for _ in range(4):
        try:
            outcome = merge_when_green(place.forge, reviewed, connection, change)
            break
        except TransientError:
            continue
    place.sandbox.faults.clear()
    assert outcome.merged, outcome.reason
    assert outcome.commit
    deleted, began = outcome.followed
    assert deleted == f"the branch {place.branch} was deleted"
    assert f"the merge began nothing: no workflow or pipeline runs {outcome.commit[:7]}" in began
    stands = place.forge.head_of(ref)
    assert stands == (change.head, PullRequestState.MERGED)
    again = merge_when_green(place.forge, reviewed, connection, change)
    assert (again.merged, again.commit) == (True, outcome.commit)
