"""Narrower levels only tighten: whatever they ask for, no rule ends up milder than a wider level's, and each try is named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.load import definition_of_done
from shared.domain.definition import DefinitionOfDone
from shared.domain.policy import EffectivePolicy, Enforcement, Level, Policy, Resolution, Rule
from shared.domain.threshold import Threshold
from shared.errors import DefectError
from shared.policies.parsing import parse, shipped_policy
from shared.policies.pinning import pin
from shared.policies.resolving import resolve

WHOLE = definition_of_done()
NAMES = ("overall_coverage_holds", "pipeline_is_fast", "licenses_are_allowed", "pipeline_has_all_stages", "ci_is_green")
SMALL = DefinitionOfDone(version=1, criteria=tuple(WHOLE.by_id()[name] for name in NAMES))
VALUES = {
    "overall_coverage_holds": ("overall", st.integers(0, 100).map(float)),
    "pipeline_is_fast": ("duration", st.integers(0, 20).map(float)),
    "licenses_are_allowed": (
        "licenses",
        st.sets(st.sampled_from(["MIT", "ISC", "Zlib", "GPL-3.0"]), min_size=1).map(sorted).map(tuple),
    ),
    "pipeline_has_all_stages": (
        "stages",
        st.sets(st.sampled_from(["lint", "unit", "fuzz"]), min_size=1).map(sorted).map(tuple),
    ),
}


@st.composite
def policies(draw: st.DrawFn, level: Level) -> Policy:
    rules = {}
    for name in draw(st.sets(st.sampled_from(NAMES))):
        thresholds = {}
        if name in VALUES and draw(st.booleans()):
            key, values = VALUES[name]
            thresholds[key] = draw(values)
        rules[name] = Rule(enforcement=draw(st.none() | st.sampled_from(Enforcement)), thresholds=thresholds, line=1)
    return Policy(level=level, version=1, rules=rules)


four = st.tuples(
    policies(Level.SHIPPED), st.none() | policies(Level.ORGANISATION), st.none() | policies(Level.PROJECT),
    st.none() | policies(Level.REPOSITORY),
)  # fmt: skip


def as_strict(narrow: EffectivePolicy, wide: EffectivePolicy) -> bool:
    return all(
        a.enforcement.rank >= b.enforcement.rank
        and all(a.thresholds[name].demands(b.thresholds[name]) for name in b.thresholds)
        for a, b in zip(narrow.rules, wide.rules, strict=True)
    )


@given(four)
def test_each_narrower_level_is_at_least_as_strict(
    given_: tuple[Policy, Policy | None, Policy | None, Policy | None],
) -> None:
    shipped, organisation, project, repository = given_
    wide = resolve(SMALL, shipped, organisation).policy
    middle = resolve(SMALL, shipped, organisation, project).policy
    narrow = resolve(SMALL, shipped, organisation, project, repository).policy
    assert as_strict(middle, wide)
    assert as_strict(narrow, middle)


@given(four)
def test_what_is_asked_holds_or_is_named(given_: tuple[Policy, Policy | None, Policy | None, Policy | None]) -> None:
    found = resolve(SMALL, *given_)
    named = {(one.level, one.criterion, one.field) for one in found.weakenings}
    for policy in given_[2:]:
        for name, rule in (policy.rules if policy else {}).items():
            effective = found.policy.rule(name)
            assert effective is not None
            if rule.enforcement is not None and (policy.level, name, "enforcement") not in named:
                assert effective.enforcement.rank >= rule.enforcement.rank
            for key, value in rule.thresholds.items():
                asked = SMALL.by_id()[name].thresholds[key].with_value(value)
                if (policy.level, name, key) not in named:
                    assert effective.thresholds[key].demands(asked)


@given(four)
def test_saying_it_again_further_down_changes_nothing(
    given_: tuple[Policy, Policy | None, Policy | None, Policy | None],
) -> None:
    shipped, organisation, project, _ = given_
    once = resolve(SMALL, shipped, organisation, project)
    if project is None:
        return
    again = resolve(SMALL, shipped, organisation, project, project.model_copy(update={"level": Level.REPOSITORY}))
    assert again.policy == once.policy
    assert len(again.weakenings) == 2 * len(once.weakenings)


def repository(text: str) -> Resolution:
    found = parse(text, WHOLE, Level.REPOSITORY)
    assert isinstance(found, Policy)
    organisation = parse(
        "stages: {integration: {overall_coverage_holds: {enforcement: enforced, thresholds: {overall: 90}}}}",
        WHOLE,
        Level.ORGANISATION,
    )
    assert isinstance(organisation, Policy)
    return resolve(WHOLE, shipped_policy(), organisation, None, found)


def test_each_weakening_is_named_with_line_and_who_demands_more() -> None:
    found = repository(
        "stages:\n"
        "  integration:\n"
        "    no_secrets: off\n"
        "    overall_coverage_holds:\n"
        "      enforcement: advisory\n"
        "      thresholds: {overall: 85}\n"
        "    licenses_are_allowed:\n"
        "      thresholds: {licenses: [MIT, GPL-3.0]}\n"
    )
    assert found.refused
    told = {one.text for one in found.weakenings}
    assert "no_secrets: enforcement off is weaker than enforced, which the shipped level demands" in told
    assert (
        "overall_coverage_holds: overall at least 85 percent is weaker than at least 90 percent, "
        "which the organisation level demands"
    ) in told
    assert {(one.criterion, one.field, one.line) for one in found.weakenings} == {
        ("no_secrets", "enforcement", 3),
        ("overall_coverage_holds", "enforcement", 4),
        ("overall_coverage_holds", "overall", 4),
        ("licenses_are_allowed", "licenses", 7),
    }
    rule = found.policy.rule("overall_coverage_holds")
    assert rule is not None
    assert (rule.enforcement, rule.decided_by) == (Enforcement.ENFORCED, Level.ORGANISATION)
    assert rule.thresholds["overall"].text == "at least 90 percent"


def test_what_tightens_holds() -> None:
    found = repository(
        "stages:\n"
        "  integration:\n"
        "    no_flaky_tests: enforced\n"
        "    overall_coverage_holds: {thresholds: {overall: 95}}\n"
        "    licenses_are_allowed: {thresholds: {licenses: [MIT]}}\n"
    )
    assert not found.refused
    assert [found.policy.rule(name).decided_by for name in ("no_flaky_tests", "overall_coverage_holds")] == [
        Level.REPOSITORY, Level.ORGANISATION,
    ]  # fmt: skip
    assert found.policy.rule("overall_coverage_holds").thresholds["overall"].text == "at least 95 percent"
    assert found.policy.rule("licenses_are_allowed").thresholds["licenses"] == Threshold(allowed=("MIT",))


def test_an_organisation_may_set_anything_in_place_of_what_ships() -> None:
    organisation = Policy(
        level=Level.ORGANISATION,
        version=1,
        rules={"overall_coverage_holds": Rule(enforcement=Enforcement.OFF, thresholds={"overall": 10.0})},
    )
    found = resolve(WHOLE, shipped_policy(), organisation)
    rule = found.policy.rule("overall_coverage_holds")
    assert not found.refused
    assert (rule.enforcement, rule.thresholds["overall"].value) == (Enforcement.OFF, 10)


def test_what_no_policy_names_is_advisory() -> None:
    found = resolve(SMALL, Policy(level=Level.SHIPPED, version=1))
    assert {rule.enforcement for rule in found.policy.rules} == {Enforcement.ADVISORY}
    assert found.policy.definition == pin(SMALL)
    assert found.policy.rule("unknown") is None


def test_a_policy_in_the_wrong_place_or_of_another_definition_is_a_defect() -> None:
    with pytest.raises(DefectError, match="stands where the organisation's belongs"):
        resolve(SMALL, shipped_policy().model_copy(update={"rules": {}}), Policy(level=Level.PROJECT, version=1))
    with pytest.raises(DefectError, match="another definition"):
        resolve(SMALL, shipped_policy())


def test_enforcement_is_ordered() -> None:
    assert [one.rank for one in (Enforcement.OFF, Enforcement.ADVISORY, Enforcement.ENFORCED)] == [0, 1, 2]
    for a in Enforcement:
        for b in Enforcement:
            assert a.at_least(b) is b.at_least(a)
            assert a.at_least(b).rank == max(a.rank, b.rank)
