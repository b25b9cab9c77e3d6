"""What a measurement comes to, in both directions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.result import BenchError, compare

ABOVE_ZERO = st.floats(min_value=0.001, max_value=1e6)


@pytest.mark.parametrize(
    ("unit", "ours", "peer", "goal", "met"),
    [
        ("requests/s", 90.0, 100.0, 0.9, True),
        ("requests/s", 89.0, 100.0, 0.9, False),
        ("requests/s", 150.0, 100.0, 1.0, True),
        ("ms", 150.0, 100.0, 1.5, True),
        ("ms", 151.0, 100.0, 1.5, False),
        ("s", 0.5, 1.0, 1.0, True),
    ],
)
def test_goal_bounds_rates_from_below_and_times_from_above(unit, ours, peer, goal, met):
    result = compare("row", unit, [ours], peer_name="peer", peer=[peer], goal=goal)
    assert result.met is met
    assert result.ratio == pytest.approx(ours / peer, abs=0.001)


def test_medians_decide_not_one_lucky_round():
    result = compare("row", "requests/s", [1.0, 2.0, 1000.0], peer_name="peer", peer=[4.0, 4.0, 0.1], goal=1.0)
    assert (result.ours, result.peer, result.met) == (2.0, 4.0, False)


def test_met_is_decided_before_rounding():
    assert not compare("row", "requests/s", [0.89999], peer_name="peer", peer=[1.0], goal=0.9).met


@pytest.mark.parametrize(("ours", "peer"), [([], [1.0]), ([1.0], []), ([0.0], [1.0]), ([1.0], [0.0])])
def test_a_side_without_figures_is_refused(ours, peer):
    with pytest.raises(BenchError, match="row"):
        compare("row", "ms", ours, peer_name="peer", peer=peer, goal=1.0)


@given(ABOVE_ZERO, ABOVE_ZERO, st.floats(min_value=0.1, max_value=10))
def test_better_figures_never_turn_a_met_goal_into_a_missed_one(ours, peer, goal):
    rate = compare("row", "requests/s", [ours], peer_name="peer", peer=[peer], goal=goal)
    faster = compare("row", "requests/s", [ours * 2], peer_name="peer", peer=[peer], goal=goal)
    assert faster.met or not rate.met
    time = compare("row", "ms", [ours], peer_name="peer", peer=[peer], goal=goal)
    shorter = compare("row", "ms", [ours / 2], peer_name="peer", peer=[peer], goal=goal)
    assert shorter.met or not time.met
