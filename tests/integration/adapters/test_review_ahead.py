"""What is asked ahead of a look is told as if it had been asked after it, with fewer questions; so is how a review stands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from local.sandbox.github import objects
from local.sandbox.github.pushes import move, person
from shared.adapters import looks
from shared.domain.change import ChangeRef, Unknown
from shared.domain.forge import ForgeName
from shared.domain.publication import CheckConclusion, OwnCheck, Stand
from shared.domain.pull_request import PullRequestState
from shared.errors import TransientError
from shared.reviews.publishing import announce
from tests.integration.adapters.places import FIXED, Place
from tests.integration.adapters.test_publishing import FAR, key

POLICY = ".doneright/policy.yaml"
ABSENT = ".doneright/none.yaml"
LINKED = ".doneright/linked.yaml"


@pytest.fixture(autouse=True)
def use_case() -> Iterator[None]:
    looks.begin()
    yield
    looks.end()


@pytest.fixture(scope="module")
def policy(place: Place) -> bytes:
    """What the target branch holds."""
    content = "# Grün ist grün.\nrules: {}\n".encode()
    if place.name is ForgeName.GITHUB:
        place.made.commit({POLICY: content}, "main", "Policy", by="ada")
    else:
        place.made.push("main", {POLICY: content}, who="admin")
    return content


def head_of(place: Place, ref: ChangeRef) -> str:
    found = place.forge.head_of(ref)
    assert found is not None
    return found[0]


def test_what_was_expected_is_what_would_be_told(place: Place, policy: bytes) -> None:
    ref = place.open()
    change, plain = place.looked(ref)
    alerts = place.forge.alerts(change)
    looks.begin()
    before = place.forge.calls
    place.forge.expect(ref, change.head, (POLICY, ABSENT))
    looked = place.forge.look_at(ref)
    assert looked is not None and looked.change == change
    assert place.forge.changed_files(looked.change) == plain
    assert place.forge.file_at(ref.repository, POLICY, change.base) == policy
    assert place.forge.file_at(ref.repository, ABSENT, change.base) is None
    told = place.forge.alerts(looked.change)
    assert type(told) is type(alerts)
    expected = place.forge.calls - before

    looks.begin()
    before = place.forge.calls
    place.looked(ref)
    place.forge.alerts(change)
    for path in (POLICY, ABSENT):
        place.forge.file_at(ref.repository, path, change.base)
    assert expected <= place.forge.calls - before
    if place.name is ForgeName.GITHUB:
        assert expected == place.forge.calls - before - 2, "both files come with the look"


def test_another_head_than_expected_is_told_as_it_is(place: Place) -> None:
    ref = place.open()
    left = head_of(place, ref)
    head = place.push(FIXED)
    place.forge.expect(ref, left, ())
    looked = place.forge.look_at(ref)
    assert looked is not None and looked.change.head == head
    files = place.forge.changed_files(looked.change)
    assert not isinstance(files, Unknown)
    assert files[0].content == FIXED.decode()


def test_a_list_that_does_not_come_ahead_is_told_by_whoever_reads_it(place: Place) -> None:
    ref = place.open()
    head = head_of(place, ref)
    listing = "/files" if place.name is ForgeName.GITHUB else "/changes"
    place.sandbox.faults.clear()
    place.sandbox.faults.add({"kind": "unavailable", "path": listing, "count": 4})
    try:
        place.forge.expect(ref, head, ())
        looked = place.forge.look_at(ref)
        assert looked is not None
        with pytest.raises(TransientError):
            place.forge.changed_files(looked.change)
    finally:
        place.sandbox.faults.clear()
    looks.begin()
    assert not isinstance(place.forge.changed_files(looked.change), Unknown)


def test_a_list_that_lags_behind_the_push_is_asked_for_again(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = place.open()
    head = place.push(FIXED + b"# late\n")
    name = "_listing" if place.name is ForgeName.GITHUB else "_iterations"
    forge: Any = place.forge
    ask, asked = getattr(forge, name), []

    def lags(of: ChangeRef) -> object:
        found = ask(of)
        asked.append(found)
        if len(asked) > 1:
            return found
        return found[:-1] if place.name is ForgeName.AZURE_DEVOPS else [_of_before(one) for one in found]

    monkeypatch.setattr(place.forge, name, lags)
    place.forge.expect(ref, head, ())
    forge._files_ahead.get(ref, head).result()
    if place.name is ForgeName.AZURE_DEVOPS:
        looks.begin()  # the look asks for the pushes itself
    looked = place.forge.look_at(ref)
    assert looked is not None
    files = place.forge.changed_files(looked.change)
    assert not isinstance(files, Unknown)
    assert [file.content for file in files] == [(FIXED + b"# late\n").decode()]
    assert len(asked) == 2


def _of_before(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return {**entry, "contents_url": entry["contents_url"].partition("?ref=")[0] + "?ref=" + "0" * 40}


def test_a_policy_that_is_a_link_is_read_where_it_leads(place: Place) -> None:
    if place.name is ForgeName.AZURE_DEVOPS:
        pytest.skip("Azure Repos answers a link with the path it holds, which is no policy")
    place.made.commit({"config/policy.yaml": b"rules: {}\n"}, "main", "Linked", by="ada")
    hub, repo = place.made.hub, place.made.repo
    tree = objects.flat(hub, hub.table("commits")[repo["refs"]["refs/heads/main"]]["tree"])
    tree[LINKED] = ("120000", objects.put_blob(hub, repo, b"../config/policy.yaml"))
    who = person(hub, place.made.user("ada"))
    parents = [repo["refs"]["refs/heads/main"]]
    base = objects.put_commit(hub, repo, objects.build(hub, repo, tree), parents, "Link", who, who)
    move(hub, repo, "refs/heads/main", base, place.made.user("ada"), bypass=True)
    ref = place.open()
    place.forge.expect(ref, head_of(place, ref), (LINKED,))
    looked = place.forge.look_at(ref)
    assert looked is not None and looked.change.base == base
    assert place.forge.file_at(ref.repository, LINKED, base) == b"rules: {}\n"


def test_a_review_that_ended_before_its_files_were_read_leaves_nothing_behind(place: Place) -> None:
    ref = place.open()
    place.forge.expect(ref, head_of(place, ref), (POLICY,))
    other = place.open()
    assert place.looked(other)[0].ref == other


@pytest.mark.parametrize("conclusion", [CheckConclusion.PENDING, CheckConclusion.FAILED])
def test_a_check_that_the_look_told_of_is_not_asked_for_again(place: Place, conclusion: CheckConclusion) -> None:
    ref = place.open()
    place.push(FIXED + f"# {conclusion}\n".encode())
    looked = place.forge.look_at(ref)
    assert looked is not None
    place.forge.own_identity()
    check = OwnCheck(
        head=looked.change.head, conclusion=conclusion, title="It stands", details_url="https://d.example/r"
    )
    before = place.forge.calls
    place.forge.set_check(ref, check)
    assert place.forge.calls - before == 1
    assert [state for _, state in place.state(ref)] == [
        "pending" if conclusion is CheckConclusion.PENDING else "failed"
    ]


def test_a_check_that_stands_as_it_should_is_left_alone(place: Place) -> None:
    ref = place.open()
    head = head_of(place, ref)
    announce(place.forge, ref, head, "https://doneright.example/r", "r-1")
    looks.begin()
    assert place.forge.look_at(ref) is not None
    written = len(place.state(ref))
    announce(place.forge, ref, head, "https://doneright.example/r", "r-1")
    looks.begin()
    assert len(place.state(ref)) == written == 1


def test_how_it_stands_is_told_with_our_words(place: Place) -> None:
    ref = place.open()
    head = head_of(place, ref)
    assert place.forge.stand(ref) == Stand(head=head, state=PullRequestState.OPEN)
    place.tell(ref, key(), FAR)
    looks.begin()
    stand = place.forge.stand(ref)
    assert stand is not None and not isinstance(stand.words, Unknown)
    assert (stand.head, list(stand.words)) == (head, place.words(ref))
    assert {word.summary for word in stand.words} == {True, False}
    moved = place.push(FIXED)
    again = place.forge.stand(ref)
    assert again is not None and again.head == moved


def test_a_check_is_concluded_without_another_look_at_it(place: Place) -> None:
    ref = place.open()
    head = place.push(FIXED + b"# concluded\n")
    announce(place.forge, ref, head, "https://doneright.example/r", "r-1")
    looks.begin()
    assert place.forge.stand(ref) is not None
    if place.name is ForgeName.AZURE_DEVOPS:
        pytest.skip("Azure DevOps tells statuses by themselves, and has one question for them more")
    before = place.forge.calls
    place.forge.set_check(ref, OwnCheck(head=head, conclusion=CheckConclusion.PASSED, title="It passed"))
    assert place.forge.calls - before == 1
    assert [state for _, state in place.state(ref)] == ["passed"]


def test_of_what_is_not_there_nothing_stands(place: Place) -> None:
    ref = place.open()
    assert place.forge.stand(ref.model_copy(update={"number": 9_999})) is None


def test_a_summary_is_not_looked_for_where_what_stands_there_is_known(place: Place) -> None:
    ref = place.open()
    stand = place.forge.stand(ref)
    assert stand is not None and not isinstance(stand.words, Unknown)
    before = place.forge.calls
    said = place.forge.say(ref, "<!-- doneright:summary -->\nOne.", stand.words)
    assert place.forge.calls - before == 1
    assert said.summary
    changed = place.forge.say(ref, "<!-- doneright:summary -->\nTwo.", place.words(ref))
    assert [word.body.splitlines()[-1] for word in place.words(ref)] == ["Two."]
    assert changed.id == said.id
