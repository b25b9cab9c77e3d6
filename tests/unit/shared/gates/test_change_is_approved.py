"""The latest word of each person on the head counts, and the author's never does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.change import ReviewState
from shared.domain.review import Outcome
from tests.fakes.changes import EARLIER, NOW, UNKNOWN, asked, asked_for, at_least, evidence, judged, person, review

GATE = "change_is_approved"
ROLES = {"security_engineer": ("sami", "tove")}


def found(*reviews, limits=None, criterion=GATE, **rest):
    return judged(GATE, evidence(reviews=reviews, **rest), asked(criterion, **(limits or {})))


def test_one_approval_of_the_head_is_enough():
    one = found(review("noor"))
    assert one.outcome is Outcome.MET
    assert "noor" in one.reason
    assert one.measured == {"approvals": 1}


@pytest.mark.parametrize("who", [person("mira"), person("MIRA", id="other"), person("alias", id="id-mira")])
def test_the_author_does_not_count_under_any_name(who):
    assert found(review(who)).outcome is Outcome.UNMET


def test_a_program_does_not_count():
    assert found(review(person("approver", bot=True))).outcome is Outcome.UNMET


def test_an_approval_of_an_earlier_push_is_told_and_does_not_count():
    one = found(review("noor", commit=EARLIER))
    assert one.outcome is Outcome.UNMET
    assert "noor approved an earlier push" in one.reason
    assert "noor" in one.remedy


def test_an_approval_of_nobody_knows_what_is_not_known():
    assert found(review("noor", commit="")).outcome is Outcome.NOT_AVAILABLE
    assert found(review("noor", commit=""), review("otis")).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ((ReviewState.APPROVED, ReviewState.CHANGES_REQUESTED), Outcome.UNMET),
        ((ReviewState.CHANGES_REQUESTED, ReviewState.APPROVED), Outcome.MET),
        ((ReviewState.APPROVED, ReviewState.COMMENTED), Outcome.MET),
        ((ReviewState.APPROVED, ReviewState.DISMISSED), Outcome.UNMET),
        ((ReviewState.CHANGES_REQUESTED, ReviewState.DISMISSED), Outcome.UNMET),
        ((ReviewState.COMMENTED,), Outcome.UNMET),
        ((), Outcome.UNMET),
    ],
)
def test_the_latest_word_of_each_counts(states, outcome):
    assert found(*(review("noor", state) for state in states)).outcome is outcome


def test_the_latest_is_the_latest_by_time_whatever_the_order():
    later = review("noor", ReviewState.CHANGES_REQUESTED, at=NOW + timedelta(hours=1))
    assert found(later, review("noor", at=NOW)).outcome is Outcome.UNMET


def test_one_request_for_changes_outweighs_approvals():
    one = found(review("noor"), review("otis"), review("pia", ReviewState.CHANGES_REQUESTED, commit=EARLIER))
    assert one.outcome is Outcome.UNMET
    assert "pia asked for changes" in one.reason


@pytest.mark.parametrize(("wanted", "outcome"), [(2, Outcome.MET), (3, Outcome.UNMET)])
def test_a_policy_may_ask_for_more(wanted, outcome):
    assert found(review("noor"), review("otis"), limits={"approvals": wanted}).outcome is outcome


def test_two_approvals_of_one_person_are_one():
    assert found(review("noor"), review("noor"), limits={"approvals": 2}).outcome is Outcome.UNMET


def test_unknown_reviews_are_no_approval():
    assert judged(GATE, evidence(reviews=UNKNOWN), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


SECURITY = "security_review_is_done"


def test_security_is_reviewed_by_those_named_for_it():
    assert found(review("Sami"), criterion=SECURITY, roles=ROLES).outcome is Outcome.MET
    one = found(review("noor"), criterion=SECURITY, roles=ROLES)
    assert one.outcome is Outcome.UNMET
    assert "sami, tove" in one.remedy
    assert one.measured == {"role_approvals": 0}


def test_only_their_requests_for_changes_concern_security():
    others = review("noor", ReviewState.CHANGES_REQUESTED)
    assert found(review("sami"), others, criterion=SECURITY, roles=ROLES).outcome is Outcome.MET
    own = review("tove", ReviewState.CHANGES_REQUESTED)
    assert found(review("sami"), own, criterion=SECURITY, roles=ROLES).outcome is Outcome.UNMET


def test_a_holder_of_the_role_does_not_review_their_own_change():
    roles = {"security_engineer": ("mira",)}
    assert found(review(person("mira")), criterion=SECURITY, roles=roles).outcome is Outcome.UNMET


def test_where_nobody_holds_the_role_nobody_can_tell():
    one = found(review("noor"), criterion=SECURITY)
    assert one.outcome is Outcome.NOT_AVAILABLE
    assert "security engineer" in one.remedy


def test_a_policy_may_ask_for_two_or_for_another_role():
    seen = evidence(reviews=(review("sami"),), roles=ROLES | {"architect": ("ana",)})
    assert judged(GATE, seen, asked(SECURITY, role_approvals=2)).outcome is Outcome.UNMET
    architects = asked_for(role_approvals=at_least(1), roles=("architect",))
    assert judged(GATE, seen, architects).outcome is Outcome.UNMET
    both = asked_for(role_approvals=at_least(1), roles=("architect", "security_engineer"))
    assert judged(GATE, seen, both).outcome is Outcome.MET


def test_very_many_reviewers_are_counted_and_few_are_named():
    one = found(*(review(f"reviewer-{number:03}-{'x' * 30}") for number in range(200)))
    assert one.outcome is Outcome.MET
    assert "190 more" in one.reason
