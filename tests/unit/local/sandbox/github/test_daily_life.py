"""What people do all day: assign, lock, look up, protect, search; each done with a client and read back."""

from __future__ import annotations

import json

import pytest
from github import GithubException

from local.sandbox.github.contract import OpenApiContract, subset_path


def test_issues_are_assigned_locked_and_remembered(sandbox):
    repo = sandbox.repo()
    issue = repo.create_issue("Work")
    issue.add_to_assignees("bob", "ada")
    issue.remove_from_assignees("ada")
    assert [a.login for a in repo.get_issue(1).assignees] == ["bob"]
    issue.lock("resolved")
    assert repo.get_issue(1).locked is True
    with pytest.raises(GithubException) as caught:
        sandbox.github("eve-token").get_repo(repo.full_name).get_issue(1).create_comment("Me")
    assert (caught.value.status, "issue is locked" in caught.value.data["message"]) == (403, True)
    issue.unlock()
    said = sandbox.github("eve-token").get_repo(repo.full_name).get_issue(1).create_comment("Me")
    issue.edit(state="closed", state_reason="not_planned")
    issue.edit(state="closed", state_reason="completed")
    assert repo.get_issue(1).state_reason == "completed"
    issue.edit(state="open")
    events = [e.event for e in repo.get_issue(1).get_events()]
    assert events == ["assigned", "assigned", "unassigned", "closed", "reopened"]
    assert repo.get_issue(1).get_events()[0].assignee.login == "bob"
    assert [i.number for i in repo.get_issues(assignee="bob", sort="comments", direction="asc")] == [1]
    assert list(repo.get_issues(assignee="none")) == []
    assert [i.number for i in repo.get_issues(assignee="*", creator="ada", labels=[], state="all")] == [1]
    assert [c.body for c in repo.get_issues_comments(direction="desc")] == ["Me"]
    mark = repo.get_issue(1).create_reaction("rocket")
    assert repo.get_issue(1).create_reaction("rocket").id == mark.id
    assert repo.get_issue(1).delete_reaction(mark.id) is True
    assert list(repo.get_issue(1).get_reactions()) == []
    repo.get_issue(1).get_comment(said.id).edit("Mended")
    assert [c.body for c in issue.get_comments()] == ["Mended"]


def test_titles_survive_a_null(lax):
    repo = lax.repo()
    repo.create_issue("Kept", body="b")
    with lax.http() as http:
        changed = http.patch(f"/repos/{repo.full_name}/issues/1", json={"title": None, "body": None}).json()
    assert (changed["title"], changed["body"]) == ("Kept", None)


def test_protection_binds_pushes(sandbox):
    repo = sandbox.repo()
    sandbox.github().get_repo(repo.full_name).add_to_collaborators("bob", "push")
    main = repo.get_branch("main")
    first = main.commit.sha
    main.edit_protection(strict=False, contexts=["gate"], enforce_admins=True)
    second = repo.create_git_commit("Next", repo.get_git_tree(first), [repo.get_git_commit(first)])
    ref = repo.get_git_ref("heads/main")
    with pytest.raises(GithubException) as caught:
        ref.edit(second.sha)
    assert caught.value.data["message"] == 'Required status check "gate" is expected.'
    repo.get_commit(second.sha).create_status("success", context="gate")
    ref.edit(second.sha)
    with pytest.raises(GithubException) as caught:
        ref.edit(first, force=True)
    assert caught.value.data["message"] == "Cannot force-push to this branch"
    main.edit_protection(required_approving_review_count=1, enforce_admins=False)
    repo.create_file("by-admin.txt", "Admins pass", "x")
    with pytest.raises(GithubException) as caught:
        sandbox.github("bob-token").get_repo(repo.full_name).create_file("by-bob.txt", "m", "x")
    assert (caught.value.status, "through a pull request" in caught.value.data["message"]) == (409, True)
    repo.create_git_ref("refs/heads/side", first)
    repo.get_branch("side").edit_protection(enforce_admins=False)
    with pytest.raises(GithubException) as caught:
        repo.get_git_ref("heads/side").delete()
    assert caught.value.data["message"] == "Cannot delete this branch"


def test_a_commit_on_main_closes_what_it_names(sandbox):
    repo = sandbox.repo()
    repo.create_issue("Wrong")
    repo.create_file("fix.txt", "Mend it, fixes #1 and closes #99", "x")
    assert (repo.get_issue(1).state, repo.get_issue(1).state_reason) == ("closed", "completed")


def test_refs_are_matched_and_tags_kept(sandbox):
    repo = sandbox.repo()
    sha = repo.get_branch("main").commit.sha
    tag = repo.create_git_tag("v1", "First", sha, "commit")
    repo.create_git_ref("refs/tags/v1", tag.sha)
    assert {r.ref for r in repo.get_git_refs()} == {"refs/heads/main", "refs/tags/v1"}
    assert [r.object.type for r in repo.get_git_matching_refs("tags/v")] == ["tag"]
    assert repo.get_git_tag(tag.sha).message == "First"
    assert [t.commit.sha for t in repo.get_tags()] == [sha]
    blob = repo.get_contents("README.md").sha
    assert repo.get_git_blob(blob).encoding == "base64"


def test_workflows_are_switched(sandbox):
    repo = sandbox.repo()
    repo.create_file(".github/workflows/ci.yml", "CI", "name: 'Build'\non: push\n")
    flow = repo.get_workflow("ci.yml")
    assert (flow.name, flow.state) == ("Build", "active")
    assert flow.disable() is True
    assert repo.get_workflow(flow.id).state == "disabled_manually"
    assert flow.enable() is True
    assert [w.state for w in repo.get_workflows()] == ["active"]
    assert flow.get_runs().totalCount == repo.get_workflow_runs().totalCount == 1
    flow.disable()
    repo.create_file("a", "A", "a")
    assert flow.get_runs().totalCount == 1, "what is disabled is not triggered"


@pytest.mark.parametrize(
    ("on", "runs"),
    [
        ("push", 1),
        ("[push, pull_request]", 1),
        ("pull_request", 0),
        ("{push: {branches: [main]}}", 1),
        ("{push: {branches: ['rel/*']}}", 0),
        ("{push: {branches-ignore: [main]}}", 0),
        ("{push: {branches-ignore: [dev]}}", 1),
        ("{push: {tags: ['v*']}}", 0),
        ("{push: }", 1),
        ("[", 0),
        ("3", 0),
    ],
)
def test_a_push_triggers_the_workflows_that_want_it(sandbox, on, runs):
    repo = sandbox.repo()
    repo.create_file(".github/workflows/ci.yml", "CI", f"name: Build\non: {on}\n")
    assert repo.get_workflow_runs().totalCount == runs


def test_searches_compare_dates_and_negate(sandbox):
    repo = sandbox.repo()
    repo.create_issue("Needle one", labels=["bug"])
    repo.create_issue("Needle two").edit(state="closed")

    def found(query):
        return {i.title for i in sandbox.github().search_issues(f"repo:{repo.full_name} {query}")}

    both = {"Needle one", "Needle two"}
    assert found("Needle created:>=2020-01-01") == found("created:>2020-01-01 created:<2999-01-01") == both
    assert found("created:2020-01-01..*") == found("created:*..2999-01-01") == found("created:<=2999-01-01") == both
    assert found("created:2020-01-01..2020-02-01") == found("created:1999-01-01") == set()
    assert found("-label:bug is:issue") == {"Needle two"}
    assert found('is:open "Needle one') == {"Needle one"}


def test_repositories_of_people(sandbox):
    mine = sandbox.github().get_user().create_repo(sandbox.name("own"), private=True)
    shown = sandbox.github().get_user().create_repo(sandbox.name("own"))
    assert {mine.full_name, shown.full_name} <= {r.full_name for r in sandbox.github().get_user().get_repos()}
    assert [r.full_name for r in sandbox.github("eve-token").get_user("ada").get_repos()] == [shown.full_name]
    mine.edit(private=False)
    mine.edit(name=f"{mine.name}-new")
    assert sandbox.github("eve-token").get_repo(f"ada/{mine.name}").private is False
    assert "ada" in {a.login for a in shown.get_assignees()}
    assert shown.has_in_assignees("ada") is True
    shown.add_to_collaborators("eve", "triage")
    assert [c.login for c in shown.get_collaborators(affiliation="outside")] == ["eve"]


def test_teams_change_their_names_and_reach(sandbox):
    repo = sandbox.repo(private=True)
    team = sandbox.github().get_organization("octo").create_team(sandbox.name("Team"), privacy="closed")
    team.add_to_repos(repo)
    assert [r.full_name for r in team.get_repos()] == [repo.full_name]
    assert team.has_in_repos(repo) is True
    assert {t.slug for t in repo.get_teams()} == {team.slug}
    team.edit(name="Renamed Team", description="d")
    team = sandbox.github().get_organization("octo").get_team_by_slug("renamed-team")
    team.remove_from_repos(repo)
    assert list(team.get_repos()) == []
    team.delete()


NODE = "query($id: ID!) { node(id: $id) { __typename id ... on Issue { title } ... on Repository { name } } }"


def test_nodes_are_found_by_their_global_id(sandbox):
    repo = sandbox.repo()
    issue = repo.create_issue("Known")
    hidden = sandbox.repo(private=True)
    with sandbox.http() as http:
        for node, key, value in ((issue.node_id, "title", "Known"), (repo.node_id, "name", repo.name)):
            found = http.post("/graphql", json={"query": NODE, "variables": {"id": node}}).json()["data"]["node"]
            assert (found["id"], found[key]) == (node, value)
    with sandbox.http("eve-token") as http:
        refused = http.post("/graphql", json={"query": NODE, "variables": {"id": hidden.node_id}}).json()
        assert refused["errors"][0]["type"] == "NOT_FOUND"


@pytest.mark.contract
def test_the_excerpt_admits_what_github_documents_beyond_it():
    if not subset_path().exists():
        pytest.skip(f"no contracts folder at {subset_path()}")
    excerpt = OpenApiContract(json.loads(subset_path().read_text(encoding="utf-8")))
    known = [("GET", "/user/orgs"), ("GET", "/users/ada/repos"), ("POST", "/app-manifests/c/conversions")]
    known += [("GET", "/apps/done-right"), ("GET", "/repos/o/r/contents"), ("GET", "/api/v3/repos/o/r")]
    assert [excerpt.check(method, path, {}, {}, b"") for method, path in known] == [[]] * len(known)
    assert excerpt.check("DELETE", "/user/orgs", {}, {}, b"") != []
    assert excerpt.check("POST", "/orgs/o/repos", {}, {}, b"{") != []
    assert excerpt.check("POST", "/orgs/o/repos", {}, {}, b"") == ["a body is required"]
    assert excerpt.check("DELETE", "/repos/o/r", {}, {}, b'{"x": 1}') == ["no body is described"]
    assert excerpt.answer_errors("GET", "/wombats", 200, {}) == ["GET /wombats is not in GitHub's API description"]
    assert excerpt.answer_errors("GET", "/repos/o/r", 299, {}) == [
        "GET /repos/{owner}/{repo}: status 299 is not described"
    ]
