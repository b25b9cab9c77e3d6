"""Findings under another policy: outcomes stay, figures decide where a bound moves, and what nobody knows is told."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.load import definition_of_done
from shared.domain.policy import EffectivePolicy, EffectiveRule, Enforcement, Level
from shared.domain.review import Attestation, Finding, Outcome, Ruling
from shared.domain.threshold import Threshold, Unit
from shared.policies.parsing import shipped_policy
from shared.policies.resolving import resolve
from shared.reviews.judging import asked_of_a_change, ruled
from shared.reviews.rejudging import GONE, rejudged
from tests.fakes.changes import HEAD, NOW
from tests.fakes.talk import a_finding

DONE = definition_of_done()
SHIPPED = resolve(DONE, shipped_policy()).policy
COVERAGE = "overall_coverage_holds"


def lines(most: float) -> Threshold:
    return Threshold(at_most=most, unit=Unit.LINES)


def share(least: float) -> Threshold:
    return Threshold(at_least=least, unit=Unit.PERCENT)


def only(criterion: str, enforcement: Enforcement = Enforcement.ENFORCED, **bounds: Threshold) -> EffectivePolicy:
    """A policy that asks for one criterion alone."""
    rules = tuple(
        EffectiveRule(
            criterion=rule.criterion,
            stage=rule.stage,
            enforcement=enforcement if rule.criterion == criterion else Enforcement.OFF,
            decided_by=Level.REPOSITORY,
            thresholds=bounds if rule.criterion == criterion else rule.thresholds,
        )
        for rule in SHIPPED.rules
    )
    return SHIPPED.model_copy(update={"rules": rules})


@dataclass
class Kept:
    """Evidence that was kept, and how often it was asked again."""

    findings: dict[str, Finding] | None = None
    asked: list[int] = field(default_factory=list)

    def __call__(self):
        self.asked.append(1)
        return self.findings


def one(then: Finding | None, policy: EffectivePolicy, kept: Kept | None = None) -> Finding:
    (found,) = rejudged([then] if then else [], DONE, policy, kept or Kept())
    return found


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("enforcement", [Enforcement.ADVISORY, Enforcement.ENFORCED])
def test_an_outcome_stays_whatever_the_policy_makes_of_it(outcome, enforcement):
    then = a_finding("no_secrets", outcome, thresholds={"secrets": Threshold(at_most=0, unit=Unit.COUNT)})
    kept = Kept()
    found = one(then, only("no_secrets", enforcement, **then.thresholds), kept)
    assert found == then.model_copy(update={"enforcement": enforcement})
    assert kept.asked == []


def test_what_is_switched_off_is_not_found_and_blocks_nobody():
    assert rejudged([a_finding("no_secrets")], DONE, only("ci_is_green", Enforcement.OFF), Kept()) == ()
    assert ruled(())[0] is Ruling.PASSED


@pytest.mark.parametrize(
    ("outcome", "measured", "old", "new", "wanted"),
    [
        (Outcome.MET, 88, 85, 90, Outcome.UNMET),
        (Outcome.MET, 95, 85, 90, Outcome.MET),
        (Outcome.MET, 90, 85, 90, Outcome.MET),
        (Outcome.MET, 88, 85, 80, Outcome.MET),
        (Outcome.MET, None, 85, 80, Outcome.MET),
        (Outcome.UNMET, 80, 85, 90, Outcome.UNMET),
        (Outcome.UNMET, None, 85, 90, Outcome.UNMET),
        (Outcome.UNMET, 80, 85, 75, Outcome.MET),
        (Outcome.UNMET, 80, 85, 82, Outcome.UNMET),
    ],
)
def test_the_figures_that_were_measured_decide(outcome, measured, old, new, wanted):
    kept = Kept()
    figures = {} if measured is None else {"overall": measured}
    then = a_finding(COVERAGE, outcome, measured=figures, thresholds={"overall": share(old)})
    found = one(then, only(COVERAGE, overall=share(new)), kept)
    assert (found.outcome, found.thresholds) == (wanted, {"overall": share(new)})
    assert kept.asked == []
    if wanted is not outcome:
        assert found.reason == f"overall was {measured}, and at least {new} percent is asked"


@pytest.mark.parametrize(
    ("outcome", "measured", "old", "new"),
    [
        (Outcome.MET, None, 85, 90),
        (Outcome.MET, "88", 85, 90),
        (Outcome.MET, True, 85, 90),
        (Outcome.UNMET, None, 85, 80),
        (Outcome.UNMET, 88, 85, 80),
    ],
)
def test_where_figures_say_nothing_the_evidence_is_asked_and_where_that_is_gone_nobody_knows(
    outcome, measured, old, new
):
    figures = {} if measured is None else {"overall": measured}
    then = a_finding(COVERAGE, outcome, measured=figures, thresholds={"overall": share(old)})
    policy = only(COVERAGE, overall=share(new))
    gone = one(then, policy)
    assert (gone.outcome, gone.reason) == (Outcome.NOT_AVAILABLE, GONE)
    assert ruled([gone])[0] is Ruling.INCONCLUSIVE
    again = a_finding(COVERAGE, Outcome.MET, reason="looked at again")
    assert one(then, policy, Kept({COVERAGE: again})) == again


def test_a_failure_that_another_bound_explains_is_not_lifted():
    pyramid = {"unit_share": share(60), "unit_and_smoke_share": share(70)}
    then = a_finding(
        "test_pyramid_is_kept", measured={"unit_share": 50, "unit_and_smoke_share": 60}, thresholds=pyramid
    )
    found = one(then, only("test_pyramid_is_kept", **(pyramid | {"unit_share": share(40)})))
    assert found.outcome is Outcome.NOT_AVAILABLE
    lifted = one(then, only("test_pyramid_is_kept", unit_share=share(40), unit_and_smoke_share=share(50)))
    assert lifted.outcome is Outcome.MET


@pytest.mark.parametrize(
    ("measured", "new", "wanted"),
    [
        (["MIT"], Threshold(allowed=("MIT",)), Outcome.MET),
        (["MIT", "ISC"], Threshold(allowed=("MIT",)), Outcome.UNMET),
        (["lint", "unit"], Threshold(required=("lint", "unit")), Outcome.MET),
        (["lint"], Threshold(required=("lint", "unit")), Outcome.UNMET),
        (3, Threshold(required=("lint", "unit")), Outcome.NOT_AVAILABLE),
        ([1], Threshold(required=("lint", "unit")), Outcome.NOT_AVAILABLE),
    ],
)
def test_lists_decide_by_what_they_hold(measured, new, wanted):
    old = Threshold.model_validate({new.direction.value: ("lint",)} if new.required else {"allowed": ("MIT", "ISC")})
    then = a_finding("change_is_small", Outcome.MET, measured={"of": measured}, thresholds={"of": old})
    assert one(then, only("change_is_small", of=new)).outcome is wanted


def test_what_somebody_attested_or_nobody_could_tell_no_bound_changes():
    said = Attestation(criterion=COVERAGE, link="https://x.example", by="noor", actor="p-1", at=NOW, head=HEAD)
    for then in (
        a_finding(COVERAGE, Outcome.MET, attestation=said, thresholds={"overall": share(85)}),
        a_finding(COVERAGE, Outcome.NOT_AVAILABLE, thresholds={"overall": share(85)}),
        a_finding(COVERAGE, Outcome.NOT_APPLICABLE, thresholds={"overall": share(85)}),
    ):
        assert one(then, only(COVERAGE, overall=share(99))).outcome is then.outcome


def test_what_was_off_is_asked_of_the_evidence_that_was_kept():
    policy = only("change_is_small", changed_lines=lines(500))
    again = a_finding("change_is_small", Outcome.MET)
    assert one(None, policy, Kept({"change_is_small": again})) == again
    gone = one(None, policy)
    assert (gone.outcome, gone.reason, gone.criterion) == (Outcome.NOT_AVAILABLE, GONE, "change_is_small")


def test_a_review_under_the_shipped_policy_comes_out_as_it_did():
    findings = tuple(
        a_finding(rule.criterion, Outcome.UNMET, enforcement=rule.enforcement, thresholds=rule.thresholds)
        for rule in SHIPPED.rules
        if rule.enforcement is not Enforcement.OFF and asked_of_a_change(DONE.by_id()[rule.criterion])
    )
    kept = Kept()
    assert rejudged(findings, DONE, SHIPPED, kept) == findings
    assert kept.asked == []


@given(
    st.floats(0, 100),
    st.floats(0, 100),
    st.floats(0, 100),
    st.sampled_from([share, None]),
)
def test_a_figure_decides_as_the_gate_would_have(measured, old, new, kind):
    bound = share if kind else lines
    name = "overall"

    def holds(limit):
        return measured >= limit if kind else measured <= limit

    outcome = Outcome.MET if holds(old) else Outcome.UNMET
    then = a_finding(COVERAGE, outcome, measured={name: measured}, thresholds={name: bound(old)})
    wanted = Outcome.MET if holds(new) else Outcome.UNMET
    assert one(then, only(COVERAGE, **{name: bound(new)})).outcome is wanted
