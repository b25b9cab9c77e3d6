"""Scaffold updates over HTTP: a dry run writes nothing, a run is started once, and each repository is shown."""

from __future__ import annotations

import pytest
from durabletask.client import OrchestrationStatus

from functions import updates
from shared.domain.forge import ForgeName
from shared.domain.run import ProjectState
from shared.domain.scaffold_update import EndedRun
from shared.projects.updates import running
from tests.fakes.app import a_connection
from tests.fakes.updates import OLDER, World

ROUTE = {"id": "order-desk"}


@pytest.fixture
def app(monkeypatch):
    world = World()
    services = world.app.services()
    monkeypatch.setattr("functions.updates.services", lambda: services)
    world.app.world = world
    return world.app


def post(call, client, **params):
    return call(updates.update_scaffold, "POST", route=params.pop("route", ROUTE), client=client, **params)


def test_an_update_is_accepted_and_its_run_started(app, call, client):
    answer = post(call, client, force="true")
    assert answer.status == 202
    assert answer.headers["Location"] == answer.body["status_url"]
    assert answer.body["status_url"].endswith("/api/projects/order-desk/scaffold-update")
    ((instance, (runbook, given)),) = client.started.items()
    assert (runbook, answer.body["instance"]) == ("scaffold_updates", instance)
    assert (given["project"], given["force"], given["connection"]) == ("order-desk", True, "acme")


def test_asking_twice_starts_one_run(app, call, client):
    assert post(call, client).body == post(call, client).body
    assert len(client.started) == 1


def test_a_run_that_broke_gives_way_to_another(app, call, client):
    first = post(call, client).body["instance"]
    client.ends[first] = OrchestrationStatus.FAILED
    second = post(call, client).body["instance"]
    assert second != first
    assert list(client.started) == [first, second]


def test_a_run_the_engine_lost_is_started_again_under_its_own_id(app, call, client):
    first = post(call, client).body["instance"]
    client.started.clear()
    assert post(call, client).body["instance"] == first
    assert list(client.started) == [first]


@pytest.mark.parametrize("force", ["false", "true"])
def test_a_dry_run_tells_the_merge_and_changes_nothing(app, call, client, force):
    forges = app.world.forges.values()
    answer = post(call, client, dry_run="true", force=force)
    assert answer.status == 200
    assert (answer.body["dry_run"], answer.body["would_change"]) == (True, True)
    assert {r["forge"] for r in answer.body["repositories"]} == set(ForgeName)
    for repository in answer.body["repositories"]:
        assert repository["would"] == "offered"
        assert (repository["base_version"], repository["draft"]) == (OLDER, False)
        assert [(f["path"], f["fate"]) for f in repository["files"]] == [("README.md", "updated")]
    assert client.started == {}
    assert [forge.changes() for forge in forges] == [[], []]
    assert app.updates.runs.list() == []


def test_a_dry_run_of_what_is_open_already_would_change_nothing(app, call, client):
    for forge in ForgeName:
        app.world.offer(forge)
    assert post(call, client, dry_run="1").body["would_change"] is False


@pytest.mark.parametrize("dry_run", ["true", "false"])
def test_a_project_that_is_not_there_or_not_complete_is_refused(app, call, client, dry_run):
    assert post(call, client, route={"id": "nowhere"}, dry_run=dry_run).status == 404
    record = app.ports.project("order-desk")
    app.ports.projects.put("projects", "order-desk", record.model_copy(update={"state": ProjectState.RUNNING}))
    refused = post(call, client, dry_run=dry_run)
    assert (refused.status, "is running" in refused.body["detail"]) == (409, True)
    assert client.started == {}


def test_a_paused_connection_is_refused(app, call, client):
    app.connect_to(a_connection(paused=True))
    assert post(call, client).status == 409
    assert call(updates.update_scaffolds, "POST", {"connection": "acme"}, client=client).status == 409
    assert client.started == {}


def test_a_project_is_shown_beside_the_templates(app, call, client):
    app.world.offer(ForgeName.GITHUB)
    post(call, client)
    shown = call(updates.show_scaffold, route=ROUTE)
    assert (shown.status, shown.body["running"]) == (200, True)
    last = {r["standing"]["forge"]: r["standing"]["last"] for r in shown.body["repositories"]}
    assert last["github"]["state"] == "offered"
    assert last["azure_devops"] is None
    assert call(updates.show_scaffold, route={"id": "nowhere"}).status == 404


def test_all_projects_of_a_connection_are_offered_updates(app, call, client):
    answer = call(updates.update_scaffolds, "POST", {"connection": "acme", "force": True}, client=client)
    assert answer.status == 202
    assert answer.body["status_url"].endswith("/api/scaffold-updates/acme")
    ((_, (_, given)),) = client.started.items()
    assert (given["project"], given["force"]) == ("", True)
    shown = call(updates.show_scaffold_updates, route={"id": "acme"})
    assert (shown.status, shown.body["state"]) == (200, "running")


def test_the_newest_run_is_shown_with_its_end(app, call, client):
    call(updates.update_scaffolds, "POST", {"connection": "acme"}, client=client)
    run = running.begin(app.updates, app.world.connection, "api")
    running.finish(app.updates, EndedRun(run=run, broken={"x": "gone"}))
    shown = call(updates.show_scaffold_updates, route={"id": "acme"})
    assert (shown.body["state"], shown.body["broken"]) == ("partly_failed", {"x": "gone"})


def test_what_is_wrong_is_told(app, call, client):
    assert call(updates.show_scaffold_updates, route={"id": "acme"}).status == 404
    assert call(updates.show_scaffold_updates, route={"id": "nowhere"}).status == 404
    missing = call(updates.update_scaffolds, "POST", {"connection": "nowhere"}, client=client)
    assert (missing.status, "nowhere" in missing.body["detail"]) == (400, True)
    wrong = call(updates.update_scaffolds, "POST", {"force": "perhaps", "else": 1}, client=client)
    assert wrong.status == 400
    assert {error["field"] for error in wrong.body["errors"]} == {"connection", "force", "else"}
