"""Tests cover enough, as far as reports tell; what they leave out is never taken for covered."""

from __future__ import annotations

import pytest

from shared.domain.change import Reported
from shared.domain.evidence import Coverage, EvidenceFormat, FileCoverage
from shared.domain.review import Outcome
from shared.evidence.covered import numbers_in
from shared.gates import Asked
from tests.fakes.changes import (
    BASE,
    HEAD,
    MERGE_BASE,
    TRIAL_MERGE,
    UNKNOWN,
    a_report,
    asked,
    at_least,
    evidence,
    file,
    judged,
    reported,
)

GATE = "coverage_holds"
CODE = file("src/a.py", "x = 1\n", "x = 1\ndef two():\n    return 2\n\ndef three():\n    return 3\n")
"""Lines 2 to 6 are new."""


def covered(path: str = "src/a.py", hit: str | None = "1-6", missed: str | None = "", **sums: int) -> FileCoverage:
    if hit is not None and missed is not None:
        lines = len(numbers_in(hit)), len(numbers_in(hit)) + len(numbers_in(missed))
        sums = {"lines_covered": lines[0], "lines_valid": lines[1]} | sums
    return FileCoverage(path=path, hit=hit, missed=missed, **sums)


def report(*files: FileCoverage, flag: str = "", digest: str = "", commit: str = HEAD, **sums: int) -> Reported:
    totals = sums or {
        "lines_valid": sum(one.lines_valid for one in files),
        "lines_covered": sum(one.lines_covered for one in files),
    }
    coverage = Coverage(flag=flag, files=files, **totals)
    return reported(a_report(EvidenceFormat.COBERTURA, coverage=coverage), flag=flag, digest=digest, commit=commit)


def share(percent: float, flag: str = "") -> Reported:
    return report(flag=flag, lines_valid=1000, lines_covered=round(percent * 10))


@pytest.mark.parametrize(
    ("criterion", "flag", "bound"),
    [
        ("overall_coverage_holds", "", 85),
        ("unit_coverage_holds", "unit", 90),
        ("integration_coverage_holds", "integration", 80),
        ("critical_coverage_holds", "critical", 95),
    ],
)
@pytest.mark.parametrize(("above", "outcome"), [(0.1, Outcome.MET), (0.0, Outcome.MET), (-0.1, Outcome.UNMET)])
def test_each_share_is_held_to_its_bound(
    criterion: str, flag: str, bound: float, above: float, outcome: Outcome
) -> None:
    found = judged(GATE, evidence(CODE, reports=(share(bound + above, flag),)), asked(criterion))
    assert found.outcome is outcome
    assert found.evidence


@pytest.mark.parametrize(
    "criterion",
    [
        "overall_coverage_holds",
        "unit_coverage_holds",
        "integration_coverage_holds",
        "critical_coverage_holds",
        "new_code_coverage_holds",
        "coverage_is_not_decreased",
    ],
)
@pytest.mark.parametrize("reports", [(), UNKNOWN, (reported(a_report(EvidenceFormat.JUNIT)),)])
def test_without_a_report_nobody_can_tell(criterion: str, reports: object) -> None:
    found = judged(GATE, evidence(CODE, reports=reports, base_reports=(share(90),)), asked(criterion))
    assert found.outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize("criterion", ["unit_coverage_holds", "integration_coverage_holds"])
def test_a_report_about_other_tests_says_nothing_of_a_layer(criterion: str) -> None:
    seen = evidence(CODE, reports=(share(100), share(100, "smoke")))
    assert judged(GATE, seen, asked(criterion)).outcome is Outcome.NOT_AVAILABLE


def test_a_report_without_lines_is_no_full_coverage() -> None:
    found = judged(
        GATE,
        evidence(CODE, reports=(report(flag="", lines_valid=0, lines_covered=0),)),
        asked("overall_coverage_holds"),
    )
    assert found.outcome is Outcome.NOT_AVAILABLE


def test_documentation_is_not_covered() -> None:
    seen = evidence(file("docs/a.md", None, "a"), reports=(share(1),))
    assert judged(GATE, seen, asked("overall_coverage_holds")).outcome is Outcome.NOT_APPLICABLE


def test_files_that_are_not_known_leave_it_open() -> None:
    seen = evidence(reports=(share(100),)).model_copy(update={"files": UNKNOWN})
    assert judged(GATE, seen, asked("overall_coverage_holds")).outcome is Outcome.NOT_AVAILABLE


def test_layers_together_are_all_tests_where_no_report_is() -> None:
    unit = report(covered(hit="1-5", missed="6-10"), flag="unit")
    other = report(covered(hit="6-9", missed="1-5,10"), flag="integration")
    found = judged(GATE, evidence(CODE, reports=(unit, other)), asked("overall_coverage_holds"))
    assert found.measured == {"overall": 90.0}


def test_sums_of_two_reports_are_not_added_up() -> None:
    one = report(covered(hit=None, missed=None, lines_valid=10, lines_covered=6), flag="unit")
    two = report(covered(hit=None, missed=None, lines_valid=10, lines_covered=7), flag="integration")
    found = judged(GATE, evidence(CODE, reports=(one, two)), asked("overall_coverage_holds"))
    assert found.measured == {"overall": 70.0}


def test_lines_of_two_commits_are_not_put_together() -> None:
    head = report(covered(hit="1-2", missed="3,5-6"))
    merged = report(covered(hit="3-6", missed="1-2"), commit=TRIAL_MERGE)
    found = judged(GATE, evidence(CODE, reports=(merged, head)), asked("new_code_coverage_holds"))
    assert found.measured == {"new_code": 25.0}
    alone = judged(GATE, evidence(CODE, reports=(merged,)), asked("new_code_coverage_holds"))
    assert alone.measured == {"new_code": 80.0}


class TestCritical:
    def test_critical_modules_are_known_by_their_path(self) -> None:
        seen = evidence(CODE, reports=(report(covered(), covered("src/auth/token.py", "1-9", "10")),))
        found = judged(GATE, seen, asked("critical_coverage_holds"))
        assert (found.outcome, found.measured) == (Outcome.UNMET, {"critical": 90.0})

    def test_software_without_critical_modules_is_not_asked(self) -> None:
        found = judged(GATE, evidence(CODE, reports=(report(covered()),)), asked("critical_coverage_holds"))
        assert found.outcome is Outcome.NOT_APPLICABLE

    def test_reports_that_tell_no_files_leave_it_open(self) -> None:
        found = judged(GATE, evidence(CODE, reports=(share(99),)), asked("critical_coverage_holds"))
        assert found.outcome is Outcome.NOT_AVAILABLE


class TestNewCode:
    ASKED = asked("new_code_coverage_holds")

    def test_new_lines_that_were_run_hold(self) -> None:
        found = judged(
            GATE, evidence(CODE, reports=(report(covered(hit="2-3,5-6", missed="1"), digest="sha256:1"),)), self.ASKED
        )
        assert (found.outcome, found.measured, found.remarks) == (Outcome.MET, {"new_code": 100.0}, ())
        assert found.evidence == ("sha256:1",)

    def test_new_lines_that_were_not_run_are_told(self) -> None:
        found = judged(GATE, evidence(CODE, reports=(report(covered(hit="1-2", missed="3,5-6")),)), self.ASKED)
        assert (found.outcome, found.measured) == (Outcome.UNMET, {"new_code": 25.0})
        assert [(one.path, one.line, one.end_line) for one in found.remarks] == [("src/a.py", 3, 3), ("src/a.py", 5, 6)]

    def test_a_file_that_no_report_tells_of_is_not_covered(self) -> None:
        other = file("src/b.py", None, "def b():\n    return 1\n")
        found = judged(GATE, evidence(CODE, other, reports=(report(covered()),)), self.ASKED)
        assert found.outcome is Outcome.NOT_AVAILABLE
        assert "src/b.py" in found.reason

    def test_what_no_report_tells_of_cannot_save_what_is_too_little(self) -> None:
        other = file("src/b.py", None, "b = 1\n")
        found = judged(GATE, evidence(CODE, other, reports=(report(covered(hit="1-2", missed="3,5-6")),)), self.ASKED)
        assert found.outcome is Outcome.UNMET

    @pytest.mark.parametrize("lines", [(None, None), ("1-6", None)])
    def test_a_report_of_sums_alone_leaves_it_open(self, lines: tuple[str | None, str | None]) -> None:
        seen = evidence(CODE, reports=(report(covered(hit=lines[0], missed=lines[1], lines_valid=6, lines_covered=6)),))
        assert judged(GATE, seen, self.ASKED).outcome is Outcome.NOT_AVAILABLE

    def test_hunks_that_could_not_be_had_leave_it_open(self) -> None:
        lost = CODE.model_copy(update={"patch": None})
        assert judged(GATE, evidence(lost, reports=(report(covered()),)), self.ASKED).outcome is Outcome.NOT_AVAILABLE

    def test_a_new_file_without_hunks_is_read_whole(self) -> None:
        new = file("src/a.py", None, "a = 1\nb = 2\n", patch=None)
        found = judged(GATE, evidence(new, reports=(report(covered(hit="1", missed="2")),)), self.ASKED)
        assert found.measured == {"new_code": 50.0}

    @pytest.mark.parametrize(
        "other",
        [
            file("tests/test_a.py", None, "a = 1\n"),
            file("src/a.py", "a = 1\nb = 2\n", "a = 1\n"),
            file("src/a.py", "a = 1\n", None),
            file("deploy.sh", None, "ls\n"),
            file("src/a.d.ts", None, "type A = 1\n"),
            file("src/a.py", "a = 1\n", "a = 1\n\n"),
        ],
    )
    def test_a_change_without_lines_to_run_is_not_asked(self, other: object) -> None:
        assert judged(GATE, evidence(other, reports=(report(covered()),)), self.ASKED).outcome is Outcome.NOT_APPLICABLE

    def test_lines_that_cannot_be_run_are_neither_covered_nor_missed(self) -> None:
        comment = file("src/a.py", "a = 1\n", "a = 1\n# why\n")
        found = judged(GATE, evidence(comment, reports=(report(covered(hit="1")),)), self.ASKED)
        assert found.outcome is Outcome.MET


class TestDecrease:
    ASKED = asked("coverage_is_not_decreased")

    @pytest.mark.parametrize(
        ("before", "now", "outcome", "decrease"),
        [
            (90, 90, Outcome.MET, 0.0),
            (90, 91, Outcome.MET, 0.0),
            (90, 89.9, Outcome.UNMET, 0.1),
            (0, 50, Outcome.MET, 0.0),
        ],
    )
    def test_coverage_is_no_lower_than_before(
        self, before: float, now: float, outcome: Outcome, decrease: float
    ) -> None:
        found = judged(GATE, evidence(CODE, reports=(share(now),), base_reports=(share(before),)), self.ASKED)
        assert (found.outcome, found.measured) == (outcome, {"decrease": pytest.approx(decrease)})

    @pytest.mark.parametrize("base", [(), UNKNOWN, (report(lines_valid=0, lines_covered=0),)])
    def test_without_a_report_about_the_target_nobody_can_tell(self, base: object) -> None:
        found = judged(GATE, evidence(CODE, reports=(share(99),), base_reports=base), self.ASKED)
        assert found.outcome is Outcome.NOT_AVAILABLE


def test_the_target_as_it_is_now_counts_before_the_one_the_change_began_at() -> None:
    base = (
        report(lines_valid=100, lines_covered=80, commit=BASE),
        report(lines_valid=100, lines_covered=95, commit=MERGE_BASE),
    )
    found = judged(GATE, evidence(CODE, reports=(share(85),), base_reports=base), asked("coverage_is_not_decreased"))
    assert found.outcome is Outcome.MET


def test_several_shares_may_be_asked_at_once() -> None:
    wanted = Asked(
        criterion="both", thresholds={"overall": at_least(85), "new_code": at_least(90), "critical": at_least(95)}
    )
    found = judged(GATE, evidence(CODE, reports=(report(covered()),)), wanted)
    assert (found.outcome, found.measured) == (Outcome.MET, {"overall": 100.0, "new_code": 100.0})


def test_without_thresholds_of_its_own_the_usual_ones_are_asked() -> None:
    found = judged(GATE, evidence(CODE, reports=(report(covered()),), base_reports=(share(50),)))
    assert set(found.measured) == {"overall", "new_code", "decrease"}
