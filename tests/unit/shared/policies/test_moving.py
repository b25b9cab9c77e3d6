"""A ticket moves only where the table says and its criteria hold; every refusal says what is missing and where to go."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from shared.definitions.load import definition_of_done, ticket_lifecycle
from shared.domain.definition import OwnerRole
from shared.domain.lifecycle import Direction, IllegalMove, LifecycleState, Moved
from shared.policies.mirroring import mirrored, read_names, relabelled
from shared.policies.moving import move, shortest_way

LIFE, DONE = ticket_lifecycle(), definition_of_done()
S = LifecycleState
GUARDS = sorted({guard for one in LIFE.moves for guard in one.guards})
FORWARD = [one for one in LIFE.moves if one.direction is Direction.FORWARD]


def moved(origin: S, to: S, satisfied: set[str], role: OwnerRole | None = None) -> Moved | IllegalMove:
    return move(LIFE, DONE, origin, to, satisfied, role)


def test_the_way_of_a_ticket_without_set_backs() -> None:
    way = (S.CAPTURED, *shortest_way(LIFE, S.CAPTURED, S.DEPLOYED))
    assert way == tuple(state for state in S if state is not S.REJECTED)
    for one in FORWARD:
        assert one.guards, one
        assert moved(one.origin, one.to, set(one.guards), one.by[0] if one.by else None) == Moved(
            origin=one.origin, to=one.to, direction=Direction.FORWARD
        )


@pytest.mark.parametrize("one", FORWARD, ids=lambda one: f"{one.origin}-{one.to}")
def test_each_missing_criterion_is_named_with_its_remedy(one) -> None:
    role = one.by[0] if one.by else None
    for guard in one.guards:
        found = moved(one.origin, one.to, set(one.guards) - {guard}, role)
        assert isinstance(found, IllegalMove)
        assert [missing.criterion for missing in found.missing] == [guard]
        assert found.missing[0].remedy == DONE.by_id()[guard].remedy
        assert f"1 of {len(one.guards)} criteria are missing" in found.reason
        assert one.to in found.legal


def test_a_move_that_is_none_tells_legal_ones_and_the_way() -> None:
    found = moved(S.CAPTURED, S.MERGED, set(GUARDS))
    assert isinstance(found, IllegalMove)
    assert found.legal == (S.OPTIMIZED, S.REJECTED)
    assert found.way[0] is S.OPTIMIZED
    assert found.way[-1] is S.MERGED
    assert found.reason.startswith("no move leads from captured to merged; the way there is optimized, accepted, ")


def test_staying_is_no_move() -> None:
    found = moved(S.TESTED, S.TESTED, set(GUARDS))
    assert isinstance(found, IllegalMove)
    assert found.reason == "the ticket is tested already"
    assert found.way == ()


def test_somebody_else_may_not_move_it() -> None:
    guards = set(LIFE.move(S.OPTIMIZED, S.ACCEPTED).guards)
    for role in (None, OwnerRole.AUTHOR):
        found = moved(S.OPTIMIZED, S.ACCEPTED, guards, role)
        assert isinstance(found, IllegalMove)
        assert found.reason == "only product owner may move it there"
    assert isinstance(moved(S.OPTIMIZED, S.ACCEPTED, guards, OwnerRole.PRODUCT_OWNER), Moved)


def test_a_refusal_tells_role_and_criteria_at_once() -> None:
    found = moved(S.OPTIMIZED, S.ACCEPTED, set(), OwnerRole.AUTHOR)
    assert isinstance(found, IllegalMove)
    assert "only product owner" in found.reason
    assert "2 of 2 criteria" in found.reason


def test_every_state_can_be_left_and_reached() -> None:
    for origin in S:
        assert LIFE.moves_from(origin)
        for to in S:
            assert (origin is to) == (shortest_way(LIFE, origin, to) == ())


def test_without_a_way_none_is_told() -> None:
    blind = LIFE.model_copy(update={"moves": tuple(one for one in LIFE.moves if one.origin is not S.OPTIMIZED)})
    found = move(blind, DONE, S.CAPTURED, S.DEPLOYED, set(GUARDS))
    assert isinstance(found, IllegalMove)
    assert (found.reason, found.way) == ("no move leads from captured to deployed", ())


def test_nothing_merged_is_rejected_and_all_before_can_be() -> None:
    rejectable = {one.origin for one in LIFE.moves if one.to is S.REJECTED}
    assert rejectable == set(S) - {S.REJECTED, S.MERGED, S.DEPLOYED}


def test_the_three_kinds_of_tests_guard_the_state_tested() -> None:
    assert set(LIFE.move(S.IMPLEMENTED, S.TESTED).guards) == {
        "unit_tests_accompany_code", "functional_tests_accompany_code", "security_tests_cover_controls",
    }  # fmt: skip


class Ticket(RuleBasedStateMachine):
    """Moves, criteria that come and go, people of every role, and labels that others add."""

    @initialize()
    def begin(self) -> None:
        self.state = LIFE.initial
        self.satisfied: set[str] = set()
        self.labels: tuple[str, ...] = ("bug", LIFE.name_of(LIFE.initial))
        self.entered: set[S] = {self.state}

    @rule(guards=st.sets(st.sampled_from(GUARDS), max_size=8))
    def becomes_true(self, guards: set[str]) -> None:
        self.satisfied |= guards

    @rule(guard=st.sampled_from(GUARDS))
    def becomes_untrue(self, guard: str) -> None:
        self.satisfied.discard(guard)

    @rule(to=st.sampled_from(S), role=st.none() | st.sampled_from(OwnerRole))
    def is_moved_anywhere(self, to: S, role: OwnerRole | None) -> None:
        self._moved(to, role)

    @precondition(lambda self: any(one.direction is Direction.FORWARD for one in LIFE.moves_from(self.state)))
    @rule()
    def is_moved_on(self) -> None:
        one = next(one for one in LIFE.moves_from(self.state) if one.direction is Direction.FORWARD)
        self.satisfied |= set(one.guards)
        assert self._moved(one.to, one.by[0] if one.by else None)

    @rule(label=st.sampled_from(["bug", "P1", "state of the art", "STATE: CAPTURED"]))
    def is_labelled_by_others(self, label: str) -> None:
        if label != "STATE: CAPTURED" or self.state is S.CAPTURED:
            self.labels = (*self.labels, label)

    def _moved(self, to: S, role: OwnerRole | None) -> bool:
        before = self.state
        found = moved(before, to, self.satisfied, role)
        legal = LIFE.move(before, to)
        if isinstance(found, IllegalMove):
            assert found.reason
            assert set(found.legal) == {one.to for one in LIFE.moves_from(before)}
            assert legal is None or found.missing or (legal.by and role not in legal.by)
            assert not {one.criterion for one in found.missing} & self.satisfied
            for step, after in zip((before, *found.way), found.way, strict=False):
                assert LIFE.move(step, after) is not None
            return False
        assert legal is not None
        assert set(legal.guards) <= self.satisfied
        assert not legal.by or role in legal.by
        self.state = to
        self.labels = relabelled(LIFE, self.labels, to)
        self.entered.add(to)
        return True

    @invariant()
    def labels_say_the_state_and_keep_the_rest(self) -> None:
        if not hasattr(self, "labels"):
            return
        assert read_names(LIFE, self.labels).state is self.state
        assert "bug" in self.labels

    @invariant()
    def nothing_is_merged_that_was_not_reviewed(self) -> None:
        if S.MERGED in getattr(self, "entered", set()):
            assert self.entered >= {S.ACCEPTED, S.DESIGNED, S.THREAT_MODELLED, S.IMPLEMENTED, S.TESTED, S.IN_REVIEW}

    @invariant()
    def forges_agree(self) -> None:
        if hasattr(self, "state"):
            shown = mirrored(LIFE, self.state)
            assert shown.label == shown.tag == LIFE.name_of(self.state)


TestTicket = Ticket.TestCase
TestTicket.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
