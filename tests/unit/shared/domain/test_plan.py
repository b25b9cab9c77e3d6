"""Plans are graphs without cycles; steps move only as the table says; every step of any graph ends exactly once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from pydantic import ValidationError

from shared.domain.forge import ForgeName
from shared.domain.plan import (
    ENDED,
    MOVES,
    SUCCEEDED,
    Plan,
    PlanStep,
    StepOutcome,
    StepProgress,
    StepState,
    blocked,
    ready,
)

T0 = datetime(2026, 1, 1, tzinfo=UTC)


def a_step(step_id: str, *needs: str) -> PlanStep:
    return PlanStep(id=step_id, kind="project", forge=ForgeName.GITHUB, title=step_id, depends_on=needs)


@st.composite
def graphs(draw):
    """Steps with dependencies on earlier ones."""
    names = [f"s{n}" for n in range(draw(st.integers(1, 12)))]
    return [
        (name, tuple(sorted(draw(st.sets(st.sampled_from(names[:place]))) if place else ())))
        for place, name in enumerate(names)
    ]


@given(graphs(), st.data())
def test_every_step_of_any_graph_ends_exactly_once(graph, data):
    needs = dict(graph)
    begun: set[str] = set()
    succeeded: set[str] = set()
    lost: set[str] = set()
    under_way: list[str] = []
    while True:
        for name in ready(graph, succeeded, begun):
            assert name not in begun
            assert set(needs[name]) <= succeeded
            begun.add(name)
            under_way.append(name)
        if not under_way:
            break
        ended = under_way.pop(data.draw(st.integers(0, len(under_way) - 1)))
        (succeeded if data.draw(st.booleans()) else lost).add(ended)
    skipped = blocked(graph, lost, begun)
    assert sorted([*succeeded, *lost, *skipped]) == sorted(needs)
    unreachable = lost | set(skipped)
    assert all(set(needs[name]) & unreachable for name in skipped)
    assert bool(skipped) <= bool(lost)


@given(graphs())
def test_a_plan_of_ordered_steps_is_valid_and_finds_its_steps(graph):
    plan = Plan(project="p", connection="c", steps=tuple(a_step(name, *needs) for name, needs in graph))
    for name, needs in graph:
        assert plan.step(name).depends_on == needs
    with pytest.raises(KeyError):
        plan.step("nowhere")


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ((a_step("a"), a_step("a")), "stands twice"),
        ((a_step("a", "b"), a_step("b")), "does not stand before it"),
        ((a_step("a", "a"),), "does not stand before it"),
        ((a_step("a", "nowhere"),), "nowhere"),
    ],
)
def test_what_is_no_graph_is_refused(steps, problem):
    with pytest.raises(ValidationError, match=problem):
        Plan(project="p", connection="c", steps=steps)


class StepMoves(RuleBasedStateMachine):
    """A step under any sequence of outcomes."""

    def __init__(self) -> None:
        super().__init__()
        self.progress = StepProgress(step="s", title="S", forge=ForgeName.GITHUB, kind="project")
        self.now = T0
        self.ended: StepProgress | None = None

    @rule(state=st.sampled_from(StepState), seconds=st.integers(0, 60), url=st.sampled_from(["", "https://x"]))
    def move(self, state, seconds, url):
        self.now += timedelta(seconds=seconds)
        before = self.progress
        outcome = StepOutcome(state=state, reason=str(seconds), url=url)
        if state in MOVES[before.state]:
            self.progress = before.moved(outcome, self.now)
            assert self.progress.state is state
            assert self.progress.url == (url or before.url)
            if state in ENDED and self.ended is None:
                self.ended = self.progress
        else:
            with pytest.raises(ValueError, match="cannot go from"):
                before.moved(outcome, self.now)

    @invariant()
    def times_fit_the_state(self):
        p = self.progress
        assert (p.finished_at is not None) == (p.state in ENDED)
        assert (p.started_at is None) == (p.state in {StepState.PENDING, StepState.SKIPPED})
        if p.started_at and p.finished_at:
            assert p.started_at <= p.finished_at

    @invariant()
    def what_ended_stays_so(self):
        if self.ended:
            assert self.progress.state is self.ended.state
            assert self.progress.finished_at == self.ended.finished_at


TestStepMoves = StepMoves.TestCase


def test_the_table_of_moves_is_whole():
    assert set(MOVES) == set(StepState)
    assert SUCCEEDED < ENDED
    assert all(MOVES[state] == {state} for state in ENDED)
