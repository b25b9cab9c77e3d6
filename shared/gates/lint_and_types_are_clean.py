"""Formatter, linter and type checker have nothing to say, and every function that a change touches is typed.

What they found stands in their SARIF reports; without one, a check that is named after them and passed says that it was
nothing. Functions are read from the change itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.domain.change import ChangeEvidence, Check, CheckState, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import Severity
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.declared import Language
from shared.evidence.changes.functions import Move, language_of, touched
from shared.evidence.changes.kinds import FileKind
from shared.gates import Asked, Gate
from shared.gates._concerns import aside, of_kind
from shared.gates._figures import asked_or, at_most, judged
from shared.gates._findings import Concern, gathered, remark_of

_USUAL = {name: at_most(0) for name in ("format_errors", "lint_errors", "type_errors", "untyped_functions")}
_CONCERNS = {"format_errors": Concern.FORMAT, "lint_errors": Concern.LINT, "type_errors": Concern.TYPES}
_CHECKS = {
    "format_errors": r"format|\bfmt\b|black|prettier|style|pre-?commit",
    "lint_errors": r"\blint|lint(?:er|ing)?\b|eslint|ruff(?!.?format)|flake8|golangci|rubocop|checkstyle|pre-?commit",
    "type_errors": r"\btyp(?:es|ing|echeck)\b|type.?check|mypy|pyright|\btsc\b",
}
"""Names of checks, jobs and stages that look for it."""

_WHAT = {"format_errors": "formatting", "lint_errors": "lint", "type_errors": "types"}
_ERRORS = {
    "format_errors": frozenset(Severity),
    "lint_errors": frozenset({Severity.CRITICAL, Severity.HIGH}),
    "type_errors": frozenset({Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM}),
}
"""What counts as an error: a linter's warnings and a type checker's notes do not."""

_PYTHON = (".py", ".pyi")


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether errors and untyped functions stay within their bounds.

    Errors are counted in SARIF of the formatter, the linter (warnings left out) and the type checker (notes left out).
    Without such a report a check of the head that is named after it decides: passed is none, failed is one. Functions in
    Python that the change adds or changes are read from their text; tests are left out.
    """
    code = (FileKind.DOCUMENTATION, FileKind.LOCK, FileKind.CONTAINER, FileKind.INFRASTRUCTURE, FileKind.OTHER)
    if (answer := aside(evidence, "lint and types", *code)) is not None:
        return answer
    thresholds = asked_or(asked, _USUAL)
    figures: dict[str, float] = {}
    gaps: dict[str, str] = {}
    remarks: list[Remark] = []
    digests: list[str] = []
    for name in thresholds:
        if name == "untyped_functions":
            if set(thresholds) == {name} and not _python(evidence):
                return Judgement.not_applicable("types: the change touches no function in Python")
            remarks += _untyped(evidence, figures, gaps)
        else:
            remarks += _errors(name, evidence, figures, gaps, digests)
    return judged(thresholds, figures, gaps, of="by reports and checks of the head", remarks=remarks, evidence=digests)


def _errors(
    name: str, evidence: ChangeEvidence, figures: dict[str, float], gaps: dict[str, str], digests: list[str]
) -> Iterable[Remark]:
    seen = gathered(evidence.model_copy(update={"alerts": ()}), _CONCERNS[name])
    counted = [one for one in seen.told if one.finding.severity in _ERRORS[name]]
    if seen.gaps:
        gaps[name] = seen.gap
    if seen.sources:
        figures[name] = len(counted)
        digests += seen.digests
    elif not seen.gaps:
        _by_checks(name, evidence, figures, gaps)
    return [remark_of(one) for one in counted]


def _by_checks(name: str, evidence: ChangeEvidence, figures: dict[str, float], gaps: dict[str, str]) -> None:
    """What checks say where no report does: passed is nothing found, failed is at least one."""
    what = _WHAT[name]
    if isinstance(evidence.checks, Unknown):
        gaps[name] = f"no report tells of {what}, and the checks are not known: {evidence.checks.reason}"
        return
    pattern = re.compile(_CHECKS[name], re.IGNORECASE)
    named = [one for one in evidence.checks if not one.ours and pattern.search(one.name)]
    within = [one for one in evidence.checks if not one.ours and one not in named and _within(one, pattern)]
    decided = [one for one in named if one.state in {CheckState.PASSED, CheckState.FAILED}]
    failed = [one for one in decided if one.state is CheckState.FAILED]
    pending = [one for one in (*named, *within) if one.state is CheckState.PENDING]
    unsure = [one for one in within if one.state is CheckState.FAILED]
    if failed:
        figures[name] = len(failed)
    elif pending:
        gaps[name] = f"{pending[0].name} has not finished"
    elif unsure:
        gaps[name] = f"{unsure[0].name} failed, and does not tell whether by its {what} stage"
    elif decided or any(one.state is CheckState.PASSED for one in within):
        figures[name] = 0
    else:
        gaps[name] = f"no report and no check of the head tells of {what}"


def _within(check: Check, pattern: re.Pattern[str]) -> bool:
    return any(pattern.search(stage) for stage in check.stages)


def _python(evidence: ChangeEvidence) -> bool:
    return any(file.path.endswith(_PYTHON) for file in of_kind(evidence, FileKind.CODE, FileKind.MIGRATION))


def _untyped(evidence: ChangeEvidence, figures: dict[str, float], gaps: dict[str, str]) -> Iterable[Remark]:
    """Functions that the change adds or changes and whose parameters or result have no type; tests are left out."""
    remarks: list[Remark] = []
    unread: list[str] = []
    for file in of_kind(evidence, FileKind.CODE):
        if language_of(file.path) is not Language.PYTHON:
            continue
        found = touched(file)
        if isinstance(found, Unknown):
            unread.append(found.reason)
            continue
        for one in found.touched:
            function = one.after
            if function is None or one.move is Move.REMOVED or not function.callable or function.typed:
                continue
            bare = [parameter.name for parameter in function.parameters if not parameter.annotation]
            lacking = ", ".join(bare) if bare else "its result"
            remarks.append(
                Remark(
                    message=f"{function.name} does not say the type of {lacking}.",
                    path=file.path,
                    line=function.line,
                    severity=Harm.LOW,
                    rule="untyped_function",
                )
            )
    figures["untyped_functions"] = len(remarks)
    if unread:
        gaps["untyped_functions"] = "; ".join(unread)
    return remarks


GATE = Gate(
    id=GateId.LINT_AND_TYPES_ARE_CLEAN,
    motivation="What a machine can say of style and types should not take a reviewer's attention.",
    reads=("files", "scans", "reports", "checks"),
    effort=Effort.MINUTES,
    remedy="Run the formatter, the linter and the type checker, mend what they say, and let the pipeline upload their SARIF.",
    evaluate=evaluate,
    takes=("format_errors", "lint_errors", "type_errors", "untyped_functions"),
)
