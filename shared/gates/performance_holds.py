"""Under load the software stays within its limits, and is not slower than the branch it goes to."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement, Remark
from shared.domain.threshold import Threshold, Unit
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.loads import Load, loads, same, slowdowns
from shared.gates import Asked, Gate
from shared.gates._concerns import aside
from shared.gates._figures import asked_or, at_most, judged, keeps

_USUAL = {"p95": at_most(2000, Unit.MILLISECONDS), "error_rate": at_most(1, Unit.PERCENT)}
_OWN = "own_thresholds_missed"
_MOST_NAMED = 20


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether response times, errors and slowdown stay within their bounds.

    ``p95`` is the slowest 95th percentile of all that was called, ``error_rate`` the share of all requests of a test, the
    worst where there are several. ``slower_than_before`` compares each call with the same one on the target branch.
    A threshold that the test itself sets and misses makes the first two unmet, whatever their figures.
    """
    if (answer := aside(evidence, "performance", FileKind.DOCUMENTATION, FileKind.TEST)) is not None:
        return answer
    if isinstance(evidence.reports, Unknown):
        return Judgement.unseen("the uploaded reports", evidence.reports)
    tests = loads(evidence.reports)
    thresholds = dict(asked_or(asked, _USUAL))
    figures: dict[str, float] = {}
    gaps: dict[str, str] = {}
    remarks: list[Remark] = []
    digests = [one.reported.record.digest for one in tests]
    if not tests:
        gaps = dict.fromkeys(
            thresholds, "no results of a load test (k6, Locust, JMeter) were uploaded about the commit"
        )
    else:
        _limits(tests, thresholds, figures, gaps, remarks)
        if "slower_than_before" in thresholds:
            digests += _slowdown(evidence, tests, thresholds["slower_than_before"], figures, gaps, remarks)
    return judged(thresholds, figures, gaps, of=f"by {len(tests)} load tests", remarks=remarks, evidence=digests)


def _limits(
    tests: tuple[Load, ...],
    thresholds: dict[str, Threshold],
    figures: dict[str, float],
    gaps: dict[str, str],
    remarks: list[Remark],
) -> None:
    if "p95" in thresholds:
        slowest = [one.p95 for one in tests if one.p95 is not None]
        if slowest:
            figures["p95"] = max(value for _, value in slowest)
        if len(slowest) < len(tests):
            gaps["p95"] = "a load test does not tell the 95th percentile of its response times"
        remarks += [
            _remark(f"95 of 100 calls of {name} take up to {each['p95']:g} ms.", "slow")
            for test in tests
            for name, each in test.times.items()
            if "p95" in each and not keeps(thresholds["p95"], each["p95"])
        ][:_MOST_NAMED]
    if "error_rate" in thresholds:
        rates = [one.error_rate for one in tests if one.error_rate is not None]
        if rates:
            figures["error_rate"] = max(rates)
        if len(rates) < len(tests):
            gaps["error_rate"] = "a load test does not tell its errors, or made no request"
    if {"p95", "error_rate"} & set(thresholds):
        missed = [one for test in tests for one in test.missed]
        thresholds[_OWN] = at_most(0)
        figures[_OWN] = len(missed)
        remarks += [
            _remark(f"The load test's own threshold is missed: {one.metric} {one.threshold}.", "threshold_missed")
            for one in missed
        ]


def _slowdown(
    evidence: ChangeEvidence,
    tests: tuple[Load, ...],
    threshold: Threshold,
    figures: dict[str, float],
    gaps: dict[str, str],
    remarks: list[Remark],
) -> list[str]:
    if isinstance(evidence.base_reports, Unknown):
        gaps["slower_than_before"] = (
            f"the reports about the target branch could not be had: {evidence.base_reports.reason}"
        )
        return []
    base = loads(evidence.base_reports)
    worst: float | None = None
    for now in tests:
        runs = [one for one in base if same(now, one)]
        before = max(runs, key=lambda one: one.reported.record.received_at, default=None)
        for name, was, takes in slowdowns(now, before) if before else ():
            percent = max(0.0, 100 * (takes - was) / was)
            worst = percent if worst is None else max(worst, percent)
            if not keeps(threshold, percent):
                remarks.append(_remark(f"{name} takes {takes:g} ms where it took {was:g} ms.", "slower"))
    if worst is None:
        gaps["slower_than_before"] = (
            "no load test of the target branch calls the same, so there is nothing to compare with"
        )
        return []
    figures["slower_than_before"] = worst
    return [one.reported.record.digest for one in base]


def _remark(message: str, rule: str) -> Remark:
    return Remark(message=message[:2_000], severity=Harm.MEDIUM, rule=rule)


GATE = Gate(
    id=GateId.PERFORMANCE_HOLDS,
    motivation="What is slow under load is found by all users at once, on the day there are most of them.",
    reads=("files", "reports", "base_reports"),
    effort=Effort.DAYS,
    remedy="Find in a profile what takes the time, mend it, and let the pipeline upload the results of the load test again.",
    evaluate=evaluate,
    takes=("p95", "error_rate", "slower_than_before"),
)
