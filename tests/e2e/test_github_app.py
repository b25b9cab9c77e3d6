"""A connection gets its GitHub App through the browser, and works under that identity alone."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import urljoin

import httpx
import pytest

from local.stack.seed import connection
from tests.e2e.world import World, form

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(180)]

FIELD = re.compile(r'<input[^>]*name="(?P<name>[^"]+)"[^>]*value="(?P<value>[^"]*)"')


def _fields(html: str) -> dict[str, str]:
    return {match["name"]: unescape(match["value"]) for match in FIELD.finditer(html)}


def test_an_app_is_registered_installed_and_does_the_work(world: World) -> None:
    # A second connection, without a credential yet, that takes requests from a repository of its own.
    mona = world.github("mona")
    hook = {"config": {"url": f"{world.ready.host}/api/webhooks/github", "content_type": "json"}, "active": True}
    hook["config"]["secret"] = world.ready.github_webhook_secret  # type: ignore[index]
    assert mona.post("/orgs/acme/repos", json={"name": "app-requests"}).status_code == 201
    body = connection(world.stack.configuration) | {"id": "by-app", "requesters": ["mona"]}
    body["github"] = body["github"] | {"credential": None, "request_repositories": ["acme/app-requests"]}
    assert world.api.post("/api/connections", json=body).status_code == 201

    page = world.api.get("/api/connections/by-app/github-app", headers={"accept": "text/html"})
    assert page.status_code == 200
    action = re.search(r'<form[^>]*action="([^"]+)"', page.text)
    assert action
    with httpx.Client(timeout=30, headers={"accept": "text/html"}) as browser:
        answer = browser.post(unescape(action[1]), data=_fields(page.text))
        for _ in range(3):  # GitHub may ask who is signed in, or to confirm the name
            if answer.is_redirect:
                break
            again = re.search(r'<form[^>]*action="([^"]*)"', answer.text)
            assert again, answer.text[:2000]
            where = urljoin(str(answer.url), unescape(again[1]))
            answer = browser.post(where, data=_fields(answer.text) | {"login": "mona", "user": "mona", "as": "mona"})
        back = answer.headers["location"]
        assert back.startswith(f"{world.ready.host}/api/github-app/callback?")
        done = browser.get(back)
        assert done.status_code == 200, done.text
        assert "is registered" in done.text
        assert "PRIVATE KEY" not in done.text
        # The code works once.
        assert browser.get(back).status_code == 409

    shown = world.api.get("/api/connections/by-app").json()
    assert shown["github"]["credential"]["kind"] == "app"
    app_id = shown["github"]["credential"]["app_id"]
    checked = world.api.get("/api/connections/by-app/check").json()
    assert checked["forges"][0]["reachable"] is False
    assert "install" in (checked["forges"][0]["reason"] + checked["forges"][0]["remedy"]).lower()

    install = re.search(r'href="([^"]+/installations/new)"', done.text)
    assert install
    installed = mona.get(unescape(install[1]), headers={"accept": "text/html"})
    assert installed.status_code == 200
    again = re.search(r'<form[^>]*action="([^"]*)"', installed.text)
    assert again, installed.text[:2000]
    sent = httpx.post(
        urljoin(unescape(install[1]), unescape(again[1])),
        data=_fields(installed.text)
        | {"account": "acme", "target": "acme", "as": "mona", "user": "mona", "login": "mona"},
        headers={"accept": "text/html"},
        timeout=30,
    )
    assert sent.status_code in {200, 302, 303}, sent.text[:2000]

    checked = world.api.get("/api/connections/by-app/check").json()
    github = checked["forges"][0]
    assert github["reachable"] is True, github
    assert [p["permission"] for p in github["permissions"] if p["present"] is False] == []

    # No hook of the repository or the organisation carries this: the App's own webhook does, signed with our secret.
    opened = mona.post(
        "/repos/acme/app-requests/issues",
        json={"title": "New project", "body": form("App Shop", Process="Basic"), "labels": ["new-project"]},
    )
    assert opened.status_code == 201
    view = world.ended("app-shop")
    assert view["state"] == "completed", [
        (s["id"], s["reason"], s["remedy"]) for s in view["steps"] if s["state"] != "applied"
    ]
    assert view["connection"] == "by-app"
    comments = mona.get(f"/repos/acme/app-requests/issues/{opened.json()['number']}/comments").json()
    assert {comment["user"]["type"] for comment in comments} == {"Bot"}
    assert app_id > 0


def test_a_forged_or_stale_callback_is_refused(world: World) -> None:
    for query in ("", "?code=abc", "?code=abc&state=by-app.9999999999.00", "?state=x"):
        answer = httpx.get(f"{world.ready.host}/api/github-app/callback{query}", timeout=30)
        assert answer.status_code == 401, query
