"""Scans of changes made up by tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from shared.domain.change import ChangedFile, Scan, Unknown
from shared.domain.evidence import Finding
from shared.evidence.scanning.deadline import Deadline
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.libraries import Looked
from shared.evidence.scanning.placing import Placed, Unseen
from shared.evidence.scanning.ports import ScanLimits, ScanPorts

KEY = b"the key of tests"


@cache
def _begun(module: str) -> Any:
    return import_module(f"shared.evidence.apart.{module}").begin()


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries look in this process, which starts none; that they do so in their own is held by tests of all together."""

    def look(module: str, placed: Sequence[Placed], folder: Path, *_: object) -> Looked:
        version, look_at = _begun(module)
        looked = Looked(version)
        for one in placed:
            said = look_at(folder, one.name)
            if "unread" in said:
                looked.unseen.append(Unseen(one.file.path, said["unread"]))
            else:
                looked.found.append((one, json.loads(json.dumps(said["found"]))))
        return looked

    for module in ("secrets", "complexity", "python_security"):
        monkeypatch.setattr(f"shared.evidence.scanning.{module}.look", look)


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
