"""A feature comes with scenarios in Gherkin that tell its ordinary case and its errors."""

from __future__ import annotations

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.cases import CaseClass
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.tests import all_touched
from shared.gates import Asked, Gate
from shared.gates._concerns import of_kind

_WANTED = {CaseClass.POSITIVE: "its ordinary case", CaseClass.NEGATIVE: "an error"}


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether the change adds or changes a scenario of each: what works, and what is refused."""
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    if not of_kind(evidence, FileKind.CODE):
        return Judgement.not_applicable("scenarios: the change touches no code")
    features = [file for file in evidence.files if file.path.lower().endswith(".feature")]
    scenarios, unread = all_touched(features)
    whole = [one for one in scenarios if one.shows]
    measured = {kind.value: sum(one.kind is kind for one in whole) for kind in CaseClass}
    missing = [text for kind, text in _WANTED.items() if not measured[kind.value]]
    if not missing:
        return Judgement.met(f"{len(whole)} scenarios tell the ordinary case and errors", measured=measured)
    if unread:
        return Judgement.not_available("; ".join(one.reason for one in unread)[:2_000], measured=measured)
    remarks = [
        Remark(
            message=f"The scenario {one.name!r} {'is skipped' if one.skipped else 'lacks When or Then'}, so it tells nothing."[
                :2_000
            ],
            path=one.path,
            line=one.line,
            severity=Harm.LOW,
            rule="idle_scenario",
        )
        for one in scenarios
        if not one.shows
    ]
    return Judgement.unmet(
        f"no scenario of this change tells {' or '.join(missing)}", remarks=remarks, measured=measured
    )


GATE = Gate(
    id=GateId.BDD_SCENARIOS_ACCOMPANY_FEATURE,
    motivation="A scenario says in the users' words what was agreed, and fails when it no longer holds.",
    reads=("files",),
    effort=Effort.HOURS,
    remedy="Add a .feature file with a scenario of the ordinary case and one of an error, each with When and Then.",
    evaluate=evaluate,
)
