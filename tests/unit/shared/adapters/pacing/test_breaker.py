"""The circuit breaker beside a model of it, through any order of calls, answers and time."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from shared.adapters.pacing import CircuitBreaker, CircuitState
from shared.errors import TransientError

T0 = 1_800_000_000.0
FAILURES, PAUSE = 3, 20.0


class VirtualClock:
    def __init__(self):
        self.at = T0

    def now(self):
        return datetime.fromtimestamp(self.at, UTC)


@pytest.fixture
def clock():
    return VirtualClock()


@pytest.fixture
def breaker(clock):
    return CircuitBreaker("GitHub", clock, failures=FAILURES, pause=PAUSE)


def _opened(breaker):
    for _ in range(FAILURES):
        breaker.leave(breaker.enter(), False)


def _refusal(breaker):
    with pytest.raises(TransientError) as caught:
        breaker.enter()
    return caught.value


def test_it_opens_after_failures_in_a_row_and_says_so(breaker):
    for _ in range(FAILURES - 1):
        breaker.leave(breaker.enter(), False)
    breaker.leave(breaker.enter(), True)
    _opened(breaker)
    error = _refusal(breaker)
    assert breaker.state is CircuitState.OPEN
    assert error.reason.startswith("GitHub has not answered 3 times in a row; next try in 2")
    assert PAUSE <= error.retry_after <= PAUSE * 1.25


def test_one_call_finds_out_whether_it_answers_again(breaker, clock):
    _opened(breaker)
    clock.at += PAUSE
    probe = breaker.enter()
    assert breaker.state is CircuitState.HALF_OPEN
    _refusal(breaker)
    breaker.leave(probe, True)
    assert breaker.state is CircuitState.CLOSED
    breaker.enter()


def test_a_probe_that_fails_opens_it_for_another_pause(breaker, clock):
    _opened(breaker)
    clock.at += PAUSE
    breaker.leave(breaker.enter(), False)
    assert "4 times in a row" in _refusal(breaker).reason
    clock.at += PAUSE - 0.1
    _refusal(breaker)


def test_a_probe_that_was_never_sent_leaves_the_next_call_to_find_out(breaker, clock):
    _opened(breaker)
    clock.at += PAUSE
    breaker.leave(breaker.enter(), None)
    assert breaker.state is CircuitState.OPEN
    assert breaker.enter().probe


def test_answers_to_calls_sent_before_it_opened_change_nothing(breaker, clock):
    before = [breaker.enter() for _ in range(3)]
    _opened(breaker)
    clock.at += PAUSE / 2
    breaker.leave(before[0], False)
    breaker.leave(before[1], True)
    assert breaker.state is CircuitState.OPEN
    clock.at += PAUSE / 2
    breaker.leave(breaker.enter(), True)
    breaker.leave(before[2], False)
    assert breaker.state is CircuitState.CLOSED


def test_those_who_wait_come_back_apart(breaker):
    _opened(breaker)
    assert len({_refusal(breaker).retry_after for _ in range(20)}) > 10


def test_a_clock_set_back_does_not_lengthen_the_pause(breaker, clock):
    _opened(breaker)
    clock.at -= 86_400
    assert _refusal(breaker).retry_after <= PAUSE * 1.25
    clock.at += PAUSE
    breaker.enter()


def test_among_many_threads_one_finds_out(breaker, clock):
    _opened(breaker)
    clock.at += PAUSE
    together = threading.Barrier(8)

    def enter(_):
        together.wait()
        try:
            return breaker.enter()
        except TransientError:
            return None

    with ThreadPoolExecutor(8) as pool:
        assert sum(entry is not None for entry in pool.map(enter, range(8))) == 1


class Breaker(RuleBasedStateMachine):
    """Calls that end in any order, beside what the circuit should make of them."""

    calls = Bundle("calls")

    def __init__(self):
        super().__init__()
        self.clock = VirtualClock()
        self.breaker = CircuitBreaker("GitHub", self.clock, failures=FAILURES, pause=PAUSE)
        self.row = 0
        self.until = None
        self.probing = None
        self.epoch = 0

    @rule(seconds=st.floats(0.1, 2 * PAUSE))
    def time_passes(self, seconds):
        self.clock.at += seconds

    @rule(target=calls)
    def a_call_is_wanted(self):
        may = self.until is None or (self.clock.at >= self.until and self.probing is None)
        try:
            entry = self.breaker.enter()
        except TransientError as error:
            assert not may
            assert 0 < error.retry_after <= PAUSE * 1.25
            if self.probing is None:
                assert self.until <= self.clock.at + error.retry_after <= self.until + PAUSE / 4
            return None
        assert may
        assert entry.probe is (self.until is not None)
        call = (entry, self.epoch)
        if entry.probe:
            self.probing = call
        return call

    @rule(call=consumes(calls), answered=st.sampled_from([True, False, None]))
    def a_call_ends(self, call, answered):
        if call is None:
            return
        entry, epoch = call
        self.breaker.leave(entry, answered)
        if epoch != self.epoch:
            return
        if self.probing is call:
            self.probing = None
            if answered is None:
                return
            self.epoch += 1
            self.row = 0 if answered else self.row + 1
            self.until = None if answered else self.clock.at + PAUSE
        elif answered:
            self.row = 0
        elif answered is False:
            self.row += 1
            if self.row >= FAILURES:
                self.epoch += 1
                self.until = self.clock.at + PAUSE

    @invariant()
    def it_stands_where_the_model_does(self):
        expected = (
            CircuitState.CLOSED if self.until is None else CircuitState.HALF_OPEN if self.probing else CircuitState.OPEN
        )
        assert self.breaker.state is expected


TestBreaker = Breaker.TestCase
TestBreaker.settings = settings(deadline=None, max_examples=80, stateful_step_count=40)
