"""No dependency has a known vulnerability that is bad enough, by advisories, bills of materials and the forge's alerts."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.evidence import Severity
from shared.domain.review import Effort, Judgement
from shared.gates import Asked, Gate
from shared.gates._concerns import MANIFESTS, matching, named
from shared.gates._figures import asked_or, at_most, judged
from shared.gates._findings import Concern, gathered, remarks_on

_USUAL = {"critical": at_most(0), "high": at_most(0)}
_SEVERITIES = {"critical": Severity.CRITICAL, "high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether findings about dependencies stay within the bounds of their severities."""
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    seen = gathered(evidence, Concern.DEPENDENCY)
    manifests = matching(evidence, MANIFESTS)
    if (
        not seen.told
        and not manifests
        and not any(scan.scanner == "osv" for scan in evidence.scans)
        and not seen.sources
    ):
        return Judgement.not_applicable("dependencies: the change touches no file that names them")
    gap = seen.gap
    if not seen.sources and not gap:
        gap = f"no scanner of dependencies looked at {named(manifests)}"
    thresholds = asked_or(asked, _USUAL)
    return judged(
        thresholds,
        {name: seen.count(_SEVERITIES[name]) for name in _SEVERITIES if name in thresholds},
        dict.fromkeys(thresholds, gap) if gap else {},
        of=f"looked up by {', '.join(seen.sources)}",
        remarks=remarks_on(evidence, seen.told, *(_SEVERITIES[name] for name in thresholds if name in _SEVERITIES)),
        evidence=seen.digests,
    )


GATE = Gate(
    id=GateId.DEPENDENCIES_ARE_SAFE,
    motivation="Most of what runs was written by others; what is known to be broken in it is the first thing attackers try.",
    reads=("files", "scans", "reports", "alerts"),
    effort=Effort.HOURS,
    remedy="Raise the dependency to a version the advisory names as mended, or replace it.",
    evaluate=evaluate,
    takes=("critical", "high", "medium", "low"),
)
