"""Decides what a measurement comes to: medians of both sides, their ratio, and whether the goal is met."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict

LOWER_IS_BETTER = frozenset({"s", "ms", "calls", "comments"})
"""Units of what is spent; every other unit counts things done in a time."""


class BenchError(Exception):
    """A side could not be measured; the message says which and why."""


class Result(BaseModel):
    """One line of ``bench/results.json``; ``ratio`` is ours divided by the peer's."""

    model_config = ConfigDict(frozen=True)

    name: str
    unit: str
    ours: float
    peer_name: str
    peer: float
    ratio: float
    goal: float
    met: bool

    @property
    def lower_is_better(self) -> bool:
        """Whether the goal is an upper bound of the ratio."""
        return self.unit in LOWER_IS_BETTER


def compare(
    name: str, unit: str, ours: Sequence[float], *, peer_name: str, peer: Sequence[float], goal: float
) -> Result:
    """The medians of both sides' rounds, held against ``goal``: at most it for times, at least it for rates.

    Raises:
        BenchError: a side has no rounds, or its median is not above zero.
    """
    if not ours or not peer:
        raise BenchError(f"{name}: a side was not measured")
    mine, theirs = statistics.median(ours), statistics.median(peer)
    if mine <= 0 or theirs <= 0:
        raise BenchError(f"{name}: {mine:g} beside {theirs:g} {unit} is no measurement")
    ratio = mine / theirs
    met = ratio <= goal if unit in LOWER_IS_BETTER else ratio >= goal
    return Result(
        name=name,
        unit=unit,
        ours=_significant(mine),
        peer_name=peer_name,
        peer=_significant(theirs),
        ratio=round(ratio, 3),
        goal=goal,
        met=met,
    )


def _significant(value: float) -> float:
    return float(f"{value:.4g}")
