"""What the pipeline checks passed, on what would be merged, and it checks all that is asked of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.domain.change import Change, ChangeEvidence, Check, CheckState, Unknown
from shared.domain.definition import GateId, Severity
from shared.domain.forge import ForgeName
from shared.domain.review import Effort, Judgement, Remark
from shared.gates import Asked, Gate

_STAGES = {
    "lint": r"lint\w*|ruff|flake8|pylint|eslint|biome|format\w*|style|pre ?commit|prettier",
    "types": r"types?|typing|type ?check\w*|mypy|pyright|tsc|typescript",
    "unit": r"units?|unit ?tests?|unittests?",
    "smoke": r"smoke|smoke ?tests?",
    "integration": r"integration|integration ?tests?",
    "security": r"security|bandit|codeql|semgrep|trivy|zizmor|sast|snyk|scan\w*|checkov|gitleaks|secrets?",
    "coverage": r"coverage|codecov|coveralls|cov",
}
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_FINISHED = frozenset({CheckState.PASSED, CheckState.NEUTRAL, CheckState.SKIPPED})
_MOST_NAMED = 5
_LONGEST_NAME = 120
_NONE = "Let a pipeline run on pull requests: take that of the scaffold, and require its checks on the target branch."


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether every required check passed; with ``stages``, ``commit`` or ``scope``, whether the pipeline is what they say."""
    if isinstance(evidence.checks, Unknown):
        return Judgement.unseen("the checks", evidence.checks)
    change = evidence.change
    others = [one for one in evidence.checks if not one.ours]
    checks = [one for one in others if one.commit in {"", change.head, change.merge_commit}]
    if not checks:
        told = f"; {len(others)} ran on earlier pushes" if others else ""
        return Judgement.unmet(f"no check ran on {change.head[:8]}{told}", measured={"checks": 0}, remedy=_NONE)
    if stages := asked.entries("stages"):
        return _staged(change, checks, stages)
    if commit := asked.entries("commit"):
        return _on_merge(change, checks, commit)
    if scope := asked.entries("scope"):
        return _released(change, checks, scope)
    required = [one for one in checks if one.required]
    judged = _judged(required or checks, "required checks" if required else "checks")
    advised = [one for one in checks if required and not one.required and one.state is CheckState.FAILED]
    remarks = (*judged.remarks, *(_remark(one, Severity.LOW) for one in advised))
    return judged.model_copy(update={"remarks": remarks})


def _judged(checks: list[Check], what: str) -> Judgement:
    """Failed outweighs pending: what failed already stays failed."""
    failed = [one for one in checks if one.state is CheckState.FAILED]
    waiting = [one for one in checks if one.state not in _FINISHED and one.state is not CheckState.FAILED]
    passed = [one for one in checks if one.state is CheckState.PASSED]
    measured = {"checks": len(checks), "passed": len(passed), "failed": len(failed), "pending": len(waiting)}
    if failed:
        return Judgement.unmet(
            f"{len(failed)} of {len(checks)} {what} failed: {_names(failed)}",
            remarks=tuple(_remark(one, Severity.HIGH) for one in failed),
            measured=measured,
        )
    if waiting:
        return Judgement.not_available(
            f"{len(waiting)} of {len(checks)} {what} have not finished: {_names(waiting)}",
            measured=measured,
            remedy="Wait; the review looks again when they have finished.",
        )
    if not passed:
        return Judgement.unmet(
            f"none of {len(checks)} {what} ran: {_names(checks)} were skipped or say nothing",
            measured=measured,
            remedy=_NONE,
        )
    return Judgement.met(f"{len(passed)} {what} passed", measured=measured)


def _remark(check: Check, severity: Severity) -> Remark:
    said = f": {check.summary.strip()[:300]}" if check.summary.strip() else "."
    return Remark(
        message=f"{check.name[:_LONGEST_NAME]} failed{said}", rule="check_failed", severity=severity, help_url=check.url
    )


def _staged(change: Change, checks: list[Check], stages: tuple[str, ...]) -> Judgement:
    """A stage is there when a check, or a job within one, is named after it and was not skipped."""
    running = [one for one in checks if one.state is not CheckState.SKIPPED]
    names = [name for one in running for name in (one.name, *one.stages)]
    missing = [stage for stage in stages if not any(_speaks_of(stage, name) for name in names)]
    measured = {"stages": len(stages) - len(missing)}
    if not missing:
        return Judgement.met(f"the pipeline has all stages: {', '.join(stages)}", measured=measured)
    # On GitHub each job is a check; a build of Azure Pipelines that does not tell its stages may have any.
    closed = [one for one in running if not one.stages] if change.ref.forge is ForgeName.AZURE_DEVOPS else []
    if closed:
        return Judgement.not_available(
            f"no {', '.join(missing)} is seen, and {_names(closed)} do not tell what they are made of",
            measured=measured,
        )
    return Judgement.unmet(
        f"the pipeline has no {', '.join(missing)}",
        measured=measured,
        remedy=f"Add {'a job' if len(missing) == 1 else 'jobs'} for {', '.join(missing)}, or take the pipeline of the scaffold.",
    )


def _speaks_of(stage: str, name: str) -> bool:
    plain = " ".join(re.sub(r"[^a-z0-9]+", " ", _CAMEL.sub(" ", name).casefold()).split())
    words = _STAGES.get(stage, re.escape(stage.replace("_", " ").replace("-", " ")))
    return re.search(rf"\b(?:{words})\b", plain) is not None


def _on_merge(change: Change, checks: list[Check], wanted: tuple[str, ...]) -> Judgement:
    if strange := [one for one in wanted if one != "merge_result"]:
        return Judgement.not_available(f"{strange[0]!r} is no commit that checks can be asked to run on")
    merged = [one for one in checks if change.merge_commit and one.commit == change.merge_commit]
    if merged:
        return _judged(merged, "checks of the merge result")
    if change.behind == 0:
        # The branch holds all of its target, so merging makes the very files that were tested.
        return _judged(checks, "checks of a branch that holds its target, as the merge makes it,")
    if change.behind is None:
        return Judgement.not_available(
            "no check ran on the merge result, and whether the branch equals it is not known"
        )
    if change.ref.forge is ForgeName.GITHUB:
        # A workflow that a pull request starts runs on the merge, and its checks are shown on the head all the same.
        return Judgement.not_available(
            f"GitHub does not say whether the checks ran on the branch, which lacks {change.behind} commits of "
            f"{change.target!r}, or on what the merge made then",
            remedy=f"Bring the branch up to date with {change.target}, or merge by a merge queue.",
        )
    return Judgement.unmet(
        f"the checks ran on the branch, which lacks {change.behind} commits of {change.target!r}, and not on what the merge makes",
        remedy=f"Bring the branch up to date with {change.target}, or let the pipeline run on the merge commit.",
    )


def _released(change: Change, checks: list[Check], wanted: tuple[str, ...]) -> Judgement:
    if strange := [one for one in wanted if one != "release_commit"]:
        return Judgement.not_available(f"{strange[0]!r} is no scope that checks can be asked of")
    on_head = [one for one in checks if one.commit in {"", change.head}]
    if not on_head:
        return Judgement.unmet(f"no check ran on {change.head[:8]} itself", remedy=_NONE)
    return _judged(on_head, "checks of the commit that is released")


def _names(checks: Iterable[Check]) -> str:
    names = [one.name[:_LONGEST_NAME] for one in checks]
    return ", ".join(names[:_MOST_NAMED]) + (
        f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    )


GATE = Gate(
    id=GateId.CI_IS_GREEN,
    motivation="What the pipeline refuses on a branch it refuses on the main branch, where everybody waits for it.",
    reads=("change", "checks"),
    effort=Effort.HOURS,
    remedy="Open the failing check, fix what it names, and push.",
    evaluate=evaluate,
    takes=("stages", "commit", "scope"),
)
