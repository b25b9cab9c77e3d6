"""Judges anew, under another policy, what a review found: its outcomes stay, and only what the policy says of them changes.

Where a threshold changes, the figures that were measured decide; where they cannot, the evidence that was kept is asked
again; where that is gone, nobody knows, and nobody passes by that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

from pydantic import JsonValue

from shared.domain.definition import Criterion, DefinitionOfDone, KnownByGate
from shared.domain.policy import EffectivePolicy, EffectiveRule, Enforcement
from shared.domain.review import Finding, Outcome
from shared.domain.threshold import Direction, Threshold
from shared.reviews.judging import asked_of_a_change

Again = Callable[[], Mapping[str, Finding] | None]
"""Every finding as the kept evidence gives it under the new policy; ``None`` when the evidence is gone."""

_DECIDED = frozenset({Outcome.MET, Outcome.UNMET})
GONE = "it is not known how this would have come out: the evidence is not kept any more"


class _Held(StrEnum):
    """What a figure says of a bound."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


def rejudged(
    findings: Iterable[Finding], definition: DefinitionOfDone, policy: EffectivePolicy, again: Again
) -> tuple[Finding, ...]:
    """What the review would have found under ``policy``, in the definition's order."""
    before = {one.criterion: one for one in findings}
    rules = {rule.criterion: rule for rule in policy.rules}
    found: list[Finding] = []
    for criterion in definition.criteria:
        rule = rules.get(criterion.id)
        if rule is None or rule.enforcement is Enforcement.OFF or not asked_of_a_change(criterion):
            continue
        then = before.get(criterion.id)
        if then is None:
            found.append(_newly_asked(criterion, rule, again))
        else:
            found.append(_anew(then, rule, again))
    return tuple(found)


def _newly_asked(criterion: Criterion, rule: EffectiveRule, again: Again) -> Finding:
    every = again()
    if every is not None and criterion.id in every:
        return every[criterion.id]
    return Finding(
        criterion=criterion.id,
        stage=criterion.stage,
        statement=criterion.statement,
        owner=criterion.owner,
        severity=criterion.severity,
        enforcement=rule.enforcement,
        known_by=criterion.known_by.kind,
        gate=criterion.known_by.gate if isinstance(criterion.known_by, KnownByGate) else None,
        outcome=Outcome.NOT_AVAILABLE,
        reason=GONE,
        remedy=criterion.remedy,
        thresholds=dict(rule.thresholds),
    )


def _anew(then: Finding, rule: EffectiveRule, again: Again) -> Finding:
    now = then.model_copy(update={"enforcement": rule.enforcement, "thresholds": dict(rule.thresholds)})
    changed = {name: bound for name, bound in rule.thresholds.items() if then.thresholds.get(name) != bound}
    if not changed or then.outcome not in _DECIDED or then.attestation is not None:
        return now
    outcome, reason = _by_figures(then, changed)
    if outcome is not None:
        return now.model_copy(update={"outcome": outcome, "reason": reason or then.reason})
    every = again()
    if every is not None and then.criterion in every:
        return every[then.criterion].model_copy(update={"waiver": then.waiver})
    return now.model_copy(update={"outcome": Outcome.NOT_AVAILABLE, "reason": GONE})


def _by_figures(then: Finding, changed: Mapping[str, Threshold]) -> tuple[Outcome | None, str]:
    """The outcome as far as figures tell it, with the reason where it is another than before."""
    new = {name: _holds(then.measured.get(name), bound) for name, bound in changed.items()}
    broken = [name for name, held in new.items() if held is _Held.NO]
    if then.outcome is Outcome.MET:
        if broken:
            return Outcome.UNMET, _told(then, changed, broken)
        easier = all(
            held is _Held.YES or _eases(then.thresholds.get(name), changed[name]) for name, held in new.items()
        )
        return (Outcome.MET, "") if easier else (None, "")
    if broken:
        return Outcome.UNMET, _told(then, changed, broken)
    if all(_tightens(then.thresholds.get(name), bound) for name, bound in changed.items()):
        # What did not satisfy less does not satisfy more.
        return Outcome.UNMET, ""
    old = {name: _holds(then.measured.get(name), bound) for name, bound in then.thresholds.items()}
    kept = [name for name in old if name not in changed]
    explained = any(old[name] is _Held.NO for name in changed if name in old)
    if all(held is _Held.YES for held in new.values()) and explained and all(old[name] is _Held.YES for name in kept):
        return Outcome.MET, _told(then, changed, list(changed))
    # It failed for a reason beside its figures, or for one that nobody measured.
    return None, ""


def _holds(measured: JsonValue, bound: Threshold) -> _Held:
    value = bound.value
    if isinstance(value, tuple):
        if not isinstance(measured, list) or not all(isinstance(one, str) for one in measured):
            return _Held.UNKNOWN
        there, named = {str(one) for one in measured}, set(value)
        return _yes(there <= named if bound.direction is Direction.ALLOWED else named <= there)
    if isinstance(measured, bool) or not isinstance(measured, int | float):
        return _Held.UNKNOWN
    return _yes(measured >= value if bound.direction is Direction.AT_LEAST else measured <= value)


def _yes(holds: bool) -> _Held:
    return _Held.YES if holds else _Held.NO


def _eases(old: Threshold | None, new: Threshold) -> bool:
    """Whether whatever satisfied ``old`` satisfies ``new``."""
    return old is not None and _comparable(old, new) and old.demands(new)


def _tightens(old: Threshold | None, new: Threshold) -> bool:
    """Whether whatever satisfies ``new`` satisfies ``old``."""
    return old is not None and _comparable(old, new) and new.demands(old)


def _comparable(one: Threshold, other: Threshold) -> bool:
    return one.direction is other.direction and one.unit is other.unit


def _told(then: Finding, bounds: Mapping[str, Threshold], names: list[str]) -> str:
    parts = [f"{name} was {_shown(then.measured.get(name))}, and {bounds[name].text} is asked" for name in names]
    return "; ".join(parts)


def _shown(measured: JsonValue) -> str:
    if isinstance(measured, list):
        return ", ".join(str(one) for one in measured[:20])
    return f"{measured:g}" if isinstance(measured, int | float) else str(measured)
