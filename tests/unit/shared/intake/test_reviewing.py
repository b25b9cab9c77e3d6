"""What follows from a merge by people: tickets move as after one of our own, and nothing is reviewed."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName
from shared.intake.change_events import ChangeNews
from shared.intake.reviewing import what_follows
from tests.fakes.talk import PROJECT, Talk, a_finding


@pytest.fixture(params=list(ForgeName))
def talk(request):
    return Talk(request.param)


def merged(talk, moved=None, commit="c" * 40):
    ref = talk.ref
    news = ChangeNews(
        forge=ref.forge,
        repository=ref.repository,
        number=ref.number,
        reason="the pull request was merged",
        merged=commit,
    )
    return what_follows(talk.ports, news, project=PROJECT, connection="acme", at=talk.clock.now(), moved=moved)


def test_tickets_move_by_what_was_reviewed_last(talk):
    reviewed = talk.reviewed(a_finding("ci_is_green"))
    told = []

    def moved(run, about, outcome):
        told.append((run.head, about, outcome.merged, outcome.commit))
        return ("desk#12 moves from in review to merged",)

    follows = merged(talk, moved)
    assert told == [(reviewed.head, reviewed, True, "c" * 40)]
    assert (follows.start, follows.reason) == ((), "desk#12 moves from in review to merged")
    assert talk.forge.called == []


def test_what_was_never_reviewed_moves_nothing(talk):
    follows = merged(talk, lambda *_: ("never",))
    assert (follows.start, follows.reason) == ((), "the pull request was merged")


def test_where_nothing_moves_tickets_they_stay(talk):
    talk.reviewed(a_finding("ci_is_green"))
    assert merged(talk).reason == "the pull request was merged"
