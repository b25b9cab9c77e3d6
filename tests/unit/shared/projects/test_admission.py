"""Who may ask, what can be made, and whose name it is, also when two ask at once."""

from __future__ import annotations

import pytest

from shared.domain.audit import TENANT, AuditTag
from shared.domain.delivery import RequestState
from shared.domain.run import Admission, ProjectState, Refusal
from shared.errors import ConflictError, TransientError
from shared.projects.admission import LONGEST_ADDRESS, abandon, admit, is_advisory, may_ask
from shared.projects.ports import PROJECTS, REQUESTS
from tests.fakes.app import App, a_connection, a_request, an_issue, form
from tests.fakes.forges import Fault


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


def asked(app: App, issue=None, run: int = 1) -> Admission:
    return admit(app.ports, app.run_for(issue or an_issue(), run))


def end(app: App, state: ProjectState, project: str = "order-desk"):
    record, etag = app.ports.projects.get(PROJECTS, project)
    app.ports.projects.replace(PROJECTS, project, record.model_copy(update={"state": state}), etag)


def test_an_issue_cannot_weaken_the_organisations_rules(app):
    app.connect_to(a_connection(least_rules={"minimum_reviewers": 2}))
    admission = asked(app)
    assert [(fault.field, fault.example) for fault in admission.faults] == [("rules.minimum_reviewers", "2")]
    assert app.ports.project("order-desk") is None


def test_a_request_that_says_nothing_of_rules_gets_the_organisations(app):
    app.connect_to(a_connection(least_rules={"minimum_reviewers": 2, "allowed_merges": ["rebase"]}))
    assert asked(app, an_issue(form(Minimum_reviewers=""))).admitted
    rules = app.ports.project("order-desk").request.rules
    assert (rules.minimum_reviewers, set(rules.allowed_merges)) == (2, {"rebase"})


def test_a_complete_request_claims_its_project(app):
    assert asked(app).project == "order-desk"
    project = app.ports.project("order-desk")
    assert project
    assert (project.state, project.instance) == (ProjectState.RUNNING, "github-issue-77.1")
    record = app.ports.requests.get(REQUESTS, "github-issue-77")[0]
    assert (record.state, record.project) == (RequestState.RUNNING, "order-desk")
    assert app.tags("order-desk") == [AuditTag.REQUEST_RECEIVED]


def test_asking_again_gives_the_same_answer_and_one_record(app):
    assert asked(app) == asked(app)
    assert app.tags("order-desk") == [AuditTag.REQUEST_RECEIVED]


def test_people_stand_in_the_record_under_pseudonyms(app):
    asked(app)
    (event,) = app.events("order-desk")
    assert event.actor == app.ports.pseudonyms.of("casey", "acme")
    assert "casey" not in event.model_dump_json()


@pytest.mark.parametrize("login", ["Casey", "casey", "CASEY", "lee"])
def test_people_and_members_of_teams_on_the_list_may_ask(app, login):
    app.github.teams["acme/leads"] = {"lee"}
    assert asked(app, an_issue(author=login)).admitted


def test_a_person_on_the_list_costs_no_question_to_the_forge(app):
    asked(app)
    assert "is_team_member" not in app.github.calls


def test_a_stranger_is_refused_with_what_to_do(app):
    admission = asked(app, an_issue(author="mallory"))
    assert not admission.admitted
    assert "@mallory is not on the list" in admission.reason
    assert "acme" in admission.remedy
    assert app.ports.project("order-desk") is None
    assert app.ports.requests.get(REQUESTS, "github-issue-77")[0].state is RequestState.REFUSED
    assert app.tags(TENANT) == [AuditTag.REQUEST_REFUSED]


def test_an_empty_list_allows_nobody(app):
    assert not may_ask("casey", (), app.github)
    assert not may_ask("", ("acme/leads",), app.github)


def test_an_incomplete_request_names_its_fields(app):
    admission = asked(app, an_issue(form(Owner="", Project_name="a/b")))
    assert {fault.field for fault in admission.faults} == {"owner", "name"}
    (event,) = app.events(TENANT)
    assert set(event.detail["fields"]) == {"owner", "name"}


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"name": "Order.Desk"}, "name"), ({"process": "cmmi"}, "process"), ({"stack": "django"}, "stack")],
)
def test_a_completed_project_is_not_made_otherwise_even_by_a_call(app, changes, field):
    first = app.api_run(a_request())
    admit(app.ports, first)
    record, etag = app.ports.projects.get(PROJECTS, "order-desk")
    app.ports.projects.replace(
        PROJECTS, "order-desk", record.model_copy(update={"state": ProjectState.COMPLETED}), etag
    )
    again = app.api_run(a_request(**changes)).model_copy(update={"instance": "api-order-desk.2", "run": 2})
    admission = admit(app.ports, again)
    assert not admission.admitted
    assert [fault.field for fault in admission.faults] == [field]
    assert app.ports.project("order-desk").request == a_request()
    same = again.model_copy(update={"request": a_request()})
    assert admit(app.ports, same).admitted


def test_what_cannot_be_made_here_is_named(app, monkeypatch):
    monkeypatch.setattr("shared.projects.admission.AVAILABLE", frozenset({"fastapi"}))
    app.connect_to(a_connection(azure_devops=None))
    admission = asked(app, an_issue(form(Stack="React")))
    assert {fault.field for fault in admission.faults} == {"stack", "forges"}


def test_an_owner_nobody_knows_is_refused_before_anything_is_claimed_with_the_other_faults(app):
    app.connect_to(a_connection(azure_devops=None))
    admission = asked(app, an_issue(form(Owner="noboddy")))
    assert {fault.field for fault in admission.faults} == {"forges", "owner"}
    assert app.ports.project("order-desk") is None
    assert app.github.changes() == []


def test_an_owner_who_could_not_be_looked_up_is_admitted_and_that_is_on_record(app):
    app.github.fail("has_account", Fault.REFUSED)
    admission = asked(app)
    assert admission.admitted
    assert "refuses" in admission.owner_unknown
    (event,) = app.events("order-desk")
    assert event.detail["owner"] == "could not be looked up"
    assert asked(app) == admission.model_copy(update={"owner_unknown": ""}), "who was admitted is not weighed again"


def test_a_forge_that_does_not_answer_is_asked_again_and_claims_nothing_meanwhile(app):
    app.github.fail("has_account", Fault.TRANSIENT)
    with pytest.raises(TransientError):
        asked(app)
    assert app.ports.project("order-desk") is None
    assert asked(app).admitted


def test_a_name_whose_address_gets_too_long_is_refused_by_name(app):
    admission = asked(app, an_issue(form(Project_name="A" + "漢" * 40)))
    assert [fault.field for fault in admission.faults] == ["name"]
    assert str(LONGEST_ADDRESS) in admission.faults[0].problem


@pytest.mark.parametrize("state", [ProjectState.COMPENSATED, ProjectState.REMOVED])
def test_the_name_of_a_project_that_was_taken_back_is_free(app, state):
    asked(app)
    end(app, state)
    app.connect_to(a_connection(requesters=["casey", "robin"]))
    assert asked(app, an_issue(id="78", number=8, author="robin")).admitted


@pytest.mark.parametrize("state", sorted(set(ProjectState) - {ProjectState.COMPENSATED, ProjectState.REMOVED}))
def test_a_taken_name_is_refused_to_others(app, state):
    asked(app)
    end(app, state)
    app.connect_to(a_connection(requesters=["casey", "robin"]))
    admission = asked(app, an_issue(id="78", number=8, author="robin"))
    assert [fault.field for fault in admission.faults] == ["name"]
    assert "exists already" in admission.reason


@pytest.mark.parametrize("state", ProjectState)
def test_the_same_person_may_ask_anew_for_what_did_not_come_to_be(app, state):
    asked(app)
    end(app, state)
    again = asked(app, an_issue(id="78", number=8))
    free = {ProjectState.FAILED, ProjectState.ADVISED, ProjectState.COMPENSATED, ProjectState.REMOVED}
    assert again.admitted == (state in free)


@pytest.mark.parametrize("state", [ProjectState.COMPLETED, ProjectState.FAILED, ProjectState.ADVISED])
def test_a_new_run_of_the_same_issue_takes_its_project_up_again(app, state):
    asked(app)
    first = app.ports.project("order-desk")
    end(app, state)
    assert asked(app, run=2).admitted
    second = app.ports.project("order-desk")
    assert (second.instance, second.run, second.state) == ("github-issue-77.2", 2, ProjectState.RUNNING)
    assert second.created_at == first.created_at


def test_a_key_holder_may_take_any_ended_project_of_the_connection_up_again(app):
    asked(app)
    run = app.api_run(a_request())
    assert not admit(app.ports, run).admitted  # it is being created
    end(app, ProjectState.COMPLETED)
    assert admit(app.ports, run).admitted
    assert app.ports.project("order-desk").subject == "github-issue-77"


def test_another_connections_project_is_never_taken_up(app):
    asked(app)
    end(app, ProjectState.FAILED)
    app.connect_to(a_connection(id="other"))
    run = app.api_run(a_request()).model_copy(update={"connection": "other"})
    assert "belongs to connection acme" in admit(app.ports, run).reason


@pytest.mark.parametrize("method", ["create", "replace"])
def test_a_race_is_decided_by_who_wrote_first(app, monkeypatch, method):
    if method == "replace":
        asked(app)
        end(app, ProjectState.FAILED)
    rival = app.api_run(a_request(), run=9)
    write, lost = getattr(app.ports.projects, method), []

    def beaten(*given):
        if not lost:
            lost.append(True)
            monkeypatch.setattr(app.ports.projects, method, write)
            assert admit(app.ports, rival).admitted
            raise ConflictError("somebody was first")
        return write(*given)

    monkeypatch.setattr(app.ports.projects, method, beaten)
    admission = asked(app, run=2)
    assert "being created at this moment" in admission.reason
    assert app.ports.project("order-desk").instance == rival.instance


def test_an_abandoned_run_frees_its_name_and_can_be_replayed(app):
    asked(app)
    refusal = Refusal(run=app.run_for(an_issue()), admission=Admission(reason="broken"))
    for _ in range(2):
        abandon(app.ports, refusal)
    assert app.ports.requests.get(REQUESTS, "github-issue-77")[0].state is RequestState.FAILED
    project = app.ports.project("order-desk")
    assert (project.state, project.reason) == (ProjectState.FAILED, "broken")
    assert app.tags(TENANT) == [AuditTag.REQUEST_REFUSED]
    assert asked(app, run=2).admitted


def test_abandoning_leaves_other_runs_projects_alone(app):
    asked(app)
    abandon(app.ports, Refusal(run=app.run_for(an_issue(id="99")), admission=Admission(reason="broken")))
    assert app.ports.project("order-desk").state is ProjectState.RUNNING


def test_advisory_connections_are_known():
    assert is_advisory(a_connection(mode="advisory"))
    assert not is_advisory(a_connection())
