"""No dependency has a known critical or high vulnerability, and a look-up that failed leaves it open."""

from __future__ import annotations

import pytest

from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_report, asked, evidence, file, judged, reported, scan

GATE = "dependencies_are_safe"
MANIFEST = file("requirements.txt", "a==1\n", "a==2\n")
CODE = file("src/a.py", None, "a = 1\n")


def advisory(severity: Severity, rule: str = "GHSA-aaaa-bbbb-cccc") -> Finding:
    return Finding(rule=rule, severity=severity, message="pkg:pypi/a@2", path="requirements.txt", line=1)


def test_dependencies_that_were_looked_up_without_result_hold() -> None:
    found = judged(GATE, evidence(MANIFEST, scans=(scan("osv", components=("pkg:pypi/a@2",)),)), asked(GATE))
    assert found.outcome is Outcome.MET


@pytest.mark.parametrize(
    ("severity", "outcome"),
    [
        (Severity.CRITICAL, Outcome.UNMET),
        (Severity.HIGH, Outcome.UNMET),
        (Severity.MEDIUM, Outcome.MET),
        (Severity.INFO, Outcome.MET),
    ],
)
def test_what_is_bad_enough_is_unmet(severity: Severity, outcome: Outcome) -> None:
    found = judged(GATE, evidence(MANIFEST, scans=(scan("osv", advisory(severity)),)), asked(GATE))
    assert found.outcome is outcome
    assert found.remarks[0].path == "requirements.txt"


@pytest.mark.parametrize(
    ("files", "rest", "outcome"),
    [
        ((CODE,), {}, Outcome.NOT_APPLICABLE),
        ((CODE,), {"scans": (scan("osv", findings=UNKNOWN),)}, Outcome.NOT_AVAILABLE),
        ((MANIFEST,), {}, Outcome.NOT_AVAILABLE),
        ((MANIFEST,), {"scans": (scan("osv", findings=UNKNOWN),)}, Outcome.NOT_AVAILABLE),
        ((MANIFEST,), {"scans": (scan("osv"), scan("osv", findings=UNKNOWN))}, Outcome.NOT_AVAILABLE),
        ((MANIFEST,), {"scans": (scan("osv"),), "alerts": UNSUPPORTED}, Outcome.MET),
        ((CODE,), {"scans": (scan("osv"),)}, Outcome.MET),
    ],
)
def test_what_nobody_looked_up_is_not_taken_for_safe(files: tuple, rest: dict, outcome: Outcome) -> None:
    assert judged(GATE, evidence(*files, **rest), asked(GATE)).outcome is outcome


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN}), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize(("tool", "rule"), [("Trivy", "CVE-2024-1"), ("Grype", "GHSA-x"), ("pip-audit", "whatever")])
def test_reports_of_scanners_count(tool: str, rule: str) -> None:
    report = a_report(EvidenceFormat.SARIF, tool=tool, findings=(advisory(Severity.HIGH, rule),))
    assert judged(GATE, evidence(CODE, reports=(reported(report),)), asked(GATE)).outcome is Outcome.UNMET


def test_vulnerabilities_in_a_bill_of_materials_count_and_its_silence_says_nothing() -> None:
    told = a_report(EvidenceFormat.CYCLONEDX, tool="syft", findings=(advisory(Severity.CRITICAL, "CVE-2024-1"),))
    silent = a_report(EvidenceFormat.CYCLONEDX, tool="syft")
    assert judged(GATE, evidence(MANIFEST, reports=(reported(told),)), asked(GATE)).outcome is Outcome.UNMET
    assert judged(GATE, evidence(MANIFEST, reports=(reported(silent),)), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize(("path", "outcome"), [("requirements.txt", Outcome.UNMET), ("web/package.json", Outcome.MET)])
def test_alerts_count_in_the_manifests_of_the_change(path: str, outcome: Outcome) -> None:
    alert = advisory(Severity.HIGH).model_copy(update={"path": path, "fingerprint": "dependabot-3"})
    assert judged(GATE, evidence(MANIFEST, scans=(scan("osv"),), alerts=(alert,)), asked(GATE)).outcome is outcome
