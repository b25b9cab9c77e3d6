"""The teams step: members and role are given once, and nothing is drawn when no team was asked for."""

from __future__ import annotations

import pytest

from shared.domain.plan import ReversalState, StepState
from shared.domain.project import TeamRequest
from shared.errors import DefectError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.steps import Bench

STEP = "azure_devops.teams"
TEAMS = (
    TeamRequest(name="Crew", members=("ada@acme.example", "bo@acme.example")),
    TeamRequest(name="Audit", members=("ada@acme.example",), role="reader"),
)


@pytest.fixture
def bench():
    app = App()
    plan, _ = plan_for(app.ports, a_request(teams=TEAMS), app.connect_to(a_connection()), 2026)
    return Bench(app, plan)


@pytest.fixture
def azure(bench):
    bench.app.azure.put_person("ada@acme.example")
    bench.app.azure.put_person("bo@acme.example")
    return bench.app.azure


def test_no_step_is_drawn_when_no_team_was_asked_for():
    app = App()
    plan, _ = plan_for(app.ports, a_request(), app.connect_to(a_connection()), 2026)
    assert STEP not in {step.id for step in plan.steps}


def test_they_are_made_with_members_and_role(bench, azure):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert outcome.observed == {"teams": ["Crew (contributor)", "Audit (reader)"]}
    assert azure.held["Crew"] == {"aad.ada@acme.example", "aad.bo@acme.example"}
    assert azure.held["Audit"] == {"aad.ada@acme.example"}
    assert azure.held["contributor"] == {"vssgp.Crew"}
    assert azure.held["reader"] == {"vssgp.Audit"}


def test_a_team_of_readers_is_taken_out_of_the_contributors(bench, azure):
    azure.teams_contribute = True
    bench.made(STEP)
    assert azure.held["contributor"] == {"vssgp.Crew"}


def test_the_second_time_they_are_confirmed_with_one_read_each(bench, azure):
    assert bench.twice(STEP).state is StepState.CONFIRMED
    azure.calls.clear()
    bench.attempt(STEP)
    assert azure.calls == ["team", "team"]


def test_access_that_people_took_away_is_not_given_again(bench, azure):
    bench.made(STEP)
    azure.held["Crew"].clear()
    del azure.own_teams["audit"]
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.CONFIRMED
    assert outcome.reason == "1 of 2 teams are still there"
    assert azure.held["Crew"] == set()


def test_an_unknown_member_is_named_before_anything_is_made(bench, azure):
    outcome = bench.attempt(STEP, teams=[{"name": "Crew", "members": ["ghost", "ada@acme.example", "nobody"]}])
    assert outcome.state is StepState.FAILED
    assert "ghost, nobody" in outcome.reason
    assert "ghost, nobody" in outcome.remedy
    assert azure.changes() == []


@pytest.mark.parametrize(
    ("spoiled", "reason"), [("Crew", "without ada@acme.example, bo@acme.example"), ("contributor", "outside it")]
)
def test_a_membership_that_does_not_hold_fails_with_the_remedy(bench, azure, spoiled, reason):
    azure.spoil_memberships = {spoiled}
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.FAILED
    assert reason in outcome.reason
    assert outcome.remedy


@pytest.mark.parametrize("lost", ["create_team", "add_member"])
def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench, azure, lost):
    azure.fail(lost, Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(STEP)
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert azure.changes().count("create_team") == 2
    assert azure.changes().count("add_member") == 5


def test_it_waits_until_the_service_shows_a_team(bench, azure):
    azure.teams_unseen = 1
    assert bench.attempt(STEP).state is StepState.WAITING
    bench.made(STEP)
    assert azure.changes().count("create_team") == 2


def test_teams_that_are_no_list_are_a_defect_of_the_plan(bench):
    with pytest.raises(DefectError, match="not a list"):
        bench.attempt(STEP, teams="Crew")


@pytest.fixture
def another_run(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    return bench


def test_taken_back_a_team_that_people_joined_since_stays(another_run, azure):
    another_run.made(STEP)
    azure.held["Crew"].add("aad.cy@acme.example")
    reversal = another_run.reversed(STEP)
    assert reversal.state is ReversalState.REMOVED
    assert reversal.reason == "Audit; changed since, so kept: Crew"
    assert list(azure.own_teams) == ["crew"]
    assert azure.held["contributor"] == {"vssgp.Crew"}


def test_taken_back_a_team_that_was_there_before_loses_what_the_run_gave_it(another_run, azure):
    theirs = azure.create_team("Order Desk", "Crew", "theirs")
    azure.held["Crew"].add("aad.bo@acme.example")
    before = another_run.intents()
    another_run.made(STEP)
    assert azure.held["Crew"] == {"aad.ada@acme.example", "aad.bo@acme.example"}
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert azure.own_teams == {"crew": theirs}
    assert azure.held["Crew"] == {"aad.bo@acme.example"}
    assert azure.held["contributor"] == set()
    assert another_run.intents() == before
    assert another_run.reversed(STEP).state is ReversalState.KEPT


def test_taken_back_only_memberships_they_are_told(another_run, azure):
    for name in ("Crew", "Audit"):
        azure.create_team("Order Desk", name, "theirs")
    another_run.made(STEP)
    reversal = another_run.reversed(STEP)
    assert reversal.state is ReversalState.REMOVED
    assert reversal.reason == "ada@acme.example, bo@acme.example, contributor"
    assert azure.held["Audit"] == azure.held["reader"] == set()


def test_taken_back_the_memberships_of_a_team_or_person_that_is_gone_are_forgotten(another_run, azure):
    for name in ("Crew", "Audit"):
        azure.create_team("Order Desk", name, "theirs")
    before = another_run.intents()
    another_run.made(STEP)
    del azure.own_teams["audit"]
    del azure.people["bo@acme.example"]
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert another_run.intents() == before


def test_memberships_and_teams_that_still_show_are_looked_at_again(another_run, azure):
    azure.create_team("Order Desk", "Audit", "theirs")
    another_run.made(STEP)
    azure.remove_member = lambda group, member: None
    assert another_run.reverse(STEP).state is ReversalState.WAITING
    azure.create_team("Order Desk", "Crew", "d")
    azure.delete_team = lambda project, team: None
    another_run.of_an_earlier_run()
    azure.own_teams.clear()
    another_run.app.ports.ledger(another_run.plan.project).withdraw("azure_devops.team:order desk/crew:done")
    another_run.made(STEP)
    assert "Crew" in another_run.reverse(STEP).reason


def test_taken_back_a_team_that_was_never_finished_goes_unless_others_are_in_it(another_run, azure):
    azure.spoil_memberships = {"Crew"}
    assert another_run.attempt(STEP).state is StepState.FAILED
    azure.held["Crew"] |= {"aad.cy@acme.example", "aad.di@acme.example"}
    assert another_run.reversed(STEP).state is ReversalState.KEPT
    azure.held["Crew"] = {"the creator, whom the service made a member"}
    assert another_run.reversed(STEP).state is ReversalState.REMOVED
    assert azure.own_teams == {}
