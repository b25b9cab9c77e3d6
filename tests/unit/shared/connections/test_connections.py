"""Connections are kept once, changed by what is given, and their App is asked for with exactly what is needed."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from shared.connections import keeping, manifest
from shared.domain.audit import TENANT, AuditTag
from shared.domain.connection import ConnectionPatch, ConnectionSettings
from shared.domain.forge import PermissionFinding
from shared.errors import ConflictError, RefusedError
from shared.projects.drawing import GITHUB_EVENTS
from shared.projects.ports import CONNECTIONS
from tests.fakes.app import App, a_connection

SETTINGS = ConnectionSettings.model_validate(a_connection().model_dump(exclude={"created_at", "updated_at"}))
WHO = {"actor": "p-1", "correlation": "c-1"}


@pytest.fixture
def app():
    return App()


def test_a_try_that_ended_before_its_record_is_completed_by_the_next(app, monkeypatch):
    append = app.audit.append

    def lost(*given):
        monkeypatch.setattr(app.audit, "append", append)
        raise ConnectionError("storage went away")

    monkeypatch.setattr(app.audit, "append", lost)
    with pytest.raises(ConnectionError):
        keeping.create(app.ports, SETTINGS, **WHO)
    app.clock.advance(timedelta(hours=1))
    made = keeping.create(app.ports, SETTINGS, **WHO)
    assert app.tags(TENANT) == [AuditTag.CONNECTION_CREATED]
    assert made.created_at < app.clock.now()


def test_another_connection_of_the_same_id_is_a_conflict(app):
    keeping.create(app.ports, SETTINGS, **WHO)
    with pytest.raises(ConflictError):
        keeping.create(app.ports, SETTINGS.model_copy(update={"paused": True}), **WHO)


def test_a_change_reads_again_when_somebody_was_faster(app, monkeypatch):
    app.connect_to()
    replace = app.ports.connections.replace

    def beaten(*given):
        monkeypatch.setattr(app.ports.connections, "replace", replace)
        found, etag = app.ports.connections.get(CONNECTIONS, "acme")
        replace(CONNECTIONS, "acme", found.model_copy(update={"requesters": ("robin",)}), etag)
        raise ConflictError("changed")

    monkeypatch.setattr(app.ports.connections, "replace", beaten)
    after = keeping.change(app.ports, "acme", ConnectionPatch(mode="advisory"), **WHO, release=lambda _: 0)
    assert (after.mode, after.requesters) == ("advisory", ("robin",))


def test_what_is_not_there_cannot_be_changed(app):
    with pytest.raises(RefusedError, match="no connection nothing"):
        keeping.change(app.ports, "nothing", ConnectionPatch(), **WHO, release=lambda _: 0)


@pytest.mark.parametrize(
    ("patch", "field", "expected"),
    [
        ({"github": {"organization": "other"}}, "github.organization", "other"),
        ({"github": {"organization": "other"}}, "github.credential.token_secret", "gh"),
        ({"github": {"organization": "acme", "credential": None}}, "github.credential", None),
        ({"azure_devops": None}, "azure_devops.credential.token_secret", "ado"),
        ({"requesters": ["robin"]}, "requesters", ("robin",)),
        ({}, "mode", "enforced"),
    ],
)
def test_only_what_is_given_changes(patch, field, expected):
    value = keeping.merged(a_connection(), ConnectionPatch.model_validate(patch))
    for part in field.split("."):
        value = value[part]
    assert value == expected


def test_azure_devops_can_be_added_later():
    given = {"organization_url": "https://dev.azure.com/x", "credential": {"kind": "entra"}}
    patch = ConnectionPatch.model_validate({"azure_devops": given})
    assert keeping.merged(a_connection(azure_devops=None), patch)["azure_devops"]["credential"]["kind"] == "entra"


def test_missing_secrets_are_named_by_field(app):
    assert keeping.missing_secrets(SETTINGS, app.secrets) == []
    wrong = a_connection(
        github={"organization": "acme", "credential": {"kind": "app", "app_id": 1, "private_key_secret": "x1"}},
        azure_devops={
            "organization_url": "https://dev.azure.com/x",
            "credential": {"kind": "pat", "token_secret": "x2"},
        },
    )
    fields = [field for field, _ in keeping.missing_secrets(wrong, app.secrets)]
    assert fields == ["github.credential.private_key_secret", "azure_devops.credential.token_secret"]
    assert keeping.missing_secrets(a_connection(github={"organization": "acme"}), app.secrets) == []


@pytest.mark.parametrize(
    ("present", "optional", "ready"),
    [(True, False, True), (False, False, False), (None, False, True), (False, True, True), (None, True, True)],
)
def test_what_is_missing_is_not_ready_unless_it_is_optional(app, monkeypatch, present, optional, ready):
    finding = PermissionFinding(permission="p", needed_for="x", present=present, optional=optional)
    monkeypatch.setattr(app.azure, "permissions", lambda: [finding])
    assert keeping.check(app.ports, a_connection()).ready is ready


def test_an_app_is_asked_for_with_what_the_plan_listens_to(app):
    form = manifest.form(a_connection(github={"organization": "a" * 39}), app.links, "state-1")
    asked = json.loads(form.manifest)
    assert form.action.endswith("/settings/apps/new?state=state-1")
    assert len(asked["name"]) <= 34  # GitHub's limit
    assert asked["default_permissions"] == manifest.PERMISSIONS
    assert asked["public"] is False
    assert asked["hook_attributes"]["url"] == "https://doneright.example/api/webhooks/github"
    assert set(GITHUB_EVENTS) <= set(asked["default_events"])
