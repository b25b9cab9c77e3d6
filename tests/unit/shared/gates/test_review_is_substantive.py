"""Words about the change count; clicks, pleasantries, commands and programs do not."""

from __future__ import annotations

import pytest

from shared.domain.change import ReviewState
from shared.domain.review import Outcome
from shared.gates.review_is_substantive import says_something_of_the_change
from tests.fakes.changes import UNKNOWN, asked, evidence, judged, person, review, thread

GATE = "review_is_substantive"
WORDS = "Checked the quoting of fields and the empty list; both are tested."


def found(*reviews, limits=None, **rest):
    return judged(GATE, evidence(reviews=reviews, **rest), asked(GATE, **(limits or {})))


def test_a_body_that_says_something_is_a_remark():
    one = found(review("noor", body=WORDS))
    assert one.outcome is Outcome.MET
    assert one.measured == {"remarks": 1}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "LGTM",
        "lgtm :+1:",
        "Looks good to me, thanks!",
        "👍",
        "+1",
        "Ship it!",
        "> " + WORDS,
        "/doneright review",
        "<!-- x -->",
    ],
)
def test_a_bare_approval_is_none(body):
    one = found(review("noor", body=body))
    assert one.outcome is Outcome.UNMET
    assert "noor" in one.reason


def test_remarks_in_the_code_count_without_a_body():
    assert found(review("noor", remarks=2)).measured == {"remarks": 2}
    beside = thread(("noor", "Why not a set?"), path="src/a.py", line=3)
    assert found(review("noor"), threads=(beside,)).outcome is Outcome.MET


def test_what_both_lists_tell_is_counted_once():
    beside = thread(("noor", "Why not a set?"), path="src/a.py", line=3)
    assert found(review("noor", remarks=1), threads=(beside,)).measured == {"remarks": 1}


def test_a_comment_on_the_whole_counts_when_it_says_something():
    assert found(threads=(thread(("noor", WORDS)),)).outcome is Outcome.MET
    assert found(threads=(thread(("noor", "Thanks a lot!")),)).outcome is Outcome.UNMET


def test_the_author_and_programs_say_nothing_here():
    robot = person("robot", bot=True)
    assert found(review("mira", body=WORDS), review(robot, body=WORDS, remarks=5)).outcome is Outcome.UNMET
    assert found(threads=(thread(("mira", WORDS), path="a.py"),)).outcome is Outcome.UNMET


def test_a_review_of_an_earlier_push_was_a_review_and_a_dismissed_one_is_none():
    assert found(review("noor", ReviewState.CHANGES_REQUESTED, WORDS, commit="e5" * 20)).outcome is Outcome.MET
    assert found(review("noor", ReviewState.DISMISSED, WORDS)).outcome is Outcome.UNMET


@pytest.mark.parametrize(("wanted", "outcome"), [(0, Outcome.MET), (2, Outcome.MET), (3, Outcome.UNMET)])
def test_a_policy_may_ask_for_more(wanted, outcome):
    assert found(review("noor", body=WORDS), review("otis", body=WORDS), limits={"remarks": wanted}).outcome is outcome


def test_who_said_something_left_no_bare_word():
    one = found(review("noor", body=WORDS), review("otis"), limits={"remarks": 2})
    assert one.outcome is Outcome.UNMET
    assert one.reason == "1 of 2 remarks; otis left a bare word"


def test_nobody_said_anything():
    assert "nobody but its author" in found().reason


@pytest.mark.parametrize("hidden", [{"reviews": UNKNOWN}, {"threads": UNKNOWN}])
def test_remarks_that_nobody_could_see_are_not_missing(hidden):
    assert judged(GATE, evidence(**hidden), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


def test_remarks_that_were_seen_are_enough():
    assert found(review("noor", body=WORDS), threads=UNKNOWN).outcome is Outcome.MET
    assert (
        judged(GATE, evidence(reviews=UNKNOWN, threads=(thread(("noor", WORDS)),)), asked(GATE)).outcome is Outcome.MET
    )


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ("```suggestion\nx = 1\n```", True),
        ("Please rename `total`", True),
        ("Отлично проверил границы выгрузки", True),
        ("Works for me", False),
        ("/doneright waive change_is_small until 2026-05-01 because of the move", False),
    ],
)
def test_what_says_something(body, says):
    assert says_something_of_the_change(body) is says
