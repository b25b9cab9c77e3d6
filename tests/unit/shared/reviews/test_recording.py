"""One review for each head: whoever asks while it runs is answered by a further round, and nobody starts a second one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName, RepositoryRef
from shared.domain.review import ReviewRecord, ReviewState, SeenHead
from shared.errors import ConflictError, TransientError
from shared.reviews import recording
from tests.fakes.changes import a_ref
from tests.fakes.storage import MemoryArtifacts, MemoryClock, MemoryRecords

HEAD, NEXT = "a" * 40, "b" * 40


class Ports:
    """What recording uses of the ports."""

    def __init__(self):
        self.clock = MemoryClock()
        self.artifacts = MemoryArtifacts()
        self.reviews = MemoryRecords(ReviewRecord)
        self.heads = MemoryRecords(SeenHead)


@pytest.fixture
def ports():
    return Ports()


def want(ports, ref=None, head=HEAD):
    return recording.want(ports, ref or a_ref(), head, project="desk", connection="acme", reason="a push")


def end(ports, record, state=ReviewState.COMPLETED):
    return recording.changed(ports, record, lambda one: one.model_copy(update={"state": state, "done": one.wanted}))


def test_the_first_who_asks_starts_it(ports):
    wanted = want(ports)
    assert wanted.start.instance == f"review-{wanted.record.id}.1"
    assert (wanted.start.round, wanted.start.head) == (1, HEAD)
    assert recording.of(ports, wanted.record.id) == wanted.record


def test_who_asks_while_it_runs_starts_nothing_and_is_not_forgotten(ports):
    want(ports)
    again = want(ports)
    assert again.start is None
    assert again.record.wanted == 2


def test_who_asks_after_its_end_starts_another_run_of_the_same_review(ports):
    first = want(ports)
    end(ports, first.record)
    again = want(ports)
    assert again.record.id == first.record.id
    assert (again.start.instance, again.start.round) == (f"review-{first.record.id}.2", 2)


def test_another_head_is_another_review(ports):
    first = want(ports)
    ports.clock.advance(timedelta(seconds=1))
    second = want(ports, head=NEXT)
    assert second.start is not None
    assert second.record.id != first.record.id
    assert recording.latest_of(ports, a_ref()).head == NEXT


def test_the_name_of_a_review_survives_addresses_and_keys(ports):
    ref = ChangeRef(
        forge=ForgeName.AZURE_DEVOPS, repository=RepositoryRef(owner="Front Desk/#1", name="Größe ?"), number=3
    )
    ident = want(ports, ref).record.id
    assert not set(ident) & set("/?# \\")
    assert recording.of(ports, ident).ref == ref


@pytest.mark.parametrize("ident", ["nonsense", "=40", "github:x#1=40"])
def test_what_names_no_review_finds_none(ports, ident):
    assert recording.of(ports, ident) is None


def test_reviews_are_found_by_the_commit_that_a_check_ran_on(ports):
    want(ports)
    want(ports, a_ref(number=8))
    repository = a_ref().repository
    found = recording.of_commit(ports, ForgeName.GITHUB, repository, HEAD)
    assert [one.ref.number for one in found] == [7, 8]
    assert recording.of_commit(ports, ForgeName.GITHUB, repository, NEXT) == []
    assert recording.of_commit(ports, ForgeName.AZURE_DEVOPS, repository, HEAD) == []


def test_a_project_lists_the_newest_head_of_each_pull_request_newest_first(ports):
    for number, head in ((7, HEAD), (8, HEAD), (7, NEXT)):
        want(ports, a_ref(number=number), head)
        ports.clock.advance(timedelta(seconds=1))
    rows = recording.reviews_of(ports, "desk", 10)
    assert [(one.ref.number, one.head) for one in rows] == [(7, NEXT), (8, HEAD)]
    assert recording.reviews_of(ports, "desk", 1) == [rows[0]]
    assert recording.reviews_of(ports, "other", 10) == []


def test_a_run_nothing_is_heard_of_is_offered_again_as_it_was(ports):
    begun = want(ports).start
    ports.clock.advance(timedelta(minutes=10))
    (offered,) = recording.quiet(ports, ports.clock.now() - timedelta(minutes=5))
    assert (offered.instance, offered.round) == (begun.instance, begun.round)
    assert recording.quiet(ports, ports.clock.now() - timedelta(minutes=15)) == []


def test_one_that_ended_is_not_offered(ports):
    end(ports, want(ports).record)
    ports.clock.advance(timedelta(hours=1))
    assert recording.quiet(ports, ports.clock.now()) == []


def test_two_who_ask_at_the_same_moment_are_both_counted(ports, monkeypatch):
    want(ports)
    real, collided = ports.reviews.replace, []

    def collide(partition, key, record, etag):
        if not collided:
            collided.append(True)
            real(partition, key, record.model_copy(update={"wanted": 2}), etag)
            raise ConflictError("somebody was faster")
        return real(partition, key, record, etag)

    monkeypatch.setattr(ports.reviews, "replace", collide)
    assert want(ports).record.wanted == 3


def test_who_collides_for_ever_is_asked_for_patience(ports, monkeypatch):
    record = want(ports).record

    def collide(*args):
        raise ConflictError("always")

    monkeypatch.setattr(ports.reviews, "replace", collide)
    with pytest.raises(TransientError):
        want(ports)
    with pytest.raises(TransientError):
        end(ports, record)


def test_before_its_first_verdict_there_is_none(ports):
    assert recording.reviewed_of(ports, want(ports).record) is None


def test_a_change_that_wants_nothing_changes_nothing(ports):
    record = want(ports).record
    assert recording.changed(ports, record, lambda one: None) == record


def test_a_head_heard_of_late_is_not_the_newest_once_it_is_known_to_be_superseded(ports):
    newest = want(ports, head=NEXT).record
    ports.clock.advance(timedelta(seconds=1))
    late = want(ports).record
    end(ports, late, ReviewState.SUPERSEDED)
    assert recording.latest_of(ports, a_ref()).head == newest.head
    assert [one.head for one in recording.reviews_of(ports, "desk", 1)] == [newest.head]
    end(ports, newest, ReviewState.SUPERSEDED)
    assert recording.latest_of(ports, a_ref()).head == late.head
