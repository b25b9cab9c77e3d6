"""The topics step: ours are there, and those of others stay."""

from __future__ import annotations

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.errors import RefusedError, TransientError
from tests.fakes.forges import Fault

STEP = "github.topics"


@pytest.fixture
def made(bench):
    bench.made("github.repository")
    return bench


def stored(bench):
    return bench.app.github.topic_store[str(bench.ref(STEP)).lower()]


def test_they_are_set_and_read_back(made):
    outcome = made.attempt(STEP, topics=["doneright", "payments"])
    assert outcome.state is StepState.APPLIED
    assert stored(made) == ["doneright", "payments"]


def test_doneright_is_always_among_the_planned(bench):
    assert bench.step(STEP).inputs["topics"] == ["doneright"]


def test_the_second_time_they_are_confirmed(made):
    assert made.twice(STEP).state is StepState.CONFIRMED


def test_topics_of_others_stay(made):
    stored(made).extend(["theirs", "doneright-too"])
    made.made(STEP)
    assert stored(made) == ["theirs", "doneright-too", "doneright"]


def test_more_than_github_takes_fails_before_anything_is_changed(made):
    theirs = [f"t{number}" for number in range(20)]
    stored(made).extend(theirs)
    outcome = made.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert "doneright" in outcome.reason
    assert outcome.remedy
    assert stored(made) == theirs


def test_an_answer_lost_after_the_effect_is_found_set(made):
    made.app.github.fail("set_topics", Fault.LOST)
    with pytest.raises(TransientError):
        made.attempt(STEP)
    assert made.attempt(STEP).state is StepState.CONFIRMED


def test_topics_that_do_not_show_are_waited_for(made):
    made.app.github.deaf = True
    assert made.attempt(STEP).state is StepState.WAITING


def test_taken_back_topics_of_others_stay_in_their_order(made):
    made.of_an_earlier_run()
    stored(made).extend(["theirs", "payments"])
    made.made(STEP)
    stored(made).append("since")
    assert made.reversed(STEP).state is ReversalState.REMOVED
    assert stored(made) == ["theirs", "payments", "since"]


def test_refused_topics_are_not_ours(made):
    before = made.intents()
    made.app.github.fail("set_topics", Fault.REFUSED)
    with pytest.raises(RefusedError):
        made.attempt(STEP)
    assert made.intents() == before
