"""Puts the numbers of k6, Locust and JMeter into common terms: response times in milliseconds, and the share of errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from shared.domain.change import Reported
from shared.domain.evidence import EvidenceFormat, Measure

FORMATS = frozenset({EvidenceFormat.K6, EvidenceFormat.LOCUST, EvidenceFormat.JMETER})
_K6_TIMES = re.compile(r"^(?:http_req|grpc_req)_duration(?:\{.*\})?$")
_K6_ERRORS = re.compile(r"^http_req_failed$")
_TOTAL = frozenset({"aggregated", "total"})
_IN_MS = {"ms": 1.0, "": 1.0, "s": 1000.0, "us": 0.001}
"""k6's older summaries leave the unit out; its times are milliseconds."""


class Load(NamedTuple):
    """One load test."""

    reported: Reported
    times: Mapping[str, Mapping[str, float]]
    """What was called → statistic (p95, mean …) → milliseconds."""
    error_rate: float | None
    """Percent of the requests; None: not told, or there was no request."""
    missed: tuple[Measure, ...]
    """Thresholds of its own that it did not keep."""

    @property
    def p95(self) -> tuple[str, float] | None:
        """The slowest 95th percentile of all that was called; None: not told."""
        told = [(name, each["p95"]) for name, each in self.times.items() if "p95" in each]
        return max(told, key=lambda one: one[1], default=None)


def loads(reports: Iterable[Reported]) -> tuple[Load, ...]:
    """The load tests among ``reports``."""
    return tuple(_load(one) for one in reports if one.report.format in FORMATS)


def slowdowns(now: Load, before: Load) -> Iterator[tuple[str, float, float]]:
    """What both called, with its times before and now: the 95th percentile, else the mean."""
    for name, times in now.times.items():
        earlier = before.times.get(name, {})
        for statistic in ("p95", "mean"):
            if statistic in times and earlier.get(statistic):
                yield name, earlier[statistic], times[statistic]
                break


def same(one: Load, other: Load) -> bool:
    """Whether the two are runs of the same test."""
    mine, theirs = one.reported, other.reported
    return mine.report.format is theirs.report.format and mine.record.flag == theirs.record.flag


def _load(reported: Reported) -> Load:
    measures = reported.report.measures
    k6 = reported.report.format is EvidenceFormat.K6
    times: dict[str, dict[str, float]] = {}
    for one in measures:
        if _is_time(one, k6=k6):
            times.setdefault(one.metric, {})[one.statistic] = one.value * _IN_MS[one.unit]
    return Load(
        reported,
        times,
        _k6_errors(measures) if k6 else _errors(measures),
        tuple(one for one in measures if one.passed is False),
    )


def _is_time(one: Measure, *, k6: bool) -> bool:
    if one.unit not in _IN_MS or not re.fullmatch(r"p\d+(?:\.\d+)?|mean|max|min", one.statistic):
        return False
    if not k6:
        return one.unit == "ms"
    # Of a threshold over a statistic that k6 leaves out of its summary, only whether it was kept is known.
    return bool(_K6_TIMES.match(one.metric)) and not (one.value == 0 and one.threshold)


def _k6_errors(measures: Iterable[Measure]) -> float | None:
    for one in measures:
        if _K6_ERRORS.match(one.metric) and one.statistic in {"rate", "value"}:
            return None if one.value == 0 and one.passed is False else 100 * one.value
    return None


def _errors(measures: Iterable[Measure]) -> float | None:
    """Failures of all requests; the line that sums them up is not counted again."""
    sums = {"requests": 0.0, "failures": 0.0}
    told = False
    for one in measures:
        if one.statistic in sums and one.metric.strip().lower() not in _TOTAL:
            sums[one.statistic] += one.value
            told = told or one.statistic == "failures"
    return 100 * sums["failures"] / sums["requests"] if told and sums["requests"] else None
