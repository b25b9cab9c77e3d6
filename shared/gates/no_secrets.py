"""A change brings no secret: what a scanner of secrets finds in its lines, and what the forge's own finds in its files."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement
from shared.gates import Asked, Gate
from shared.gates._figures import asked_or, at_most, judged
from shared.gates._findings import Concern, gathered, remark_of

_USUAL = {"secrets": at_most(0)}


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether at most ``secrets`` were found; every text of the change can hold one, so no kind of file is left out.

    What scanners found in the change and in uploaded reports counts, and the forge's alerts in files of the change. How bad a
    tool calls it does not matter. A scanner that could not answer leaves it open, whatever another one says.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    seen = gathered(evidence, Concern.SECRET)
    gaps = list(seen.gaps)
    if not seen.sources and not seen.gaps:
        gaps.append("no scanner of secrets looked at the change")
    # How bad a tool calls it does not matter: whoever reads the repository has it.
    remarks = (remark_of(one).model_copy(update={"severity": Harm.CRITICAL}) for one in seen.told)
    return judged(
        asked_or(asked, _USUAL),
        {"secrets": len(seen.told)},
        {"secrets": "; ".join(gaps)} if gaps else {},
        of=f"looked at by {', '.join(seen.sources)}",
        remarks=remarks,
        evidence=seen.digests,
    )


GATE = Gate(
    id=GateId.NO_SECRETS,
    motivation="A secret that was pushed is in every clone for ever; taking the line out again does not take it back.",
    reads=("files", "scans", "reports", "alerts"),
    effort=Effort.HOURS,
    remedy="Revoke the secret where it was issued, put its successor into a vault, and name it from there.",
    evaluate=evaluate,
    takes=("secrets",),
)
