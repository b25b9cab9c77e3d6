"""Requests over HTTP: every field at fault is named, a dry run writes nothing, a run is started once."""

from __future__ import annotations

import pytest
from durabletask.client import OrchestrationStatus

from functions import projects
from shared.domain.audit import AuditTag
from shared.domain.delivery import RequestState
from shared.domain.project import RequestOrigin
from shared.domain.run import ProjectState, RunInput
from shared.projects.admission import admit
from shared.projects.ports import PROJECTS, REQUESTS
from shared.settings import settings
from tests.fakes.app import a_connection, a_request, an_issue

BODY = {"name": "Order Desk", "owner": "casey", "stack": "fastapi", "connection": "acme"}


@pytest.fixture(autouse=True)
def connected(app):
    app.connect_to()


def ask(call, client, body=None, **params):
    return call(projects.create_project, "POST", BODY if body is None else body, client=client, **params)


def snapshot(app):
    return {
        name: app.ports.__getattribute__(name).list() for name in ("projects", "requests", "progress", "intents")
    } | {"log": [app.events("order-desk"), app.events("_doneright")], "artifacts": dict(app.artifacts._stored)}


def test_a_request_is_accepted_and_its_run_started(app, call, client):
    answer = ask(call, client)
    assert answer.status == 202
    assert answer.body["id"] == "order-desk"
    assert (
        answer.headers["Location"] == answer.body["status_url"] == "https://doneright.example/api/projects/order-desk"
    )
    (name, run) = client.started["api-order-desk.1"]
    assert name == "bootstrap"
    assert (run["request"]["name"], run["origin"]["requester"]) == ("Order Desk", "api")


def test_asking_twice_starts_one_run(app, call, client):
    assert ask(call, client).body == ask(call, client).body
    assert list(client.started) == ["api-order-desk.1"]


def test_a_run_after_one_that_ended_has_its_own_id(app, call, client):
    ask(call, client)
    admit(app.ports, app.api_run(a_request()))
    assert ask(call, client).body["instance"] == "api-order-desk.1"  # it is under way
    record, etag = app.ports.projects.get(PROJECTS, "order-desk")
    ended = record.model_copy(update={"state": ProjectState.COMPLETED})
    app.ports.projects.replace(PROJECTS, "order-desk", ended, etag)
    kept, _ = app.ports.requests.get(REQUESTS, "api-order-desk")
    app.ports.requests.put(REQUESTS, "api-order-desk", kept.model_copy(update={"state": RequestState.COMPLETED}))
    assert ask(call, client).body["instance"] == "api-order-desk.2"


def test_a_dry_run_answers_the_plan_and_writes_nothing(app, call, client):
    before = snapshot(app)
    answer = ask(call, client, dry_run="true")
    assert answer.status == 200
    assert answer.body["dry_run"] is True
    assert answer.body["plan"]["steps"][0]["id"] == "azure_devops.project"
    assert snapshot(app) == before
    assert client.started == {}
    assert app.github.changes() == app.azure.changes() == []
    assert {change["change"] for change in answer.body["changes"]} == {"make"}


def test_every_field_at_fault_is_named(app, call, client):
    answer = ask(call, client, {"name": "a/b", "owner": "?", "stack": "cobol", "process": "x", "extra": 1})
    assert (answer.status, answer.type) == (400, "application/problem+json")
    assert {error["field"] for error in answer.body["errors"]} == {
        "name",
        "owner",
        "stack",
        "process",
        "extra",
        "connection",
    }
    assert answer.body["detail"] == "6 fields are missing or wrong"
    assert client.started == {}


def test_rules_left_at_their_default_are_as_strict_as_the_organisation_wants_them(app, call, client):
    app.connect_to(a_connection(least_rules={"minimum_reviewers": 2, "require_linked_work_items": True}))
    assert ask(call, client).status == 202
    (_, run) = client.started["api-order-desk.1"]
    assert run["request"]["rules"]["minimum_reviewers"] == 2
    assert run["request"]["rules"]["require_linked_work_items"] is True


def test_rules_that_weaken_the_organisations_are_refused_field_by_field(app, call, client):
    app.connect_to(a_connection(least_rules={"minimum_reviewers": 2}))
    weaker = BODY | {"rules": {"minimum_reviewers": 1, "allow_force_push": True, "allow_deletion": False}}
    answer = ask(call, client, weaker)
    assert answer.status == 400
    assert [fault["field"] for fault in answer.body["errors"]] == ["rules.minimum_reviewers", "rules.allow_force_push"]
    assert answer.body["errors"][0]["example"] == "2"
    assert client.started == {}


def test_rules_that_tighten_the_organisations_are_taken(app, call, client):
    app.connect_to(a_connection(least_rules={"minimum_reviewers": 2}))
    assert ask(call, client, BODY | {"rules": {"minimum_reviewers": 3}}).status == 202
    assert client.started["api-order-desk.1"][1]["request"]["rules"]["minimum_reviewers"] == 3


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 100_000])
def test_what_is_no_json_object_is_refused(app, call, client, body):
    answer = ask(call, client, body)
    assert answer.status == 400
    assert "JSON" in answer.body["detail"]


@pytest.mark.parametrize(
    ("changes", "status", "word"),
    [
        ({"connection": "nothing"}, 400, "no connection nothing"),
        ({"connection": "x" * 600}, 400, "512"),
        ({"stack": "react"}, 400, "as it stands"),
        ({"name": "A" + "漢" * 40}, 400, "as it stands"),
    ],
)
def test_what_cannot_be_done_is_refused(app, call, client, monkeypatch, changes, status, word):
    monkeypatch.setattr("shared.projects.admission.AVAILABLE", frozenset({"fastapi"}))
    answer = ask(call, client, BODY | changes)
    assert answer.status == status
    assert word in answer.body["detail"]
    assert client.started == {}


def test_a_paused_connection_takes_no_requests(app, call, client):
    app.connect_to(a_connection(paused=True))
    answer = ask(call, client)
    assert (answer.status, answer.body["remedy"]) == (409, "Resume it, then ask again.")


def test_a_project_of_another_connection_is_a_conflict(app, call, client):
    admit(app.ports, app.api_run(a_request()))
    app.connect_to(a_connection(id="other"))
    answer = ask(call, client, BODY | {"connection": "other"})
    assert answer.status == 409
    assert "belongs to connection acme" in answer.body["detail"]


@pytest.mark.parametrize("admitted", [True, False], ids=["admitted", "not yet weighed"])
def test_asking_again_takes_up_a_run_its_engine_lost_and_no_other(app, call, client, admitted):
    assert ask(call, client).status == 202
    ((instance, (_, payload)),) = client.started.items()
    if admitted:
        admit(app.ports, RunInput.model_validate(payload))
    assert ask(call, client).body["instance"] == instance
    assert client.started == {instance: ("bootstrap", payload)}
    client.started.clear()
    assert ask(call, client).body["instance"] == instance
    assert client.started == {instance: ("bootstrap", payload)}


def differing(answer):
    assert (answer.status, answer.type) == (409, "application/problem+json")
    assert "ended" in answer.body["remedy"]
    return {error["field"]: error["example"] for error in answer.body["errors"]}


@pytest.mark.parametrize("admitted", [True, False], ids=["admitted", "not yet weighed"])
def test_another_body_while_the_run_is_under_way_names_every_differing_field(app, call, client, admitted):
    assert ask(call, client).status == 202
    ((instance, (_, payload)),) = client.started.items()
    if admitted:
        admit(app.ports, RunInput.model_validate(payload))
    app.github.accounts.add("robin")
    other = BODY | {
        "name": "Order.Desk",
        "owner": "robin",
        "stack": "django",
        "process": "scrum",
        "forges": ["github"],
        "rules": {"minimum_reviewers": 2},
        "environments": [],
        "backlog": ["x" * 250],
    }
    assert differing(ask(call, client, other)) == {
        "name": "Order Desk",
        "owner": "casey",
        "stack": "fastapi",
        "process": "agile",
        "forges": '["azure_devops", "github"]',
        "rules.minimum_reviewers": "1",
        "environments": '[{"name": "staging", "approvers": []}, {"name": "production", "approvers": []}]',
        "backlog": "[]",
    }
    assert client.started == {instance: ("bootstrap", payload)}
    assert app.ports.requests.get(REQUESTS, "api-order-desk")[0].start == RunInput.model_validate(payload)


def test_a_long_field_of_the_run_under_way_is_shown_cut(app, call, client):
    ask(call, client, BODY | {"backlog": ["x" * 250]})
    assert len(differing(ask(call, client))["backlog"]) < 210


def test_a_call_joins_the_run_of_an_issue_only_with_the_same_request(app, call, client):
    admit(app.ports, app.run_for(an_issue()))
    asked = app.ports.project("order-desk").request.model_dump(mode="json") | {"connection": "acme"}
    answer = ask(call, client, asked)
    assert (answer.status, answer.body["instance"]) == (202, "github-issue-77.1")
    assert differing(ask(call, client, asked | {"process": "cmmi"})) == {"process": "agile"}
    assert client.started == {}


def test_two_calls_at_once_for_different_projects_of_one_name_are_not_mixed(app, call, client, monkeypatch):
    # The other call is taken between this one's look and its write.
    create = app.ports.requests.create

    def raced(*given):
        monkeypatch.setattr(app.ports.requests, "create", create)
        assert ask(call, client, BODY | {"process": "scrum"}).status == 202
        return create(*given)

    monkeypatch.setattr(app.ports.requests, "create", raced)
    assert differing(ask(call, client)) == {"process": "scrum"}
    ((_, (_, payload)),) = client.started.items()
    assert payload["request"]["process"] == "scrum"


def test_a_name_asked_for_through_another_connection_at_this_moment_is_taken(app, call, client):
    app.connect_to(a_connection(id="other"))
    assert ask(call, client).status == 202
    answer = ask(call, client, BODY | {"connection": "other"})
    assert (answer.status, answer.body["remedy"]) == (409, "Choose another name.")
    assert "through connection acme" in answer.body["detail"]
    assert list(client.started) == ["api-order-desk.1"]


def test_what_an_engine_that_was_away_could_not_start_is_kept_and_started_when_asked_again(app, call, client):
    client.away = True
    assert ask(call, client).status == 503
    client.away = False
    assert differing(ask(call, client, BODY | {"stack": "flask"})) == {"stack": "fastapi"}
    assert ask(call, client).body["instance"] == "api-order-desk.1"
    assert list(client.started) == ["api-order-desk.1"]


def test_a_run_that_ended_unheard_is_put_on_record_and_another_begun(app, call, client):
    ask(call, client)
    ((instance, (_, payload)),) = client.started.items()
    admit(app.ports, RunInput.model_validate(payload))
    client.ends[instance] = OrchestrationStatus.TERMINATED
    assert ask(call, client).body["instance"] == "api-order-desk.2"
    assert [event.tag for event in app.events("order-desk")].count(AuditTag.PROJECT_FAILED) == 1
    assert "TERMINATED" in app.ports.project("order-desk").reason


def test_a_signed_in_person_cannot_take_up_a_project_others_asked_for(app, call, client, monkeypatch):
    run = app.api_run(a_request()).model_copy(
        update={"origin": RequestOrigin(subject="github-issue-77", requester="robin"), "subject": "github-issue-77"}
    )
    admit(app.ports, run)
    record, etag = app.ports.projects.get(PROJECTS, "order-desk")
    app.ports.projects.replace(
        PROJECTS, "order-desk", record.model_copy(update={"state": ProjectState.COMPLETED}), etag
    )
    believing = settings().model_copy(update={"app_service_authentication": True})
    monkeypatch.setattr("functions.problems.settings", lambda: believing)
    answer = ask(call, client, headers={"X-MS-CLIENT-PRINCIPAL-NAME": "lee@acme.example"})
    assert answer.status == 409
    assert answer.body["errors"][0]["field"] == "name"
    assert client.started == {}
    assert ask(call, client).status == 202


def test_projects_are_shown_and_listed_for_people_and_scripts(app, call):
    run = app.run_for(an_issue())
    admit(app.ports, run)
    assert call(projects.show_project, route={"id": "order-desk"}).body["state"] == "running"
    html = call(projects.show_project, route={"id": "order-desk"}, headers={"Accept": "text/html,*/*"})
    assert "Order Desk" in html.body
    assert "default-src 'none'" in html.headers["Content-Security-Policy"]
    assert [row["id"] for row in call(projects.list_projects).body["projects"]] == ["order-desk"]
    assert "/api/reviews" not in html.body
    keyed = call(projects.show_project, route={"id": "order-desk"}, headers={"Accept": "text/html"}, code="a key")
    assert 'href="/api/reviews?project=order-desk&amp;code=a+key"' in keyed.body
    assert "Order Desk" in call(projects.list_projects, headers={"Accept": "text/html"}).body


@pytest.mark.parametrize("ident", ["nothing", "größe"])
def test_what_is_not_there_is_not_found(app, call, ident):
    assert call(projects.show_project, route={"id": ident}).status == 404
    html = call(projects.show_project, route={"id": ident}, headers={"Accept": "text/html"})
    assert (html.status, html.type) == (404, "text/html")


def test_a_name_that_can_be_none_is_the_callers_mistake(app, call):
    answer = call(projects.show_project, route={"id": "x" * 600})
    assert answer.status == 400
    assert "600 characters" in answer.body["detail"]


def test_a_signed_link_opens_its_own_project_alone(app, call):
    admit(app.ports, app.run_for(an_issue()))
    token = app.links.token("view", "order-desk")
    assert call(projects.view_project, route={"id": "order-desk"}, token=token).status == 200
    for project, guess in (("order-desk", ""), ("order-desk", "0" * 32), ("other", token), ("order-desk", "é")):
        answer = call(projects.view_project, route={"id": project}, token=guess)
        assert answer.status == 401
        assert answer.body["remedy"]
    seen = call(projects.view_project, route={"id": "order-desk"}, token="0", headers={"Accept": "text/html,*/*;q=0.8"})
    assert (seen.status, seen.type) == (401, "text/html")
    assert "This link is not valid" in seen.body
