"""What people said of a pull request: the latest word counts, whatever order words arrive in and whoever writes meanwhile."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.review import Attestation, Spoken, Waiver
from shared.errors import ConflictError, TransientError
from shared.reviews import words
from tests.fakes.changes import HEAD, NOW, a_ref
from tests.fakes.talk import Talk


@pytest.fixture
def talk():
    return Talk()


def an_attestation(criterion="edge_cases_are_handled", **rest):
    usual = {
        "criterion": criterion,
        "link": "https://x.example/1",
        "by": "otis",
        "actor": "p-1",
        "at": NOW,
        "head": HEAD,
    }
    return Attestation.model_validate(usual | rest)


def a_waiver(criterion="change_is_small", **rest):
    usual = {"criterion": criterion, "because": "it is so", "until": NOW, "by": "noor", "actor": "p-2", "at": NOW}
    return Waiver.model_validate(usual | rest)


def test_nothing_was_said_of_what_nobody_spoke_of(talk):
    assert words.spoken_of(talk.ports, a_ref(number=99)) == Spoken(ref=a_ref(number=99))


def test_one_pull_request_is_one_whatever_case_it_is_written_in(talk):
    words.attest(talk.ports, talk.ref, an_attestation())
    repository = talk.ref.repository.model_copy(update={"owner": "Contoso", "name": "DESK"})
    same = talk.ref.model_copy(update={"repository": repository})
    assert len(words.spoken_of(talk.ports, same).attestations) == 1
    assert words.spoken_of(talk.ports, a_ref(number=8)).attestations == ()


@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_the_latest_word_counts_in_whatever_order_it_is_heard(talk, order):
    for minute in order:
        at = NOW + timedelta(minutes=minute)
        words.attest(talk.ports, talk.ref, an_attestation(link=f"https://x.example/{minute}", at=at))
        words.waive(talk.ports, talk.ref, a_waiver(because=f"reason {minute}", at=at))
        words.decide(talk.ports, talk.ref, accepted=minute == 2, at=at)
        words.choose(talk.ports, talk.ref, design=minute, at=at)
    said = words.spoken_of(talk.ports, talk.ref)
    assert [one.link for one in said.attestations] == ["https://x.example/2"]
    assert [one.because for one in said.waivers] == ["reason 2"]
    assert (said.accepted, said.design) == (True, 2)


def test_criteria_do_not_stand_in_each_others_way(talk):
    words.waive(talk.ports, talk.ref, a_waiver("change_is_small", until=NOW + timedelta(days=1)))
    words.waive(talk.ports, talk.ref, a_waiver("ci_is_green", until=NOW + timedelta(days=2)))
    said = words.spoken_of(talk.ports, talk.ref)
    at = NOW + timedelta(days=1)
    assert words.waiver_of(said, "change_is_small", at) is None
    assert words.waiver_of(said, "ci_is_green", at) == said.waivers[1]
    assert words.waiver_of(said, "no_secrets", at) is None
    assert words.attestation_of(said, "ci_is_green") is None


def test_a_word_in_between_is_not_lost(talk, monkeypatch):
    create = talk.ports.spoken.create
    once = iter([True])

    def meanwhile(partition, key, record):
        if next(once, False):
            words.waive(talk.ports, talk.ref, a_waiver())
            raise ConflictError("somebody was faster")
        return create(partition, key, record)

    monkeypatch.setattr(talk.ports.spoken, "create", meanwhile)
    words.attest(talk.ports, talk.ref, an_attestation())
    said = words.spoken_of(talk.ports, talk.ref)
    assert (len(said.waivers), len(said.attestations)) == (1, 1)


def test_too_many_at_once_are_asked_to_come_again(talk, monkeypatch):
    def always(*_):
        raise ConflictError("somebody was faster")

    monkeypatch.setattr(talk.ports.spoken, "create", always)
    with pytest.raises(TransientError, match="too many speak"):
        words.attest(talk.ports, talk.ref, an_attestation())


def test_a_comment_is_taken_once_finished_once_and_may_be_let_go(talk):
    assert words.take(talk.ports, talk.ref, "1") is None
    with pytest.raises(TransientError, match="is being followed") as caught:
        words.take(talk.ports, talk.ref, "1")
    assert caught.value.retry_after
    assert words.take(talk.ports, talk.ref, "2") is None
    words.let_go(talk.ports, talk.ref, "1")
    assert words.take(talk.ports, talk.ref, "1") is None
    words.finish(talk.ports, talk.ref, "1", heeded=True)
    words.finish(talk.ports, talk.ref, "1", heeded=True)
    words.finish(talk.ports, talk.ref, "2", heeded=False)
    said = words.take(talk.ports, talk.ref, "1")
    assert said is not None
    assert (said.comments, said.heeded, said.under_way) == (("1", "2"), ("1",), {})


def test_an_old_claim_does_not_stay_for_ever(talk):
    words.take(talk.ports, talk.ref, "1")
    talk.clock.advance(timedelta(minutes=3))
    words.take(talk.ports, talk.ref, "2")
    assert list(words.spoken_of(talk.ports, talk.ref).under_way) == ["2"]


def test_only_so_many_comments_are_remembered(talk, monkeypatch):
    monkeypatch.setattr(words, "_MOST_COMMENTS", 3)
    for number in range(5):
        words.finish(talk.ports, talk.ref, str(number), heeded=False)
    assert words.spoken_of(talk.ports, talk.ref).comments == ("2", "3", "4")
