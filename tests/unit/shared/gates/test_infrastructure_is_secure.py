"""Infrastructure as code breaks no rule that guards data or access; a template nobody read is not taken for sound."""

from __future__ import annotations

import pytest

from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_report, asked, evidence, file, judged, reported, scan

GATE = "infrastructure_is_secure"
BICEP = file("infra/main.bicep", None, "resource a 'b' = {}\n")
LOOKED = scan("infrastructure", components=("infra/main.bicep",))


def rule(severity: Severity) -> Finding:
    return Finding(rule="public_access", severity=severity, path="infra/main.bicep", line=1)


def test_a_template_that_breaks_no_rule_holds() -> None:
    assert judged(GATE, evidence(BICEP, scans=(LOOKED,)), asked(GATE)).outcome is Outcome.MET


@pytest.mark.parametrize(("severity", "outcome"), [(Severity.CRITICAL, Outcome.UNMET), (Severity.HIGH, Outcome.MET)])
def test_a_broken_rule_is_told_where(severity: Severity, outcome: Outcome) -> None:
    seen = evidence(BICEP, scans=(scan("infrastructure", rule(severity), components=("infra/main.bicep",)),))
    found = judged(GATE, seen, asked(GATE))
    assert found.outcome is outcome
    assert (found.remarks[0].path, found.remarks[0].line) == ("infra/main.bicep", 1)


def test_checkov_counts_as_well() -> None:
    finding = Finding(rule="CKV_AZURE_1", severity=Severity.CRITICAL, path="infra/main.bicep", line=1)
    report = reported(a_report(EvidenceFormat.SARIF, tool="checkov", findings=(finding,)), digest="sha256:1")
    found = judged(GATE, evidence(BICEP, reports=(report,)), asked(GATE))
    assert (found.outcome, found.evidence) == (Outcome.UNMET, ("sha256:1",))


@pytest.mark.parametrize(
    "scans",
    [
        (),
        (scan("infrastructure", findings=UNKNOWN),),
        (LOOKED, scan("infrastructure", findings=UNKNOWN)),
        (scan("infrastructure", components=("infra/other.bicep",)),),
        (scan("bandit"),),
    ],
)
def test_a_template_that_nobody_read_leaves_it_open(scans: tuple) -> None:
    assert judged(GATE, evidence(BICEP, scans=scans), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize("path", ["src/a.py", "infra/README.md"])
def test_a_change_without_infrastructure_is_not_asked(path: str) -> None:
    assert judged(GATE, evidence(file(path, None, "a\n")), asked(GATE)).outcome is Outcome.NOT_APPLICABLE


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN}), asked(GATE)).outcome is Outcome.NOT_AVAILABLE
