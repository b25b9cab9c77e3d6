"""Finds weaknesses in GitHub workflows and actions that a change touches, by zizmor, which asks nobody."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shared.domain.change import ChangedFile, FileStatus, Scan
from shared.domain.evidence import Finding, Severity
from shared.evidence.scanning.answers import UnansweredError, answered, fingerprint, line_of, shortened
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.placing import Placed, Unseen, place
from shared.evidence.scanning.processes import run
from shared.evidence.severities import of_word

NAME = "zizmor"
_CONCERNED = re.compile(r"\.github/workflows/[^/]+\.ya?ml|(?:.*/)?action\.ya?ml", re.IGNORECASE)
_ACTION = re.compile(r"(?:.*/)?action\.ya?ml", re.IGNORECASE)
_LOWER = {Severity.HIGH: Severity.MEDIUM, Severity.MEDIUM: Severity.LOW, Severity.LOW: Severity.INFO}
_OPTIONS = (
    "--offline", "--no-config", "--no-ignores", "--no-exit-codes", "--strict-collection", "--collect=all",
    "--no-progress", "--color=never", "--quiet", "--format=sarif",
)  # fmt: skip
"""Neither configuration nor comments of the change excuse anything; a file that cannot be read is an error."""
_MOST_ALONE = 200
_WELL = frozenset({0})


def scan(job: Job) -> tuple[Scan, ...]:
    """What zizmor finds in touched lines of workflows and actions; nothing when the change has none."""
    files = [file for file in job.known_files if _is_concerned(file)]
    if not files:
        return ()
    program = job.ports.program(NAME)
    if program is None:
        raise UnansweredError("the program is not installed here", "Install the dependencies anew.")
    with job.folder() as folder:
        change, home = folder / "change", folder / "home"
        change.mkdir()
        home.mkdir()
        placed, unseen = place(files, change, job.ports.limits, _named)
        run_over = _Runs(program, change, home, job)
        results, refused = run_over.all_of(placed)
    seen = [one for one in placed if one.file.path not in {each.path for each in refused}]
    findings = [one for one in _findings(results, placed, job.ports.key) if one is not None]
    return answered(
        NAME,
        run_over.version,
        findings,
        job.ports.limits,
        seen=(one.file.path for one in seen),
        unseen=[*unseen, *refused],
        figures={"files": len(seen)},
    )


def _is_concerned(file: ChangedFile) -> bool:
    return file.status is not FileStatus.REMOVED and bool(_CONCERNED.fullmatch(file.path))


def _named(number: int, file: ChangedFile) -> str:
    # The program tells the two kinds apart by these names.
    return f"{number:05d}/action.yml" if _ACTION.fullmatch(file.path) else f".github/workflows/{number:05d}.yml"


class _Runs:
    """The program, over all files at once or, where one of them stops it, over each alone."""

    def __init__(self, program: Path, change: Path, home: Path, job: Job) -> None:
        self._program, self._change, self._home, self._job = program, change, home, job
        self._deadline = job.deadline.within(job.ports.limits.scanner_seconds)
        said = run([str(program), "--version"], change, home, self._deadline, 1_000)
        self.version = said.decode("utf-8", "replace").split()[-1] if said.split() else ""

    def all_of(self, placed: Sequence[Placed]) -> tuple[list[Mapping[str, Any]], list[Unseen]]:
        """The results over ``placed``, and the files that the program does not take."""
        if not placed:
            return [], []
        try:
            return self._over(placed), []
        except UnansweredError:
            if len(placed) == 1:
                return [], [Unseen(placed[0].file.path, "zizmor cannot read it")]
        results: list[Mapping[str, Any]] = []
        refused: list[Unseen] = []
        for number, one in enumerate(placed):
            if number >= _MOST_ALONE or self._deadline.left <= 0:
                refused.append(Unseen(one.file.path, "there was no time to look at each file alone"))
                continue
            try:
                results += self._over([one])
            except UnansweredError:
                refused.append(Unseen(one.file.path, "zizmor cannot read it"))
        return results, refused

    def _over(self, placed: Sequence[Placed]) -> list[Mapping[str, Any]]:
        command = [str(self._program), *_OPTIONS, "--", *(one.name for one in placed)]
        answer = run(command, self._change, self._home, self._deadline, self._job.ports.limits.output_bytes, _WELL)
        try:
            runs = json.loads(answer)["runs"]
            return [
                result | {"help": _help(each, result["ruleId"])} for each in runs for result in each.get("results", ())
            ]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise UnansweredError("its answer is not SARIF") from error


def _help(run_of: Mapping[str, Any], rule: str) -> str:
    rules = run_of["tool"]["driver"].get("rules", ())
    return next((str(each.get("helpUri", "")) for each in rules if each.get("id") == rule), "")


def _findings(results: Sequence[Mapping[str, Any]], placed: Sequence[Placed], key: bytes) -> Iterator[Finding | None]:
    by_name = {one.name: one for one in placed}
    for result in results:
        physical = result["locations"][0]["physicalLocation"]
        one = by_name[physical["artifactLocation"]["uri"].removeprefix("./")]
        region = physical.get("region", {})
        start = one.line(region.get("startLine", 1))
        end = one.line(region.get("endLine", region.get("startLine", 1)))
        if not one.touched.is_touched(start, end):
            continue
        rule = str(result["ruleId"])
        told = result.get("properties", {})
        word, sure = str(told.get("zizmor/severity", "")), str(told.get("zizmor/confidence", ""))
        severity = of_word(word)
        yield Finding(
            rule=rule,
            severity=_LOWER.get(severity, severity) if sure == "Low" else severity,
            source_severity=f"{word.lower()}, {sure.lower()} confidence",
            message=shortened(str(result["message"]["text"])),
            path=one.file.path,
            line=start,
            end_line=max(start, end),
            fingerprint=fingerprint(key, NAME, rule, one.file.path, line_of(one.file.content, start)),
            help_url=result["help"],
        )
