"""The environments step of GitHub: each is there, and its approvers, no more and no fewer, are asked."""

from __future__ import annotations

import pytest

from shared.domain.forge import DeploymentEnvironment
from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, NotSupportedError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import a_connection, a_request
from tests.fakes.forges import Fault

STEP = "github.deployment_environments"
GUARDED = [{"name": "staging"}, {"name": "Production", "approvers": ["Casey", "mona"]}]


@pytest.fixture
def made(bench):
    bench.made("github.repository")
    return bench


def stored(bench):
    return bench.app.github.environment_store[str(bench.ref(STEP)).lower()]


def test_they_are_made_with_their_approvers_and_read_back(made):
    outcome = made.attempt(STEP, environments=GUARDED)
    assert outcome.state is StepState.APPLIED
    assert stored(made)["staging"].reviewers == ()
    assert stored(made)["production"].reviewers == ("Casey", "mona")


def test_the_second_time_they_are_confirmed(made):
    assert made.twice(STEP).state is StepState.CONFIRMED


def test_approvers_are_the_same_in_any_case_and_are_not_looked_up_again(made):
    stored(made)["production"] = DeploymentEnvironment(name="production", reviewers=("casey", "Mona"))
    stored(made)["staging"] = DeploymentEnvironment(name="staging")
    assert made.attempt(STEP, environments=GUARDED).state is StepState.CONFIRMED
    assert "has_account" not in made.app.github.calls


@pytest.mark.parametrize("reviewers", [("casey",), ("casey", "mona", "stranger"), ()])
def test_one_approver_too_many_or_too_few_is_mended(made, reviewers):
    stored(made)["production"] = DeploymentEnvironment(name="Production", reviewers=reviewers)
    assert made.attempt(STEP, environments=GUARDED).state is StepState.APPLIED
    assert stored(made)["production"].reviewers == ("Casey", "mona")


def test_an_environment_that_names_nobody_keeps_whom_others_set(made):
    theirs = DeploymentEnvironment(name="staging", reviewers=("stranger",))
    stored(made)["staging"] = theirs
    made.attempt(STEP, environments=GUARDED)
    assert stored(made)["staging"] == theirs


@pytest.mark.parametrize("approver", ["nobody", "acme/nothing"])
def test_an_unknown_approver_fails_with_the_remedy_before_anything_is_made(made, approver):
    outcome = made.attempt(STEP, environments=[{"name": "a"}, {"name": "b", "approvers": ["casey", approver]}])
    assert outcome.state is StepState.FAILED
    assert outcome.reason == f"GitHub knows no person or team {approver}"
    assert "login" in outcome.remedy
    assert stored(made) == {}


def test_a_team_is_asked_by_its_organisation_and_name(made):
    made.app.github.teams["acme/leads"] = {"casey"}
    assert made.attempt(STEP, environments=[{"name": "a", "approvers": ["acme/leads"]}]).state is StepState.APPLIED
    assert stored(made)["a"].reviewers == ("acme/leads",)


def test_whoever_has_no_login_is_told_and_the_others_are_asked(made):
    mixed = [
        {"name": "a", "approvers": ["casey", "ada@acme.example", {"github": "mona", "azure_devops": "m@a.example"}]}
    ]
    outcome = made.attempt(STEP, environments=mixed)
    assert outcome.state is StepState.APPLIED
    assert outcome.reason == "1 environments; not asked, without a login or team: ada@acme.example"
    assert stored(made)["a"].reviewers == ("casey", "mona")
    assert made.attempt(STEP, environments=mixed).reason == outcome.reason


def test_an_environment_nobody_can_be_asked_about_here_is_made_and_shown_as_not_supported(made):
    alone = [{"name": "a", "approvers": ["casey"]}, {"name": "b", "approvers": ["ada@acme.example"]}]
    for _ in range(2):
        outcome = made.attempt(STEP, environments=alone)
        assert outcome.state is StepState.UNSUPPORTED
        assert "a, b exist; nobody is asked before a deployment to b, since ada@acme.example" in outcome.reason
        assert '{"azure_devops": "ada@acme.example", "github": "…"}' in outcome.remedy
    assert {name: found.reviewers for name, found in stored(made).items()} == {"a": ("casey",), "b": ()}


def test_a_plan_without_approvals_says_so_and_the_environments_exist(made):
    made.app.github.offers_reviewers = False
    for _ in range(2):
        outcome = made.attempt(STEP, environments=GUARDED)
        assert outcome.state is StepState.UNSUPPORTED
        assert "no approval for Production" in outcome.reason
        assert outcome.remedy
    assert {name: found.reviewers for name, found in stored(made).items()} == {"staging": (), "production": ()}


def test_a_plan_without_environments_says_so(made):
    made.app.github.offers_environments = False
    for environments in (GUARDED, GUARDED[1:]):
        with pytest.raises(NotSupportedError):
            made.attempt(STEP, environments=environments)


def test_an_answer_lost_after_the_effect_leaves_exactly_one(made):
    made.app.github.fail("set_deployment_environment", Fault.LOST)
    with pytest.raises(TransientError):
        made.attempt(STEP, environments=GUARDED)
    assert made.attempt(STEP, environments=GUARDED).state is StepState.APPLIED
    assert stored(made).keys() == {"staging", "production"}


def test_what_does_not_show_is_waited_for_and_what_shows_otherwise_fails(made):
    made.app.github.deaf = True
    assert made.attempt(STEP, environments=GUARDED).state is StepState.WAITING
    for name in ("staging", "production"):
        stored(made)[name] = DeploymentEnvironment(name=name)
    outcome = made.attempt(STEP, environments=GUARDED)
    assert outcome.state is StepState.FAILED
    assert "asking others than planned: Production" in outcome.reason


def test_a_request_without_environments_has_no_such_step(bench):
    plan, _ = plan_for(bench.app.ports, a_request(environments=()), a_connection(), 2026)
    steps = {step.id for step in plan.steps}
    assert STEP not in steps
    assert "github.security" in steps


def test_environments_that_are_no_list_are_a_defect_of_the_plan(made):
    with pytest.raises(DefectError, match="not a list"):
        made.attempt(STEP, environments="production")


def test_taken_back_one_that_was_there_before_stays_with_whom_it_asks_now(made):
    made.of_an_earlier_run()
    stored(made)["production"] = DeploymentEnvironment(name="Production")
    made.attempt(STEP, environments=GUARDED)
    assert made.reversed(STEP, environments=GUARDED).state is ReversalState.REMOVED
    assert list(stored(made)) == ["production"]
    assert stored(made)["production"].reviewers == ("Casey", "mona")


def test_taken_back_one_without_the_approvals_the_plan_lacks_goes_too(made):
    made.of_an_earlier_run()
    before = made.intents()
    made.app.github.offers_reviewers = False
    assert made.attempt(STEP, environments=GUARDED).state is StepState.UNSUPPORTED
    assert made.reversed(STEP, environments=GUARDED).state is ReversalState.REMOVED
    assert (dict(stored(made)), made.intents()) == ({}, before)
