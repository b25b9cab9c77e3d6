"""The environments step: each is there once, and the named people are asked, beside whoever is asked already."""

from __future__ import annotations

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, TransientError
from tests.fakes.forges import Fault

STEP = "azure_devops.environments"
ASKING = [{"name": "staging"}, {"name": "production", "approvers": ["ada@acme.example", "bo@acme.example"]}]


@pytest.fixture
def azure(bench):
    bench.app.azure.put_person("ada@acme.example")
    bench.app.azure.put_person("bo@acme.example")
    return bench.app.azure


def names(azure):
    return [place.name for place in azure.places["order desk"]]


def test_they_are_made_without_approval_when_nobody_is_named(bench, azure):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert names(azure) == ["staging", "production"]
    assert outcome.observed == {"environments": ["staging", "production"]}
    assert azure.changes() == ["create_environment", "create_environment"]


def test_the_second_time_they_are_confirmed_with_one_read(bench, azure):
    assert bench.twice(STEP).state is StepState.CONFIRMED
    azure.calls.clear()
    bench.attempt(STEP)
    assert azure.calls == ["environments"]


def test_the_named_people_are_asked(bench, azure):
    outcome = bench.attempt(STEP, environments=ASKING)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason == "2 environments, 1 with approval"
    staging, production = azure.places["order desk"]
    assert azure.asked[staging.id] == set()
    assert azure.asked[production.id] == {"i1", "i2"}
    assert bench.attempt(STEP, environments=ASKING).state is StepState.CONFIRMED


def test_whoever_is_asked_besides_stays_and_whoever_was_taken_out_comes_back(bench, azure):
    bench.attempt(STEP, environments=ASKING)
    production = azure.places["order desk"][1]
    azure.asked[production.id] = {"i2", "somebody"}
    assert bench.attempt(STEP, environments=ASKING).state is StepState.APPLIED
    assert azure.asked[production.id] == {"i1", "i2", "somebody"}


def test_an_unknown_approver_is_named_before_anything_is_made(bench, azure):
    asking = [{"name": "production", "approvers": ["ada@acme.example", "nobody@acme.example", "ghost@acme.example"]}]
    outcome = bench.attempt(STEP, environments=asking)
    assert outcome.state is StepState.FAILED
    assert "nobody@acme.example, ghost@acme.example" in outcome.reason
    assert "nobody@acme.example, ghost@acme.example" in outcome.remedy
    assert "ada" not in outcome.remedy
    assert azure.changes() == []


def test_whoever_has_no_address_is_told_and_the_others_are_asked(bench, azure):
    both = {"github": "bo", "azure_devops": "bo@acme.example"}
    mixed = [{"name": "production", "approvers": ["ada@acme.example", "acme/leads", both]}]
    outcome = bench.attempt(STEP, environments=mixed)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason == "1 environments, 1 with approval; not asked, without an e-mail address: acme/leads"
    assert azure.asked["e1"] == {"i1", "i2"}
    assert bench.attempt(STEP, environments=mixed).state is StepState.CONFIRMED


def test_an_environment_nobody_can_be_asked_about_here_is_made_and_shown_as_not_supported(bench, azure):
    alone = [{"name": "staging"}, {"name": "production", "approvers": ["octocat"]}]
    for _ in range(2):
        outcome = bench.attempt(STEP, environments=alone)
        assert outcome.state is StepState.UNSUPPORTED
        assert "nobody is asked before a deployment to production, since octocat came without" in outcome.reason
        assert '{"github": "octocat", "azure_devops": "…"}' in outcome.remedy
    assert names(azure) == ["staging", "production"]


def test_an_approval_that_does_not_hold_fails_with_the_remedy(bench, azure):
    azure.spoil_approvals = True
    outcome = bench.attempt(STEP, environments=ASKING)
    assert outcome.state is StepState.FAILED
    assert "without Ada, Bo" in outcome.reason
    assert outcome.remedy
    assert outcome.url.endswith("/_environments/e2")


@pytest.mark.parametrize("lost", ["create_environment", "require_approval"])
def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench, azure, lost):
    azure.fail(lost, Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(STEP, environments=ASKING)
    bench.attempt(STEP, environments=ASKING)
    assert bench.attempt(STEP, environments=ASKING).state is StepState.CONFIRMED
    assert names(azure) == ["staging", "production"]
    assert azure.changes() == ["create_environment", "create_environment", "require_approval"]


def test_it_waits_until_the_service_shows_them(bench, azure):
    azure.places_unseen = 1
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.WAITING
    assert "staging, production" in outcome.reason
    assert bench.attempt(STEP).state is StepState.CONFIRMED


def test_environments_that_are_no_list_are_a_defect_of_the_plan(bench):
    with pytest.raises(DefectError, match="not a list"):
        bench.attempt(STEP, environments="staging")


def test_taken_back_one_that_was_there_before_stays_with_its_approvers(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    theirs = azure.create_environment("Order Desk", "Production", "theirs")
    bench.attempt(STEP, environments=ASKING)
    assert bench.reversed(STEP, environments=ASKING).state is ReversalState.REMOVED
    assert azure.places["order desk"] == [theirs]
    assert len(azure.asked[theirs.id]) == 2


def test_one_that_still_shows_is_looked_at_again(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    bench.made(STEP)
    azure.delete_environment = lambda project, environment: None
    reversal = bench.reverse(STEP)
    assert reversal.state is ReversalState.WAITING
    assert reversal.reason == "removed and still shown: staging, production"
