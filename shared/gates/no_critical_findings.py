"""Static analysis finds no critical weakness in the code as it would be merged, and few high ones."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.evidence import Severity
from shared.domain.review import Effort, Judgement
from shared.evidence.changes.kinds import FileKind
from shared.gates import Asked, Gate
from shared.gates._concerns import named, of_kind
from shared.gates._figures import asked_or, at_most, judged
from shared.gates._findings import Concern, Gathered, gathered, remarks_on, unlooked

_USUAL = {"critical": at_most(0), "high": at_most(4)}
_PASSWORDS = frozenset({"B105", "B106", "B107"})
_LOOKED_AT = (FileKind.CODE, FileKind.WORKFLOW, FileKind.MIGRATION)


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether ``critical`` and ``high`` findings stay within their bounds.

    All findings about the head count, whether the change touches their files or not: what is asked is the state after the
    merge. Secrets, dependencies, containers, infrastructure and style have gates of their own and do not count here.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    seen = _without_secrets(evidence, gathered(evidence, Concern.CODE))
    files = of_kind(evidence, *_LOOKED_AT)
    if not files and not seen.told:
        return Judgement.not_applicable("static analysis: the change touches no code")
    gaps = list(seen.gaps)
    if unseen := unlooked(evidence, files, seen, Concern.CODE):
        gaps.append(f"no static analysis looked at {named(unseen)}")
    gap = "; ".join(gaps)
    return judged(
        asked_or(asked, _USUAL),
        {"critical": seen.count(Severity.CRITICAL), "high": seen.count(Severity.HIGH)},
        {"critical": gap, "high": gap} if gap else {},
        of=f"analysed by {', '.join(seen.sources)}",
        remarks=remarks_on(evidence, seen.told, Severity.CRITICAL, Severity.HIGH),
        evidence=seen.digests,
    )


def _without_secrets(evidence: ChangeEvidence, seen: Gathered) -> Gathered:
    """Without what a scanner of secrets tells of the same line: bandit looks for passwords as well."""
    places = {(one.finding.path, one.finding.line) for one in gathered(evidence, Concern.SECRET).told}
    told = tuple(
        one
        for one in seen.told
        if one.finding.rule not in _PASSWORDS or (one.finding.path, one.finding.line) not in places
    )
    return seen._replace(told=told)


GATE = Gate(
    id=GateId.NO_CRITICAL_FINDINGS,
    motivation="A weakness that a machine can find is found by attackers' machines as well.",
    reads=("files", "scans", "reports", "alerts"),
    effort=Effort.HOURS,
    remedy="Mend the findings, or suppress one in its tool with the reason why it cannot be used.",
    evaluate=evaluate,
    takes=("critical", "high"),
)
