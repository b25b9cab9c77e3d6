"""Reads the JSON reporter of Playwright Test: https://playwright.dev/docs/test-reporters#json-reporter"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.evidence import Outcome
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.schemas import hold

_OUTCOMES = {
    "passed": Outcome.PASSED,
    "failed": Outcome.FAILED,
    "timedOut": Outcome.FAILED,
    "interrupted": Outcome.ERRORED,
    "skipped": Outcome.SKIPPED,
}
_STATUSES = {
    "expected": Outcome.PASSED,
    "flaky": Outcome.PASSED,
    "unexpected": Outcome.FAILED,
    "skipped": Outcome.SKIPPED,
}


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """Every test in every browser, with its tries."""
    hold(value, "playwright")
    tests = [test for suite in value["suites"] for test in _suite(suite, (), given)]
    return {"tool": "Playwright", "tool_version": value.get("config", {}).get("version", ""), "tests": tests}


def _suite(suite: Mapping[str, Any], above: tuple[str, ...], given: Given) -> Iterable[dict[str, Any]]:
    titles = (*above, suite["title"]) if suite.get("title") else above
    for spec in suite.get("specs", ()):
        for test in spec["tests"]:
            yield _test(spec, test, titles, given)
    for below in suite.get("suites", ()):
        yield from _suite(below, titles, given)


def _test(spec: Mapping[str, Any], test: Mapping[str, Any], titles: tuple[str, ...], given: Given) -> dict[str, Any]:
    results = test["results"]
    last = results[-1] if results else {}
    browser = test.get("projectName")
    messages = [result["error"]["message"] for result in results if result.get("error", {}).get("message")]
    return {
        "suite": " > ".join(titles),
        "name": f"{spec['title']} [{browser}]" if browser else spec["title"],
        "outcome": _outcome(test, last),
        "seconds": max(0.0, sum(result.get("duration", 0) for result in results) / 1000),
        "message": messages[-1][: LIMITS.text] if messages else "",
        "path": given.paths(spec["file"]) if spec.get("file") else None,
        "retries": max(0, len(results) - 1),
        "flaky": test.get("status") == "flaky",
    }


def _outcome(test: Mapping[str, Any], last: Mapping[str, Any]) -> Outcome:
    """As the test expected it: one that was to fail and did has passed. It was broken off where it says so."""
    ended = _OUTCOMES.get(last.get("status", ""), Outcome.SKIPPED)
    return ended if ended is Outcome.ERRORED else _STATUSES.get(test.get("status", ""), ended)
