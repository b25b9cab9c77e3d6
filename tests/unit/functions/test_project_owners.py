"""An owner nobody knows is refused by a call and by a dry run alike; one nobody can tell about is let through and told."""

from __future__ import annotations

import pytest

from functions import projects
from tests.fakes.app import a_connection
from tests.fakes.forges import Fault

BODY = {"name": "Order Desk", "owner": "casey", "stack": "fastapi", "connection": "acme"}


@pytest.fixture(autouse=True)
def connected(app):
    app.connect_to()


@pytest.mark.parametrize("params", [{}, {"dry_run": "true"}], ids=["call", "dry run"])
@pytest.mark.parametrize("owner", ["noboddy", "acme/nobodies", "nobody@acme.example"])
def test_an_owner_nobody_knows_is_named_and_nothing_begins(app, call, client, owner, params):
    answer = call(projects.create_project, "POST", BODY | {"owner": owner, "process": "scrum"}, client=client, **params)
    assert answer.status == 400
    (error,) = answer.body["errors"]
    assert error["field"] == "owner"
    assert error["example"]
    assert client.started == {}
    assert app.github.changes() == app.azure.changes() == []


def test_every_field_that_cannot_be_is_named_at_once(app, call, client):
    app.connect_to(a_connection(azure_devops=None))
    answer = call(projects.create_project, "POST", BODY | {"owner": "noboddy"}, client=client)
    assert {error["field"] for error in answer.body["errors"]} == {"forges", "owner"}


@pytest.mark.parametrize("fault", [Fault.REFUSED, Fault.TRANSIENT])
def test_a_dry_run_says_when_nobody_could_tell_and_a_call_goes_on(app, call, client, fault):
    app.github.fail("has_account", fault)
    answer = call(projects.create_project, "POST", BODY, client=client, dry_run="true")
    assert answer.status == 200
    assert "has_account" in answer.body["owner_unknown"]
    app.github.fail("has_account", fault)
    assert call(projects.create_project, "POST", BODY, client=client).status == 202
    assert len(client.started) == 1


def test_a_known_owner_is_not_remarked_on(call, client):
    answer = call(projects.create_project, "POST", BODY, client=client, dry_run="true")
    assert answer.status == 200
    assert answer.body["would_succeed"] is True
    assert "owner_unknown" not in answer.body


def test_a_paused_connection_is_refused_without_asking_its_forges(app, call, client):
    app.connect_to(a_connection(paused=True))
    app.github.calls.clear()
    assert call(projects.create_project, "POST", BODY | {"owner": "noboddy"}, client=client).status == 409
    assert app.github.calls == []
