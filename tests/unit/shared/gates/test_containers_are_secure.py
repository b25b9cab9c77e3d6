"""An image has no critical vulnerability and does not run as root; an image nobody scanned is not taken for sound."""

from __future__ import annotations

import pytest

from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.domain.review import Outcome
from tests.fakes.changes import UNKNOWN, a_report, asked, evidence, file, judged, reported, scan

GATE = "containers_are_secure"
SOUND = "FROM python:3.13-slim\nRUN useradd app\nUSER app\n"
HADOLINT = scan("hadolint", components=("Dockerfile",))


def trivy(*findings: Finding) -> object:
    return reported(a_report(EvidenceFormat.SARIF, tool="Trivy", findings=findings), digest="sha256:1")


def dockerfile(text: str | None) -> object:
    return file("Dockerfile", None, text)


def test_an_image_that_was_scanned_and_has_a_user_holds() -> None:
    found = judged(GATE, evidence(dockerfile(SOUND), scans=(HADOLINT,), reports=(trivy(),)), asked(GATE))
    assert found.outcome is Outcome.MET
    assert found.measured == {"critical": 0, "runs_as_root": 0}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("FROM python:3.13\nRUN x\n", 1),
        ("FROM python:3.13\nUSER root\n", 2),
        ("FROM python:3.13\nUSER app\nUSER 0:0\n", 3),
        ("FROM a AS build\nUSER app\nFROM b\n", 3),
        ("FROM --platform=linux/amd64 a\n", 1),
    ],
)
def test_an_image_that_runs_as_root_is_told_where(text: str, line: int) -> None:
    found = judged(GATE, evidence(dockerfile(text), scans=(HADOLINT,), reports=(trivy(),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert (found.remarks[0].path, found.remarks[0].line) == ("Dockerfile", line)
    assert "root" in found.reason


@pytest.mark.parametrize(
    "text",
    [
        "FROM a AS base\nUSER app\nFROM base\n",
        "FROM gcr.io/distroless/python3:nonroot\n",
        "FROM a\nuser 1000\n",
        "# FROM nothing\nARG x\n",
        "FROM a AS build\nUSER root\nFROM b as last\nUSER ${APP_USER}\n",
    ],
)
def test_other_users_hold(text: str) -> None:
    found = judged(GATE, evidence(dockerfile(text), scans=(HADOLINT,), reports=(trivy(),)), asked(GATE))
    assert found.outcome is Outcome.MET


def test_root_is_told_once_though_hadolint_tells_it_too() -> None:
    rule = Finding(rule="DL3002", severity=Severity.MEDIUM, path="Dockerfile", line=2)
    seen = evidence(
        dockerfile("FROM a\nUSER root\n"),
        scans=(scan("hadolint", rule, components=("Dockerfile",)),),
        reports=(trivy(),),
    )
    assert [remark.rule for remark in judged(GATE, seen, asked(GATE)).remarks] == ["runs_as_root"]


def test_a_critical_finding_about_the_image_is_unmet() -> None:
    finding = Finding(rule="AVD-DS-0002", severity=Severity.CRITICAL, path="Dockerfile", line=1)
    found = judged(GATE, evidence(dockerfile(SOUND), scans=(HADOLINT,), reports=(trivy(finding),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert found.evidence == ("sha256:1",)


def test_root_and_critical_findings_are_told_together() -> None:
    finding = Finding(rule="DL3000", severity=Severity.CRITICAL, path="Dockerfile", line=1)
    found = judged(GATE, evidence(dockerfile("FROM a\n"), scans=(scan("hadolint", finding),)), asked(GATE))
    assert found.outcome is Outcome.UNMET
    assert "root" in found.reason
    assert "critical" in found.reason
    assert len(found.remarks) == 2


@pytest.mark.parametrize(
    ("rest", "why"),
    [
        ({"scans": (HADOLINT,)}, "scanner of images"),
        ({"scans": (scan("hadolint", findings=UNKNOWN),), "reports": (trivy(),)}, "could not answer"),
        ({}, "no scanner looked"),
        ({"scans": (scan("hadolint", components=("other/Dockerfile",)),)}, "no scanner looked at Dockerfile"),
    ],
)
def test_an_image_that_nobody_scanned_leaves_it_open(rest: dict, why: str) -> None:
    found = judged(GATE, evidence(dockerfile(SOUND), **rest), asked(GATE))
    assert found.outcome is Outcome.NOT_AVAILABLE
    assert why in found.reason


def test_a_dockerfile_that_could_not_be_had_leaves_it_open() -> None:
    lost = file("Dockerfile", "FROM a\n", SOUND, content=None, patch=None)
    found = judged(GATE, evidence(lost, scans=(HADOLINT,), reports=(trivy(),)), asked(GATE))
    assert found.outcome is Outcome.NOT_AVAILABLE


@pytest.mark.parametrize("path", ["docs/a.md", "docker-compose.yml", "src/a.py"])
def test_a_change_without_an_image_is_not_asked(path: str) -> None:
    assert judged(GATE, evidence(file(path, None, "a\n")), asked(GATE)).outcome is Outcome.NOT_APPLICABLE


def test_files_that_are_not_known_leave_it_open() -> None:
    assert judged(GATE, evidence().model_copy(update={"files": UNKNOWN}), asked(GATE)).outcome is Outcome.NOT_AVAILABLE
