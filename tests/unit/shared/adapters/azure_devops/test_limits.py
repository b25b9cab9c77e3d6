"""What Azure DevOps' answers say about pace."""

from datetime import UTC, datetime

import pytest

from shared.adapters.azure_devops.errors import translated
from shared.adapters.azure_devops.limits import UNNAMED_WAIT, advice_of
from shared.adapters.pacing.budget import Capacity

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
RESET = int(NOW.timestamp()) + 120


def _advice(status=200, **headers):
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return advice_of(status, given, translated(status, given, None, action="GET /x", now=NOW))


def test_a_success_without_figures_says_that_no_limit_is_near():
    assert _advice().capacity == Capacity("calls", 0.0)
    assert _advice().hold is None


def test_what_is_left_is_a_part_of_the_limit():
    advice = _advice(**{"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "50", "X-RateLimit-Reset": str(RESET)})
    assert advice.capacity == Capacity("calls", 0.75, float(RESET))
    assert advice.hold is None


def test_fractions_of_units_and_figures_beyond_the_limit_are_read():
    assert _advice(**{"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "0.5"}).capacity.used == 0.9975
    assert _advice(**{"X-RateLimit-Limit": "200", "X-RateLimit-Remaining": "300"}).capacity.used == 0.0


@pytest.mark.parametrize("name", ["Retry-After", "X-RateLimit-Delay"])
def test_a_success_may_ask_to_wait(name):
    advice = _advice(**{name: "12.5", "X-RateLimit-Resource": "Core/TSTU"})
    assert advice.hold == 12.5
    assert advice.words == "limit was met (Core/TSTU)"


def test_the_longer_of_two_waits_counts():
    assert _advice(**{"Retry-After": "3", "X-RateLimit-Delay": "12"}).hold == 12


def test_a_refusal_waits_as_long_as_it_says_even_as_a_date():
    assert _advice(429, **{"Retry-After": "Sun, 01 Mar 2026 12:00:40 GMT"}).hold == 40
    assert not _advice(429, **{"Retry-After": "40"}).unnamed_hold


def test_a_refusal_without_a_time_waits_a_while_that_may_grow():
    advice = _advice(429)
    assert (advice.hold, advice.unnamed_hold) == (UNNAMED_WAIT, True)
    assert advice.capacity is None


@pytest.mark.parametrize("status", [401, 403, 404, 500])
def test_other_failures_say_nothing(status):
    advice = _advice(status)
    assert (advice.hold, advice.capacity) == (None, None)


def test_nonsense_is_not_read():
    advice = _advice(**{"X-RateLimit-Limit": "lots", "X-RateLimit-Remaining": "-1", "Retry-After": "soon"})
    assert (advice.hold, advice.capacity) == (None, Capacity("calls", 0.0))
    assert _advice(**{"X-RateLimit-Limit": "0", "X-RateLimit-Remaining": "0"}).capacity == Capacity("calls", 0.0)
