"""All scanners together: each in isolation, nothing taken for clean that nobody saw, no secret told."""

from __future__ import annotations

import json
import logging
import tempfile
import time
from pathlib import Path

import pytest

from shared.domain.change import Scan, Unknown
from shared.errors import TransientError
from shared.evidence import scanning
from shared.evidence.scanning import SCANNERS, ScanLimits, ScanPorts, scan
from shared.evidence.scanning.answers import UnansweredError, without
from tests.fakes.changes import a_change, file

KEY = b"the key of tests"
AWS = "AKIA" + "Q3EGUXQ7NTL2ZBVP"
PASSWORD = "tr0ub4dor3xyz9"


def by_name(scans: tuple[Scan, ...]) -> dict[str, list[Scan]]:
    return {name: [one for one in scans if one.scanner == name] for name in {one.scanner for one in scans}}


def alone(monkeypatch, **looks) -> None:
    monkeypatch.setattr(scanning, "SCANNERS", looks)


def test_only_scanners_that_a_change_concerns_answer() -> None:
    scans = scan(a_change(), (file("a.md", None, "words\n"),), (), ScanPorts(key=KEY))
    assert [one.scanner for one in scans] == ["detect-secrets"]
    assert scans[0].findings == ()


def test_one_change_is_looked_at_by_all() -> None:
    files = (
        file("app.py", None, f"key = '{AWS}'\nassert key\n"),
        file(".github/workflows/ci.yml", None, "on: push\njobs: {a: {runs-on: x, steps: [{run: echo}]}}\n"),
        file("Dockerfile", None, "FROM debian:latest\n"),
        file("main.tf", None, 'resource "a" "b" {}\n'),
        file("requirements.txt", None, "flask==2.0.0\n"),
    )
    scans = by_name(scan(a_change(), files, (), ScanPorts(key=KEY)))
    assert set(scans) == set(SCANNERS)
    assert "DONERIGHT_OSV_URL" in scans["osv"][0].findings.reason
    assert isinstance(scans["infrastructure"][0].findings, Unknown)
    assert isinstance(scans["licences"][0].findings, Unknown)
    for name in ("detect-secrets", "bandit", "hadolint"):
        assert not isinstance(scans[name][0].findings, Unknown) and scans[name][0].findings


def test_no_secret_is_told_by_any_scanner(caplog) -> None:
    caplog.set_level(logging.DEBUG)
    text = f"password = '{PASSWORD}'\nkey = '{AWS}'\ndef {AWS}(a, password='{PASSWORD}'):\n"
    text += "".join(f"    if a == {n}: return {n}\n" for n in range(20))
    scans = scan(a_change(), (file("a.py", None, text),), (), ScanPorts(key=KEY))
    told = json.dumps([one.model_dump(mode="json") for one in scans])
    assert "cyclomatic-complexity" in told and "B105" in told
    for secret in (AWS, PASSWORD):
        assert secret not in told and secret not in caplog.text


def test_longer_secrets_are_blotted_out_before_what_they_hold() -> None:
    from shared.domain.evidence import Finding, Severity

    one = Scan(scanner="x", findings=(Finding(rule="r", severity=Severity.LOW, message="abcdefgh abcdef short"),))
    cleaned = without(["abcdef", "abcdefgh", "short", "a"], one)
    assert cleaned.findings[0].message == "… … short"
    assert without(["abcdef"], Scan(scanner="x", findings=Unknown(reason="abcdef"))).findings.reason == "abcdef"


def test_unknown_files_are_unknown_to_every_scanner() -> None:
    scans = scan(a_change(), Unknown(reason="the forge refused"), (), ScanPorts(key=KEY))
    assert {one.scanner for one in scans} == set(SCANNERS)
    assert all("the forge refused" in one.findings.reason for one in scans)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (ValueError(f"near {AWS}"), "ValueError"),
        (TransientError("it is away", 5), "it is away"),
        (UnansweredError("it is broken", "Mend it."), "Mend it."),
        (MemoryError(), "MemoryError"),
        (RecursionError(), "RecursionError"),
    ],
)
def test_a_scanner_that_fails_is_unknown_and_the_others_answer(monkeypatch, caplog, error, told) -> None:
    def fails(_job):
        raise error

    def answers(_job):
        return (Scan(scanner="well", findings=()),)

    alone(monkeypatch, broken=fails, well=answers)
    broken, well = scan(a_change(), (), (), ScanPorts(key=KEY))
    assert broken.scanner == "broken" and told in broken.findings.reason
    assert AWS not in broken.findings.reason and AWS not in caplog.text
    assert well.findings == ()


def test_a_scanner_that_does_not_end_is_unknown(monkeypatch) -> None:
    monkeypatch.setattr(scanning, "_SLACK_SECONDS", 0.0)
    alone(monkeypatch, slow=lambda _job: time.sleep(1), well=lambda _job: (Scan(scanner="well", findings=()),))
    slow, well = scan(a_change(), (), (), ScanPorts(key=KEY, limits=ScanLimits(total_seconds=0.1)))
    assert "in time" in slow.findings.reason
    assert well.findings == ()


def test_folders_are_gone_afterwards(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    scan(a_change(), (file("a.py", None, "x = 1\n"), file("Dockerfile", None, "FROM x\n")), (), ScanPorts(key=KEY))
    assert list(tmp_path.iterdir()) == []


def test_too_many_findings_are_told_and_that_there_are_more() -> None:
    text = "assert x\n" * 30
    scans = by_name(
        scan(a_change(), (file("a.py", None, text),), (), ScanPorts(key=KEY, limits=ScanLimits(findings=10)))
    )
    told, cut = scans["bandit"]
    assert len(told.findings) == 10 and "30 findings" in cut.findings.reason
