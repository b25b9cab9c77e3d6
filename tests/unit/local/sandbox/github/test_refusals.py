"""What GitHub refuses, with its status and its words: one row a rule, asked over a socket."""

from __future__ import annotations

import base64

import pytest

TEXT = base64.b64encode(b"x").decode()
ZEROS = "0" * 40


@pytest.fixture(scope="module")
def world(lax):
    """A repository with a branch, an open pull request, an issue, a review and a check run of ada's."""
    repo = lax.repo()
    issue = repo.create_issue("One")
    comment = issue.create_comment("Said")
    main = repo.get_branch("main").commit.sha
    repo.create_git_ref("refs/heads/f", main)
    made = repo.create_file("a.txt", "Add a", "a\n", branch="f")
    pull = repo.create_pull(base="main", head="f", title="Two")
    review = pull.create_review(body="See", event="COMMENT")
    hook = repo.create_hook("web", {"url": "http://127.0.0.1:9/", "content_type": "json"}, ["push"], active=False)
    closed = lax.repo(private=True)
    return {
        "repo": f"/repos/{repo.full_name}",
        "name": repo.name,
        "full": repo.full_name,
        "private": f"/repos/{closed.full_name}",
        "issue": f"/repos/{repo.full_name}/issues/{issue.number}",
        "comment": f"/repos/{repo.full_name}/issues/comments/{comment.id}",
        "pull": f"/repos/{repo.full_name}/pulls/{pull.number}",
        "review": f"/repos/{repo.full_name}/pulls/{pull.number}/reviews/{review.id}",
        "hook": f"/repos/{repo.full_name}/hooks/{hook.id}",
        "main": main,
        "head": made["commit"].sha,
        "blob": made["content"].sha,
    }


ROWS = [
    # method, path, body, who, status, words
    ("POST", "/orgs/octo/repos", {"name": "x" * 101}, "ada", 422, "too long"),
    ("POST", "/orgs/octo/repos", {"name": " "}, "ada", 422, "can't be blank"),
    ("POST", "/orgs/octo/repos", {"name": "x", "visibility": "odd"}, "ada", 422, "visibility"),
    ("POST", "/orgs/octo/repos", {"name": 3}, "ada", 422, "is not of type string"),
    ("POST", "/orgs/octo/repos", {}, "ada", 422, '"name\\" wasn\'t supplied'),
    ("POST", "/orgs/octo/repos", [], "ada", 422, "wasn't supplied"),
    ("POST", "/orgs/octo/repos", {"name": "x"}, "low", 404, "Not Found"),
    ("POST", "/orgs/octo/repos", {"name": "x"}, "github_pat_fin", 403, "personal access token"),
    ("POST", "/orgs/gone/repos", {"name": "x"}, "ada", 404, "Not Found"),
    ("POST", "/user/repos", {"name": "x"}, None, 401, "Requires authentication"),
    ("PATCH", "{repo}", {"name": "intake"}, "ada", 422, "already exists"),
    ("PATCH", "{repo}", {"default_branch": "none"}, "ada", 422, "was not found"),
    ("PATCH", "{repo}", {"security_and_analysis": {"secret_scanning": {"status": "odd"}}}, "ada", 422, "security"),
    ("PATCH", "{repo}", {"security_and_analysis": {"advanced_security": {"status": "enabled"}}}, "ada", 422, "public"),
    (
        "PATCH",
        "{private}",
        {"security_and_analysis": {"secret_scanning": {"status": "enabled"}}},
        "ada",
        422,
        "Secret scanning is not available",
    ),
    ("PATCH", "{repo}", {"name": "y"}, "bob", 403, "Must have admin rights to Repository."),
    ("DELETE", "{repo}", None, "low", 404, "Not Found"),
    ("PUT", "{repo}/topics", {"names": ["a b"]}, "ada", 422, "Topics must start"),
    ("PUT", "{repo}/topics", {"names": [f"t{n}" for n in range(21)]}, "ada", 422, "more than 20"),
    ("GET", "{repo}/vulnerability-alerts", None, "ada", 404, "disabled"),
    ("PUT", "{repo}/automated-security-fixes", None, "ada", 422, "must be enabled"),
    ("GET", "/users/nobody/repos", None, "ada", 404, "Not Found"),
    ("GET", "/users/nobody", None, "ada", 404, "Not Found"),
    ("POST", "{repo}/git/blobs", {}, "ada", 422, "content"),
    ("POST", "{repo}/git/blobs", {"content": "x", "encoding": "rot13"}, "ada", 422, "utf-8 or base64"),
    ("GET", "{repo}/git/blobs/" + ZEROS, None, "ada", 404, "Not Found"),
    ("POST", "{repo}/git/trees", {"tree": ["x"]}, "ada", 422, "is not an object"),
    ("POST", "{repo}/git/trees", {"tree": [], "base_tree": ZEROS}, "ada", 422, "base_tree"),
    ("POST", "{repo}/git/trees", {"tree": [{"path": "/a", "content": ""}]}, "ada", 422, "malformed path"),
    ("POST", "{repo}/git/trees", {"tree": [{"path": "a", "mode": "1", "content": ""}]}, "ada", 422, "valid mode"),
    ("POST", "{repo}/git/trees", {"tree": [{"path": "a"}]}, "ada", 422, "tree.sha or tree.content"),
    ("POST", "{repo}/git/trees", {"tree": [{"path": "a", "sha": ZEROS}]}, "ada", 422, "not a valid blob"),
    ("GET", "{repo}/git/trees/none", None, "ada", 404, "Not Found"),
    ("POST", "{repo}/git/commits", {"message": "x", "tree": "short"}, "ada", 422, "exactly 40"),
    ("POST", "{repo}/git/commits", {"message": "x", "tree": ZEROS}, "ada", 422, "Tree SHA does not exist"),
    ("GET", "{repo}/git/commits/" + ZEROS, None, "ada", 404, "Not Found"),
    ("GET", "{repo}/git/tags/" + ZEROS, None, "ada", 404, "Not Found"),
    ("GET", "{repo}/git/ref/heads/none", None, "ada", 404, "Not Found"),
    ("POST", "{repo}/git/refs", {"ref": "main", "sha": "{main}"}, "ada", 422, "not a valid ref name"),
    ("POST", "{repo}/git/refs", {"ref": "refs/heads/main", "sha": "{main}"}, "ada", 422, "already exists"),
    ("POST", "{repo}/git/refs", {"ref": "refs/heads/n", "sha": ZEROS}, "ada", 422, "Object does not exist"),
    ("PATCH", "{repo}/git/refs/heads/none", {"sha": "{main}"}, "ada", 422, "Reference does not exist"),
    ("PATCH", "{repo}/git/refs/heads/main", {"sha": ZEROS}, "ada", 422, "Object does not exist"),
    ("PATCH", "{repo}/git/refs/heads/f", {"sha": "{main}"}, "ada", 422, "fast forward"),
    ("DELETE", "{repo}/git/refs/heads/none", None, "ada", 422, "Reference does not exist"),
    ("DELETE", "{repo}/git/refs/heads/main", None, "ada", 422, "default branch"),
    ("PUT", "{repo}/contents/a.txt", {"message": "m"}, "ada", 422, "content"),
    ("PUT", "{repo}/contents/../a", {"message": "m", "content": TEXT}, "ada", 404, "Not Found"),
    ("PUT", "{repo}/contents/a.txt", {"message": "m", "content": TEXT, "branch": "no"}, "ada", 404, "Branch no"),
    ("PUT", "{repo}/contents/README.md", {"message": "m", "content": TEXT}, "ada", 422, "sha"),
    ("PUT", "{repo}/contents/README.md", {"message": "m", "content": TEXT, "sha": ZEROS}, "ada", 409, "does not match"),
    ("PUT", "{repo}/contents/new", {"message": "m", "content": TEXT, "sha": ZEROS}, "ada", 404, "Not Found"),
    ("DELETE", "{repo}/contents/none", {"message": "m", "sha": ZEROS}, "ada", 404, "Not Found"),
    ("DELETE", "{repo}/contents/README.md", {"message": "m", "sha": ZEROS}, "ada", 409, "does not match"),
    ("GET", "{repo}/contents/a.txt?ref=none", None, "ada", 404, "No commit found for the ref none"),
    ("GET", "{repo}/zipball/none", None, "ada", 404, "Not Found"),
    ("GET", "/repos/octo/none/_archive/zip/main", None, "ada", 404, "Not Found"),
    ("PATCH", "{issue}", {"state": "odd"}, "ada", 422, "state"),
    ("PATCH", "{issue}", {"state": "closed", "state_reason": "odd"}, "ada", 422, "state_reason"),
    ("PATCH", "{issue}", {"title": " "}, "ada", 422, "missing_field"),
    ("PATCH", "{issue}", {"labels": [""]}, "ada", 422, "Label"),
    ("PATCH", "{issue}", {"title": "mine"}, "eve", 403, ""),
    ("GET", "{repo}/issues/x", None, "ada", 404, "Not Found"),
    ("POST", "{repo}/issues", {"title": "x" * 257}, "ada", 422, "maximum is 256"),
    ("POST", "{repo}/issues", {"title": "x", "body": "x" * 65_537}, "ada", 422, "maximum is 65536"),
    ("POST", "{repo}/issues", {}, "ada", 422, "title"),
    ("POST", "{issue}/comments", {"body": " "}, "ada", 422, "missing_field"),
    ("POST", "{issue}/comments", {"body": "x" * 65_537}, "ada", 422, "maximum is 65536"),
    ("POST", "{issue}/comments", {"body": "x"}, "github_pat_fin", 403, "personal access token"),
    ("GET", "{repo}/issues/comments/1", None, "ada", 404, "Not Found"),
    ("PATCH", "{comment}", {"body": "x"}, "eve", 403, "push access"),
    ("POST", "{comment}/reactions", {"content": "odd"}, "ada", 422, "content"),
    ("DELETE", "{issue}/reactions/1", None, "ada", 404, "Not Found"),
    ("POST", "{repo}/labels", {"name": "bug"}, "ada", 422, "already_exists"),
    ("POST", "{repo}/labels", {"name": "n", "color": "red"}, "ada", 422, "color"),
    ("GET", "{repo}/labels/none", None, "ada", 404, "Not Found"),
    ("DELETE", "{issue}/labels/none", None, "ada", 404, "Label does not exist"),
    ("POST", "{repo}/pulls", {"head": "none", "base": "main", "title": "t"}, "ada", 422, "head"),
    ("POST", "{repo}/pulls", {"head": "main", "base": "main", "title": "t"}, "ada", 422, "No commits between"),
    ("POST", "{repo}/pulls", {"head": "f", "base": "main", "title": "t"}, "ada", 422, "already exists for octo:f"),
    ("GET", "{repo}/pulls/1", None, "ada", 404, "Not Found"),
    ("GET", "{pull}/merge", None, "ada", 404, "Not Found"),
    ("PATCH", "{pull}", {"base": "none"}, "ada", 422, "base"),
    ("PUT", "{pull}/merge", {"sha": ZEROS}, "ada", 409, "Head branch was modified"),
    ("PUT", "{pull}/merge", {"merge_method": "octopus"}, "ada", 422, "octopus is not a member"),
    ("POST", "{pull}/requested_reviewers", {"reviewers": ["ada"]}, "ada", 422, "pull request author"),
    ("POST", "{pull}/requested_reviewers", {"reviewers": ["ghost"]}, "ada", 422, "only be requested from"),
    ("POST", "{pull}/reviews", {"event": "ODD"}, "ada", 422, "invalid value ODD"),
    ("POST", "{pull}/reviews", {"event": "APPROVE"}, "ada", 422, "Can not approve your own"),
    ("POST", "{pull}/reviews", {"event": "REQUEST_CHANGES"}, "bob", 422, "body can't be blank"),
    ("GET", "{pull}/reviews/1", None, "ada", 404, "Not Found"),
    ("POST", "{review}/events", {"event": "ODD"}, "ada", 422, "Unprocessable"),
    ("PUT", "{review}/dismissals", {"message": "x"}, "ada", 422, "Can not dismiss a commented"),
    ("POST", "{pull}/comments", {"body": "x", "path": "none", "line": 1}, "ada", 422, "path"),
    ("POST", "{pull}/comments", {"path": "a.txt", "line": 1}, "ada", 422, "missing_field"),
    ("POST", "{pull}/comments/1/replies", {"body": "x"}, "ada", 404, "Not Found"),
    ("GET", "{repo}/pulls/comments/1", None, "ada", 404, "Not Found"),
    ("POST", "{repo}/statuses/none", {"state": "success"}, "ada", 422, "No commit found for SHA"),
    ("POST", "{repo}/statuses/{main}", {"state": "odd"}, "ada", 422, "not included in the list"),
    ("POST", "{repo}/statuses/{main}", {"state": "success", "description": "x" * 141}, "ada", 422, "maximum is 140"),
    ("GET", "{repo}/check-runs/1", None, "ada", 404, "Not Found"),
    ("POST", "{repo}/hooks", {"config": {"url": ""}}, "ada", 422, "blank"),
    ("POST", "{repo}/hooks", {"config": {"url": "http://h/", "content_type": "xml"}}, "ada", 422, "content_type"),
    ("POST", "{repo}/hooks", {"name": "irc", "config": {"url": "http://h/"}}, "ada", 422, "name"),
    ("GET", "{repo}/hooks/1", None, "ada", 404, "Not Found"),
    ("GET", "{hook}/deliveries?cursor=x", None, "ada", 422, "Invalid cursor"),
    ("GET", "{hook}/deliveries/x", None, "ada", 404, "Not Found"),
    ("GET", "/orgs/octo/hooks", None, None, 401, "Requires authentication"),
    ("GET", "/orgs/octo/hooks", None, "bob", 404, "Not Found"),
    ("GET", "/orgs/octo/hooks", None, "low", 404, "Not Found"),
    ("GET", "/orgs/octo/hooks", None, "github_pat_fin", 403, "personal access token"),
    ("GET", "/app/hook/deliveries", None, "ada", 401, "JSON web token"),
    ("GET", "/apps/none", None, "ada", 404, "Not Found"),
    ("GET", "/installation/repositories", None, "ada", 403, "installation access token"),
    ("GET", "/app/installations/1", None, "ada", 404, "Not Found"),
    ("GET", "/orgs/octo/teams", None, "eve", 404, "Not Found"),
    ("GET", "/orgs/octo/teams/none", None, "ada", 404, "Not Found"),
    ("POST", "/orgs/octo/teams", {"name": "Builders"}, "ada", 422, "unique"),
    ("POST", "/orgs/octo/teams", {"name": "N", "repo_names": ["octo/none"]}, "ada", 422, "repo_names"),
    ("POST", "/orgs/octo/teams", {"name": "N"}, "bob", 403, "Must have admin rights to Organization."),
    ("PUT", "/orgs/octo/teams/builders/memberships/ghost", {}, "ada", 404, "Not Found"),
    ("PUT", "/orgs/octo/teams/builders/memberships/eve", {"role": "odd"}, "ada", 422, "role"),
    ("DELETE", "/orgs/octo/teams/builders/memberships/ghost", None, "ada", 404, "Not Found"),
    ("PUT", "/orgs/octo/teams/builders/repos/{full}", {"permission": "odd"}, "ada", 422, "permission"),
    ("GET", "/orgs/octo/teams/builders/repos/{full}", None, "ada", 404, "Not Found"),
    ("PUT", "/orgs/poor/teams/none/repos/{full}", {}, "ada", 404, "Not Found"),
    ("PUT", "/orgs/octo/memberships/ghost", {}, "ada", 404, "Not Found"),
    ("PUT", "/orgs/octo/memberships/eve", {"role": "odd"}, "ada", 422, "role"),
    ("GET", "/orgs/octo/memberships/bob", None, "eve", 403, "must be a member"),
    ("GET", "/orgs/octo/memberships/eve", None, "ada", 404, "Not Found"),
    ("DELETE", "/orgs/octo/members/ghost", None, "ada", 404, "Not Found"),
    ("GET", "/orgs/octo/members/ghost", None, "ada", 404, "Not Found"),
    ("GET", "{repo}/collaborators/ghost", None, "ada", 404, "ghost is not a user"),
    ("GET", "{repo}/collaborators/ghost/permission", None, "ada", 404, "Not Found"),
    ("PUT", "{repo}/collaborators/ghost", {}, "ada", 404, "Not Found"),
    ("PUT", "{repo}/collaborators/eve", {"permission": "odd"}, "ada", 422, "not a valid permission"),
    ("GET", "{repo}/assignees/ghost", None, "ada", 404, "Not Found"),
    ("GET", "/search/issues", None, "ada", 422, "missing"),
    ("GET", "/search/issues?q=wombat:x", None, "ada", 422, "does not know the qualifier wombat"),
    ("GET", "{repo}/actions/workflows/none.yml", None, "ada", 404, "Not Found"),
    ("GET", "{repo}/actions/runs/1", None, "ada", 404, "Not Found"),
    ("PUT", "{repo}/actions/permissions", {}, "ada", 422, "enabled"),
    ("GET", "{repo}/actions/variables/NONE", None, "ada", 404, "Not Found"),
    ("GET", "{repo}/environments/none", None, "ada", 404, "Not Found"),
    ("DELETE", "{repo}/environments/none", None, "ada", 404, "Not Found"),
    ("PUT", "{repo}/environments/e", {"wait_timer": 50_000}, "ada", 422, "between 0 and 43200"),
    (
        "PUT",
        "{repo}/environments/e",
        {"deployment_branch_policy": {"protected_branches": True, "custom_branch_policies": True}},
        "ada",
        422,
        "cannot have the same value",
    ),
    ("GET", "{repo}/branches/main/protection", None, "ada", 404, "Branch not protected"),
    ("GET", "{repo}/branches/none", None, "ada", 404, "Branch not found"),
    ("GET", "{repo}/rulesets/1", None, "ada", 404, "Not Found"),
]


@pytest.mark.parametrize(("method", "path", "body", "who", "status", "words"), ROWS)
def test_refusals(lax, world, method, path, body, who, status, words):
    token = None if who is None else who if "_" in who else f"{who}-token"
    if isinstance(body, dict):
        body = {k: v.format(**world) if isinstance(v, str) and v.startswith("{") else v for k, v in body.items()}
    with lax.http(token) as http:
        answer = http.request(method, path.format(**world), json=body)
    assert (answer.status_code, words in answer.text) == (status, True), answer.text


@pytest.mark.parametrize(
    "credential",
    ["Basic ###", "Basic " + base64.b64encode(b"\xff").decode(), "Digest x", "Bearer eyJ.x.y", "token none"],
)
def test_credentials_that_are_none(lax, credential):
    with lax.http(None, Authorization=credential) as http:
        assert http.get("/user").status_code == 401


def test_a_body_that_is_no_object(lax, world):
    with lax.http() as http:
        assert http.post(f"{world['repo']}/issues", content=b"{").json()["message"] == "Problems parsing JSON"
        assert http.post(f"{world['repo']}/issues", content=b"3").json()["message"] == "Body should be a JSON object"


def test_an_archived_repository_is_read_only(lax):
    repo = lax.repo()
    repo.edit(archived=True)
    with lax.http() as http:
        answer = http.post(f"/repos/{repo.full_name}/labels", json={"name": "n", "color": "ededed"})
    assert (answer.status_code, answer.json()["message"]) == (403, "Repository was archived so is read-only.")
    repo.edit(archived=False)
    assert repo.create_label("n", "ededed").name == "n"
