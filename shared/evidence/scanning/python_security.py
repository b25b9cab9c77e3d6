"""Finds weaknesses in Python that a change touches, by bandit."""

from __future__ import annotations

from typing import Any

from shared.domain.change import ChangedFile, FileStatus, Scan
from shared.domain.evidence import Finding, Severity
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.scanning.answers import answered, fingerprint, line_of, shortened
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.libraries import look
from shared.evidence.scanning.placing import Placed, numbered, place, suffix_of

NAME = "bandit"

_WEIGHTS = {
    ("HIGH", "HIGH"): Severity.HIGH,
    ("HIGH", "MEDIUM"): Severity.HIGH,
    ("HIGH", "LOW"): Severity.MEDIUM,
    ("MEDIUM", "HIGH"): Severity.MEDIUM,
    ("MEDIUM", "MEDIUM"): Severity.MEDIUM,
    ("MEDIUM", "LOW"): Severity.LOW,
    ("LOW", "HIGH"): Severity.LOW,
    ("LOW", "MEDIUM"): Severity.LOW,
    ("LOW", "LOW"): Severity.INFO,
}
"""How bad, by how bad and how sure bandit says it is."""

_QUOTES_THE_VALUE = {
    "B105": "A password seems to be written in the code.",
    "B106": "A password seems to be handed over as written in the code.",
    "B107": "A password seems to be the default of an argument.",
}
"""Tests whose own message repeats the password."""

_ORDINARY_IN_TESTS = frozenset({"B101", "B105", "B106", "B107", "B108", "B404", "B603", "B607"})
"""Asserting, made-up passwords, temporary files and child processes are what tests do."""


def scan(job: Job) -> tuple[Scan, ...]:
    """What bandit finds in touched lines of Python; nothing when the change has none."""
    files = [file for file in job.known_files if _is_concerned(file)]
    if not files:
        job.waiting.spared("python_security")
        return ()
    with job.folder() as folder:
        placed, unseen = place(files, folder, job.ports.limits, numbered)
        looked = look("python_security", placed, folder, job.ports, job.deadline, job.waiting)
    findings = [
        finding for one, found in looked.found for each in found if (finding := _finding(one, each, job.ports.key))
    ]
    return answered(
        NAME,
        looked.version,
        findings,
        job.ports.limits,
        seen=(one.file.path for one, _ in looked.found),
        unseen=[*unseen, *looked.unseen],
        figures={"files": len(looked.found)},
    )


def _is_concerned(file: ChangedFile) -> bool:
    return file.status is not FileStatus.REMOVED and suffix_of(file.path) in {".py", ".pyi", ".pyw"}


def _finding(one: Placed, found: dict[str, Any], key: bytes) -> Finding | None:
    start, end = one.line(found["line"]), one.line(found["end"])
    rule = found["rule"]
    if not one.touched.is_touched(start, end):
        return None
    if rule in _ORDINARY_IN_TESTS and kind_of(one.file.path) is FileKind.TEST:
        return None
    return Finding(
        rule=rule,
        severity=_WEIGHTS.get((found["severity"], found["confidence"]), Severity.MEDIUM),
        source_severity=f"{found['severity'].lower()}, {found['confidence'].lower()} confidence",
        message=shortened(_QUOTES_THE_VALUE.get(rule, found["message"])),
        path=one.file.path,
        line=start,
        end_line=max(start, end),
        fingerprint=fingerprint(key, NAME, rule, one.file.path, line_of(one.file.content, start)),
        help_url=found["url"],
    )
