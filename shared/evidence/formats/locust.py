"""Reads Locust's statistics, ``--json`` or the ``_stats.csv``: https://docs.locust.io/en/stable/retrieving-stats.html"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.numbers import number
from shared.evidence.schemas import hold
from shared.evidence.statistics import measure, of_times

_COLUMNS = {
    "request count": ("requests", ""),
    "# requests": ("requests", ""),
    "failure count": ("failures", ""),
    "# failures": ("failures", ""),
    "average response time": ("mean", "ms"),
    "min response time": ("min", "ms"),
    "max response time": ("max", "ms"),
    "requests/s": ("rate", "1/s"),
    "50%": ("p50", "ms"),
    "90%": ("p90", "ms"),
    "95%": ("p95", "ms"),
    "99%": ("p99", "ms"),
}
_WITHOUT = frozenset({"", "N/A"})


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """Requests, failures and response times of each endpoint."""
    hold(value, "locust")
    return {"tool": "Locust", "measures": [row for entry in value for row in _entry(entry)]}


def from_text(text: str, given: Given) -> dict[str, Any]:
    """The same, and the total, from CSV."""
    measures: list[dict[str, Any]] = []
    reader = csv.DictReader(io.StringIO(text))
    try:
        for row in reader:
            measures.extend(_row(row, reader.line_num))
    except csv.Error as error:
        raise RefusedError(
            f"line {reader.line_num} of the statistics is no CSV: {error}", "Write them again."
        ) from error
    return {"tool": "Locust", "measures": measures}


def _entry(entry: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    metric = _metric(entry.get("method"), entry["name"])
    requests, failures = entry["num_requests"], entry["num_failures"]
    yield measure(metric, "requests", requests)
    yield measure(metric, "failures", failures)
    if requests:
        yield measure(metric, "error_rate", failures / requests)
    yield from of_times(metric, {float(time): count for time, count in entry.get("response_times", {}).items()})


def _row(row: Mapping[str | None, Any], line: int) -> Iterable[dict[str, Any]]:
    if None in row or None in row.values():
        raise RefusedError(f"line {line} of the statistics has not as many columns as the first", "Write them again.")
    named = {str(name).strip().lower(): str(value).strip() for name, value in row.items()}
    metric = _metric(named.get("type"), named.get("name", ""))
    for column, (statistic, unit) in _COLUMNS.items():
        if (text := named.get(column, "")) not in _WITHOUT:
            yield measure(metric, statistic, number(text), unit)


def _metric(method: str | None, name: str) -> str:
    return f"{method} {name}" if method else name
