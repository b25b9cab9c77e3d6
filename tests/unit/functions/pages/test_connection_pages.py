"""What people see of a connection: each permission with its remedy, and the way to a GitHub App."""

from __future__ import annotations

import json

from functions import pages
from shared.connections import manifest
from shared.connections.keeping import ForgeCheck
from shared.domain.connection import Connection
from shared.domain.forge import ForgeName, PermissionFinding
from shared.projects.links import Links
from tests.unit.functions.pages.connections import REGISTERED, a_check
from tests.unit.functions.pages.parsed import Page

LINKS = Links("https://doneright.example", b"key")


def test_a_check_tells_each_permission(connection: Connection) -> None:
    seen = Page(pages.connection_check(connection, a_check()))
    rows = [" ".join(row.text.split()) for row in seen.all("tr")[1:]]
    assert rows == [
        "administration: write Present create repositories \u2013",
        "members: read Missing know teams Grant members.",
    ]
    assert "Not ready" in seen.one("h2", id="verdict").text
    assert "Cannot be reached TF400813 What to do: Add the identity." in seen.text


def test_a_ready_connection_says_what_it_does_not_know(connection: Connection) -> None:
    unknown = PermissionFinding(permission="p", needed_for="n", present=None, remedy="Look.")
    known = unknown.model_copy(update={"present": True})
    paused = connection.model_copy(update={"paused": True, "mode": "advisory"})

    def said(found: tuple[PermissionFinding, ...], of: Connection) -> str:
        forges = (ForgeCheck(forge=ForgeName.GITHUB, reachable=True, permissions=found),)
        return Page(pages.connection_check(of, a_check(ready=True, forges=forges))).text

    assert "Ready to work 1 permission could not be determined" in said((unknown, known), paused)
    assert "Paused:" in said((unknown,), paused)
    assert "Advisory mode:" in said((unknown,), paused)
    assert "Every permission needed is there." in said((known,), connection)
    assert "Paused:" not in said((known,), connection)
    later = unknown.model_copy(update={"present": False, "optional": True})
    assert "Missing, not needed yet" in said((known, later), connection)
    assert "no permission is needed beyond that" in said((), connection)


def test_the_app_form_carries_the_manifest_and_one_button(connection: Connection) -> None:
    form = manifest.form(connection, LINKS, "contoso.1.abc")
    seen = Page(pages.github_app(connection, form))
    sent = seen.one("form")
    assert sent["method"] == "post"
    assert sent["action"] == form.action
    labels = [e.text for e in seen.elements if e.attributes.get("id") == sent["aria-labelledby"]]
    assert labels == ["Register"]
    hidden = seen.one("input")
    assert (hidden["type"], hidden["name"]) == ("hidden", "manifest")
    assert json.loads(hidden["value"]) == json.loads(form.manifest)
    assert seen.one("button")["type"] == "submit"
    assert sent in list(seen.one("button").inside())
    shown = {term.text: level.text for term, level in zip(seen.all("dt"), seen.all("dd"), strict=True)}
    assert shown == {name.replace("_", " ").capitalize(): level for name, level in manifest.PERMISSIONS.items()}
    assert all(event in seen.text for event in manifest.EVENTS)
    assert "has the App" not in seen.text


def test_a_second_app_is_warned_of_and_a_wrong_address_has_no_button(connection: Connection) -> None:
    credential = {"kind": "app", "app_id": 5, "private_key_secret": "k"}
    github = connection.github.model_validate(connection.github.model_dump() | {"credential": credential})
    form = manifest.form(connection, LINKS, "s").model_copy(update={"action": "ftp://a.example"})
    seen = Page(pages.github_app(connection.model_copy(update={"github": github}), form))
    assert "has the App 5 already" in seen.text
    assert not seen.all("button")
    assert "correct github.web_url" in seen.text


def test_a_registered_app_says_what_is_left(connection: Connection) -> None:
    seen = Page(pages.github_app_registered(connection, REGISTERED))
    assert REGISTERED.install_url in [a["href"] for a in seen.all("a")]
    for said in ("77", "github-app-77-key", "github-app-77-webhook", "/api/connections/contoso/check"):
        assert said in seen.text
    without = REGISTERED.model_copy(update={"webhook_secret_name": ""})
    assert "signs with the one Doneright verifies" in Page(pages.github_app_registered(connection, without)).text
