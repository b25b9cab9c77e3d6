"""The interface breaks few enough rules of accessibility; pages nobody looked at are not taken for accessible."""

from __future__ import annotations

import pytest

from shared.domain.change import Reported
from shared.domain.evidence import AccessibilityFault, CaseResult, EvidenceFormat, Measure
from shared.domain.evidence import Outcome as Ended
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_report, asked, evidence, file, judged, reported

GATE = "accessibility_holds"
PAGE = file("web/index.html", None, "<img>\n")
CODE = file("src/a.py", None, "a = 1\n")


def axe(*impacts: str, page: str = "https://shop.test/") -> Reported:
    faults = tuple(
        AccessibilityFault(rule=f"rule-{number}", impact=impact, message="Images need text.", page=page, nodes=2)
        for number, impact in enumerate(impacts)
    )
    return reported(a_report(EvidenceFormat.AXE, tool="axe-core", accessibility=faults), digest="sha256:1")


@pytest.mark.parametrize(
    ("criterion", "impacts", "outcome"),
    [
        ("accessibility_holds", (), Outcome.MET),
        ("accessibility_holds", ("moderate",) * 9, Outcome.MET),
        ("accessibility_holds", ("serious",), Outcome.UNMET),
        ("accessibility_holds", ("critical",), Outcome.UNMET),
        ("accessibility_complies", ("moderate",) * 5, Outcome.MET),
        ("accessibility_complies", ("moderate",) * 6, Outcome.UNMET),
        ("accessibility_complies", ("minor",) * 9, Outcome.MET),
    ],
)
def test_each_impact_is_held_to_its_bound(criterion: str, impacts: tuple[str, ...], outcome: Outcome) -> None:
    found = judged(GATE, evidence(PAGE, reports=(axe(*impacts),)), asked(criterion))
    assert found.outcome is outcome
    assert found.evidence == ("sha256:1",)
    assert len(found.remarks) == len(impacts)


def test_a_rule_counts_once_a_page() -> None:
    found = judged(
        GATE, evidence(PAGE, reports=(axe("serious"), axe("serious"), axe("serious", page="/b"))), asked(GATE)
    )
    assert found.measured["serious"] == 2


def test_the_worst_is_told_first_with_its_page() -> None:
    found = judged(GATE, evidence(PAGE, reports=(axe("minor", "critical"),)), asked(GATE))
    assert found.remarks[0].message == "Images need text. (critical on https://shop.test/, 2 elements)."


def test_a_fault_without_an_impact_counts_as_serious() -> None:
    lighthouse = a_report(EvidenceFormat.LIGHTHOUSE, accessibility=(AccessibilityFault(rule="image-alt"),))
    found = judged(GATE, evidence(PAGE, reports=(reported(lighthouse),)), asked(GATE))
    assert (found.outcome, found.measured["serious"]) == (Outcome.UNMET, 1)


@pytest.mark.parametrize(
    ("metric", "outcome"), [("accessibility", Outcome.MET), ("performance", Outcome.NOT_AVAILABLE)]
)
def test_lighthouse_without_that_part_says_nothing(metric: str, outcome: Outcome) -> None:
    report = a_report(EvidenceFormat.LIGHTHOUSE, measures=(Measure(metric=metric, statistic="score", value=1),))
    assert judged(GATE, evidence(PAGE, reports=(reported(report),)), asked(GATE)).outcome is outcome


@pytest.mark.parametrize(
    ("name", "ended", "outcome"),
    [
        ("cart is accessible", Ended.FAILED, Outcome.UNMET),
        ("a11y of the cart", Ended.PASSED, Outcome.MET),
        ("a11y of the cart", Ended.SKIPPED, Outcome.NOT_AVAILABLE),
        ("adds up", Ended.FAILED, Outcome.NOT_AVAILABLE),
    ],
)
def test_tests_of_playwright_count_where_they_are_named_so(name: str, ended: Ended, outcome: Outcome) -> None:
    report = a_report(EvidenceFormat.PLAYWRIGHT, tests=(CaseResult(suite="cart", name=name, outcome=ended),))
    assert judged(GATE, evidence(PAGE, reports=(reported(report),)), asked(GATE)).outcome is outcome


@pytest.mark.parametrize(
    ("files", "reports", "outcome"),
    [
        ((PAGE,), (), Outcome.NOT_AVAILABLE),
        ((PAGE,), UNKNOWN, Outcome.NOT_AVAILABLE),
        ((CODE,), (), Outcome.NOT_APPLICABLE),
        ((CODE,), (axe("critical"),), Outcome.UNMET),
        ((file("src/App.tsx", None, "a"),), (), Outcome.NOT_AVAILABLE),
    ],
)
def test_pages_that_nobody_looked_at_leave_it_open(files: tuple, reports: object, outcome: Outcome) -> None:
    assert judged(GATE, evidence(*files, reports=reports), asked(GATE)).outcome is outcome


def test_files_that_are_not_known_leave_it_open() -> None:
    seen = evidence(reports=(axe(),)).model_copy(update={"files": UNKNOWN})
    assert judged(GATE, seen, asked(GATE)).outcome is Outcome.NOT_AVAILABLE
