"""Under load the software stays within its limits, and is not slower than before."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.change import Reported
from shared.domain.evidence import EvidenceFormat, Measure
from shared.domain.review import Outcome
from tests.fakes.changes import BASE, NOW, UNKNOWN, a_report, asked, evidence, file, judged, reported

GATE = "performance_holds"
CODE = file("src/a.py", None, "a = 1\n")
LIMITS, REGRESSION = asked("performance_holds"), asked("performance_regression_is_tested")


def k6(p95: float = 300, failed: float = 0.0, *more: Measure, **rest: object) -> Reported:
    measures = (
        Measure(metric="http_req_duration", statistic="p95", value=p95, unit="ms"),
        Measure(metric="http_req_failed", statistic="rate", value=failed),
        Measure(metric="iteration_duration", statistic="p95", value=90_000, unit="ms"),
        *more,
    )
    return reported(a_report(EvidenceFormat.K6, tool="k6", measures=measures), **rest)


def locust(*rows: tuple[str, str, float]) -> Reported:
    measures = tuple(
        Measure(metric=metric, statistic=statistic, value=value, unit="ms" if statistic.startswith("p") else "")
        for metric, statistic, value in rows
    )
    return reported(a_report(EvidenceFormat.LOCUST, tool="Locust", measures=measures))


@pytest.mark.parametrize(
    ("p95", "failed", "outcome"),
    [(2000, 0.01, Outcome.MET), (2001, 0.0, Outcome.UNMET), (300, 0.011, Outcome.UNMET), (0.5, 0.0, Outcome.MET)],
)
def test_times_and_errors_are_held_to_their_bounds(p95: float, failed: float, outcome: Outcome) -> None:
    found = judged(GATE, evidence(CODE, reports=(k6(p95, failed, digest="sha256:1"),)), LIMITS)
    assert found.outcome is outcome
    assert found.evidence == ("sha256:1",)
    assert found.measured["p95"] == p95
    assert found.measured["error_rate"] == pytest.approx(failed * 100)


def test_the_slowest_of_all_that_was_called_decides() -> None:
    report = locust(
        ("GET /", "p95", 100), ("GET /orders", "p95", 2500), ("GET /", "requests", 100), ("GET /", "failures", 0)
    )
    found = judged(GATE, evidence(CODE, reports=(report,)), LIMITS)
    assert found.outcome is Outcome.UNMET
    assert [remark.message for remark in found.remarks] == ["95 of 100 calls of GET /orders take up to 2500 ms."]


def test_errors_are_a_share_of_all_requests_and_sums_count_once() -> None:
    report = locust(
        ("GET /a", "p95", 1), ("GET /a", "requests", 90), ("GET /a", "failures", 0),
        ("GET /b", "requests", 10), ("GET /b", "failures", 3),
        ("Aggregated", "requests", 100), ("Aggregated", "failures", 3),
    )  # fmt: skip
    found = judged(GATE, evidence(CODE, reports=(report,)), LIMITS)
    assert found.measured["error_rate"] == 3.0


def test_a_threshold_that_the_test_itself_sets_and_misses_is_unmet() -> None:
    missed = Measure(metric="checks", statistic="rate", value=0.9, threshold="rate>0.99", passed=False)
    found = judged(GATE, evidence(CODE, reports=(k6(300, 0.0, missed),)), LIMITS)
    assert found.outcome is Outcome.UNMET
    assert found.remarks[0].message.endswith("checks rate>0.99.")


@pytest.mark.parametrize(
    "reports",
    [
        (),
        UNKNOWN,
        (reported(a_report(EvidenceFormat.JUNIT)),),
        (
            reported(
                a_report(EvidenceFormat.K6, measures=(Measure(metric="http_req_failed", statistic="rate", value=0),))
            ),
        ),
        (locust(("GET /", "p95", 100)),),
        (locust(("GET /", "p95", 100), ("GET /", "requests", 0), ("GET /", "failures", 0)),),
        (k6(), locust(("GET /", "p95", 100))),
    ],
)
def test_what_the_load_test_does_not_tell_leaves_it_open(reports: object) -> None:
    assert judged(GATE, evidence(CODE, reports=reports), LIMITS).outcome is Outcome.NOT_AVAILABLE


def test_a_figure_that_k6_left_out_of_its_summary_is_not_nought() -> None:
    told = (
        Measure(metric="http_req_duration", statistic="p95", value=0.0, unit="ms", threshold="p(95)<500", passed=True),
        Measure(metric="http_req_failed", statistic="rate", value=0.0),
    )
    report = reported(a_report(EvidenceFormat.K6, measures=told))
    assert judged(GATE, evidence(CODE, reports=(report,)), LIMITS).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize("path", ["docs/a.md", "tests/test_a.py"])
def test_what_does_not_run_in_production_is_not_asked(path: str) -> None:
    assert judged(GATE, evidence(file(path, None, "a"), reports=(k6(9000),)), LIMITS).outcome is Outcome.NOT_APPLICABLE


def test_files_that_are_not_known_leave_it_open() -> None:
    seen = evidence(reports=(k6(),)).model_copy(update={"files": UNKNOWN})
    assert judged(GATE, seen, LIMITS).outcome is Outcome.NOT_AVAILABLE


class TestRegression:
    @pytest.mark.parametrize(
        ("before", "now", "outcome", "percent"),
        [
            (100, 110, Outcome.MET, 10.0),
            (100, 110.5, Outcome.UNMET, 10.5),
            (100, 50, Outcome.MET, 0.0),
            (100, 100, Outcome.MET, 0.0),
        ],
    )
    def test_a_call_may_take_so_much_longer(self, before: float, now: float, outcome: Outcome, percent: float) -> None:
        seen = evidence(CODE, reports=(k6(now),), base_reports=(k6(before, commit=BASE),))
        found = judged(GATE, seen, REGRESSION)
        assert (found.outcome, found.measured["slower_than_before"]) == (outcome, percent)
        assert len(found.evidence) == 2 - (before == now)
        assert len(found.remarks) == (outcome is Outcome.UNMET)

    def test_the_newest_run_of_the_target_is_compared_with(self) -> None:
        base = (
            k6(300, commit=BASE, received_at=NOW),
            k6(50, commit=BASE, received_at=NOW - timedelta(days=1)),
        )
        assert judged(GATE, evidence(CODE, reports=(k6(300),), base_reports=base), REGRESSION).outcome is Outcome.MET

    @pytest.mark.parametrize(
        "base",
        [
            (),
            UNKNOWN,
            (locust(("GET /", "p95", 100)),),
            (k6(0),),
            (k6(100, flag="soak"),),
        ],
    )
    def test_without_the_same_on_the_target_there_is_nothing_to_compare_with(self, base: object) -> None:
        found = judged(GATE, evidence(CODE, reports=(k6(),), base_reports=base), REGRESSION)
        assert found.outcome is Outcome.NOT_AVAILABLE

    def test_means_are_compared_where_there_is_no_percentile(self) -> None:
        def run(mean: float) -> Reported:
            return reported(
                a_report(
                    EvidenceFormat.JMETER, measures=(Measure(metric="buy", statistic="mean", value=mean, unit="ms"),)
                )
            )

        found = judged(GATE, evidence(CODE, reports=(run(150),), base_reports=(run(100),)), REGRESSION)
        assert found.measured["slower_than_before"] == 50.0

    def test_seconds_are_told_as_milliseconds(self) -> None:
        slow = Measure(metric="http_req_duration{page:a}", statistic="p95", value=3, unit="s")
        found = judged(GATE, evidence(CODE, reports=(k6(300, 0.0, slow),)), LIMITS)
        assert found.measured["p95"] == 3000
