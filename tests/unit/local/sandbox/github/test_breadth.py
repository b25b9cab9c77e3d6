"""The less travelled calls: each changes something and reads it back."""

from __future__ import annotations

import json

import pytest
from github import GithubException


def test_commits_are_filtered(sandbox):
    repo = sandbox.repo()
    repo.create_file("a/x.txt", "Add x", "x")
    second = repo.create_file("b/y.txt", "Add y", "y")["commit"].sha
    assert [c.commit.message for c in repo.get_commits(path="a")] == ["Add x"]
    assert {c.author.login for c in repo.get_commits(author="ada")} == {"ada"}
    assert repo.get_commits(author="nobody").totalCount == 0
    assert repo.get_commit("main").sha == second
    with pytest.raises(GithubException) as caught:
        repo.get_commit("deadbeef")
    assert caught.value.status == 422


def test_branches_are_renamed_and_protected_in_parts(lax):
    repo = lax.repo()
    base = f"/repos/{repo.full_name}/branches"
    with lax.http() as http:
        assert http.post(f"{base}/main/rename", json={"new_name": "trunk"}).status_code == 201
        assert http.get(f"/repos/{repo.full_name}").json()["default_branch"] == "trunk"
        rules = {
            "required_status_checks": {"strict": True, "contexts": ["a"]},
            "enforce_admins": False,
            "required_pull_request_reviews": None,
            "restrictions": {"users": ["ada"], "teams": ["builders"]},
        }
        made = http.put(f"{base}/trunk/protection", json=rules).json()
        assert [t["slug"] for t in made["restrictions"]["teams"]] == ["builders"]
        checks = f"{base}/trunk/protection/required_status_checks"
        assert http.patch(checks, json={"contexts": ["b"]}).json()["contexts"] == ["b"]
        assert http.get(checks).json()["strict"] is True
        assert http.post(f"{base}/trunk/protection/enforce_admins").json()["enabled"] is True
        assert http.delete(checks).status_code == 204
        assert http.get(checks).status_code == 404
        reviews = f"{base}/trunk/protection/required_pull_request_reviews"
        assert http.patch(reviews, json={"required_approving_review_count": 9}).status_code == 422
        assert [b["name"] for b in http.get(base, params={"protected": "true"}).json()] == ["trunk"]
        refused = http.delete(f"/repos/{repo.full_name}/git/refs/heads/trunk")
        assert refused.json()["message"] == "Cannot delete the default branch"


def test_reviews_can_wait_and_be_dismissed(sandbox):
    repo = sandbox.repo()
    repo.create_git_ref("refs/heads/f", repo.get_branch("main").commit.sha)
    repo.create_file("f.txt", "Add", "f", branch="f")
    repo.create_file("m.txt", "Add", "m")
    pull = repo.create_pull(base="main", head="f", title="T", draft=True)
    theirs = sandbox.github("root-token").get_repo(repo.full_name).get_pull(pull.number)
    pending = theirs.create_review(body="Later")
    assert (pending.state, list(pull.get_reviews())) == ("PENDING", [])
    with sandbox.http("root-token") as http:
        base = f"/repos/{repo.full_name}/pulls/{pull.number}"
        done = http.post(f"{base}/reviews/{pending.id}/events", json={"event": "APPROVE"})
        assert done.json()["state"] == "APPROVED"
        assert http.put(f"{base}/update-branch", json={}).status_code == 202
    pull.get_review(pending.id).dismiss("Stale")
    assert [r.state for r in pull.get_reviews()] == ["DISMISSED"]
    assert repo.get_contents("m.txt", ref="f").decoded_content == b"m"
    with pytest.raises(GithubException) as caught:
        pull.merge()
    assert caught.value.status == 405
    pull.edit(title="New", state="closed")
    assert (repo.get_pull(pull.number).title, repo.get_pull(pull.number).state) == ("New", "closed")


def test_check_suites_and_refusals(lax, private_key):
    from github import Auth, GithubIntegration

    repo = lax.repo()
    integration = GithubIntegration(auth=Auth.AppAuth(77, private_key), base_url=lax.url)
    token = integration.get_access_token(integration.get_org_installation("octo").id).token
    sha = repo.get_branch("main").commit.sha
    base = f"/repos/{repo.full_name}"
    with lax.http(token) as http:
        for wrong in (
            {"name": "x", "head_sha": sha, "status": "completed"},
            {"name": "x", "head_sha": sha, "output": {"title": "T"}},
            {"name": "x", "head_sha": sha, "conclusion": "fine"},
            {"name": "x", "head_sha": "0" * 40},
        ):
            assert http.post(f"{base}/check-runs", json=wrong).status_code == 422
        note = {"path": "README.md", "start_line": 1, "end_line": 1, "annotation_level": "notice", "message": "m"}
        made = http.post(
            f"{base}/check-runs",
            json={
                "name": "x",
                "head_sha": sha,
                "conclusion": "failure",
                "output": {"title": "T", "summary": "S", "annotations": [note]},
            },
        )
        number = made.json()["id"]
        assert http.get(f"{base}/check-runs/{number}/annotations").json()[0]["message"] == "m"
        assert http.post(f"{base}/check-runs/{number}/rerequest").status_code == 201
        [suite] = http.get(f"{base}/commits/{sha}/check-suites").json()["check_suites"]
        assert (suite["status"], suite["conclusion"]) == ("completed", "failure")


def test_hooks_change(sandbox, receiver):
    repo = sandbox.repo()
    hook = repo.create_hook("web", {"url": receiver.url, "content_type": "form", "secret": "s"}, ["push"])
    headers, body = receiver.wait(1)[0]
    assert (headers["content-type"], body[:8]) == ("application/x-www-form-urlencoded", b"payload=")
    hook.edit("web", {"url": receiver.url, "content_type": "json"}, add_events=["issues"], active=True)
    again = repo.get_hook(hook.id)
    assert (again.events, again.config["content_type"], "secret" in again.config) == (["issues", "push"], "json", False)
    hook.test()
    headers, body = receiver.wait(2)[1]
    assert (headers["x-github-event"], json.loads(body)["ref"]) == ("push", "refs/heads/main")
    with sandbox.http() as http:
        base = f"/repos/{repo.full_name}/hooks/{hook.id}"
        assert http.patch(f"{base}/config", json={"secret": "new"}).json()["secret"] == "********"
        assert http.get(f"{base}/config").json()["url"] == receiver.url
        assert http.post(f"{base}/pings").status_code == 204
    receiver.wait(3)
    hook.delete()
    assert list(repo.get_hooks()) == []


def test_variables_actions_and_environments(lax):
    repo = lax.repo()
    repo.create_variable("REGION", "west")
    with pytest.raises(GithubException) as caught:
        repo.create_variable("region", "x")
    assert caught.value.status == 409
    repo.get_variable("REGION").edit("east")
    assert [(v.name, v.value) for v in repo.get_variables()] == [("REGION", "east")]
    repo.delete_variable("REGION")
    base = f"/repos/{repo.full_name}"
    with lax.http() as http:
        assert http.put(f"{base}/actions/permissions", json={"enabled": False}).status_code == 204
        assert http.get(f"{base}/actions/permissions").json()["enabled"] is False
        assert (
            http.put(f"{base}/actions/permissions/workflow", json={"default_workflow_permissions": "write"}).status_code
            == 204
        )
        assert http.get(f"{base}/actions/permissions/workflow").json()["default_workflow_permissions"] == "write"
        ada = http.get("/user").json()["id"]
        wanted = {
            "reviewers": [{"type": "User", "id": ada}],
            "deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": False},
        }
        made = http.put(f"{base}/environments/production", json=wanted).json()
        assert made["protection_rules"][0]["reviewers"][0]["reviewer"]["login"] == "ada"
        http.patch(base, json={"private": True})
        assert http.put(f"{base}/environments/production", json=wanted).status_code == 422
        assert http.get(f"{base}/environments/production").status_code == 200


def test_accounts_and_searches(lax):
    github = lax.github()
    repo = lax.repo(description="needle in a haystack")
    assert [r.full_name for r in github.search_repositories("needle org:octo")] == [repo.full_name]
    org = github.get_organization("octo")
    org.edit(description="Makers")
    assert github.get_organization("octo").description == "Makers"
    with lax.http() as http:
        assert http.put("/orgs/octo/memberships/eve", json={"role": "admin"}).json()["role"] == "admin"
        assert http.get("/orgs/octo/members", params={"role": "admin"}).json()[-1]["login"] == "eve"
        assert http.delete("/orgs/octo/members/eve").status_code == 204
        assert http.get("/orgs/octo/memberships/eve").status_code == 404
        assert http.get("/user/memberships/orgs/octo").json()["role"] == "admin"
        assert {o["login"] for o in http.get("/user/orgs").json()} == {"octo", "poor"}
        assert http.get("/zen").status_code == http.get("/meta").status_code == http.get("/").status_code == 200
        assert http.get("/users/octo").json()["type"] == "Organization"
        assert http.patch("/orgs/octo/teams/builders", json={"description": "Build"}).json()["description"] == "Build"
        ruleset = {
            "name": "all",
            "enforcement": "active",
            "rules": [{"type": "deletion"}],
            "conditions": {"ref_name": {"include": ["~ALL"], "exclude": ["refs/heads/x*"]}},
        }
        assert http.post("/orgs/octo/rulesets", json=ruleset).status_code == 201
        assert http.post("/orgs/poor/rulesets", json=ruleset).status_code == 403
        assert (
            http.get(f"/repos/{repo.full_name}/rules/branches/main").json()[0]["ruleset_source_type"] == "Organization"
        )
        assert http.get(f"/repos/{repo.full_name}/rules/branches/xy").json() == []
        assert http.get(f"/repos/{repo.full_name}/rulesets").json()[0]["name"] == "all"
