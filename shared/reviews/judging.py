"""Judges a change: every criterion that is asked of it is evaluated, and the policy makes one ruling of all findings.

Pure: the same evidence under the same definition and policy gives the same findings, however often and wherever.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import (
    Criterion,
    DefinitionOfDone,
    KnownByAttestation,
    KnownByEvidence,
    KnownByGate,
    Stage,
    Subject,
)
from shared.domain.policy import EffectivePolicy, EffectiveRule, Enforcement
from shared.domain.review import Attestation, Finding, Judgement, Outcome, Ruling, Spoken
from shared.errors import DefectError
from shared.gates import Asked, gates
from shared.policies.applying import Applicability, Applied, Facts, applied

_BEFORE_A_MERGE = frozenset({Stage.PLANNING, Stage.DEVELOPMENT, Stage.INTEGRATION})
"""Stages whose statements about a ticket a review asks for; how it was answered, and when, is judged elsewhere."""

_SEEN_WITH_A_CHANGE = frozenset({Stage.DEVELOPMENT, Stage.INTEGRATION})
"""Stages whose statements about the product are evaluated by gates on each change: its pipeline, its tests."""


@dataclass(frozen=True)
class Bench:
    """All that a judgement rests on."""

    evidence: ChangeEvidence
    facts: Facts
    definition: DefinitionOfDone
    policy: EffectivePolicy
    spoken: Spoken
    at: datetime
    reports: tuple[str, ...] = field(default=())


def asked_of_a_change(criterion: Criterion) -> bool:
    """Whether a review asks for it."""
    match criterion.subject:
        case Subject.CHANGE:
            return True
        case Subject.TICKET:
            return criterion.stage in _BEFORE_A_MERGE
        case Subject.PRODUCT:
            return criterion.stage in _SEEN_WITH_A_CHANGE and isinstance(criterion.known_by, KnownByGate)
    # Releases, sprints and the process itself have their own occasions.
    return False


def judged(bench: Bench) -> tuple[Finding, ...]:
    """What became of every criterion that is asked and not switched off, in the definition's order."""
    rules = {rule.criterion: rule for rule in bench.policy.rules}
    found: list[Finding] = []
    for criterion in bench.definition.criteria:
        if not asked_of_a_change(criterion):
            continue
        rule = rules.get(criterion.id)
        if rule is None:
            raise DefectError(f"the policy was resolved under another definition: it says nothing of {criterion.id}")
        if rule.enforcement is not Enforcement.OFF:
            found.append(_finding(bench, criterion, rule))
    return tuple(found)


def ruled(findings: Iterable[Finding]) -> tuple[Ruling, str]:
    """The ruling, and why: an unmet enforced criterion fails, one that nobody could tell leaves it inconclusive."""
    every = tuple(findings)
    blocking = [one for one in every if one.blocks]
    undecided = [one for one in every if one.undecided]
    if blocking:
        rest = f"; {len(undecided)} more could not be determined" if undecided else ""
        return Ruling.FAILED, f"{_named(blocking)} {'is' if len(blocking) == 1 else 'are'} not met{rest}"
    if undecided:
        return Ruling.INCONCLUSIVE, f"{_named(undecided)} could not be determined"
    advised = sum(1 for one in every if one.outcome is Outcome.UNMET)
    enforced = sum(1 for one in every if one.enforcement is Enforcement.ENFORCED)
    rest = f"; {advised} {'piece' if advised == 1 else 'pieces'} of advice" if advised else ""
    return Ruling.PASSED, f"all {enforced} enforced criteria stand{rest}"


def satisfied(findings: Iterable[Finding]) -> frozenset[str]:
    """Criteria that stand in nobody's way, as the moves of the lifecycle read them."""
    return frozenset(
        one.criterion
        for one in findings
        if one.outcome in {Outcome.MET, Outcome.NOT_APPLICABLE}
        or one.waiver is not None
        or one.enforcement is not Enforcement.ENFORCED
    )


def _named(findings: list[Finding]) -> str:
    names = [one.criterion for one in findings]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _finding(bench: Bench, criterion: Criterion, rule: EffectiveRule) -> Finding:
    attestation = next((one for one in bench.spoken.attestations if one.criterion == criterion.id), None)
    waiver = next((one for one in bench.spoken.waivers if one.criterion == criterion.id and one.until > bench.at), None)
    judgement = _judgement(bench, criterion, rule, attestation)
    gate = criterion.known_by.gate if isinstance(criterion.known_by, KnownByGate) else None
    known = gates().get(gate) if gate else None
    return Finding(
        criterion=criterion.id,
        stage=criterion.stage,
        statement=criterion.statement,
        owner=criterion.owner,
        severity=criterion.severity,
        enforcement=rule.enforcement,
        known_by=criterion.known_by.kind,
        gate=gate,
        outcome=judgement.outcome,
        reason=judgement.reason,
        remedy=_remedy(criterion, judgement),
        effort=known.effort if known else None,
        thresholds=dict(rule.thresholds),
        measured=judgement.measured,
        remarks=judgement.remarks,
        evidence=judgement.evidence,
        attestation=attestation,
        waiver=waiver if judgement.outcome not in {Outcome.MET, Outcome.NOT_APPLICABLE} else None,
    )


def _remedy(criterion: Criterion, judgement: Judgement) -> str:
    if judgement.outcome in {Outcome.MET, Outcome.NOT_APPLICABLE}:
        return ""
    return judgement.remedy or criterion.remedy


def _judgement(bench: Bench, criterion: Criterion, rule: EffectiveRule, said: Attestation | None) -> Judgement:
    asked = applied(criterion.applies_when, bench.facts)
    if asked.applicability is Applicability.NOT_APPLICABLE:
        return Judgement.not_applicable(f"it is not asked of this change ({asked.reason})")
    if criterion.subject is Subject.TICKET and (nothing := _no_ticket(bench.evidence)):
        return nothing
    known = criterion.known_by
    if isinstance(known, KnownByGate):
        return _gated(bench, criterion, known, rule, asked, said)
    if said:
        return _attested(said, bench)
    if asked.applicability is Applicability.UNKNOWN:
        return Judgement.not_available(f"whether it is asked is {asked.reason}")
    return _unsaid(criterion, known)


def _gated(
    bench: Bench,
    criterion: Criterion,
    known: KnownByGate,
    rule: EffectiveRule,
    asked: Applied,
    said: Attestation | None,
) -> Judgement:
    judgement = _evaluated(bench.evidence, criterion, known, rule)
    if judgement.outcome in {Outcome.NOT_AVAILABLE, Outcome.NOT_SUPPORTED} and said:
        return _attested(said, bench)
    if asked.applicability is Applicability.UNKNOWN and judgement.outcome is Outcome.UNMET:
        # It may not be asked at all: nobody is blocked by what nobody knows, and nobody passes by it.
        return Judgement.not_available(
            f"{judgement.reason}; whether it is asked is {asked.reason}",
            remarks=judgement.remarks,
            measured=judgement.measured,
        )
    return judgement


def _no_ticket(evidence: ChangeEvidence) -> Judgement | None:
    if isinstance(evidence.items, Unknown):
        return Judgement.not_available(f"the linked work items are not known: {evidence.items.reason}")
    if not evidence.items:
        # That there is none is said once, by change_is_linked_to_work_item.
        return Judgement.not_applicable("no work item is linked that it could be asked of")
    return None


def _evaluated(evidence: ChangeEvidence, criterion: Criterion, known: KnownByGate, rule: EffectiveRule) -> Judgement:
    gate = gates().get(known.gate)
    if gate is None:
        raise DefectError(f"{criterion.id} names the gate {known.gate}, which has no file")
    asked = Asked(criterion.id, rule.thresholds or known.thresholds, known.evidence)
    try:
        return gate.evaluate(evidence, asked)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ArithmeticError, RecursionError) as error:
        # A change may hold anything; a gate that stumbles over it must not take the verdict of all others along.
        return Judgement(
            outcome=Outcome.ERROR, reason=f"the gate {known.gate} broke: {type(error).__name__}: {str(error)[:300]}"
        )


def _attested(said: Attestation, bench: Bench) -> Judgement:
    older = "" if said.head == bench.evidence.change.head else f", about {said.head[:8]}, an earlier push"
    return Judgement.met(f"attested by {said.by} with {said.link}{older}")


def _unsaid(criterion: Criterion, known: KnownByEvidence | KnownByAttestation) -> Judgement:
    if isinstance(known, KnownByEvidence):
        reason = f"nobody showed a {known.evidence.replace('_', ' ')} yet: {known.shows}"
    else:
        reason = f"nobody in the role of {known.by.replace('_', ' ')} said so yet"
    return Judgement.unmet(reason, remedy=f"{criterion.remedy} Then: `/doneright attest {criterion.id} LINK`.")
