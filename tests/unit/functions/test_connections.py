"""Connections over HTTP: made once, changed by what is given, checked, and given their GitHub App."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace

import pytest
from pydantic import SecretStr

from functions import connections
from shared.domain.audit import TENANT, AuditTag
from shared.domain.delivery import DeliveryState, Envelope
from shared.errors import TransientError
from shared.intake.handling import Handling
from tests.fakes.app import a_connection

SETTINGS = a_connection().model_dump(mode="json", exclude={"created_at", "updated_at"})
AT = {"id": "acme"}


def post(call, **changes):
    return call(connections.create_connection, "POST", SETTINGS | changes)


def patch(call, ident="acme", **changes):
    return call(connections.change_connection, "PATCH", changes, route={"id": ident})


def test_a_connection_is_made_and_shown(app, call):
    answer = post(call)
    assert answer.status == 201
    assert answer.headers["Location"] == "https://doneright.example/api/connections/acme"
    assert call(connections.show_connection, route=AT).body == answer.body
    assert [row["id"] for row in call(connections.list_connections).body["connections"]] == ["acme"]
    assert app.tags(TENANT) == [AuditTag.CONNECTION_CREATED]


def test_the_same_again_changes_nothing_and_something_else_is_a_conflict(app, call):
    first = post(call)
    app.clock.advance(timedelta(minutes=1))
    assert post(call).body == first.body
    answer = post(call, mode="advisory")
    assert (answer.status, answer.body["remedy"]) == (409, "PATCH changes it.")
    assert app.tags(TENANT) == [AuditTag.CONNECTION_CREATED]


def test_every_field_at_fault_is_named(app, call):
    answer = post(call, id="A B", requesters=["a b"], azure_devops={"organization_url": "x"}, mode="x", extra=1)
    assert answer.status == 400
    fields = {error["field"] for error in answer.body["errors"]}
    assert fields >= {"id", "requesters.0", "azure_devops.organization_url", "azure_devops.credential", "mode", "extra"}


def test_a_secret_that_does_not_exist_is_named_by_field(app, call):
    github = SETTINGS["github"] | {"credential": {"kind": "pat", "token_secret": "nowhere"}}
    answer = post(call, github=github)
    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["github.credential.token_secret"]
    app_credential = {"kind": "app", "app_id": 1, "private_key_secret": "nowhere"}
    post(call)
    answer = patch(call, github={"organization": "acme", "credential": app_credential})
    assert [error["field"] for error in answer.body["errors"]] == ["github.credential.private_key_secret"]


def test_only_what_is_given_is_changed(app, call):
    post(call)
    answer = patch(call, github={"organization": "acme", "request_repositories": ["acme/other"]}, requesters=["@Robin"])
    assert answer.status == 200
    assert answer.body["github"]["credential"] == SETTINGS["github"]["credential"]
    assert answer.body["github"]["request_repositories"] == ["acme/other"]
    assert answer.body["requesters"] == ["robin"]
    assert answer.body["azure_devops"] == SETTINGS["azure_devops"]
    event = app.events(TENANT)[-1]
    assert (event.tag, event.detail["fields"]) == (AuditTag.CONNECTION_CHANGED, ["github", "requesters"])


def test_pausing_and_resuming_are_on_record_and_release_what_was_held(app, call):
    post(call)
    app.clock.advance(timedelta(seconds=1))
    assert patch(call, paused=True).body["paused"] is True
    envelope = Envelope(forge="github", id="d-1", event="issues", received_at=app.clock.now(), body="{}")
    app.keeper.handled(envelope, Handling(state=DeliveryState.HELD, connection="acme"), 1)
    app.clock.advance(timedelta(seconds=1))
    assert patch(call, paused=False).body["paused"] is False
    assert app.tags(TENANT)[1:] == [AuditTag.CONNECTION_PAUSED, AuditTag.CONNECTION_RESUMED]
    assert app.events(TENANT)[-1].detail["released"] == 1
    assert len(app.queue.messages) == 1


def test_resuming_again_queues_what_a_first_try_left_held(app, call):
    post(call)
    envelope = Envelope(forge="github", id="d-1", event="issues", received_at=app.clock.now(), body="{}")
    app.keeper.handled(envelope, Handling(state=DeliveryState.HELD, connection="acme"), 1)
    patch(call, requesters=["robin"])
    assert app.queue.messages == []
    patch(call, paused=False)
    assert len(app.queue.messages) == 1
    assert AuditTag.CONNECTION_RESUMED not in app.tags(TENANT)


@pytest.mark.parametrize("changes", [{"requesters": ["a b"]}, {"id": "other"}, {"mode": "x"}, {"github": {}}])
def test_a_wrong_change_changes_nothing(app, call, changes):
    before = post(call).body
    assert patch(call, **changes).status == 400
    assert call(connections.show_connection, route=AT).body == before


def test_what_is_not_there_is_not_found(app, call):
    route = {"id": "nothing"}
    assert call(connections.show_connection, route=route).status == 404
    assert patch(call, "nothing", paused=True).status == 404
    assert call(connections.check_connection, route=route).status == 404
    assert call(connections.offer_github_app, route=route).status == 404
    assert call(connections.show_connection, route={"id": "x" * 600}).status == 400


def test_a_browser_is_told_on_a_page(app, call):
    browser = {"Accept": "text/html,*/*;q=0.8"}
    for function in (connections.check_connection, connections.offer_github_app, connections.show_connection):
        refused = call(function, route={"id": "nothing"}, headers=browser)
        assert (refused.status, refused.type) == (404, "text/html")
        assert "There is no connection nothing" in refused.body
    stale = call(connections.finish_github_app, code="x", state="forged", headers=browser)
    assert (stale.status, stale.type) == (401, "text/html")
    assert "Begin again at the connection" in stale.body


def test_nonsense_is_refused_by_its_place_and_a_change_stores_none_of_it(app, call):
    nonsense = ["casey", "<script>", "@here", "x" * 10_000]
    answer = post(call, requesters=nonsense)
    assert answer.status == 400
    assert [error["field"] for error in answer.body["errors"]] == ["requesters.1", "requesters.2", "requesters.3"]
    assert {error["example"] for error in answer.body["errors"]} == {"octocat"}
    before = post(call).body
    assert patch(call, requesters=nonsense).status == 400
    assert patch(call, requesters=["casey"] * 101).status == 400
    assert call(connections.show_connection, route=AT).body == before


def test_each_permission_is_listed_with_its_remedy(app, call):
    post(call)
    assert call(connections.check_connection, route=AT).body["ready"] is True
    app.azure.missing_permissions = {"contents"}
    answer = call(connections.check_connection, route=AT).body
    assert answer["ready"] is False
    (missing,) = [p for f in answer["forges"] for p in f["permissions"] if not p["present"]]
    assert (missing["permission"], missing["remedy"]) == ("contents", "Grant contents.")
    html = call(connections.check_connection, route=AT, headers={"Accept": "text/html"})
    assert "Grant contents." in html.body


def test_a_forge_that_cannot_be_reached_is_told(app, call):
    post(call)
    app.unreachable["acme"] = TransientError("connection reset")
    answer = call(connections.check_connection, route=AT).body
    assert answer["ready"] is False
    assert {forge["reason"] for forge in answer["forges"]} == {"connection reset"}


def registration():
    return SimpleNamespace(
        id=42, slug="doneright-acme", html_url="https://github.com/apps/doneright-acme",
        pem=SecretStr("-----BEGIN KEY-----"), webhook_secret=SecretStr("s" * 32),
    )  # fmt: skip


def callback(app, call, code="good", state=None):
    state = (
        app.links.state("github-app", "acme", app.clock.now() + connections.STATE_LIFETIME) if state is None else state
    )
    return call(connections.finish_github_app, code=code, state=state)


def test_an_app_is_offered_and_its_registration_adopted(app, call):
    post(call)
    offer = call(connections.offer_github_app, route=AT)
    assert "https://github.com/organizations/acme/settings/apps/new?state=" in offer.body
    app.codes["good"] = registration()
    answer = callback(app, call)
    assert answer.status == 200
    assert "-----BEGIN" not in answer.body
    assert "s" * 32 not in answer.body
    credential = call(connections.show_connection, route=AT).body["github"]["credential"]
    assert credential == {"kind": "app", "app_id": 42, "private_key_secret": "github-app-42-key"}
    assert app.secrets.get("github-app-42-key").startswith("-----BEGIN")
    assert app.told == [(42, "https://api.github.com")]
    assert "BEGIN" not in "".join(event.model_dump_json() for event in app.events(TENANT))


def test_when_github_takes_no_secret_its_own_is_kept_for_a_person(app, call):
    post(call)
    app.codes["good"] = registration()
    app.github_is_deaf = True
    assert callback(app, call).status == 200
    assert app.secrets.get("github-app-42-webhook") == "s" * 32


def test_forged_expired_and_foreign_states_are_refused(app, call):
    post(call)
    app.codes["good"] = registration()
    good = app.links.state("github-app", "acme", app.clock.now() + timedelta(seconds=10))
    for state in ("", "acme", good + "0", good.replace("acme", "other"), app.links.token("view", "acme")):
        assert callback(app, call, state=state).status == 401
    assert callback(app, call, code="", state=good).status == 401
    app.clock.advance(timedelta(seconds=11))
    assert callback(app, call, state=good).status == 401
    assert "good" in app.codes


def test_a_code_github_does_not_know_is_refused(app, call):
    post(call)
    answer = callback(app, call, code="stale")
    assert (answer.status, answer.body["remedy"]) == (409, "Begin again.")
