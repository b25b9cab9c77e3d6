"""Static analysis finds no critical weakness and few high ones; code that nobody analysed is not taken for sound."""

from __future__ import annotations

import pytest

from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_report, asked, evidence, file, judged, reported, scan

GATE = "no_critical_findings"
PYTHON = file("src/a.py", None, "a = 1\n")
GO = file("src/a.go", None, "package a\n")
BANDIT = scan("bandit", components=("src/a.py",))


def high(number: int, path: str = "src/other.py") -> Finding:
    return Finding(rule=f"py/{number}", severity=Severity.HIGH, path=path, line=number + 1)


def codeql(*findings: Finding, **rest: object) -> object:
    return reported(a_report(EvidenceFormat.SARIF, tool="CodeQL", findings=findings, **rest), digest="sha256:1")


def test_code_that_was_analysed_without_result_holds() -> None:
    found = judged(GATE, evidence(PYTHON, scans=(BANDIT,)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert found.measured == {"critical": 0, "high": 0}


@pytest.mark.parametrize(("count", "outcome"), [(0, Outcome.MET), (4, Outcome.MET), (5, Outcome.UNMET)])
def test_high_findings_up_to_the_bound_are_borne(count: int, outcome: Outcome) -> None:
    found = judged(GATE, evidence(PYTHON, reports=(codeql(*map(high, range(count))),)), asked(GATE))
    assert found.outcome is outcome
    assert found.measured["high"] == count
    assert found.evidence == ("sha256:1",)


def test_one_critical_finding_anywhere_in_the_commit_is_too_many() -> None:
    critical = Finding(rule="py/sql", severity=Severity.CRITICAL, message="SQL.", path="src/old.py", line=7, end_line=9)
    found = judged(GATE, evidence(PYTHON, reports=(codeql(critical),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    (remark,) = found.remarks
    assert (remark.path, remark.line, remark.end_line, remark.rule) == ("src/old.py", 7, 9, "py/sql")


def test_lesser_findings_are_told_where_the_change_is() -> None:
    low = Finding(rule="py/a", severity=Severity.LOW, path="src/a.py", line=1)
    elsewhere = low.model_copy(update={"path": "src/b.py"})
    found = judged(GATE, evidence(PYTHON, reports=(codeql(low, elsewhere),)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert [remark.path for remark in found.remarks] == ["src/a.py"]


@pytest.mark.parametrize(
    ("files", "rest", "outcome"),
    [
        ((GO,), {"scans": (BANDIT,)}, Outcome.NOT_AVAILABLE),
        ((GO, PYTHON), {"scans": (BANDIT,)}, Outcome.NOT_AVAILABLE),
        ((GO, PYTHON), {"scans": (BANDIT,), "reports": (codeql(),)}, Outcome.MET),
        ((PYTHON,), {}, Outcome.NOT_AVAILABLE),
        ((PYTHON,), {"scans": (scan("bandit", findings=UNKNOWN),), "reports": (codeql(),)}, Outcome.NOT_AVAILABLE),
        ((PYTHON,), {"reports": (codeql(incomplete="CodeQL broke off"),)}, Outcome.NOT_AVAILABLE),
        ((PYTHON,), {"scans": (BANDIT,), "reports": UNKNOWN}, Outcome.NOT_AVAILABLE),
        ((PYTHON,), {"scans": (BANDIT,), "alerts": UNKNOWN}, Outcome.NOT_AVAILABLE),
        ((file("docs/a.md", None, "a"),), {}, Outcome.NOT_APPLICABLE),
        ((file("src/a.py", "a", None),), {}, Outcome.NOT_APPLICABLE),
        ((file(".github/workflows/a.yml", None, "a"),), {"scans": (BANDIT,)}, Outcome.NOT_AVAILABLE),
    ],
)
def test_all_code_of_the_change_has_to_be_looked_at(files: tuple, rest: dict, outcome: Outcome) -> None:
    assert judged(GATE, evidence(*files, **rest), asked(GATE)).outcome is outcome


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN}), asked(GATE)).outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize(
    ("tool", "rule"),
    [
        ("gitleaks", "key"),
        ("Trivy", "CVE-2024-1"),
        ("checkov", "CKV_AZURE_1"),
        ("hadolint", "DL3002"),
        ("ruff", "E501"),
        ("mypy", "x"),
    ],
)
def test_what_other_gates_tell_is_not_told_again(tool: str, rule: str) -> None:
    finding = Finding(rule=rule, severity=Severity.CRITICAL, path="src/a.py")
    other = reported(a_report(EvidenceFormat.SARIF, tool=tool, findings=(finding,)))
    found = judged(GATE, evidence(PYTHON, scans=(BANDIT,), reports=(other,)), asked(GATE))
    assert (found.outcome, found.remarks) == (Outcome.MET, ())


def test_the_forges_code_scanning_counts_wherever_it_found_something() -> None:
    alert = Finding(rule="py/sql", severity=Severity.CRITICAL, path="src/b.py", line=1, fingerprint="code-scanning-4")
    assert judged(GATE, evidence(PYTHON, scans=(BANDIT,), alerts=(alert,)), asked(GATE)).outcome is Outcome.UNMET


def test_a_stricter_policy_is_held_to() -> None:
    found = judged(GATE, evidence(PYTHON, reports=(codeql(high(1)),)), asked(GATE, high=0.0))
    assert found.outcome is Outcome.UNMET


@pytest.mark.parametrize(("line", "remarks"), [(3, 0), (4, 1)])
def test_a_password_that_a_scanner_of_secrets_tells_is_not_told_again(line: int, remarks: int) -> None:
    password = Finding(rule="B105", severity=Severity.LOW, path="src/a.py", line=3)
    secret = Finding(rule="Secret Keyword", severity=Severity.HIGH, path="src/a.py", line=line)
    bandit = scan("bandit", password, components=("src/a.py",))
    found = judged(GATE, evidence(PYTHON, scans=(bandit, scan("detect-secrets", secret))), asked(GATE))
    assert (found.outcome, len(found.remarks)) == (Outcome.MET, remarks)
