"""How far a ticket moves: along legal moves alone, as far as the review lets it, and explained where it stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.load import definition_of_done, ticket_lifecycle
from shared.domain.change import ReviewState
from shared.domain.definition import OwnerRole
from shared.domain.lifecycle import LifecycleState, Reading
from shared.domain.policy import Enforcement
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Outcome, Spoken
from shared.reviews.judging import asked_of_a_change
from shared.reviews.moving import Ground, ground_of, journey, words_of
from tests.fakes.changes import EARLIER, UNKNOWN, a_change, a_ref, review
from tests.fakes.talk import a_finding

S = LifecycleState
LIFE = ticket_lifecycle()
EVERY = frozenset(one.id for one in definition_of_done().criteria)
GUARDS = sorted({guard for move in LIFE.moves for guard in move.guards})


def ground(*unmet, wanted=S.IN_REVIEW, roles=(OwnerRole.AUTHOR,)):
    return Ground(LIFE, definition_of_done(), EVERY - set(unmet), wanted, frozenset(roles))


def reads(state, *candidates, problem=""):
    return Reading(state=state, candidates=candidates or ((state,) if state else ()), problem=problem)


def seen(change=None, findings=(), reviews=(), spoken=None, *, merged=False):
    return ground_of(
        change or a_change(), reviews, findings, spoken or Spoken(ref=a_ref()),
        lifecycle=LIFE, definition=definition_of_done(), merged=merged,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reviews", "said", "merged", "wanted"),
    [
        (a_change(), (), {}, False, S.IN_REVIEW),
        (a_change(draft=True), (), {}, False, S.BRANCHED),
        (a_change(state=PullRequestState.MERGED), (), {}, False, S.MERGED),
        (a_change(), (), {}, True, S.MERGED),
        (a_change(state=PullRequestState.CLOSED), (), {}, False, None),
        (a_change(), (review(state=ReviewState.CHANGES_REQUESTED),), {}, False, S.IMPLEMENTED),
        (a_change(), (review(state=ReviewState.CHANGES_REQUESTED, commit=EARLIER),), {}, False, S.IN_REVIEW),
        (a_change(), (review(),), {}, False, S.IN_REVIEW),
        (a_change(), UNKNOWN, {}, False, S.IN_REVIEW),
        (a_change(), (), {"accepted": False}, False, S.REJECTED),
        (a_change(), (), {"accepted": True}, False, S.IN_REVIEW),
    ],
)
def test_a_change_shows_where_its_tickets_are(change, reviews, said, merged, wanted):
    assert seen(change, (), reviews, Spoken(ref=a_ref(), **said), merged=merged).wanted is wanted


def test_what_the_policy_left_out_stands_in_nobodys_way_and_what_nobody_could_tell_does():
    findings = (
        a_finding("ci_is_green", Outcome.NOT_AVAILABLE),
        a_finding("change_is_small", Outcome.UNMET, enforcement=Enforcement.ADVISORY),
        a_finding("comments_are_resolved", Outcome.MET),
        a_finding("no_secrets", Outcome.UNMET),
    )
    found = seen(findings=findings).satisfied
    assert {"change_is_small", "comments_are_resolved", "change_is_described"} <= found
    assert not {"ci_is_green", "no_secrets"} & found
    never_asked = next(one.id for one in definition_of_done().criteria if not asked_of_a_change(one))
    assert never_asked not in found


def test_the_author_speaks_by_offering_and_others_by_what_they_said():
    assert seen().roles == {OwnerRole.AUTHOR}
    assert seen(a_change(draft=True)).roles == frozenset()
    said = Spoken(ref=a_ref(), accepted=True, design=2)
    assert seen(spoken=said).roles == {OwnerRole.AUTHOR, OwnerRole.PRODUCT_OWNER, OwnerRole.ARCHITECT}


def test_a_branched_ticket_comes_to_review_step_by_step():
    found = journey(ground(), reads(S.BRANCHED), tagged=True)
    assert (found.origin, found.to, found.held) == (S.BRANCHED, S.IN_REVIEW, None)
    assert found.passed == (S.IMPLEMENTED, S.TESTED, S.IN_REVIEW)
    assert words_of(found, "desk#12") == "desk#12 moves from branched to in review"


def test_it_stops_where_something_is_missing_and_says_what():
    found = journey(ground("unit_tests_accompany_code"), reads(S.BRANCHED), tagged=True)
    assert (found.to, found.passed) == (S.IMPLEMENTED, (S.IMPLEMENTED,))
    words = words_of(found, "desk#12")
    assert "moves from branched to implemented; it goes no further: 1 of 3 criteria are missing" in words
    assert f"unit_tests_accompany_code: {definition_of_done().by_id()['unit_tests_accompany_code'].remedy}" in words


def test_a_ticket_that_says_nothing_is_taken_up_with_its_branch():
    found = journey(ground(), reads(None, problem="no label"), tagged=False)
    assert (found.adopted, found.to) == (True, S.IN_REVIEW)
    assert "(taken up) to in review" in words_of(found, "desk#12")
    stopped = journey(ground("functionality_works"), reads(None, problem="no label"), tagged=False)
    assert (stopped.to, stopped.moves) == (S.BRANCHED, True)


def test_a_branch_that_does_not_name_it_takes_nothing_up():
    found = journey(ground("branch_names_its_ticket"), reads(None, problem="no label"), tagged=False)
    assert not found.moves
    assert "branch does not show it" in words_of(found, "desk#12")


@pytest.mark.parametrize(
    ("reading", "to"),
    [
        (reads(S.ACCEPTED), S.IN_REVIEW),
        (reads(None, S.CAPTURED, S.OPTIMIZED, S.ACCEPTED, problem="x"), S.IN_REVIEW),
        (reads(None, S.DESIGNED, S.THREAT_MODELLED, S.BRANCHED, S.IMPLEMENTED, S.TESTED, problem="x"), S.IN_REVIEW),
        (reads(None, S.IN_REVIEW, S.MERGED, problem="x"), S.IN_REVIEW),
    ],
)
def test_a_card_without_a_tag_is_taken_up_where_its_board_leaves_it_open(reading, to):
    found = journey(ground(), reading, tagged=False)
    assert (found.adopted, found.to) == (True, to)


@pytest.mark.parametrize("state", [S.REJECTED, S.DEPLOYED])
def test_a_card_that_its_board_has_ended_stays_and_is_explained(state):
    found = journey(ground(), reads(state), tagged=False)
    assert not found.moves
    assert f"no move leads from {state}" in words_of(found, "Work item 12")


def test_a_card_that_has_ended_in_one_way_or_another_is_not_taken_up():
    found = journey(ground(), reads(None, S.REJECTED, S.DEPLOYED, problem="stands for two"), tagged=False)
    assert words_of(found, "Work item 12") == "Work item 12 stays as it is: stands for two"


def test_labels_that_contradict_each_other_are_left_to_people():
    found = journey(ground(), reads(None, S.BRANCHED, S.TESTED, problem="says 2 states at once"), tagged=True)
    assert not found.moves
    assert words_of(found, "desk#12") == "desk#12 stays as it is: says 2 states at once"


@pytest.mark.parametrize("state", [S.CAPTURED, S.OPTIMIZED, S.ACCEPTED, S.DESIGNED])
def test_what_only_people_move_is_explained_with_the_way(state):
    found = journey(ground(), reads(state), tagged=True)
    assert not found.moves
    words = words_of(found, "desk#12")
    assert f"stays {state}" in words
    assert "the way there is" in words


def test_a_threat_modelled_ticket_is_moved_by_its_branch():
    assert journey(ground(), reads(S.THREAT_MODELLED), tagged=True).to is S.IN_REVIEW


def test_words_of_people_move_what_only_they_may():
    roles = (OwnerRole.AUTHOR, OwnerRole.PRODUCT_OWNER, OwnerRole.ARCHITECT)
    found = journey(ground(roles=roles), reads(S.OPTIMIZED), tagged=True)
    assert found.passed == (S.ACCEPTED, S.DESIGNED)
    assert found.held is not None
    assert found.held.reason == "only security engineer may move it there"


def test_a_review_that_asks_for_changes_sends_back_and_a_push_brings_on_again():
    assert journey(ground(wanted=S.IMPLEMENTED), reads(S.IN_REVIEW), tagged=True).to is S.IMPLEMENTED
    assert journey(ground(wanted=S.IN_REVIEW), reads(S.IMPLEMENTED), tagged=True).to is S.IN_REVIEW
    assert not journey(ground(wanted=S.IMPLEMENTED), reads(S.TESTED), tagged=True).moves


def test_tests_that_are_gone_send_back():
    found = journey(ground("functional_tests_accompany_code"), reads(S.TESTED), tagged=True)
    assert (found.to, found.passed) == (S.IMPLEMENTED, (S.IMPLEMENTED,))


def test_being_further_on_is_no_reason_to_go_back():
    assert not journey(ground(wanted=S.BRANCHED), reads(S.IN_REVIEW), tagged=True).moves
    assert words_of(journey(ground(wanted=S.BRANCHED), reads(S.IN_REVIEW), tagged=True), "x") == ""


def test_a_merge_that_passed_its_gates_moves_and_one_that_went_round_them_is_told():
    assert journey(ground(wanted=S.MERGED), reads(S.IN_REVIEW), tagged=True).to is S.MERGED
    found = journey(ground("ci_is_green", wanted=S.MERGED), reads(S.IN_REVIEW), tagged=True)
    assert not found.moves
    assert "ci_is_green" in words_of(found, "x")


def test_another_change_of_a_merged_ticket_is_told():
    found = journey(ground(), reads(S.MERGED), tagged=True)
    assert "no move leads from merged to in review" in words_of(found, "x")


def test_a_rejected_work_is_moved_aside_from_wherever_that_is_legal():
    roles = (OwnerRole.PRODUCT_OWNER,)
    for state in (S.CAPTURED, S.BRANCHED, S.IN_REVIEW):
        assert journey(ground(wanted=S.REJECTED, roles=roles), reads(state), tagged=True).to is S.REJECTED
    held = journey(ground(wanted=S.REJECTED, roles=roles), reads(S.MERGED), tagged=True)
    assert "no move leads from merged to rejected" in words_of(held, "x")
    taken = journey(ground(wanted=S.REJECTED, roles=roles), reads(None), tagged=False)
    assert (taken.adopted, taken.to) == (True, S.REJECTED)


def test_a_change_that_is_closed_says_nothing_of_its_tickets():
    assert not journey(ground(wanted=None), reads(S.IN_REVIEW), tagged=True).moves


@given(
    st.sampled_from(S),
    st.sampled_from([*(S.BRANCHED, S.IMPLEMENTED, S.IN_REVIEW, S.MERGED, S.REJECTED), None]),
    st.sets(st.sampled_from(GUARDS)),
    st.sets(st.sampled_from(OwnerRole)),
    st.booleans(),
)
def test_no_ticket_ever_makes_an_illegal_move(origin, wanted, unmet, roles, tagged):
    found = journey(ground(*unmet, wanted=wanted, roles=roles), reads(origin), tagged=tagged)
    at = found.origin
    for state in found.passed:
        move = LIFE.move(at, state)
        assert move is not None
        assert not set(move.guards) & unmet
        assert not move.by or set(move.by) & roles
        at = state
    if found.to is not None:
        assert found.to is at
    if found.adopted:
        assert "branch_names_its_ticket" not in unmet or wanted is S.REJECTED or at is not S.BRANCHED
    if wanted is not None and found.to is not None and not found.held and wanted is S.MERGED:
        assert found.to in {S.MERGED, S.DEPLOYED} or found.held


@given(
    st.sampled_from(S),
    st.sampled_from([S.BRANCHED, S.IMPLEMENTED, S.IN_REVIEW, S.MERGED]),
    st.sets(st.sampled_from(GUARDS)),
)
def test_looking_again_moves_nothing_more(origin, wanted, unmet):
    where = ground(*unmet, wanted=wanted)
    first = journey(where, reads(origin), tagged=True)
    if first.to is None:
        return
    # A review that asks for changes sends back once; what it sends back to stays.
    second = journey(where, reads(first.to), tagged=True)
    third = journey(where, reads(second.to), tagged=True)
    assert not third.moves
