"""A measured figure is on the right side of its bound; one that nothing tells is never kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.definitions.load import definition_of_done
from shared.domain.change import CheckState, Reported
from shared.domain.definition import EvidenceKind, GateId, KnownByGate
from shared.domain.evidence import CaseResult, EvidenceFormat, Finding, Measure, Severity
from shared.domain.evidence import Outcome as Ended
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Outcome
from shared.domain.threshold import Threshold, Unit
from shared.errors import DefectError
from shared.gates import Asked
from tests.fakes.changes import (
    NOW,
    UNKNOWN,
    a_change,
    a_report,
    asked,
    at_least,
    check,
    commit,
    evidence,
    file,
    judged,
    reported,
    scan,
)  # fmt: skip

GATE = "threshold"
CODE = file("src/a.py", None, "a = 1\n")
CRITERIA = [
    one.id
    for one in definition_of_done().criteria
    if isinstance(one.known_by, KnownByGate) and one.known_by.gate is GateId.THRESHOLD
]


@pytest.mark.parametrize("criterion", CRITERIA)
def test_no_criterion_holds_on_a_change_of_which_nothing_is_known(criterion: str) -> None:
    unknown = dict.fromkeys(("commits", "checks", "reports", "files", "reviews"), UNKNOWN)
    found = judged(
        GATE,
        evidence().model_copy(update=unknown | {"change": a_change(state=PullRequestState.MERGED)}),
        asked(criterion),
    )
    assert found.outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize("criterion", CRITERIA)
def test_no_criterion_holds_where_there_is_no_evidence(criterion: str) -> None:
    assert judged(GATE, evidence(CODE), asked(criterion)).outcome in {Outcome.NOT_AVAILABLE, Outcome.NOT_APPLICABLE}


@pytest.mark.parametrize("criterion", ["pipeline_is_fast", "complexity_is_warranted", "test_pyramid_is_kept"])
def test_documentation_alone_is_not_measured(criterion: str) -> None:
    assert judged(GATE, evidence(file("docs/a.md", None, "a")), asked(criterion)).outcome is Outcome.NOT_APPLICABLE


@pytest.mark.parametrize("thresholds", [{}, {"names": Threshold(required=("a",))}])
def test_a_criterion_without_figures_is_a_defect(thresholds: dict) -> None:
    with pytest.raises(DefectError):
        judged(GATE, evidence(CODE), Asked(criterion="x", thresholds=thresholds))


class TestComplexity:
    ASKED = asked("complexity_is_warranted")

    @pytest.mark.parametrize(("ways", "outcome"), [(0, Outcome.MET), (15, Outcome.MET), (16, Outcome.UNMET)])
    def test_ways_through_a_function(self, ways: float, outcome: Outcome) -> None:
        seen = evidence(CODE, scans=(scan("lizard", figures={"cyclomatic_complexity": ways}),))
        assert judged(GATE, seen, self.ASKED).outcome is outcome

    def test_what_is_too_complicated_is_told_where(self) -> None:
        finding = Finding(rule="complexity", severity=Severity.MEDIUM, message="16 ways", path="src/a.py", line=1)
        seen = evidence(CODE, scans=(scan("lizard", finding, figures={"cyclomatic_complexity": 16}),))
        assert judged(GATE, seen, self.ASKED).remarks[0].line == 1

    @pytest.mark.parametrize(
        "scans",
        [
            (),
            (scan("lizard"),),
            (scan("lizard", findings=UNKNOWN),),
            (scan("lizard", figures={"cyclomatic_complexity": 2}), scan("lizard", findings=UNKNOWN)),
        ],
    )
    def test_what_nobody_measured_leaves_it_open(self, scans: tuple) -> None:
        assert judged(GATE, evidence(CODE, scans=scans), self.ASKED).outcome is Outcome.NOT_AVAILABLE

    def test_what_is_too_much_already_is_too_much(self) -> None:
        scans = (scan("lizard", figures={"cyclomatic_complexity": 20}), scan("lizard", findings=UNKNOWN))
        assert judged(GATE, evidence(CODE, scans=scans), self.ASKED).outcome is Outcome.UNMET


class TestDocumentedFunctions:
    ASKED = asked("functions_are_documented")

    def test_public_functions_with_docstrings_hold(self) -> None:
        source = (
            'def one():\n    """One."""\n\ndef _two(): ...\n\nclass A:\n    """A."""\n    def __init__(self): ...\n'
        )
        found = judged(GATE, evidence(file("src/a.py", None, source)), self.ASKED)
        assert (found.outcome, found.measured) == (Outcome.MET, {"documented_functions": 100.0})

    def test_one_without_is_told(self) -> None:
        found = judged(
            GATE, evidence(file("src/a.py", None, 'def one():\n    """One."""\n\ndef two(): ...\n')), self.ASKED
        )
        assert (found.outcome, found.measured) == (Outcome.UNMET, {"documented_functions": 50.0})
        assert (found.remarks[0].path, found.remarks[0].line) == ("src/a.py", 4)

    @pytest.mark.parametrize(
        ("changed", "outcome"),
        [
            (file("src/a.py", None, "def a(:\n"), Outcome.NOT_AVAILABLE),
            (CODE, Outcome.NOT_APPLICABLE),
            (file("src/a.ts", None, "let a\n"), Outcome.NOT_APPLICABLE),
            (file("tests/test_a.py", None, "def test_a(): ...\n"), Outcome.NOT_APPLICABLE),
        ],
    )
    def test_what_cannot_be_read_leaves_it_open(self, changed: object, outcome: Outcome) -> None:
        assert judged(GATE, evidence(changed), self.ASKED).outcome is outcome


class TestCommits:
    ASKED = asked("tests_fail_before_code")

    @pytest.mark.parametrize(
        ("commits", "share"),
        [
            ((commit("a", "src/a.py", "tests/test_a.py"),), 100.0),
            ((commit("a", "tests/test_a.py"), commit("b", "src/a.py")), 100.0),
            ((commit("a", "src/a.py"), commit("b", "tests/test_a.py")), 0.0),
            (
                (commit("a", "src/a.py"), commit("Merge main", "src/b.py"), commit("b", "tests/test_a.py", "src/a.py")),
                50.0,
            ),
        ],
    )
    def test_tests_come_with_or_ahead_of_code(self, commits: tuple, share: float) -> None:
        found = judged(GATE, evidence(CODE, commits=commits), self.ASKED)
        assert found.measured == {"commits_with_tests": share}
        assert found.outcome is (Outcome.MET if share >= 80 else Outcome.UNMET)

    def test_commits_without_code_are_not_asked(self) -> None:
        seen = evidence(file("Makefile", None, "a:\n"), commits=(commit("a", "docs/a.md"),))
        assert judged(GATE, seen, self.ASKED).outcome is Outcome.NOT_APPLICABLE

    def test_code_that_no_known_commit_brings_leaves_it_open(self) -> None:
        seen = evidence(CODE, commits=(commit("a", "docs/a.md"),))
        assert judged(GATE, seen, self.ASKED).outcome is Outcome.NOT_AVAILABLE

    @pytest.mark.parametrize("commits", [UNKNOWN, (commit("a").model_copy(update={"paths": None}),)])
    def test_commits_whose_files_are_not_known_leave_it_open(self, commits: object) -> None:
        assert judged(GATE, evidence(CODE, commits=commits), self.ASKED).outcome is Outcome.NOT_AVAILABLE


class TestDuration:
    ASKED = asked("pipeline_is_fast")

    @pytest.mark.parametrize(("minutes", "outcome"), [(8, Outcome.MET), (8.1, Outcome.UNMET), (0, Outcome.MET)])
    def test_from_the_first_start_to_the_last_end(self, minutes: float, outcome: Outcome) -> None:
        checks = (
            check("a", started_at=NOW, ended_at=NOW),
            check("b", CheckState.FAILED, started_at=NOW, ended_at=NOW + timedelta(minutes=minutes)),
            check("c", ours=True, started_at=NOW, ended_at=NOW + timedelta(days=1)),
        )
        found = judged(GATE, evidence(CODE, checks=checks), self.ASKED)
        assert (found.outcome, found.measured["duration"]) == (outcome, minutes)

    @pytest.mark.parametrize("checks", [(), UNKNOWN, (check(),), (check(state=CheckState.PENDING, started_at=NOW),)])
    def test_checks_that_do_not_tell_leave_it_open(self, checks: object) -> None:
        assert judged(GATE, evidence(CODE, checks=checks), self.ASKED).outcome is Outcome.NOT_AVAILABLE


def ran(*layers: tuple[str, int, float], flag: str = "", **rest: object) -> Reported:
    cases = tuple(
        CaseResult(suite="s", name=f"{layer}-{number}", seconds=seconds, path=f"tests/{layer}/test_a.py", **rest)
        for layer, count, seconds in layers
        for number in range(count)
    )
    return reported(a_report(EvidenceFormat.JUNIT, tests=cases), flag=flag, digest="sha256:1")


class TestPyramid:
    ASKED = asked("test_pyramid_is_kept")

    def test_many_small_and_few_large_tests_hold(self) -> None:
        found = judged(
            GATE,
            evidence(CODE, reports=(ran(("unit", 6, 0), ("smoke", 1, 0), ("integration", 2, 0), ("e2e", 1, 0)),)),
            self.ASKED,
        )
        assert found.outcome is Outcome.MET
        assert found.measured == {
            "unit_share": 60.0,
            "unit_and_smoke_share": 70.0,
            "integration_share": 20.0,
            "end_to_end_share": 10.0,
        }
        assert found.evidence == ("sha256:1",)

    def test_more_large_tests_do_not(self) -> None:
        found = judged(GATE, evidence(CODE, reports=(ran(("unit", 6, 0), ("e2e", 4, 0)),)), self.ASKED)
        assert found.outcome is Outcome.UNMET
        assert "end to end share: 40 percent where at most 10 percent is asked" in found.reason

    def test_skipped_tests_are_none(self) -> None:
        seen = evidence(CODE, reports=(ran(("unit", 6, 0), outcome=Ended.SKIPPED),))
        assert judged(GATE, seen, self.ASKED).outcome is Outcome.NOT_AVAILABLE

    @pytest.mark.parametrize(("flag", "share"), [("integration", 0.0), ("e2e", 0.0), ("unit", 100.0), ("linux", 100.0)])
    def test_the_flag_of_a_report_says_its_layer(self, flag: str, share: float) -> None:
        found = judged(GATE, evidence(CODE, reports=(ran(("unit", 2, 0), flag=flag),)), self.ASKED)
        assert found.measured["unit_share"] == share

    def test_a_suite_names_the_layer_where_there_is_no_path(self) -> None:
        case = CaseResult(suite="tests.integration.test_a", name="a")
        seen = evidence(CODE, reports=(reported(a_report(EvidenceFormat.JUNIT, tests=(case,))),))
        assert judged(GATE, seen, self.ASKED).measured["integration_share"] == 100.0


class TestLayers:
    ASKED = asked("test_layers_are_fast")

    def test_each_layer_has_its_time(self) -> None:
        seen = evidence(CODE, reports=(ran(("unit", 2, 0.5), ("integration", 1, 60), ("e2e", 1, 30)),))
        found = judged(GATE, seen, self.ASKED)
        assert found.outcome is Outcome.MET
        assert found.measured == {"unit_duration": 1.0, "integration_duration": 1.0, "end_to_end_duration": 0.5}

    def test_a_slow_layer_is_told(self) -> None:
        found = judged(GATE, evidence(CODE, reports=(ran(("unit", 3, 0.5)),)), self.ASKED)
        assert found.outcome is Outcome.UNMET
        assert "unit duration: 1.5 seconds where at most 1 seconds is asked" in found.reason


class TestLookedUp:
    LATENCY = Asked(
        criterion="x",
        thresholds={"p95_latency": Threshold(at_most=500, unit=Unit.MILLISECONDS)},
        evidence=EvidenceKind.MONITORING_DATA,
    )

    def told(self, *measures: Measure) -> Reported:
        return reported(a_report(EvidenceFormat.K6, measures=measures))

    @pytest.mark.parametrize(
        ("measure", "outcome"),
        [
            (Measure(metric="p95_latency", value=500, unit="ms"), Outcome.MET),
            (Measure(metric="p95-latency", value=0.6, unit="s"), Outcome.UNMET),
            (Measure(metric="p95", statistic="latency", value=501), Outcome.UNMET),
            (Measure(metric="latency", value=1), Outcome.NOT_AVAILABLE),
        ],
    )
    def test_a_report_may_tell_a_figure_by_its_name(self, measure: Measure, outcome: Outcome) -> None:
        assert judged(GATE, evidence(CODE, reports=(self.told(measure),)), self.LATENCY).outcome is outcome

    def test_the_worst_of_several_decides(self) -> None:
        seen = evidence(CODE, reports=(self.told(*(Measure(metric="uptime", value=each) for each in (99.0, 99.99))),))
        wanted = Asked(
            criterion="x", thresholds={"uptime": at_least(99.9, Unit.PERCENT)}, evidence=EvidenceKind.MONITORING_DATA
        )
        assert judged(GATE, seen, wanted).measured == {"uptime": 99.0}

    def test_a_rate_is_told_in_percent(self) -> None:
        seen = evidence(CODE, reports=(self.told(Measure(metric="checks", statistic="rate", value=0.5)),))
        wanted = Asked(criterion="x", thresholds={"checks_rate": at_least(50, Unit.PERCENT)})
        assert judged(GATE, seen, wanted).outcome is Outcome.MET

    def test_a_scanner_may_tell_it_and_may_be_silent(self) -> None:
        wanted = Asked(criterion="x", thresholds={"ways": Threshold(at_most=3, unit=Unit.COUNT)})
        assert judged(GATE, evidence(CODE, scans=(scan("a", figures={"ways": 2}),)), wanted).outcome is Outcome.MET
        half = evidence(CODE, scans=(scan("a", figures={"ways": 2}, findings=UNKNOWN),))
        assert judged(GATE, half, wanted).outcome is Outcome.NOT_AVAILABLE


def test_a_hotfix_of_whose_reviews_nothing_is_known_leaves_it_open() -> None:
    seen = evidence(CODE, reviews=UNKNOWN)
    assert judged(GATE, seen, asked("hotfix_is_reviewed_afterwards")).outcome is Outcome.NOT_AVAILABLE


def test_a_hotfix_that_is_still_open_has_nothing_to_catch_up_with() -> None:
    wanted = asked("hotfix_is_reviewed_afterwards")
    assert judged(GATE, evidence(CODE), wanted).outcome is Outcome.NOT_APPLICABLE
    merged = evidence(CODE, change=a_change(state=PullRequestState.MERGED))
    assert judged(GATE, merged, wanted).outcome is Outcome.NOT_AVAILABLE
