"""Reads what SonarQube's web API answers: measures, issues, and whether the quality gate was passed.

The three may come as they were answered or in one object: https://docs.sonarsource.com/sonarqube-server/extension-guide/web-api/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.numbers import number
from shared.evidence.schemas import hold
from shared.evidence.severities import of_word
from shared.evidence.statistics import measure

_SETTLED = frozenset({"FALSE-POSITIVE", "WONTFIX"})
_ACCEPTED = frozenset({"ACCEPTED", "FALSE_POSITIVE"})
_CLOSED = frozenset({"CLOSED", "FIXED", "RESOLVED"})
_GATE = {"OK": 1.0, "ERROR": 0.0}
_COVERED = ("lines_to_cover", "uncovered_lines")
_BRANCHES = ("conditions_to_cover", "uncovered_conditions")


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """Findings, coverage, measures, and each condition of the gate as a threshold."""
    hold(value, "sonarqube")
    measures = {
        each["metric"]: each["value"] for each in value.get("component", {}).get("measures", ()) if "value" in each
    }
    files = {each["key"]: each["path"] for each in value.get("components", ()) if "path" in each}
    return {
        "tool": "SonarQube",
        "tool_version": value.get("server_version", ""),
        "findings": [_finding(each, files, given) for each in value.get("issues", ()) if not _is_closed(each)],
        "coverage": _coverage(measures, given),
        "measures": [*_measures(measures), *_gate(value.get("projectStatus"))],
    }


def _is_closed(issue: Mapping[str, Any]) -> bool:
    return issue.get("issueStatus", issue.get("status")) in _CLOSED and issue.get("resolution") not in _SETTLED


def _finding(issue: Mapping[str, Any], files: Mapping[str, str], given: Given) -> dict[str, Any]:
    impacts = [impact["severity"] for impact in issue.get("impacts", ()) if "severity" in impact]
    told = issue.get("severity") or next(iter(impacts), "")
    span = issue.get("textRange", {})
    line, end = issue.get("line") or span.get("startLine"), span.get("endLine")
    component = issue.get("component", "")
    # A file's key is its project's, a colon, and its path.
    path = files.get(component) or component.partition(":")[2]
    return {
        "rule": issue["rule"],
        "severity": of_word(told),
        "source_severity": told,
        "message": issue.get("message", "")[: LIMITS.text],
        "path": given.paths(path) if path else None,
        "line": line or None,
        "end_line": end or None,
        "fingerprint": issue.get("key") or issue.get("hash") or "",
        "suppressed": issue.get("resolution") in _SETTLED or issue.get("issueStatus") in _ACCEPTED,
    }


def _coverage(measures: Mapping[str, str], given: Given) -> dict[str, Any] | None:
    if not all(name in measures for name in _COVERED):
        return None
    lines, missed = (round(number(measures[name])) for name in _COVERED)
    branches, untaken = (round(number(measures.get(name, "0"))) for name in _BRANCHES)
    if missed > lines or untaken > branches:
        raise RefusedError("the measures say that more is uncovered than there is", "Fetch them again.")
    return {
        "flag": given.flag,
        "lines_valid": lines,
        "lines_covered": lines - missed,
        "branches_valid": branches,
        "branches_covered": branches - untaken,
    }


def _measures(measures: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    for name, text in measures.items():
        try:
            yield measure(name, "", number(text))
        except RefusedError:
            continue  # some metrics are words or JSON; those that are numbers are what thresholds are held against


def _gate(status: Mapping[str, Any] | None) -> Iterable[dict[str, Any]]:
    if status is None:
        return
    verdict = status["status"]
    yield measure("quality_gate", "", _GATE.get(verdict, 0.0)) | {"threshold": "OK", "passed": _passed(verdict)}
    for condition in status.get("conditions", ()):
        if "actualValue" not in condition:
            continue
        threshold = f"{condition.get('comparator', '')} {condition.get('errorThreshold', '')}".strip()
        yield {
            **measure(condition["metricKey"], "quality_gate", number(condition["actualValue"])),
            "threshold": threshold,
            "passed": _passed(condition.get("status", "")),
        }


def _passed(status: str) -> bool | None:
    """``NONE`` is a gate that was not computed, which is neither."""
    return {"OK": True, "ERROR": False}.get(status)
