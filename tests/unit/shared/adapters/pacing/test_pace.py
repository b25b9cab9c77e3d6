"""What stands before every call: the circuit, then the budget, neither of which keeps what it did not use."""

from datetime import UTC, datetime

import pytest

from shared.adapters.pacing import Advice, CircuitState, Limit, Pacing
from shared.errors import TransientError

LIMITS = (Limit("points", 3, 60.0, "3 points a minute"),)
ONE = {"points": 1.0}
HOST = "api.github.com"


class VirtualClock:
    def __init__(self):
        self.at = 1_800_000_000.0

    def now(self):
        return datetime.fromtimestamp(self.at, UTC)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def pacing(clock):
    return Pacing(clock, failures=2, pause=20.0)


def _pace(pacing, *identity):
    return pacing.pace("GitHub", identity or ("a",), LIMITS, concurrent=10, window=3600.0)


def _call(pace, *, answered=True, advice=Advice(), host=HOST):  # noqa: B008 - immutable
    with pace.call(host, ONE) as call:
        call.end(answered=answered, advice=advice)


def test_one_identity_shares_a_budget_and_another_has_its_own(pacing):
    assert _pace(pacing, "a") is _pace(pacing, "a")
    for _ in range(3):
        _call(_pace(pacing, "a"))
    with pytest.raises(TransientError, match="3 points a minute"):
        _call(_pace(pacing, "a"))
    _call(_pace(pacing, "b"))


def test_all_who_ask_a_host_share_its_circuit_and_other_hosts_have_theirs(pacing):
    for identity in ("a", "b"):
        _call(_pace(pacing, identity), answered=False)
    with pytest.raises(TransientError, match="not answered 2 times in a row"):
        _call(_pace(pacing, "c"))
    _call(_pace(pacing, "a"), host="uploads.github.com")
    assert pacing.states() == {HOST: CircuitState.OPEN, "uploads.github.com": CircuitState.CLOSED}


def test_a_call_that_the_circuit_refuses_costs_nothing(pacing, clock):
    for _ in range(2):
        _call(_pace(pacing, "b"), answered=False)
    for _ in range(10):
        with pytest.raises(TransientError):
            _call(_pace(pacing, "a"))
    clock.at += 20
    for _ in range(3):
        _call(_pace(pacing, "a"))


def test_a_call_that_the_budget_refuses_does_not_use_up_the_probe(pacing, clock):
    for _ in range(3):
        _call(_pace(pacing, "a"))
    for _ in range(2):
        _call(_pace(pacing, "b"), answered=False)
    clock.at += 20
    with pytest.raises(TransientError, match="points"):
        _call(_pace(pacing, "a"))
    assert pacing.states()[HOST] is CircuitState.OPEN
    _call(_pace(pacing, "b"))
    assert pacing.states()[HOST] is CircuitState.CLOSED


def test_an_end_nobody_told_counts_as_sent_and_says_nothing_of_the_forge(pacing):
    pace = _pace(pacing)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt), pace.call(HOST, ONE):
            raise KeyboardInterrupt
    assert pacing.states()[HOST] is CircuitState.CLOSED
    with pytest.raises(TransientError, match="points"):
        _call(pace)


def test_a_process_among_several_keeps_to_its_share(clock):
    pace = _pace(Pacing(clock, share=0.34))
    _call(pace)
    with pytest.raises(TransientError):
        _call(pace)


def test_a_share_too_small_for_a_call_still_lets_one_through(clock):
    _call(_pace(Pacing(clock, share=0.01)))
