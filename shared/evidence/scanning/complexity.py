"""Measures how many ways lead through each function a change touches, by lizard."""

from __future__ import annotations

from typing import Any

from shared.domain.change import ChangedFile, FileStatus, Scan
from shared.domain.evidence import Finding, Severity
from shared.evidence.scanning.answers import answered, fingerprint, shortened
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.libraries import look
from shared.evidence.scanning.placing import Placed, numbered, place, suffix_of

NAME = "lizard"
FIGURE = "cyclomatic_complexity"
RULE = "cyclomatic-complexity"
MOST = 15
"""Ways through a function above which it is a finding."""
TWICE = 30
"""Above this, a high one."""

SUFFIXES = frozenset(
    [
        ".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".vue", ".java", ".kt", ".scala", ".cs", ".go", ".rs",
        ".rb", ".php", ".swift", ".c", ".h", ".cc", ".cpp", ".cxx", ".hpp", ".m", ".mm", ".lua", ".pl", ".r", ".sol",
    ]
)  # fmt: skip
"""Ends of files in languages the library reads. It would read any other as C."""

_LONGEST_NAME = 200


def scan(job: Job) -> tuple[Scan, ...]:
    """What lizard measures of functions that were touched; nothing when the change has no file it reads."""
    files = [file for file in job.known_files if _is_concerned(file)]
    if not files:
        job.waiting.spared("complexity")
        return ()
    with job.folder() as folder:
        placed, unseen = place(files, folder, job.ports.limits, numbered)
        looked = look("complexity", placed, folder, job.ports, job.deadline, job.waiting)
    findings: list[Finding] = []
    most = 0
    for one, functions in looked.found:
        for function in functions:
            start, end = one.line(function["start"]), one.line(function["end"])
            if not one.touched.is_touched(start, end):
                continue
            most = max(most, function["ways"])
            if function["ways"] > MOST:
                findings.append(_finding(one, function, job.ports.key))
    return answered(
        NAME,
        looked.version,
        findings,
        job.ports.limits,
        seen=(one.file.path for one, _ in looked.found),
        unseen=[*unseen, *looked.unseen],
        figures={FIGURE: float(most)},
    )


def _is_concerned(file: ChangedFile) -> bool:
    return file.status is not FileStatus.REMOVED and suffix_of(file.path) in SUFFIXES


def _finding(one: Placed, function: dict[str, Any], key: bytes) -> Finding:
    ways, name = function["ways"], function["name"][:_LONGEST_NAME]
    return Finding(
        rule=RULE,
        severity=Severity.HIGH if ways > TWICE else Severity.MEDIUM,
        source_severity=str(ways),
        message=shortened(f"{ways} ways lead through {name}; {MOST} are the most that can be followed and tested."),
        path=one.file.path,
        line=one.line(function["start"]),
        end_line=one.line(function["end"]),
        fingerprint=fingerprint(key, NAME, RULE, one.file.path, function["name"]),
    )
