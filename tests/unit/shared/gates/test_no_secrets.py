"""A change brings no secret, and what nobody looked at is not taken for clean."""

from __future__ import annotations

import pytest

from shared.domain.definition import Severity as Harm
from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, UNSUPPORTED, a_report, asked, evidence, file, judged, reported, scan

GATE = "no_secrets"
KEY = Finding(rule="AWS Access Key", severity=Severity.HIGH, message="An access key.", path="src/a.py", line=3)
CHANGED = file("src/a.py", None, "a = 1\n")


def test_a_change_that_was_searched_without_result_holds() -> None:
    found = judged(GATE, evidence(CHANGED, scans=(scan("detect-secrets", components=("src/a.py",)),)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert "detect-secrets" in found.reason
    assert found.measured == {"secrets": 0}


def test_a_secret_is_told_where_it_stands() -> None:
    found = judged(GATE, evidence(CHANGED, scans=(scan("detect-secrets", KEY),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    (remark,) = found.remarks
    assert (remark.path, remark.line, remark.severity) == ("src/a.py", 3, Harm.CRITICAL)


def test_a_suppressed_finding_does_not_count() -> None:
    known = KEY.model_copy(update={"suppressed": True})
    found = judged(GATE, evidence(CHANGED, scans=(scan("detect-secrets", known),)), asked(GATE))
    assert (found.outcome, found.remarks) == (Outcome.MET, ())


@pytest.mark.parametrize(
    "rest",
    [
        {},
        {"scans": (scan("detect-secrets", findings=UNKNOWN),)},
        {"scans": (scan("detect-secrets"), scan("detect-secrets", findings=UNKNOWN))},
        {"scans": (scan("bandit"),)},
        {"scans": (scan("detect-secrets"),), "reports": UNKNOWN},
        {"scans": (scan("detect-secrets"),), "alerts": UNKNOWN},
        {"reports": (reported(a_report(EvidenceFormat.SARIF, tool="")),)},
        {"reports": (reported(a_report(EvidenceFormat.SARIF, tool="gitleaks", incomplete="gitleaks broke off")),)},
        {"files": UNKNOWN, "scans": (scan("detect-secrets"),)},
    ],
)
def test_silence_is_not_taken_for_clean(rest: dict[str, object]) -> None:
    found = judged(
        GATE, evidence(**({"files": (CHANGED,)} | rest)) if "files" in rest else evidence(CHANGED, **rest), asked(GATE)
    )
    assert found.outcome is Outcome.NOT_AVAILABLE


def test_a_forge_without_a_scanner_of_its_own_leaves_nothing_open() -> None:
    seen = evidence(CHANGED, scans=(scan("detect-secrets"),), alerts=UNSUPPORTED)
    assert judged(GATE, seen, asked(GATE)).outcome is Outcome.MET


@pytest.mark.parametrize(
    ("reason", "outcome"),
    [
        (
            "code scanning: no analysis of a1 yet; secret scanning: Secret scanning is disabled on this repository.",
            Outcome.MET,
        ),
        ("code scanning: no analysis of a1 yet; Dependabot: the credential may not", Outcome.MET),
        ("secret scanning: the credential may not", Outcome.NOT_AVAILABLE),
        ("the forge is away", Outcome.NOT_AVAILABLE),
    ],
)
def test_only_the_forges_scanner_of_secrets_is_waited_for(reason: str, outcome: Outcome) -> None:
    seen = evidence(CHANGED, scans=(scan("detect-secrets"),), alerts=UNKNOWN.model_copy(update={"reason": reason}))
    assert judged(GATE, seen, asked(GATE)).outcome is outcome


def test_what_one_scanner_found_counts_though_another_was_silent() -> None:
    seen = evidence(CHANGED, scans=(scan("detect-secrets", findings=UNKNOWN),), reports=(_gitleaks(),))
    found = judged(GATE, seen, asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert found.evidence == ("sha256:1",)


@pytest.mark.parametrize(
    ("path", "outcome"), [("src/a.py", Outcome.UNMET), (None, Outcome.UNMET), ("src/b.py", Outcome.MET)]
)
def test_alerts_about_files_that_the_change_leaves_alone_do_not_count(path: str | None, outcome: Outcome) -> None:
    alert = KEY.model_copy(update={"rule": "github_token", "path": path, "fingerprint": "secret-scanning-4"})
    seen = evidence(CHANGED, scans=(scan("detect-secrets"),), alerts=(alert,))
    assert judged(GATE, seen, asked(GATE)).outcome is outcome


def test_findings_about_other_things_do_not_count() -> None:
    other = Finding(rule="CVE-2024-1", severity=Severity.CRITICAL, path="src/a.py")
    seen = evidence(CHANGED, scans=(scan("detect-secrets"),), reports=(_gitleaks(other),), alerts=(other,))
    assert judged(GATE, seen, asked(GATE)).outcome is Outcome.MET


def test_the_same_secret_told_twice_counts_once() -> None:
    found = judged(
        GATE, evidence(CHANGED, scans=(scan("detect-secrets", KEY),), reports=(_gitleaks(KEY),)), asked(GATE)
    )
    assert found.measured == {"secrets": 1}


def _gitleaks(finding: Finding = KEY) -> object:
    return reported(a_report(EvidenceFormat.SARIF, tool="gitleaks", findings=(finding,)), digest="sha256:1")
