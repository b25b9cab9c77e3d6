"""A change is small enough to be read with attention: added and removed lines that people wrote stay below a limit."""

from __future__ import annotations

from shared.domain.change import ChangedFile, ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.globs import fits
from shared.domain.review import Effort, Judgement, Remark
from shared.gates import Asked, Gate

GENERATED = (
    "**/package-lock.json", "**/yarn.lock", "**/pnpm-lock.yaml", "**/poetry.lock", "**/uv.lock", "**/*.min.js",
    "**/*.snap", "**/__snapshots__/**", "**/vendor/**", "**/node_modules/**", "**/*.lock",
)  # fmt: skip
"""Nobody reads these line by line, so they do not count."""

_LARGEST_SHOWN = 5


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether the lines that people wrote stay below ``changed_lines``."""
    if isinstance(evidence.files, Unknown):
        return Judgement.not_available(f"the changed files are not known: {evidence.files.reason}")
    limit = asked.figure("changed_lines", 500)
    counted = [file for file in evidence.files if not _generated(file)]
    lines = sum(file.additions + file.deletions for file in counted)
    measured = {"changed_lines": lines, "files": len(counted)}
    if lines <= limit:
        return Judgement.met(f"{lines} changed lines in {len(counted)} files", measured=measured)
    largest = sorted(counted, key=lambda file: -(file.additions + file.deletions))[:_LARGEST_SHOWN]
    remarks = tuple(
        Remark(
            message=f"{file.path} alone changes {file.additions + file.deletions} lines.",
            path=file.path,
            rule="large_file",
        )
        for file in largest
    )
    return Judgement.unmet(
        f"{lines} changed lines in {len(counted)} files; {limit:g} are the most", remarks=remarks, measured=measured
    )


def _generated(file: ChangedFile) -> bool:
    return file.binary or fits(file.path, GENERATED)


GATE = Gate(
    id=GateId.CHANGE_IS_SMALL,
    motivation="Reviewers find fewer faults per line the more lines they are given at once; a large change is waved through.",
    reads=("files",),
    effort=Effort.HOURS,
    remedy="Split the change along its commits or folders, and open a pull request for each part.",
    evaluate=evaluate,
    takes=("changed_lines",),
)
