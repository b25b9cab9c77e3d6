"""What scanners say of a change reaches the gates: found, clean, and not looked at stay three different things."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shared.adapters.osv import Osv
from shared.domain.change import ChangedFile, ChangeEvidence, Reported
from shared.domain.definition import GateId
from shared.domain.evidence import Component, EvidenceFormat, EvidenceReport
from shared.domain.review import Judgement, Outcome
from shared.evidence.scanning import ScanPorts, scan
from shared.gates import Asked, gates
from tests.fakes.changes import a_change, file, reported

ROOT = Path(__file__).resolve().parents[3]
AWS = "AKIA" + "Q3EGUXQ7NTL2ZBVP"
SAFE = "flask==3.1.0\n"
LOCKED = "flask==2.0.0\n"


@pytest.fixture(scope="module")
def osv_url() -> Iterator[str]:
    """The sandbox as `make serve` starts it, for its advisories."""
    import json

    command = [sys.executable, "-m", "local.sandbox", "--github-port", "0", "--azure-devops-port", "0"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, env=dict(os.environ))
    try:
        assert process.stdout
        yield json.loads(process.stdout.readline())["osv"]
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        if process.stdout:
            process.stdout.close()


def judged(gate: GateId, url: str, *files: ChangedFile, reports: tuple[Reported, ...] = ()) -> Judgement:
    ports = ScanPorts(key=b"the key of tests", advisories=Osv(url) if url else None)
    change = a_change()
    scans = scan(change, files, reports, ports)
    evidence = ChangeEvidence(change=change, files=files, scans=scans, reports=reports)
    return gates()[gate].evaluate(evidence, Asked(criterion=str(gate)))


@pytest.mark.stack
def test_a_secret_is_unmet_and_its_absence_met(osv_url: str) -> None:
    leaked = judged(GateId.NO_SECRETS, osv_url, file("app.py", None, f"key = '{AWS}'\n"))
    assert leaked.outcome is Outcome.UNMET
    assert [(one.path, one.line) for one in leaked.remarks] == [("app.py", 1)]
    assert AWS not in leaked.model_dump_json()
    assert judged(GateId.NO_SECRETS, osv_url, file("app.py", None, "x = 1\n")).outcome is Outcome.MET
    unseen = judged(GateId.NO_SECRETS, osv_url, file("app.py", None, "x", content=None, patch=None))
    assert unseen.outcome is Outcome.NOT_AVAILABLE


@pytest.mark.stack
def test_a_vulnerable_dependency_is_unmet_a_safe_one_met_and_an_unknown_one_neither(osv_url: str) -> None:
    vulnerable = judged(GateId.DEPENDENCIES_ARE_SAFE, osv_url, file("requirements.txt", None, "pyyaml==5.3\n" + LOCKED))
    assert vulnerable.outcome is Outcome.UNMET
    assert {one.rule for one in vulnerable.remarks} == {"GHSA-8q59-q68h-6hv4", "GHSA-m2qf-hxjv-5gpq"}
    assert judged(GateId.DEPENDENCIES_ARE_SAFE, osv_url, file("requirements.txt", None, SAFE)).outcome is Outcome.MET
    for files, url in (
        ((file("requirements.txt", None, "flask\n"),), osv_url),
        ((file("yarn.lock", None, "x\n"),), osv_url),
        ((file("requirements.txt", None, SAFE),), ""),
        ((file("requirements.txt", None, SAFE),), "http://127.0.0.1:9"),
    ):
        assert judged(GateId.DEPENDENCIES_ARE_SAFE, url, *files).outcome is Outcome.NOT_AVAILABLE, files


@pytest.mark.stack
def test_a_project_file_whose_dependencies_stay_is_met_without_asking(osv_url: str) -> None:
    before = "[project]\ndependencies = ['flask>=2']\n"
    changed = file("pyproject.toml", before, before + "[tool.ruff]\nline-length = 100\n")
    assert judged(GateId.DEPENDENCIES_ARE_SAFE, "", changed).outcome is Outcome.MET


@pytest.mark.stack
def test_licences_of_a_bill_are_held_to_the_list(osv_url: str) -> None:
    def bill(licence: str) -> Reported:
        part = Component(name="flask", version="3.1.0", purl="pkg:pypi/flask@3.1.0", licences=(licence,))
        return reported(EvidenceReport(format=EvidenceFormat.CYCLONEDX, tool="syft", components=(part,)))

    changed = file("requirements.txt", None, SAFE)
    ports = ScanPorts(key=b"k", advisories=Osv(osv_url))
    for licence, spdx in (("BSD 3-Clause License", "BSD-3-Clause"), ("AGPL-3.0-only", "AGPL-3.0-only")):
        scans = [one for one in scan(a_change(), (changed,), (bill(licence),), ports) if one.scanner == "licences"]
        assert [one.rule for one in scans[0].findings] == [spdx]


@pytest.mark.stack
def test_infrastructure_is_answered_for_by_a_report_alone(osv_url: str) -> None:
    terraform = file("infra/main.tf", None, 'resource "a" "b" {}\n')
    assert judged(GateId.INFRASTRUCTURE_IS_SECURE, osv_url, terraform).outcome is Outcome.NOT_AVAILABLE
    checkov = reported(EvidenceReport(format=EvidenceFormat.SARIF, tool="checkov"))
    assert judged(GateId.INFRASTRUCTURE_IS_SECURE, osv_url, terraform, reports=(checkov,)).outcome is Outcome.MET


@pytest.mark.stack
def test_what_is_asked_of_the_advisories_is_no_call_of_the_forge(osv_url: str) -> None:
    github = osv_url.removesuffix("/_osv")
    before = len(httpx.get(f"{github}/_requests", trust_env=False).json())
    assert Osv(osv_url).about(["pkg:pypi/flask@2.0.0"], 30)
    assert len(httpx.get(f"{github}/_requests", trust_env=False).json()) == before
