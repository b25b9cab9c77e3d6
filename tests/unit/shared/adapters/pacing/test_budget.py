"""No sequence of calls and answers exceeds a forge's limit, and no wait is longer than the window it waits for."""

import math
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.adapters.pacing import Advice, Allowance, Budget, Limit
from shared.adapters.pacing.budget import Capacity
from shared.errors import TransientError

T0 = 1_800_000_000.0
STRETCHED = 15.0
"""Seconds by which a wait may exceed its window, so that callers come back apart."""
LIMITS = (
    Limit("content", 8, 60.0, "8 creations a minute"),
    Limit("content", 20, 600.0, "20 creations in ten minutes"),
    Limit("points", 90, 60.0, "90 points a minute"),
)
READ = {"points": 1.0}
CREATE = {"points": 5.0, "content": 1.0}


class VirtualClock:
    def __init__(self, at: float = T0):
        self.at = at

    def now(self):
        return datetime.fromtimestamp(self.at, UTC)


@pytest.fixture
def clock():
    return VirtualClock()


def _budget(clock, limits=LIMITS, **options):
    return Budget("GitHub", limits, clock, **{"window": 3600.0, **options})


def _make(budget, costs=READ, advice=Advice(), resource="core"):  # noqa: B008 - immutable
    budget.end(budget.begin(costs, resource), advice)


def _refusal(budget, costs=READ, resource="core"):
    with pytest.raises(TransientError) as caught:
        budget.begin(costs, resource)
    return caught.value


class Meter:
    """The other side: counts each call when it arrives, between its sending and its answer."""

    def __init__(self):
        self.seen = {limit: deque() for limit in LIMITS}

    def arrives(self, costs, at):
        for limit, seen in self.seen.items():
            amount = costs.get(limit.meter, 0.0)
            if not amount:
                continue
            while seen and seen[0][0] + limit.seconds <= at:
                seen.popleft()
            seen.append((at, amount))
            assert sum(size for _, size in seen) <= limit.amount, f"{limit.words} exceeded at {at - T0}"


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("pass"), st.floats(0, 200)),
        st.tuples(st.just("read"), st.integers(1, 60)),
        st.tuples(st.just("create"), st.integers(1, 12)),
        st.tuples(st.just("answer"), st.floats(0, 1)),
        st.tuples(st.just("lost"), st.just(0)),
    ),
    max_size=60,
)


@settings(deadline=None, max_examples=150)
@given(STEPS)
def test_no_sequence_of_calls_and_answers_exceeds_a_limit_or_waits_longer_than_its_window(steps):
    clock, meter = VirtualClock(), Meter()
    budget = _budget(clock, concurrent=1000)
    under_way, arrived = [], []
    for what, number in steps:
        if what == "pass":
            clock.at += number
        elif what in {"read", "create"}:
            costs = READ if what == "read" else CREATE
            longest = 60.0 if what == "read" else 600.0
            for _ in range(number):
                try:
                    under_way.append((clock.at, costs, budget.begin(costs, "core")))
                except TransientError as error:
                    assert error.retry_after is not None
                    assert 0 < error.retry_after <= longest * 1.1
        elif under_way:
            sent, costs, spending = under_way.pop(0)
            if what == "answer":
                # It arrives some time between its sending and its answer.
                arrived.append((sent + number * (clock.at - sent), costs))
            budget.end(spending, Advice() if what == "answer" else None)
    for at, costs in sorted(arrived, key=lambda arrival: arrival[0]):
        meter.arrives(costs, at)


@settings(deadline=None, max_examples=60)
@given(st.integers(2, 60), st.floats(0.0, 3.0))
def test_all_who_come_back_when_told_get_through_at_nearly_the_limits_pace(callers, latency):
    clock, meter = VirtualClock(), Meter()
    budget = _budget(clock)
    waiting = [(T0, number) for number in range(callers)]
    tries = 0
    while waiting:
        waiting.sort()
        clock.at, caller = waiting.pop(0)
        tries += 1
        assert tries < callers * 20
        try:
            spending = budget.begin(CREATE, "core")
        except TransientError as error:
            waiting.append((clock.at + error.retry_after, caller))
            continue
        meter.arrives(CREATE, clock.at)
        budget.end(spending, Advice())
    windows, rest = divmod(callers - 1, 20)
    bound = windows * 600 + rest // 8 * 60
    assert clock.at - T0 <= bound * 1.15 + 5


def test_those_who_wait_are_not_told_the_same_moment(clock):
    budget = _budget(clock)
    for _ in range(8):
        _make(budget, CREATE)
    waits = [_refusal(budget, CREATE).retry_after for _ in range(8)]
    assert len({round(wait, 3) for wait in waits}) == 8
    assert all(60 <= wait <= 66 for wait in waits)


def test_a_place_is_kept_for_who_waits(clock):
    budget = _budget(clock)
    for _ in range(8):
        _make(budget, CREATE)
        clock.at += 1
    waits = [_refusal(budget, CREATE).retry_after for _ in range(3)]
    assert waits[0] < 60
    clock.at += 52.5  # one place is free, and due
    _make(budget, CREATE)
    second = _refusal(budget, CREATE)
    assert second.retry_after < 61
    assert "8 creations a minute" in second.reason


def test_a_place_nobody_takes_is_given_up(clock):
    budget = _budget(clock)
    for _ in range(8):
        _make(budget, CREATE)
    for _ in range(8):
        _refusal(budget, CREATE)
    clock.at += 60 + 60
    for _ in range(8):
        _make(budget, CREATE)


def test_reads_go_on_while_creations_wait(clock):
    budget = _budget(clock)
    for _ in range(8):
        _make(budget, CREATE)
    _refusal(budget, CREATE)
    _make(budget, READ)


def test_a_line_longer_than_the_window_is_told_to_ask_again_within_it(clock):
    budget = _budget(clock)
    for _ in range(20):
        try:
            _make(budget, CREATE)
        except TransientError:
            clock.at += 60
            _make(budget, CREATE)
    waits = [_refusal(budget, CREATE).retry_after for _ in range(60)]
    assert max(waits) <= 600 + STRETCHED
    assert sum(wait >= 450 for wait in waits) > 30


def test_calls_under_way_are_limited_and_count_before_their_answer(clock):
    budget = _budget(clock, concurrent=3)
    under_way = [budget.begin(READ, "core") for _ in range(3)]
    assert "3 calls at a time" in _refusal(budget).reason
    budget.end(under_way.pop(), None)
    budget.begin(READ, "core")


def test_a_call_counts_from_its_answer_on(clock):
    budget = _budget(clock)
    slow = [budget.begin(CREATE, "core") for _ in range(8)]
    clock.at += 100
    _refusal(budget, CREATE)
    for spending in slow:
        budget.end(spending, Advice())
    clock.at += 50
    assert _refusal(budget, CREATE).retry_after <= 60
    clock.at += 11
    _make(budget, CREATE)


class TestAllowance:
    """What GitHub says is left of the hour."""

    def told(self, remaining, *, at=3600.0, resource="core"):
        return Advice(allowance=Allowance(resource, remaining, T0 + at, 5000))

    def test_nothing_is_sent_once_it_is_spent(self, clock):
        budget = _budget(clock)
        _make(budget, advice=self.told(0))
        error = _refusal(budget)
        assert 3600 <= error.retry_after <= 3600 + STRETCHED
        assert error.reason.startswith("GitHub's allowance of 5000 calls an hour (core) is spent; next try in ")
        clock.at += 3600
        _make(budget)

    def test_what_is_under_way_is_taken_off(self, clock):
        budget = _budget(clock)
        _make(budget, advice=self.told(2))
        budget.begin(READ, "core")
        budget.begin(READ, "core")
        _refusal(budget)

    def test_an_answer_that_was_overtaken_never_raises_it(self, clock):
        budget = _budget(clock)
        late = budget.begin(READ, "core")
        _make(budget, advice=self.told(0))
        budget.end(late, self.told(7, at=3601))
        _refusal(budget)

    def test_an_answer_of_the_window_before_is_not_believed(self, clock):
        budget = _budget(clock)
        _make(budget, advice=self.told(9, at=3600))
        _make(budget, advice=self.told(0, at=100))
        _make(budget)

    def test_resources_are_counted_apart(self, clock):
        budget = _budget(clock)
        _make(budget, advice=self.told(0, resource="search"), resource="search")
        _refusal(budget, resource="search")
        _make(budget)

    def test_a_clock_far_off_waits_no_longer_than_the_hour(self, clock):
        budget = _budget(clock)
        _make(budget, advice=self.told(0, at=86_400))
        assert _refusal(budget).retry_after <= 3600 + STRETCHED

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.integers(1, 40), min_size=1, max_size=20))
    def test_a_forge_that_says_what_is_left_is_never_asked_for_more(self, bursts):
        clock = VirtualClock()
        budget = _budget(clock, ())
        limit, start, used = 25, T0, 0
        for burst in bursts:
            for _ in range(burst):
                if clock.at >= start + 3600:
                    start, used = clock.at, 0
                try:
                    spending = budget.begin(READ, "core")
                except TransientError as error:
                    assert error.retry_after <= 3600 + STRETCHED
                    clock.at += error.retry_after / 4
                    continue
                used += 1
                assert used <= limit
                budget.end(spending, Advice(allowance=Allowance("core", limit - used, start + 3600, limit)))
            clock.at += 30


class TestHold:
    """What a forge says when it has had enough."""

    def test_everything_waits_as_long_as_it_said(self, clock):
        budget = _budget(clock)
        _make(budget, advice=Advice(hold=17.0, words="secondary rate limit was met"))
        for resource in ("core", "search"):
            error = _refusal(budget, resource=resource)
            assert 17 <= error.retry_after <= 19
            assert "secondary rate limit was met" in error.reason
        clock.at += 17
        _make(budget)

    def test_a_shorter_word_later_does_not_end_it(self, clock):
        budget = _budget(clock)
        first, second = budget.begin(READ, "core"), budget.begin(READ, "core")
        budget.end(first, Advice(hold=60.0))
        budget.end(second, Advice(hold=1.0))
        assert _refusal(budget).retry_after >= 60

    def test_without_a_time_the_wait_doubles_when_it_was_too_short(self, clock):
        budget = _budget(clock)
        again = Advice(hold=60.0, unnamed_hold=True)
        both = [budget.begin(READ, "core"), budget.begin(READ, "core")]
        for spending in both:
            budget.end(spending, again)
        assert _refusal(budget).retry_after <= 67
        clock.at += 61
        _make(budget, advice=again)
        assert 120 <= _refusal(budget).retry_after <= 135
        clock.at += 121
        _make(budget)
        _make(budget, advice=again)
        assert _refusal(budget).retry_after <= 67

    def test_a_word_to_wait_for_a_day_is_cut_to_the_window(self, clock):
        budget = _budget(clock)
        _make(budget, advice=Advice(hold=86_400.0))
        assert _refusal(budget).retry_after <= 3600 + STRETCHED


class TestCapacity:
    """A limit whose unit nobody can work out, learned from how much of it calls have used."""

    LIMIT = (Limit("calls", math.inf, 300.0, "200 units in five minutes"),)
    CALL = {"calls": 1.0}

    def test_without_a_word_nothing_is_limited(self, clock):
        budget = _budget(clock, self.LIMIT, window=300.0)
        for _ in range(2000):
            _make(budget, self.CALL)

    @settings(deadline=None, max_examples=40)
    @given(st.integers(1, 40), st.floats(0.0, 0.9))
    def test_it_is_never_exceeded_by_calls_that_cost_the_same(self, cost, shown_from):
        clock = VirtualClock()
        budget = _budget(clock, self.LIMIT, window=300.0)
        seen = deque()
        for _ in range(400):
            try:
                spending = budget.begin(self.CALL, "core")
            except TransientError as error:
                assert error.retry_after <= 300 + STRETCHED
                assert "200 units" in error.reason
                clock.at += error.retry_after
                continue
            while seen and seen[0] + 300 <= clock.at:
                seen.popleft()
            seen.append(clock.at)
            used = len(seen) * cost / 200
            assert used <= 1
            # The forge says how much is left before one call more would be too many.
            shown = used >= shown_from or used + cost / 200 > 1
            budget.end(spending, Advice(capacity=Capacity("calls", used if shown else 0.0, clock.at + 300)))
            clock.at += 0.2

    def test_it_is_lifted_at_the_reset_and_by_an_answer_without_figures(self, clock):
        budget = _budget(clock, self.LIMIT, window=300.0)
        _make(budget, self.CALL, Advice(capacity=Capacity("calls", 1.0, T0 + 40)))
        assert _refusal(budget, self.CALL).retry_after <= 45
        clock.at += 40
        _make(budget, self.CALL, Advice(capacity=Capacity("calls", 1.0)))
        clock.at += 300
        _make(budget, self.CALL, Advice(capacity=Capacity("calls", 0.0)))
        for _ in range(100):
            _make(budget, self.CALL)


class TestBatch:
    """Calls that are of use only together."""

    def test_it_is_refused_whole_when_there_is_not_room_for_all(self, clock):
        budget = _budget(clock)
        for _ in range(6):
            _make(budget, CREATE)
        with pytest.raises(TransientError), budget.batch({"content": 3.0, "points": 20.0}):
            pytest.fail("there is room for two")
        _make(budget, CREATE)

    def test_within_it_nobody_else_takes_what_it_needs(self, clock):
        budget = _budget(clock)
        for _ in range(5):
            _make(budget, CREATE)
        with budget.batch({"content": 3.0, "points": 20.0}), ThreadPoolExecutor(1) as other:
            assert isinstance(other.submit(budget.begin, CREATE, "core").exception(), TransientError)
            for _ in range(3):
                _make(budget, CREATE)
        _refusal(budget, CREATE)

    def test_what_it_did_not_use_is_free_again(self, clock):
        budget = _budget(clock)
        with budget.batch({"content": 4.0, "points": 20.0}):
            _make(budget, CREATE)
        for _ in range(7):
            _make(budget, CREATE)
        _refusal(budget, CREATE)

    def test_a_forge_that_wants_a_pause_interrupts_it(self, clock):
        budget = _budget(clock)
        with budget.batch({"content": 4.0, "points": 20.0}):
            _make(budget, CREATE, Advice(hold=10.0))
            _refusal(budget, CREATE)
        clock.at += 10
        for _ in range(7):
            _make(budget, CREATE)

    def test_one_too_large_to_keep_pays_as_it_goes(self, clock):
        budget = _budget(clock)
        with budget.batch({"content": 30.0, "points": 155.0}):
            for _ in range(8):
                _make(budget, CREATE)
            _refusal(budget, CREATE)
        clock.at += 61
        _make(budget, CREATE)

    def test_single_calls_leave_room_for_one_that_waits(self, clock):
        budget = _budget(clock, LIMITS[:1])
        for _ in range(8):
            _make(budget, CREATE)
            clock.at += 5
        batch = {"content": 4.0, "points": 25.0}
        with pytest.raises(TransientError) as caught, budget.batch(batch):
            pytest.fail("there is no room")
        clock.at = T0 + 61  # one of the four places it needs is free
        _refusal(budget, CREATE)
        clock.at = T0 + 40 + caught.value.retry_after
        with budget.batch(batch):
            pass

    def test_it_gets_its_turn_though_single_calls_keep_coming(self, clock):
        budget = _budget(clock)
        singles = 0
        until = None
        for _ in range(1200):
            try:
                _make(budget, CREATE)
                singles += 1
            except TransientError:
                pass
            if until is None or clock.at >= until:
                try:
                    with budget.batch({"content": 4.0, "points": 20.0}):
                        break
                except TransientError as error:
                    until = clock.at + error.retry_after
            clock.at += 1
        else:
            pytest.fail(f"starved by {singles} single calls")


def test_many_threads_never_exceed_a_limit():
    clock = VirtualClock()
    budget = _budget(clock, (Limit("points", 50, 60.0, "50"),))
    passed = []
    together = threading.Barrier(8)

    def call(_):
        together.wait()
        for _ in range(20):
            try:
                _make(budget)
            except TransientError:
                continue
            passed.append(1)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(call, range(8)))
    assert len(passed) == 50


def test_a_clock_set_back_does_not_lengthen_a_wait(clock):
    budget = _budget(clock)
    for _ in range(8):
        _make(budget, CREATE)
    clock.at -= timedelta(hours=2).total_seconds()
    assert _refusal(budget, CREATE).retry_after <= 60 + STRETCHED
