"""No test passes and fails on the same code; one that did is mended and not skipped."""

from __future__ import annotations

import pytest

from shared.domain.change import Reported
from shared.domain.evidence import CaseResult, EvidenceFormat
from shared.domain.evidence import Outcome as Ended
from shared.domain.review import Outcome
from tests.fakes.changes import (
    EARLIER,
    HEAD,
    TRIAL_MERGE,
    UNKNOWN,
    UNSUPPORTED,
    a_report,
    asked,
    evidence,
    file,
    judged,
    reported,
)

GATE = "no_flaky_tests"
CODE = file("src/a.py", None, "a = 1\n")
ASKED = asked(GATE)


def run(*cases: CaseResult, commit: str = HEAD, flag: str = "") -> Reported:
    return reported(a_report(EvidenceFormat.JUNIT, tests=cases), commit=commit, flag=flag)


def case(outcome: Ended = Ended.PASSED, name: str = "test_a", **rest: object) -> CaseResult:
    return CaseResult(suite="tests.test_a", name=name, outcome=outcome, path="tests/test_a.py", **rest)


@pytest.mark.parametrize(
    "reports",
    [
        (run(case()),),
        (run(case()), run(case(), case(name="test_b"))),
        (run(case(Ended.FAILED)),),
        (run(case(), case(Ended.SKIPPED)),),
        (run(case(Ended.FAILED, retries=2)),),
        (run(case(), flag="linux"), run(case(Ended.FAILED), flag="windows")),
        (run(case()), run(case(Ended.FAILED), commit=TRIAL_MERGE)),
    ],
)
def test_tests_that_end_alike_hold(reports: tuple[Reported, ...]) -> None:
    found = judged(GATE, evidence(CODE, reports=reports), ASKED)
    assert (found.outcome, found.measured) == (Outcome.MET, {"flaky": 0})
    assert len(found.evidence) == len({one.record.digest for one in reports})


@pytest.mark.parametrize(
    ("reports", "why"),
    [
        ((run(case(flaky=True)),), "failed and passed in one run"),
        ((run(case(retries=1)),), "passed only after 1 more try"),
        ((run(case(retries=2)),), "passed only after 2 more tries"),
        ((run(case()), run(case(Ended.FAILED))), f"passed and failed on {HEAD[:8]}"),
        ((run(case()), run(case(Ended.ERRORED))), f"passed and failed on {HEAD[:8]}"),
    ],
)
def test_a_flaky_test_is_told(reports: tuple[Reported, ...], why: str) -> None:
    found = judged(GATE, evidence(CODE, reports=reports), ASKED)
    assert (found.outcome, found.measured) == (Outcome.UNMET, {"flaky": 1})
    (remark,) = found.remarks
    assert why in remark.message
    assert remark.path == "tests/test_a.py"


def test_tests_of_one_name_in_two_files_are_two() -> None:
    other = CaseResult(suite="tests.test_a", name="test_a", outcome=Ended.FAILED, path="tests/other/test_a.py")
    assert judged(GATE, evidence(CODE, reports=(run(case()), run(other))), ASKED).outcome is Outcome.MET


BEFORE = (run(case(), commit=EARLIER), run(case(Ended.FAILED), commit=EARLIER))


@pytest.mark.parametrize(
    ("now", "outcome", "remarks"),
    [
        (case(Ended.SKIPPED), Outcome.UNMET, 1),
        (case(), Outcome.MET, 1),
        (case(flaky=True), Outcome.UNMET, 1),
        (case(name="test_b"), Outcome.MET, 1),
    ],
)
def test_what_was_flaky_on_an_earlier_head_is_remembered(now: CaseResult, outcome: Outcome, remarks: int) -> None:
    found = judged(GATE, evidence(CODE, reports=(run(now),), earlier_reports=BEFORE), ASKED)
    assert (found.outcome, len(found.remarks)) == (outcome, remarks)


def test_a_failure_on_an_earlier_head_and_a_pass_on_this_one_is_a_mend() -> None:
    seen = evidence(CODE, reports=(run(case()),), earlier_reports=(run(case(Ended.FAILED), commit=EARLIER),))
    found = judged(GATE, seen, ASKED)
    assert (found.outcome, found.remarks) == (Outcome.MET, ())


@pytest.mark.parametrize(
    "rest",
    [
        {"reports": ()},
        {"reports": UNKNOWN},
        {"reports": (run(),)},
        {"reports": (run(case()),), "earlier_reports": UNKNOWN},
        {"files": UNKNOWN},
    ],
)
def test_without_results_nobody_can_tell(rest: dict) -> None:
    assert judged(GATE, evidence(CODE).model_copy(update=rest), ASKED).outcome is Outcome.NOT_AVAILABLE


def test_earlier_heads_that_are_not_kept_leave_nothing_open() -> None:
    seen = evidence(CODE, reports=(run(case()),), earlier_reports=UNSUPPORTED)
    assert judged(GATE, seen, ASKED).outcome is Outcome.MET


def test_documentation_is_not_tested() -> None:
    assert judged(GATE, evidence(file("docs/a.md", None, "a")), ASKED).outcome is Outcome.NOT_APPLICABLE
