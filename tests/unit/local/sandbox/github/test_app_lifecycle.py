"""An App from registration to uninstall: its hook, deliveries sent again, tokens that end, pages about it."""

from __future__ import annotations

import json
import time
from urllib.parse import parse_qs

import jwt
import pytest
from github import Auth, Github, GithubIntegration

HTML = {"Accept": "text/html"}


def _until(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def _token(key, **claims):
    now = int(time.time())
    return jwt.encode({"iss": "77", "iat": now - 10, "exp": now + 300, **claims}, key, "RS256")


@pytest.fixture
def own(serve, seed, receiver):
    """A simulator of its own whose App tells the receiver."""
    from local.sandbox.seed import apply_seed
    from local.sandbox.state import State

    state = State()
    document = json.loads(json.dumps(seed))
    document["github"]["organizations"][0]["apps"][0] |= {"webhook_url": receiver.url, "webhook_secret": "s"}
    apply_seed(state, document)
    with serve(state) as sandbox:
        yield sandbox


def test_app_hook_deliveries_are_listed_and_sent_again(own, receiver, private_key):
    receiver.status = 500
    own.github().get_repo("octo/intake").create_issue("Lost")
    bearer = {"Authorization": f"Bearer {_token(private_key)}"}
    with own.http(None, **bearer) as http:
        _until(lambda: len(http.get("/app/hook/deliveries").json()) == 1)
        lost = http.get("/app/hook/deliveries", params={"status": "failure"}).json()[0]
        assert (lost["event"], lost["action"], lost["status_code"]) == ("issues", "opened", 500)
        detail = http.get(f"/app/hook/deliveries/{lost['id']}").json()
        assert detail["request"]["payload"]["issue"]["title"] == "Lost"
        assert detail["installation_id"] == detail["request"]["payload"]["installation"]["id"]
        receiver.status = 202
        assert http.post(f"/app/hook/deliveries/{lost['id']}/attempts").status_code == 202
        _until(lambda: len(http.get("/app/hook/deliveries").json()) == 2)
        again = http.get("/app/hook/deliveries", params={"status": "success"}).json()
        assert [(d["guid"], d["redelivery"]) for d in again] == [(lost["guid"], True)]
        assert http.get("/app/hook/deliveries/1").status_code == 404
        config = http.get("/app/hook/config").json()
        assert (config["url"], config["secret"]) == (receiver.url, "********")
        changed = http.patch("/app/hook/config", json={"content_type": "form", "secret": ""}).json()
        assert "secret" not in changed
    (first, one), (second, two) = receiver.wait(2)
    assert (first["x-github-delivery"], one) == (second["x-github-delivery"], two)
    own.github().get_repo("octo/intake").create_issue("As a form")
    headers, body = receiver.wait(3)[2]
    assert headers["content-type"] == "application/x-www-form-urlencoded"
    assert "x-hub-signature-256" not in headers
    assert json.loads(parse_qs(body.decode())["payload"][0])["issue"]["title"] == "As a form"
    with own.http(None, **HTML) as http:
        page = http.get("/apps/done-right").text
        assert f"/apps/done-right/deliveries/{again[0]['id']}" in page
        assert page.count("sent again") == 1
        told = http.get(f"/apps/done-right/deliveries/{lost['id']}").text
        assert "500" in told
        assert "Response body" in told
        assert http.get("/apps/done-right/deliveries/1").status_code == 404
        assert http.get("/apps/none").status_code == 404


def test_uninstalling_ends_its_tokens_and_tells_it(own, receiver, private_key):
    options = {"base_url": own.url, "seconds_between_requests": 0, "seconds_between_writes": 0, "retry": None}
    integration = GithubIntegration(auth=Auth.AppAuth(77, private_key), **options)
    found = integration.get_installations()
    assert [i.app_id for i in found] == [77]
    number = found[0].id
    assert integration.get_app_installation(number).id == number
    assert integration.get_repo_installation("octo", "intake").id == number
    token = integration.get_access_token(number).token
    assert Github(auth=Auth.Token(token), **options).get_repo("octo/intake").name == "intake"
    with own.http(None, **HTML) as http:
        page = f"/organizations/octo/settings/installations/{number}"
        assert "Done Right" in http.get(page).text
        assert "Apps installed" in http.get("/octo").text
        assert http.get("/organizations/poor/settings/installations/1").status_code == 404
    with own.http(None, Authorization=f"Bearer {_token(private_key)}") as http:
        assert http.get("/orgs/poor/installation").status_code == 404
        assert http.get("/repos/octo/gone/installation").status_code == 404
        assert http.get("/apps/done-right").json()["installations_count"] == 1
        assert http.get("/user").json()["message"] == "Resource not accessible by integration"
        assert http.get("/orgs/octo/hooks").status_code == 403
        assert http.post("/repos/octo/intake/labels", json={"name": "n", "color": "ededed"}).status_code == 403
        assert http.delete(f"/app/installations/{number}").status_code == 204
        assert http.get(f"/app/installations/{number}").status_code == 404
    headers, body = receiver.wait(1)[0]
    assert (headers["x-github-event"], json.loads(body)["action"]) == ("installation", "deleted")
    with own.http(token) as http:
        assert http.get("/repos/octo/intake").json()["message"] == "Bad credentials"
    own.github().get_repo("octo/intake").create_issue("Unheard")
    with own.http(None, Authorization=f"Bearer {_token(private_key)}") as http:
        assert len(http.get("/app/hook/deliveries").json()) == 1


def test_what_an_installation_may_not(own, private_key):
    with own.http(None, Authorization=f"Bearer {_token(private_key)}") as http:
        number = http.get("/orgs/octo/installation").json()["id"]
        path = f"/app/installations/{number}/access_tokens"
        token = http.post(path).json()["token"]
        narrow = http.post(path, json={"repositories": ["intake"]}).json()
        assert narrow["repository_selection"] == "selected"
    other = own.repo(private=True)
    with own.http(narrow["token"]) as http:
        assert http.get(f"/repos/{other.full_name}").status_code == 404
    with own.http(token) as http:
        assert http.get(f"/repos/{other.full_name}").json()["permissions"]["push"] is True
        assert http.get("/user").status_code == 403
        assert http.post("/orgs/octo/repos", json={"name": own.name("by-app")}).status_code == 201
        assert http.get("/orgs/octo/teams").json()["message"] == "Resource not accessible by integration"
        assert (
            http.put(
                "/repos/octo/intake/contents/.github/workflows/a.yml", json={"message": "m", "content": ""}
            ).json()["message"]
            == "Resource not accessible by integration"
        )
    with own.http() as http:
        refused = http.get("/app", headers={"Authorization": f"Bearer {_token(private_key, iss='1')}"})
        assert refused.json()["message"] == "Integration not found"
        early = _token(private_key, iat=int(time.time()) + 200)
        assert "'Issued at'" in http.get("/app", headers={"Authorization": f"Bearer {early}"}).json()["message"]
        forged = _token(private_key)[:-6] + "AAAAAA"
        assert "could not be decoded" in http.get("/app", headers={"Authorization": f"Bearer {forged}"}).text


def test_selected_repositories_only(serve, seed, receiver, private_key):
    from local.sandbox.seed import apply_seed
    from local.sandbox.state import State

    state = State()
    document = json.loads(json.dumps(seed))
    organization = document["github"]["organizations"][0]
    organization["repositories"].append({"name": "other"})
    organization["apps"][0] |= {"webhook_url": receiver.url, "repositories": ["intake"]}
    apply_seed(state, document)
    with serve(state) as sandbox:
        sandbox.github().get_repo("octo/other").create_issue("Unheard")
        sandbox.github().get_repo("octo/intake").create_issue("Heard")
        _, body = receiver.wait(1)[0]
        assert json.loads(body)["issue"]["title"] == "Heard"
        with sandbox.http(None, Authorization=f"Bearer {_token(private_key)}") as http:
            assert http.get("/repos/octo/other/installation").status_code == 404
            assert http.get("/repos/octo/intake/installation").json()["repository_selection"] == "selected"
