"""Lets several questions to a forge be under way together; how fast they go out stays the pace's matter."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache

AT_A_TIME = 16
"""Questions of all reviews of this process that are under way together."""


CHAINS = 8
"""Chains of questions of all reviews of this process that are under way together."""


@cache
def _pool(places: int, name: str) -> ThreadPoolExecutor:
    # Kept, since each of its threads keeps its connections.
    return ThreadPoolExecutor(places, thread_name_prefix=name)


def later[A](ask: Callable[[], A], places: int = AT_A_TIME) -> Future[A]:
    """``ask`` under way, one of ``places`` at most.

    What runs so must not wait for another of these: all places might be taken by the waiting.
    """
    return _pool(places, "asking").submit(ask)


def chained[A](ask: Callable[[], A]) -> Future[A]:
    """``ask`` under way, which may wait for questions of ``later``, one after the other, but for no other of these."""
    return _pool(CHAINS, "chain").submit(ask)
