"""Apps with their tokens, webhooks of every level, signed, kept and sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta

import httpx
import jwt
import pytest
from github import Auth, Github, GithubException, GithubIntegration

SECRET = "s3cret"


def _wired(sandbox, receiver, *, events=("issues", "issue_comment"), org=False):
    repo = sandbox.repo()
    config = {"url": receiver.url, "content_type": "json", "secret": SECRET}
    owner = sandbox.github().get_organization("octo") if org else repo
    hook = owner.create_hook("web", config, list(events), active=True)
    receiver.wait(1)
    return repo, hook


def _signed(headers, body):
    expected = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(headers["x-hub-signature-256"], f"sha256={expected}")


def _until(condition):
    deadline = time.monotonic() + 5
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert condition()


def test_ping_opened_and_a_labeled_for_each_label(sandbox, receiver):
    repo, hook = _wired(sandbox, receiver)
    issue = repo.create_issue("A wish", labels=["bug", "new-project"])
    issue.create_comment("Hi")
    got = receiver.wait(5)
    assert [h["x-github-event"] for h, _ in got] == ["ping", "issues", "issues", "issues", "issue_comment"]
    assert all(_signed(h, b) for h, b in got)
    bodies = [json.loads(b) for _, b in got]
    assert bodies[0]["hook_id"] == hook.id
    assert [b.get("action") for b in bodies[1:]] == ["opened", "labeled", "labeled", "created"]
    assert [b["label"]["name"] for b in bodies[2:4]] == ["bug", "new-project"]
    assert {label["name"] for label in bodies[1]["issue"]["labels"]} == {"bug", "new-project"}
    assert bodies[1]["repository"]["full_name"] == repo.full_name
    assert (bodies[1]["organization"]["login"], bodies[1]["sender"]["login"]) == ("octo", "ada")
    assert len({h["x-github-delivery"] for h, _ in got}) == 5
    assert {h["x-github-hook-id"] for h, _ in got} == {str(hook.id)}
    assert got[1][0]["x-github-hook-installation-target-type"] == "repository"
    hook.delete()


def test_both_levels_send_the_same_event(sandbox, receiver):
    repo, hook = _wired(sandbox, receiver, events=["issues"], org=True)
    repo.create_hook("web", {"url": receiver.url, "content_type": "json", "secret": SECRET}, ["issues"])
    receiver.wait(2)
    repo.create_issue("Twice")
    got = receiver.wait(4)[2:]
    assert {h["x-github-hook-installation-target-type"] for h, _ in got} == {"repository", "organization"}
    assert len({h["x-github-delivery"] for h, _ in got}) == 2
    hook.delete()


def test_push_and_pull_request_events(sandbox, receiver):
    repo, hook = _wired(
        sandbox, receiver, events=["push", "create", "pull_request", "pull_request_review", "repository"]
    )
    repo.create_git_ref("refs/heads/f", repo.get_branch("main").commit.sha)
    repo.create_file("a.txt", "Add a", "a", branch="f")
    pull = repo.create_pull(base="main", head="f", title="T")
    repo.create_file("b.txt", "Add b", "b", branch="f")
    pull.merge()
    repo.edit(description="x")
    _until(lambda: json.loads(receiver.got[-1][1]).get("changes") == {"description": {"from": None}})
    seen = [(h["x-github-event"], json.loads(b)) for h, b in receiver.got[1:]]
    assert [name for name, _ in seen] == [
        "create",
        "push",
        "push",
        "pull_request",
        "push",
        "pull_request",
        "pull_request",
        "push",
        "repository",
    ]
    assert [b["action"] for name, b in seen if name == "pull_request"] == ["opened", "synchronize", "closed"]
    assert next(b for n, b in seen[::-1] if n == "pull_request")["pull_request"]["merged"] is True
    push = seen[2][1]
    assert (push["ref"], push["commits"][0]["added"], push["pusher"]["name"]) == ("refs/heads/f", ["a.txt"], "ada")
    assert push["head_commit"]["id"] == push["after"]
    hook.delete()


def test_deliveries_are_kept_and_sent_again(sandbox, receiver):
    repo, hook = _wired(sandbox, receiver)
    receiver.status = 500
    repo.create_issue("Lost")
    _until(lambda: len(list(repo.get_hook_deliveries(hook.id))) == 2)
    delivery = repo.get_hook_deliveries(hook.id)[0]
    assert (delivery.event, delivery.action, delivery.status_code, delivery.redelivery) == (
        "issues",
        "opened",
        500,
        False,
    )
    detail = repo.get_hook_delivery(hook.id, delivery.id)
    assert detail.request.payload["issue"]["title"] == "Lost"
    assert detail.response.payload == "taken"
    receiver.status = 202
    with sandbox.http() as http:
        base = f"/repos/{repo.full_name}/hooks/{hook.id}/deliveries"
        assert [d["id"] for d in http.get(base, params={"status": "failure"}).json()] == [delivery.id]
        assert http.post(f"{base}/{delivery.id}/attempts").status_code == 202
        _until(lambda: len(http.get(base).json()) == 3)
        again = http.get(base).json()[0]
        assert (again["guid"], again["redelivery"], again["status_code"]) == (delivery.guid, True, 202)
        page = http.get(base, params={"per_page": 1})
        assert http.get(page.links["next"]["url"]).json()[0]["id"] == delivery.id
        assert http.get(f"{base}/1").status_code == 404
    assert receiver.got[-1][0]["x-github-delivery"] == delivery.guid
    hook.delete()


def test_webhook_faults(sandbox, receiver):
    repo, hook = _wired(sandbox, receiver, events=["issues"])
    with sandbox.http() as http:
        assert http.post("/_faults", json={"kind": "webhook_duplicated", "event": "issues"}).status_code == 201
        repo.create_issue("Twice")
        assert len({h["x-github-delivery"] for h, _ in receiver.wait(3)[1:]}) == 1
        http.post("/_faults", json={"kind": "webhook_reordered"})
        repo.create_issue("First")
        repo.create_issue("Second")
        titles = [json.loads(b)["issue"]["title"] for _, b in receiver.wait(5)[3:]]
        assert titles == ["Second", "First"]
        http.post("/_faults", json={"kind": "webhook_dropped"})
        repo.create_issue("Dropped")
        repo.create_issue("Next")
        assert json.loads(receiver.wait(6)[5][1])["issue"]["title"] == "Next"
        failed = http.get(f"/repos/{repo.full_name}/hooks/{hook.id}/deliveries", params={"status": "failure"}).json()
        assert [(d["action"], d["status_code"]) for d in failed] == [("opened", 0)]
        assert [rule["fired"] for rule in http.get("/_faults").json()] == [1, 1, 1]
        http.delete("/_faults")
    hook.delete()


def test_hook_refusals(sandbox, lax, receiver):
    repo = lax.repo()
    config = {"url": receiver.url, "content_type": "json"}
    repo.create_hook("web", config, ["push"])
    with pytest.raises(GithubException) as caught:
        repo.create_hook("web", config, ["push"])
    assert caught.value.data["errors"][0]["message"] == "Hook already exists on this repository"
    for wrong in ({"config": {"url": "nowhere"}}, {"config": config, "events": ["wombat"]}):
        with lax.http() as http:
            assert http.post(f"/repos/{repo.full_name}/hooks", json=wrong).status_code == 422
    with pytest.raises(GithubException) as caught:
        list(lax.github("eve-token").get_repo(repo.full_name).get_hooks())
    assert caught.value.status == 403


def _app_auth(private_key):
    return Auth.AppAuth(77, private_key)


def test_app_token_and_check_run(sandbox, private_key):
    repo = sandbox.repo()
    integration = GithubIntegration(
        auth=_app_auth(private_key),
        base_url=sandbox.url,
        seconds_between_requests=0,
        seconds_between_writes=0,
        retry=None,
    )
    assert integration.get_app().slug == "done-right"
    installation = integration.get_org_installation("octo")
    token = integration.get_access_token(installation.id)
    assert timedelta(minutes=59) < token.expires_at - datetime.now(UTC) < timedelta(minutes=61)
    github = Github(
        auth=Auth.Token(token.token),
        base_url=sandbox.url,
        seconds_between_requests=0,
        seconds_between_writes=0,
        retry=None,
    )
    theirs = github.get_repo(repo.full_name)
    sha = theirs.get_branch("main").commit.sha
    run = theirs.create_check_run("gate", sha, status="in_progress", output={"title": "T", "summary": "S"})
    run.edit(conclusion="success")
    assert [(r.name, r.conclusion, r.app.slug) for r in theirs.get_commit(sha).get_check_runs()] == [
        ("gate", "success", "done-right")
    ]
    assert repo.full_name in {r.full_name for r in installation.get_repos()}
    assert theirs.create_issue("From the app").user.login == "done-right[bot]"
    with pytest.raises(GithubException) as caught:
        repo.create_check_run("gate", sha)
    assert (caught.value.status, caught.value.data["message"]) == (403, "You must authenticate via a GitHub App.")
    with pytest.raises(GithubException) as caught:
        theirs.create_hook("web", {"url": "http://127.0.0.1:1/"}, ["push"])
    assert caught.value.data["message"] == "Resource not accessible by integration"
    sandbox.state.data["github"]["tokens"][token.token]["expires_at"] = "2020-01-01T00:00:00Z"
    with pytest.raises(GithubException) as caught:
        github.get_repo(repo.full_name)
    assert (caught.value.status, caught.value.data["message"]) == (401, "Bad credentials")


def test_app_tokens_can_be_narrowed(sandbox, lax, private_key):
    with lax.http(None) as http:
        now = int(time.time())
        bearer = {
            "Authorization": "Bearer "
            + jwt.encode({"iss": "77", "iat": now - 10, "exp": now + 300}, private_key, "RS256")
        }
        number = http.get("/orgs/octo/installation", headers=bearer).json()["id"]
        path = f"/app/installations/{number}/access_tokens"
        narrow = http.post(
            path, headers=bearer, json={"repositories": ["intake"], "permissions": {"issues": "read"}}
        ).json()
        mine = {"Authorization": f"token {narrow['token']}"}
        assert [r["name"] for r in http.get("/installation/repositories", headers=mine).json()["repositories"]] == [
            "intake"
        ]
        refused = http.post("/repos/octo/intake/issues", headers=mine, json={"title": "x"})
        assert (refused.status_code, refused.json()["message"]) == (403, "Resource not accessible by integration")
        assert http.post(path, headers=bearer, json={"permissions": {"secrets": "write"}}).status_code == 422
        assert http.post(path, headers=bearer, json={"repositories": ["nope"]}).status_code == 422
        assert http.delete("/installation/token", headers=mine).status_code == 204
        assert http.get("/installation/repositories", headers=mine).status_code == 401
        old = jwt.encode({"iss": "77", "iat": now - 900, "exp": now - 300}, private_key, "RS256")
        assert http.get("/app", headers={"Authorization": f"Bearer {old}"}).status_code == 401
        long = jwt.encode({"iss": "77", "iat": now, "exp": now + 3600}, private_key, "RS256")
        assert (
            "too far in the future" in http.get("/app", headers={"Authorization": f"Bearer {long}"}).json()["message"]
        )
        assert http.put(f"/app/installations/{number}/suspended", headers=bearer).status_code == 204
        assert http.post(path, headers=bearer).status_code == 403
        assert http.delete(f"/app/installations/{number}/suspended", headers=bearer).status_code == 204


def test_who_may(lax):
    repo = lax.repo(private=True)
    path = f"/repos/{repo.full_name}"
    with httpx.Client(base_url=lax.url, trust_env=False) as http:

        def ask(token, method="GET", where=path, **more):
            headers = {"Authorization": f"token {token}"} if token else {}
            answer = http.request(method, where, headers=headers, **more)
            return answer.status_code, (answer.json() or {}).get("message") if answer.content else None

        assert ask(None) == (404, "Not Found")
        assert ask("wrong") == (401, "Bad credentials")
        assert ask(None, where="/user") == (401, "Requires authentication")
        assert ask("eve-token") == (404, "Not Found")
        assert ask("low-token") == (404, "Not Found")
        assert ask("bob-token")[0] == 200
        assert ask("root-token", "DELETE")[0] == 204
        assert ask("github_pat_fin", "POST", "/repos/octo/intake/issues", json={"title": "x"}) == (
            403,
            "Resource not accessible by personal access token",
        )
        assert ask("eve-token", "POST", "/orgs/octo/repos", json={"name": "x"})[0] == 403
        scopes = http.get("/user", headers={"Authorization": "token ada-token"}).headers
        assert "repo" in scopes["x-oauth-scopes"]
        assert {"x-ratelimit-remaining", "x-github-request-id", "x-github-api-version-selected"} <= set(scopes)
        assert "x-oauth-scopes" not in http.get("/user", headers={"Authorization": "token github_pat_fin"}).headers
        first = http.get("/repos/octo/intake")
        assert http.get("/repos/octo/intake", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
        assert http.get("/api/v3/repos/octo/intake").json()["url"] == f"{lax.url}/api/v3/repos/octo/intake"
        assert http.get("/user", auth=("ada", "ada-token")).json()["login"] == "ada"
        assert http.get("/nowhere").json()["message"] == "Not Found"


def test_organisation_members_and_teams(lax):
    org = lax.github().get_organization("octo")
    assert {m.login for m in org.get_members()} == {"ada", "bob", "fin"}
    assert org.has_in_members(lax.github().get_user("bob"))
    team = org.create_team("Core Team", privacy="closed")
    eve = lax.github().get_user("eve")
    team.add_membership(eve, role="member")
    assert {m.login for m in team.get_members()} == {"ada", "eve"}
    assert team.get_team_membership("eve").role == "member"
    assert {t.slug for t in org.get_teams()} == {"builders", "core-team"}
    team.remove_membership(eve)
    with pytest.raises(GithubException):
        team.get_team_membership("eve")
    team.delete()
    with pytest.raises(GithubException):
        org.get_team_by_slug("core-team")
    assert lax.github().get_rate_limit().rate.limit == 5000
