"""Reads the end-of-test summary of k6, from ``--summary-export`` or ``handleSummary``.

Both shapes: https://grafana.com/docs/k6/latest/results-output/end-of-test/
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.evidence.given import Given
from shared.evidence.schemas import hold

_RESULTS = frozenset({"type", "contains", "values", "thresholds"})
_EXPRESSION = re.compile(r"\s*([A-Za-z]+(?:\([0-9.]+\))?)\s*(?:<=|>=|<|>|={2,3}|!=).*")
_UNITS = {"time": "ms", "data": "bytes"}
_NAMES = {"avg": "mean", "med": "p50"}


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """Every statistic, with the thresholds that the test held it against."""
    hold(value, "k6")
    measures = [measure for name, metric in sorted(value["metrics"].items()) for measure in _metric(name, metric)]
    return {"tool": "k6", "measures": measures}


def _metric(name: str, metric: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    values = metric["values"] if isinstance(metric.get("values"), dict) else _plain(metric)
    unit = _UNITS.get(metric.get("contains", ""), "")
    thresholds = dict(_thresholds(metric.get("thresholds", {})))
    for statistic, number in values.items():
        if not _is_number(number):
            continue
        told = thresholds.pop(_word(statistic), [])
        row = {"metric": name, "statistic": _word(statistic), "value": number, "unit": unit}
        # One number may be held against several thresholds; each is a line of its own.
        yield from ({**row, "threshold": text, "passed": passed} for text, passed in told) if told else (row,)
    for statistic, told in thresholds.items():
        # A threshold over a statistic that the summary leaves out still passed or failed.
        for text, passed in told:
            yield {
                "metric": name,
                "statistic": statistic,
                "value": 0.0,
                "unit": unit,
                "threshold": text,
                "passed": passed,
            }


def _plain(metric: Mapping[str, Any]) -> Mapping[str, Any]:
    return {name: number for name, number in metric.items() if name not in _RESULTS}


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _thresholds(told: Mapping[str, Any]) -> Iterable[tuple[str, list[tuple[str, bool]]]]:
    found: dict[str, list[tuple[str, bool]]] = {}
    for text, result in told.items():
        # The older shape writes true for a threshold that was crossed, the newer one an object.
        passed = bool(result["ok"]) if isinstance(result, dict) else not result
        match = _EXPRESSION.fullmatch(text)
        found.setdefault(_word(match[1]) if match else "", []).append((text, passed))
    return found.items()


def _word(statistic: str) -> str:
    short = statistic.replace("(", "").replace(")", "")
    return _NAMES.get(short, short)
