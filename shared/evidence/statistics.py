"""Percentiles of response times, from each of them or from how often each occurred."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

PERCENTILES = (50, 90, 95, 99)


def percentile(counted: Sequence[tuple[float, int]], percent: float) -> float:
    """The nearest-rank percentile of ``(value, how often)`` in ascending order; nothing occurring is no percentile.

    Raises:
        ValueError: nothing occurred.
    """
    total = sum(count for _, count in counted)
    if total < 1:
        raise ValueError("no percentile of nothing")
    rank, seen = math.ceil(percent / 100 * total), 0
    for value, count in counted:
        seen += count
        if seen >= max(rank, 1):
            return value
    raise AssertionError("the counts do not add up")


def of_times(metric: str, counted: Mapping[float, int]) -> Iterable[dict[str, Any]]:
    """Members of ``Measure`` for response times in milliseconds: mean, least, most and percentiles."""
    rows = sorted((value, count) for value, count in counted.items() if count)
    total = sum(count for _, count in rows)
    if not total:
        return
    yield measure(metric, "mean", sum(value * count for value, count in rows) / total, "ms")
    yield measure(metric, "min", rows[0][0], "ms")
    yield measure(metric, "max", rows[-1][0], "ms")
    for percent in PERCENTILES:
        yield measure(metric, f"p{percent}", percentile(rows, percent), "ms")


def measure(metric: str, statistic: str, value: float, unit: str = "") -> dict[str, Any]:
    """Members of a ``Measure`` without a threshold."""
    return {"metric": metric, "statistic": statistic, "value": value, "unit": unit}
