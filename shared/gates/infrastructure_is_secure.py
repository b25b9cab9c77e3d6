"""Infrastructure as code breaks no rule that guards data or access."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.evidence import Severity
from shared.domain.review import Effort, Judgement
from shared.evidence.changes.kinds import FileKind
from shared.gates import Asked, Gate
from shared.gates._concerns import named, of_kind
from shared.gates._figures import asked_or, at_most, judged
from shared.gates._findings import Concern, gathered, remarks_on, unlooked

_USUAL = {"critical": at_most(0)}
_SEVERITIES = {"critical": Severity.CRITICAL, "high": Severity.HIGH}
_PROSE = (".md", ".rst", ".adoc", ".txt")


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether findings about infrastructure stay within the bounds of their severities."""
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    files = [file for file in of_kind(evidence, FileKind.INFRASTRUCTURE) if not file.path.endswith(_PROSE)]
    seen = gathered(evidence, Concern.INFRASTRUCTURE)
    if not files and not seen.told:
        return Judgement.not_applicable("infrastructure: the change touches none")
    gaps = list(seen.gaps)
    if missed := unlooked(evidence, files, seen, Concern.INFRASTRUCTURE):
        gaps.append(f"no scanner of infrastructure looked at {named(missed)}")
    thresholds = asked_or(asked, _USUAL)
    return judged(
        thresholds,
        {name: seen.count(_SEVERITIES[name]) for name in _SEVERITIES if name in thresholds},
        dict.fromkeys(thresholds, "; ".join(gaps)) if gaps else {},
        of=f"looked at by {', '.join(seen.sources)}",
        remarks=remarks_on(evidence, seen.told, *(_SEVERITIES[name] for name in thresholds if name in _SEVERITIES)),
        evidence=seen.digests,
    )


GATE = Gate(
    id=GateId.INFRASTRUCTURE_IS_SECURE,
    motivation="One open port or public bucket in a template is repeated in every environment made from it.",
    reads=("files", "scans", "reports", "alerts"),
    effort=Effort.HOURS,
    remedy="Change the template as the rule says: close access, encrypt, name who may do what.",
    evaluate=evaluate,
    takes=("critical", "high"),
)
