"""Decides what holds for a repository once all levels spoke: narrower ones tighten, and what would weaken is refused.

An organisation is the widest level and may set anything in place of the shipped policy. A project is held to its
organisation, and a repository to both. Enforcement grows from off over advisory to enforced; thresholds in their direction.
"""

from __future__ import annotations

from typing import NamedTuple

from shared.domain.definition import Criterion, DefinitionOfDone
from shared.domain.policy import (
    EffectivePolicy,
    EffectiveRule,
    Enforcement,
    Level,
    Policy,
    Resolution,
    Rule,
    Weakening,
)
from shared.domain.threshold import Threshold
from shared.errors import DefectError
from shared.policies.pinning import pin


class _Held(NamedTuple):
    """What holds so far, and who said so last."""

    enforcement: Enforcement
    enforced_by: Level
    thresholds: dict[str, tuple[Threshold, Level]]


def resolve(
    definition: DefinitionOfDone,
    shipped: Policy,
    organisation: Policy | None = None,
    project: Policy | None = None,
    repository: Policy | None = None,
) -> Resolution:
    """What holds under ``definition``, and every weakening that was refused.

    A criterion that no policy names is advisory. Raises ``DefectError`` for policies in the wrong place, or read against
    another definition.
    """
    given = (shipped, organisation, project, repository)
    for policy, level in zip(given, Level, strict=True):
        if policy is not None and policy.level is not level:
            raise DefectError(f"a policy of the {policy.level} level stands where the {level}'s belongs")
        if policy is not None and (unknown := sorted(set(policy.rules) - set(definition.by_id()))):
            raise DefectError(f"the {level} policy was read against another definition: {', '.join(unknown[:3])}")
    weakenings: list[Weakening] = []
    rules: list[EffectiveRule] = []
    for criterion in definition.criteria:
        held = _Held(
            Enforcement.ADVISORY,
            Level.SHIPPED,
            {name: (threshold, Level.SHIPPED) for name, threshold in criterion.thresholds.items()},
        )
        for policy in given:
            rule = policy.rules.get(criterion.id) if policy else None
            if policy is None or rule is None:
                continue
            if policy.level in {Level.SHIPPED, Level.ORGANISATION}:
                held = _set(held, rule, policy.level)
            else:
                held, refused = _tightened(held, rule, policy.level, criterion)
                weakenings += refused
        rules.append(
            EffectiveRule(
                criterion=criterion.id,
                stage=criterion.stage,
                enforcement=held.enforcement,
                decided_by=held.enforced_by,
                thresholds={name: threshold for name, (threshold, _) in held.thresholds.items()},
            )
        )
    return Resolution(
        policy=EffectivePolicy(definition=pin(definition), rules=tuple(rules)), weakenings=tuple(weakenings)
    )


def _set(held: _Held, rule: Rule, level: Level) -> _Held:
    thresholds = dict(held.thresholds)
    for name, value in rule.thresholds.items():
        thresholds[name] = (thresholds[name][0].with_value(value), level)
    if rule.enforcement is None:
        return held._replace(thresholds=thresholds)
    return _Held(rule.enforcement, level, thresholds)


def _tightened(held: _Held, rule: Rule, level: Level, criterion: Criterion) -> tuple[_Held, list[Weakening]]:
    refused: list[Weakening] = []
    enforcement, enforced_by = held.enforcement, held.enforced_by
    if rule.enforcement is not None and rule.enforcement.rank < enforcement.rank:
        refused.append(
            Weakening(
                criterion=criterion.id,
                level=level,
                line=rule.line,
                field="enforcement",
                asked=rule.enforcement,
                demanded=enforcement,
                demanded_by=enforced_by,
            )
        )
    elif rule.enforcement is not None and rule.enforcement is not enforcement:
        enforcement, enforced_by = rule.enforcement, level
    thresholds = dict(held.thresholds)
    for name, value in rule.thresholds.items():
        current, set_by = thresholds[name]
        asked = current.with_value(value)
        if asked.demands(current):
            if not current.demands(asked):
                thresholds[name] = (asked, level)
            continue
        refused.append(
            Weakening(
                criterion=criterion.id,
                level=level,
                line=rule.line,
                field=name,
                asked=asked.text,
                demanded=current.text,
                demanded_by=set_by,
            )
        )
    return _Held(enforcement, enforced_by, thresholds), refused
