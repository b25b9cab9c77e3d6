"""A measured figure is on the right side of its bound; one that nothing tells is not available, and never kept.

One gate with many criteria: a criterion names the kind of evidence and its figures. They are found among what scanners
measured, under their names in uploaded reports, or computed from commits, checks, tests and the change's own functions.
"""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.review import Effort, Judgement, Remark
from shared.domain.threshold import Threshold
from shared.errors import DefectError
from shared.evidence.changes.kinds import FileKind
from shared.gates import Asked, Gate
from shared.gates._concerns import aside
from shared.gates._figures import judged
from shared.gates._measured import figure


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether every figure keeps its bound; the worst counts where several are told.

    Computed here: ``cyclomatic_complexity``, ``documented_functions``, ``commits_with_tests``, the ``duration`` of the head's
    checks, the shares and durations of the layers of tests. Any other figure is looked up by its name among what
    scanners measured and in uploaded reports (``metric`` or ``metric_statistic``). Raises ``DefectError`` for a criterion
    that asks for no figure.
    """
    figures = {name: one for name, one in asked.thresholds.items() if not one.takes_list}
    if not figures or len(figures) != len(asked.thresholds):
        raise DefectError(f"{asked.criterion}: the threshold gate takes figures, and at least one")
    if not isinstance(evidence.files, Unknown) and evidence.files:
        answer = aside(evidence, asked.criterion.replace("_", " "), FileKind.DOCUMENTATION)
        if answer is not None:
            return answer
    return _of_figures(figures, evidence, asked)


def _of_figures(thresholds: dict[str, Threshold], evidence: ChangeEvidence, asked: Asked) -> Judgement:
    values: dict[str, float] = {}
    gaps: dict[str, str] = {}
    beside: dict[str, str] = {}
    remarks: list[Remark] = []
    digests: list[str] = []
    for name, threshold in thresholds.items():
        found = figure(asked.evidence, name, threshold, evidence)
        remarks += found.remarks
        digests += found.digests
        if found.value is not None:
            values[name] = found.value
        if found.gap:
            gaps[name] = found.gap
        elif found.value is None:
            beside[name] = found.beside
    held = {name: one for name, one in thresholds.items() if name not in beside}
    if not held:
        return Judgement.not_applicable("; ".join(dict.fromkeys(beside.values())))
    kind = asked.evidence.replace("_", " ") if asked.evidence else "evidence"
    return judged(held, values, gaps, of=f"by {kind}", remarks=remarks, evidence=digests)


GATE = Gate(
    id=GateId.THRESHOLD,
    motivation="A bound that is only written down moves a little every week; one that is measured stands.",
    reads=("files", "commits", "reviews", "checks", "scans", "reports"),
    effort=Effort.HOURS,
    remedy="Bring the figure back to its bound, or let the pipeline upload what tells it.",
    evaluate=evaluate,
)
