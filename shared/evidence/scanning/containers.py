"""Finds weaknesses in files that describe container images, by hadolint."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from shared.domain.change import ChangedFile, FileStatus, Scan
from shared.domain.evidence import Finding, Severity
from shared.evidence.scanning.answers import UnansweredError, answered, fingerprint, line_of, shortened
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.placing import Placed, Unseen, place
from shared.evidence.scanning.processes import run

NAME = "hadolint"
_ROOT = "DL3002"
"""The last user is root. That is decided by all of the file, whichever line was touched."""
_CONCERNED = re.compile(
    r"(?:.*/)?(?:(?:Dockerfile|Containerfile)(?:[._-].*)?|[^/]+\.(?:dockerfile|containerfile))", re.IGNORECASE
)
_OTHER = re.compile(r".*\.(?:dockerignore|md|rst|txt)", re.IGNORECASE)
_LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "info": Severity.LOW, "style": Severity.INFO}
_UNREADABLE = "DL1000"
_INSTRUCTION = re.compile(
    r"\s*(?:ADD|ARG|CMD|COPY|ENTRYPOINT|ENV|EXPOSE|FROM|HEALTHCHECK|LABEL|MAINTAINER|ONBUILD|RUN|SHELL|STOPSIGNAL|USER"
    r"|VOLUME|WORKDIR)\s",
    re.IGNORECASE,
)
_WIKI = "https://github.com/hadolint/hadolint/wiki/"
_SHELLCHECK = "https://www.shellcheck.net/wiki/"


def scan(job: Job) -> tuple[Scan, ...]:
    """What hadolint finds in touched instructions; nothing when the change describes no image."""
    files = [file for file in job.known_files if is_concerned(file)]
    if not files:
        return ()
    program = job.ports.program(NAME)
    if program is None:
        raise UnansweredError(
            "the program is not installed here", "On Windows there is none; elsewhere install the dependencies anew."
        )
    deadline = job.deadline.within(job.ports.limits.scanner_seconds)
    with job.folder() as folder:
        change, home = folder / "change", folder / "home"
        change.mkdir()
        home.mkdir()
        placed, unseen = place(files, change, job.ports.limits, _named)
        said = run([str(program), "--version"], change, home, deadline, 1_000).decode("utf-8", "replace").split()
        answer = b"[]"
        if placed:
            command = [str(program), "--format", "json", "--no-fail", "--disable-ignore-pragma"]
            answer = run(
                [*command, *(one.name for one in placed)], change, home, deadline, job.ports.limits.output_bytes
            )
    results = _read(answer)
    refused = {result["file"] for result in results if result["code"] == _UNREADABLE}
    findings = list(_findings(results, placed, job.ports.key))
    return answered(
        NAME,
        said[-1] if said else "",
        findings,
        job.ports.limits,
        seen=(one.file.path for one in placed if one.name not in refused),
        unseen=[*unseen, *(Unseen(one.file.path, "hadolint cannot read it") for one in placed if one.name in refused)],
        figures={"files": len(placed) - len(refused)},
    )


def is_concerned(file: ChangedFile) -> bool:
    """Whether the file describes an image."""
    return (
        file.status is not FileStatus.REMOVED
        and bool(_CONCERNED.fullmatch(file.path))
        and not _OTHER.fullmatch(file.path)
    )


def _named(number: int, _file: ChangedFile) -> str:
    return f"{number:05d}.dockerfile"


def _read(answer: bytes) -> list[Mapping[str, Any]]:
    try:
        results = json.loads(answer)
        return [
            {**each, "line": int(each["line"]), "code": str(each["code"]), "file": str(each["file"])}
            for each in results
        ]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnansweredError("its answer is not as documented") from error


def _findings(results: Sequence[Mapping[str, Any]], placed: Sequence[Placed], key: bytes) -> Iterator[Finding]:
    by_name = {one.name: one for one in placed}
    for result in results:
        rule, one = result["code"], by_name[result["file"]]
        if rule == _UNREADABLE:
            continue
        start = one.line(result["line"])
        end = _end_of(one.file.content or "", start)
        if rule != _ROOT and not one.touched.is_touched(start, end):
            continue
        level = str(result.get("level", ""))
        yield Finding(
            rule=rule,
            severity=Severity.HIGH if rule == _ROOT else _LEVELS.get(level, Severity.MEDIUM),
            source_severity=level,
            message=shortened(str(result.get("message", ""))),
            path=one.file.path,
            line=start,
            end_line=end,
            fingerprint=fingerprint(key, NAME, rule, one.file.path, line_of(one.file.content, start)),
            help_url=(_SHELLCHECK if rule.startswith("SC") else _WIKI) + rule,
        )


def _end_of(text: str, start: int) -> int:
    """The last line of the instruction that begins at ``start``: the one before the next begins."""
    lines = text.split("\n")
    for number in range(start, len(lines)):
        if _INSTRUCTION.match(lines[number]) and not lines[number - 1].rstrip().endswith(("\\", "`")):
            return number
    return max(len(lines), start)
