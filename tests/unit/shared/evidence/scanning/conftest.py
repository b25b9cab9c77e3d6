"""Scans of changes made up by tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from shared.domain.change import ChangedFile, Scan, Unknown
from shared.domain.evidence import Finding
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.ports import ScanLimits, ScanPorts

KEY = b"the key of tests"


@pytest.fixture
def job() -> Callable[..., Job]:
    """A job over files; ``limits`` and fields of ``ScanPorts`` may be given."""

    def made(*files: ChangedFile, reports: tuple[Any, ...] = (), seconds: float = 60.0, **ports: Any) -> Job:
        limits = ports.pop("limits", ScanLimits())
        handed = ScanPorts(key=KEY, limits=limits, **ports)
        return Job(files=files, reports=reports, ports=handed, deadline=Deadline.after(seconds))

    return made


@pytest.fixture
def found() -> Callable[[Sequence[Scan]], list[Finding]]:
    """All findings of scans."""

    def of(scans: Sequence[Scan]) -> list[Finding]:
        return [one for scan in scans if not isinstance(scan.findings, Unknown) for one in scan.findings]

    return of


@pytest.fixture
def reasons() -> Callable[[Sequence[Scan]], list[str]]:
    """Why scans could say nothing."""

    def of(scans: Sequence[Scan]) -> list[str]:
        return [scan.findings.reason for scan in scans if isinstance(scan.findings, Unknown)]

    return of


@pytest.fixture
def written() -> Callable[[Sequence[Scan]], str]:
    """Scans as they would be stored."""

    def of(scans: Sequence[Scan]) -> str:
        return json.dumps([scan.model_dump(mode="json") for scan in scans], ensure_ascii=False)

    return of
