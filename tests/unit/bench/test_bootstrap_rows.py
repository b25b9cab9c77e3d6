"""What a bootstrap is held against: the longest way through its plan, and the resources that the plan is about."""

from __future__ import annotations

import pytest

from bench.bootstrap_calls import RESOURCES, resources
from bench.bootstrap_time import critical_path
from bench.result import BenchError, compare
from shared.domain.forge import ForgeName
from shared.domain.plan import Plan, PlanStep
from tests.integration.bootstrap.matrix import plan


def a_plan(**needs: tuple[str, ...]) -> Plan:
    steps = [
        PlanStep(id=name, kind=name, forge=ForgeName.GITHUB, title=name, depends_on=before)
        for name, before in needs.items()
    ]
    return Plan(project="p", connection="c", steps=tuple(steps))


def test_the_critical_path_is_the_longest_way_by_calls_not_by_steps():
    drawn = a_plan(a=(), b=("a",), c=("b",), d=("a",), e=("c", "d"))
    assert critical_path(drawn, {"a": 1, "b": 1, "c": 1, "d": 9, "e": 2}) == 12
    assert critical_path(drawn, {"a": 1, "b": 4, "c": 6, "d": 9, "e": 2}) == 13


def test_a_plan_with_a_kind_nobody_has_counted_is_refused_by_its_name():
    with pytest.raises(BenchError, match="teleport"):
        resources(a_plan(teleport=()))


def test_every_step_of_a_plan_is_about_at_least_one_resource():
    assert all(RESOURCES[step.kind](step) >= 1 for step in plan().steps)
    assert resources(plan()) > len(plan().steps)


def test_calls_are_better_when_they_are_fewer():
    assert compare("calls", "calls", [11.0], peer_name="peer", peer=[10.0], goal=1.2).met
    assert not compare("calls", "calls", [13.0], peer_name="peer", peer=[10.0], goal=1.2).met
