"""A threshold is one sound bound, and which of two demands more is an order."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.domain.threshold import Direction, Threshold, Unit

figures = st.floats(min_value=0, max_value=100, allow_nan=False)
entries = st.lists(st.sampled_from(["MIT", "ISC", "0BSD", "Zlib"]), min_size=1, unique=True).map(tuple)


def of(direction: Direction, value: object) -> Threshold:
    unit = None if isinstance(value, tuple) else Unit.PERCENT
    return Threshold.model_validate({direction.value: value, "unit": unit})


@st.composite
def alike(draw: st.DrawFn, count: int) -> list[Threshold]:
    direction = draw(st.sampled_from(Direction))
    values = entries if direction in {Direction.ALLOWED, Direction.REQUIRED} else figures
    return [of(direction, draw(values)) for _ in range(count)]


@given(alike(3))
def test_demanding_is_an_order(three: list[Threshold]) -> None:
    a, b, c = three
    assert a.demands(a)
    if a.demands(b) and b.demands(c):
        assert a.demands(c)
    if a.demands(b) and b.demands(a):
        same = set(a.value) == set(b.value) if isinstance(a.value, tuple) and isinstance(b.value, tuple) else a == b
        assert same


@given(alike(2), figures, entries)
def test_what_demands_more_lets_nothing_through_that_the_other_stops(
    two: list[Threshold], figure: float, found: tuple[str, ...]
) -> None:
    def meets(threshold: Threshold) -> bool:
        match threshold.direction:
            case Direction.AT_LEAST:
                return figure >= threshold.value
            case Direction.AT_MOST:
                return figure <= threshold.value
            case Direction.ALLOWED:
                return set(found) <= set(threshold.value)
            case Direction.REQUIRED:
                return set(found) >= set(threshold.value)

    a, b = two
    if a.demands(b) and meets(a):
        assert meets(b)


@pytest.mark.parametrize(
    ("given_", "problem"),
    [
        ({}, "exactly one"),
        ({"at_least": 1, "at_most": 2, "unit": "count"}, "exactly one"),
        ({"at_least": 85}, "needs its unit"),
        ({"at_least": 101, "unit": "percent"}, "101 percent cannot be"),
        ({"at_most": -1, "unit": "count"}, "cannot be"),
        ({"at_most": math.inf, "unit": "count"}, "cannot be"),
        ({"at_most": math.nan, "unit": "count"}, "cannot be"),
        ({"allowed": ["MIT"], "unit": "count"}, "no unit"),
        ({"allowed": ["MIT", "MIT"]}, "given twice"),
        ({"allowed": []}, "at least 1"),
        ({"required": ["a\nb"]}, "pattern"),
    ],
)
def test_an_unsound_bound_is_refused(given_: dict[str, object], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        Threshold.model_validate(given_)


def test_it_reads_as_words() -> None:
    assert Threshold(at_least=85, unit=Unit.PERCENT).text == "at least 85 percent"
    assert Threshold(at_most=0, unit=Unit.COUNT).text == "at most 0"
    assert Threshold(allowed=("MIT", "ISC")).text == "only MIT, ISC"
    assert Threshold(required=("lint",)).text == "all of lint"


def test_a_figure_and_a_list_are_not_compared() -> None:
    with pytest.raises(TypeError):
        Threshold(at_least=1, unit=Unit.COUNT).demands(Threshold(allowed=("MIT",)))


def test_another_value_keeps_direction_and_unit() -> None:
    assert Threshold(at_most=5, unit=Unit.DAYS).with_value(3) == Threshold(at_most=3, unit=Unit.DAYS)
    with pytest.raises(ValidationError):
        Threshold(at_most=5, unit=Unit.PERCENT).with_value(300)
