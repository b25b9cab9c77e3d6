"""Every criterion that is asked gets one finding; the ruling never passes what nobody could tell."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.definitions.load import definition_of_done
from shared.domain.definition import ChangeKind, GateId, OwnerRole, Severity, Stage, Subject, WorkItemKind
from shared.domain.policy import Enforcement
from shared.domain.review import UNDECIDED, Attestation, Effort, Finding, Judgement, Outcome, Ruling, Spoken, Waiver
from shared.gates import Gate
from shared.policies.applying import Facts
from shared.policies.parsing import shipped_policy
from shared.policies.resolving import resolve
from shared.reviews import judging
from shared.reviews.judging import Bench, asked_of_a_change, judged, ruled, satisfied
from tests.fakes.changes import HEAD, NOW, UNKNOWN, a_ref, evidence, file, item

KNOWN = Facts(
    labels=(), paths=("src/a.py",), change_kinds=(ChangeKind.FEATURE,), work_item_kinds=(WorkItemKind.REQUIREMENT,)
)


@pytest.fixture
def says(monkeypatch):
    """Gates that answer what the test says: by default all are met."""
    answers: dict[GateId, Judgement | Exception] = {}

    def gate(ident: GateId) -> Gate:
        def evaluate(seen, asked):
            answer = answers.get(ident, Judgement.met("as it should be"))
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Gate(ident, "why", ("change",), Effort.MINUTES, "mend it", evaluate)

    monkeypatch.setattr(judging, "gates", lambda: {ident: gate(ident) for ident in GateId})
    return answers


def bench(facts=KNOWN, spoken=None, **rest):
    seen = evidence(file("src/a.py", "a\n", "b\n"), **({"items": (item(),)} | rest))
    definition = definition_of_done()
    return Bench(
        evidence=seen,
        facts=facts,
        definition=definition,
        policy=resolve(definition, shipped_policy()).policy,
        spoken=spoken or Spoken(ref=a_ref()),
        at=NOW,
    )


def finding(of, criterion):
    return next(one for one in judged(of) if one.criterion == criterion)


def test_each_criterion_that_is_asked_and_not_off_has_one_finding(says):
    of = bench()
    off = {rule.criterion for rule in of.policy.rules if rule.enforcement is Enforcement.OFF}
    wanted = [one.id for one in of.definition.criteria if asked_of_a_change(one) and one.id not in off]
    assert [one.criterion for one in judged(of)] == wanted
    assert len(wanted) > 80


def test_a_review_asks_nothing_of_releases_and_sprints():
    asked = {one.subject for one in definition_of_done().criteria if asked_of_a_change(one)}
    assert asked == {Subject.CHANGE, Subject.TICKET, Subject.PRODUCT}


def test_what_is_unmet_and_enforced_fails(says):
    says[GateId.NO_SECRETS] = Judgement.unmet("a key is in config.py")
    of = bench()
    found = finding(of, "no_secrets")
    assert (found.outcome, found.blocks, found.effort) == (Outcome.UNMET, True, Effort.MINUTES)
    assert found.remedy
    ruling, reason = ruled(judged(of))
    assert ruling is Ruling.FAILED
    assert "no_secrets is not met" in reason


def test_what_is_unmet_and_advised_does_not(says):
    says[GateId.CHANGE_IS_SMALL] = Judgement.unmet("900 lines")
    of = bench()
    found = finding(of, "change_is_small")
    assert (found.enforcement, found.blocks) == (Enforcement.ADVISORY, False)


@pytest.mark.parametrize(
    "answer",
    [Judgement.not_available("the scanner did not answer"), Judgement.not_supported("the plan has no such thing")],
)
def test_what_nobody_could_tell_is_inconclusive_and_never_passes(says, answer):
    says[GateId.NO_SECRETS] = answer
    ruling, reason = ruled([one for one in judged(bench()) if one.known_by == "gate"])
    assert ruling is Ruling.INCONCLUSIVE
    assert "no_secrets" in reason


@pytest.mark.parametrize("error", [ValueError("odd"), KeyError("x"), RecursionError(), ZeroDivisionError()])
def test_a_gate_that_breaks_leaves_the_others_standing(says, error):
    says[GateId.NO_SECRETS] = error
    of = bench()
    found = finding(of, "no_secrets")
    assert found.outcome is Outcome.ERROR
    assert type(error).__name__ in found.reason
    assert finding(of, "ci_is_green").outcome is Outcome.MET
    assert ruled([one for one in judged(of) if one.known_by == "gate"])[0] is Ruling.INCONCLUSIVE


def test_all_gates_met_passes_where_nothing_else_is_enforced(says):
    ruling, reason = ruled([one for one in judged(bench()) if one.known_by == "gate"])
    assert ruling is Ruling.PASSED
    assert "enforced criteria stand" in reason


def test_a_criterion_about_another_kind_of_change_is_not_applicable(says):
    of = bench(facts=KNOWN.model_copy(update={"change_kinds": (ChangeKind.DOCUMENTATION,)}))
    found = finding(of, "breaking_change_has_migration_guide")
    assert found.outcome is Outcome.NOT_APPLICABLE
    assert found.remedy == ""


def test_where_it_is_not_known_whether_it_is_asked_unmet_is_not_available(says):
    says[GateId.BREAKING_CHANGE_HAS_MIGRATION_GUIDE] = Judgement.unmet("no guide")
    of = bench(facts=KNOWN.model_copy(update={"change_kinds": None}))
    found = finding(of, "breaking_change_has_migration_guide")
    assert found.outcome is Outcome.NOT_AVAILABLE
    assert "change kind" in found.reason


def test_without_a_work_item_the_ticket_is_not_asked_about_twice(says):
    of = bench(items=())
    assert finding(of, "requirement_has_acceptance_criteria").outcome is Outcome.NOT_APPLICABLE


def test_where_work_items_could_not_be_read_nothing_of_the_ticket_is_let_go(says):
    of = bench(items=UNKNOWN)
    assert finding(of, "requirement_has_acceptance_criteria").outcome is Outcome.NOT_AVAILABLE


def attested(criterion, head=HEAD):
    return Attestation(criterion=criterion, link="https://x.example/1", by="noor", actor="p", at=NOW, head=head)


def known_by(kind):
    of = bench()
    return next(one.criterion for one in judged(of) if one.known_by == kind and one.outcome is Outcome.UNMET)


@pytest.mark.parametrize("kind", ["attestation", "evidence"])
def test_what_people_must_say_is_unmet_until_somebody_says_it(says, kind):
    criterion = known_by(kind)
    before = finding(bench(), criterion)
    assert f"/doneright attest {criterion}" in before.remedy
    after = finding(bench(spoken=Spoken(ref=a_ref(), attestations=(attested(criterion),))), criterion)
    assert after.outcome is Outcome.MET
    assert "noor" in after.reason
    assert after.attestation is not None


def test_an_attestation_about_an_earlier_push_says_so(says):
    criterion = known_by("attestation")
    spoken = Spoken(ref=a_ref(), attestations=(attested(criterion, "f" * 40),))
    assert "an earlier push" in finding(bench(spoken=spoken), criterion).reason


def test_an_attestation_answers_for_a_gate_that_could_not_tell_and_not_for_one_that_said_no(says):
    spoken = Spoken(ref=a_ref(), attestations=(attested("no_secrets"),))
    says[GateId.NO_SECRETS] = Judgement.not_available("no scanner")
    assert finding(bench(spoken=spoken), "no_secrets").outcome is Outcome.MET
    says[GateId.NO_SECRETS] = Judgement.unmet("a key")
    assert finding(bench(spoken=spoken), "no_secrets").outcome is Outcome.UNMET


def waived(until):
    return Waiver(criterion="ci_is_green", because="the build farm is down", until=until, by="otis", actor="p", at=NOW)


def test_a_waiver_in_force_lets_what_is_unmet_go_and_one_past_its_day_does_not(says):
    says[GateId.CI_IS_GREEN] = Judgement.unmet("unit failed")
    live = finding(bench(spoken=Spoken(ref=a_ref(), waivers=(waived(NOW + timedelta(hours=1)),))), "ci_is_green")
    assert (live.blocks, live.waiver is not None) == (False, True)
    past = finding(bench(spoken=Spoken(ref=a_ref(), waivers=(waived(NOW),))), "ci_is_green")
    assert (past.blocks, past.waiver) == (True, None)


def test_a_waiver_of_what_is_met_is_not_shown(says):
    of = bench(spoken=Spoken(ref=a_ref(), waivers=(waived(NOW + timedelta(hours=1)),)))
    assert finding(of, "ci_is_green").waiver is None


def test_what_stands_in_nobodys_way(says):
    says[GateId.NO_SECRETS] = Judgement.unmet("a key")
    says[GateId.CHANGE_IS_SMALL] = Judgement.unmet("900 lines")
    found = satisfied(judged(bench()))
    assert "no_secrets" not in found
    assert {"change_is_small", "ci_is_green"} <= found


SOME = Finding(
    criterion="something_holds",
    stage=Stage.INTEGRATION,
    statement="Something holds.",
    owner=OwnerRole.AUTHOR,
    severity=Severity.HIGH,
    enforcement=Enforcement.ENFORCED,
    known_by="gate",
    outcome=Outcome.MET,
    reason="it does",
)


@given(st.lists(st.tuples(st.sampled_from(list(Outcome)), st.sampled_from(list(Enforcement)))))
def test_nothing_undecided_or_unmet_ever_passes(outcomes):
    findings = [SOME.model_copy(update={"outcome": o, "enforcement": e}) for o, e in outcomes]
    enforced = [o for o, e in outcomes if e is Enforcement.ENFORCED]
    ruling, reason = ruled(findings)
    assert reason
    if Outcome.UNMET in enforced:
        assert ruling is Ruling.FAILED
    elif UNDECIDED & set(enforced):
        assert ruling is Ruling.INCONCLUSIVE
    else:
        assert ruling is Ruling.PASSED
