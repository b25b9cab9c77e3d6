"""The script that people verify the record with offline agrees with the log, and notices what was changed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from shared.audit.encoding import detail_digest, leaf_of
from shared.audit.merkle import leaf_hash, root_of
from shared.domain.audit import AuditEvent, AuditTag

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "read-and-verify-the-record.md"
START = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    found = re.search(r"```python\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    assert set(re.findall(r"^import (\w+)", found[1], re.MULTILINE)) == {"hashlib", "json", "sys"}
    path = tmp_path / "verify.py"
    path.write_text(found[1], encoding="utf-8")
    return path


def events(count: int) -> list[AuditEvent]:
    made = []
    for number in range(count):
        detail = {"number": number, "text": 'Größe, "quoted" 🚀', "list": [True, None, "a"], "b": {"z": 1, "a": 2}}
        made.append(
            AuditEvent(
                project="payments-api",
                sequence=number,
                at=START + timedelta(microseconds=number * 250_000),  # some have no fraction at all
                tag=AuditTag.GITHUB_STEP_APPLIED,
                instance="run.1",
                step=f"step.{number}",
                subject="https://example.com/é",
                actor="doneright",
                detail_digest=detail_digest(detail),
                artifacts=("sha256:00",),
                detail=None if number == 2 else detail,
            )
        )
    return made


def verify(script: Path, rows: list[dict[str, object]], root: str) -> subprocess.CompletedProcess[str]:
    file = script.with_name("events.json")
    file.write_text(json.dumps({"events": rows}), encoding="utf-8")
    command = [sys.executable, str(script), str(file), root]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("count", [1, 2, 3, 5, 8, 13])
def test_the_root_is_that_of_the_log(script: Path, count: int) -> None:
    log = events(count)
    root = root_of([leaf_hash(leaf_of(event)) for event in log]).hex()
    done = verify(script, [event.model_dump(mode="json") for event in log], root)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{count} events, root {root}: as given"


def test_a_changed_event_has_another_root(script: Path) -> None:
    log = events(5)
    root = root_of([leaf_hash(leaf_of(event)) for event in log]).hex()
    rows = [event.model_dump(mode="json") for event in log]
    rows[3]["subject"] = "https://example.com/other"
    assert "NOT the root given" in verify(script, rows, root).stdout


def test_a_changed_detail_stops_at_its_event(script: Path) -> None:
    log = events(4)
    rows = [event.model_dump(mode="json") for event in log]
    rows[3]["detail"]["number"] = 7
    done = verify(script, rows, "00")
    assert done.returncode != 0
    assert "AssertionError: 3" in done.stderr
