"""Finds flaky tests in the reports of a pull request: those that pass and fail while nothing that matters to them changed."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Sequence

from pydantic import Field

from shared.domain.change import Reported
from shared.domain.evidence import CaseResult, Outcome
from shared.domain.forge import Frozen

_FAILED = frozenset({Outcome.FAILED, Outcome.ERRORED})
_TURNS = 2
"""How often a test turns between passing and failing across pushes before that is told: once is a fault and its mending."""


class FlakyTest(Frozen):
    """One test, and what speaks of its being flaky."""

    suite: str
    name: str
    path: str = ""
    why: str
    confidence: float = Field(ge=0, le=1)


def flaky(latest: Iterable[Reported], earlier: Iterable[Reported]) -> tuple[FlakyTest, ...]:
    """Flaky tests, the surest first.

    Args:
        latest: reports about the head.
        earlier: reports about earlier heads, newest first.
    """
    reports = [one for one in (*latest, *earlier) if one.report.tests]
    found: dict[tuple[str, str], FlakyTest] = {}
    told = defaultdict(list)
    for reported in reports:
        for case in reported.report.tests:
            told[(case.suite, case.name)].append((reported.record.commit, case))
    for (suite, name), results in told.items():
        one = _judged(results)
        if one is not None:
            why, confidence = one
            path = next((case.path for _, case in results if case.path), "") or ""
            found[(suite, name)] = FlakyTest(suite=suite, name=name, path=path, why=why, confidence=confidence)
    return tuple(sorted(found.values(), key=lambda one: (-one.confidence, one.suite, one.name)))


def _judged(results: Sequence[tuple[str, CaseResult]]) -> tuple[str, float] | None:
    within = [
        (commit, case) for commit, case in results if case.flaky or (case.retries and case.outcome is Outcome.PASSED)
    ]
    if within:
        commit, case = within[0]
        again = f" after {case.retries} retries" if case.retries else ""
        return f"it failed and passed{again} within one run of {commit[:8]}", 0.95
    by_commit: dict[str, set[bool]] = defaultdict(set)
    for commit, case in results:
        if case.outcome is not Outcome.SKIPPED:
            by_commit[commit].add(case.outcome in _FAILED)
    both = [commit for commit, outcomes in by_commit.items() if len(outcomes) == 2]
    if both:
        return f"it passed and failed on the same commit {both[0][:8]}", 0.9
    course = [next(iter(outcomes)) for outcomes in by_commit.values()]
    turns = sum(one != other for one, other in itertools.pairwise(course))
    if turns >= _TURNS:
        return f"it turned {turns} times between passing and failing in {len(course)} pushes", min(
            0.8, 0.3 + 0.15 * turns
        )
    return None
