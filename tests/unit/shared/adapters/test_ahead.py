"""What was asked ahead is got by whoever needs it in time, once where it is taken, and does not pile up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.adapters.ahead import Ahead
from tests.fakes.changes import a_change
from tests.fakes.storage import MemoryClock

LONGEST = timedelta(seconds=10)
REF = a_change().ref
OTHER = REF.model_copy(update={"number": 8})


@pytest.fixture
def clock() -> MemoryClock:
    return MemoryClock()


@pytest.fixture
def ahead(clock: MemoryClock) -> Ahead[str]:
    return Ahead(clock.now, LONGEST)


def test_it_is_of_one_head_of_one_pull_request(ahead: Ahead[str]) -> None:
    assert ahead.put(REF, "a", "first") == "first"
    assert (ahead.get(REF, "b"), ahead.get(OTHER, "a"), ahead.get(REF, "a")) == (None, None, "first")


def test_it_is_taken_once(ahead: Ahead[str]) -> None:
    ahead.put(REF, "a", "first")
    assert ahead.get(REF, "a") == "first"
    assert ahead.take(REF, "a") == "first"
    assert ahead.take(REF, "a") is None


def test_the_latest_counts(ahead: Ahead[str]) -> None:
    ahead.put(REF, "a", "first")
    ahead.put(REF, "a", "second")
    assert ahead.take(REF, "a") == "second"


def test_too_old_it_counts_no_more(ahead: Ahead[str], clock: MemoryClock) -> None:
    ahead.put(REF, "a", "first")
    clock.advance(LONGEST)
    assert ahead.get(REF, "a") == "first"
    clock.advance(timedelta(seconds=1))
    assert ahead.get(REF, "a") is None
    assert ahead.take(REF, "a") is None


def test_what_nobody_comes_for_goes_with_the_next(ahead: Ahead[str], clock: MemoryClock) -> None:
    ahead.put(REF, "a", "first")
    clock.advance(LONGEST + timedelta(seconds=1))
    ahead.put(OTHER, "b", "second")
    assert list(ahead._asked) == [(OTHER.key, "b")]
