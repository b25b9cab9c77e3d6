"""Repositories, Git data, contents, branches and protection, as the real PyGithub sees them."""

from __future__ import annotations

import base64

import pytest
from github import GithubException, InputGitAuthor, InputGitTreeElement, UnknownObjectException


def test_create_get_edit_delete(sandbox):
    org = sandbox.github().get_organization("octo")
    name = sandbox.name()
    repo = org.create_repo(name, description="What it is", private=True, has_wiki=False)
    assert (repo.full_name, repo.private, repo.has_wiki, repo.size) == (f"octo/{name}", True, False, 0)
    assert repo.html_url == f"{sandbox.url}/octo/{name}"
    assert repo.url.startswith(sandbox.url)
    repo.edit(description="Other", has_issues=True, allow_merge_commit=False)
    again = sandbox.github().get_repo(f"OCTO/{name.upper()}")
    assert (again.description, again.allow_merge_commit, again.id) == ("Other", False, repo.id)
    assert name in {r.name for r in org.get_repos()}
    repo.delete()
    with pytest.raises(UnknownObjectException):
        sandbox.github().get_repo(f"octo/{name}")


def test_name_taken_is_worded_as_github_words_it(sandbox):
    repo = sandbox.repo()
    with pytest.raises(GithubException) as caught:
        sandbox.github().get_organization("octo").create_repo(repo.name.upper())
    assert caught.value.status == 422
    assert caught.value.data["message"] == "Repository creation failed."
    assert caught.value.data["errors"] == [
        {"resource": "Repository", "code": "custom", "field": "name", "message": "name already exists on this account"}
    ]


def test_topics_collaborators_and_teams(sandbox):
    repo = sandbox.repo(private=True)
    repo.replace_topics(["python", "done-right"])
    assert repo.get_topics() == ["python", "done-right"]
    with pytest.raises(GithubException) as caught:
        repo.replace_topics(["Not Valid!"])
    assert caught.value.status == 422
    with pytest.raises(UnknownObjectException):
        sandbox.github("eve-token").get_repo(repo.full_name)
    assert repo.get_collaborator_permission("eve") == "none"
    invitation = repo.add_to_collaborators("eve", permission="push")
    assert invitation.invitee.login == "eve"
    assert repo.get_collaborator_permission("eve") == "write"
    assert repo.has_in_collaborators("eve")
    assert {"ada", "bob", "eve"} <= {c.login for c in repo.get_collaborators()}
    with pytest.raises(GithubException) as caught:
        sandbox.github("eve-token").get_repo(repo.full_name).edit(description="mine")
    assert (caught.value.status, caught.value.data["message"]) == (403, "Must have admin rights to Repository.")
    repo.remove_from_collaborators("eve")
    assert not repo.has_in_collaborators("eve")
    team = sandbox.github().get_organization("octo").get_team_by_slug("builders")
    team.update_team_repository(repo, "maintain")
    assert [t.slug for t in repo.get_teams()] == ["builders"]
    assert repo.get_collaborator_permission("bob") == "write"
    assert team.get_repo_permission(repo).maintain is True
    team.remove_from_repos(repo)
    assert list(repo.get_teams()) == []


def test_first_commit_must_come_through_contents(sandbox):
    repo = sandbox.github().get_organization("octo").create_repo(sandbox.name())
    with pytest.raises(GithubException) as caught:
        repo.create_git_blob("x", "utf-8")
    assert (caught.value.status, caught.value.data["message"]) == (409, "Git Repository is empty.")
    with pytest.raises(GithubException) as caught:
        repo.get_git_ref("heads/main")
    assert caught.value.status == 409
    with pytest.raises(GithubException) as missing:
        repo.get_contents("")
    assert missing.value.data["message"] == "This repository is empty."
    made = repo.create_file("README.md", "Begin", "# Hi\n")
    assert repo.get_git_ref("heads/main").object.sha == made["commit"].sha
    assert repo.get_readme().decoded_content == b"# Hi\n"


def test_one_commit_of_a_whole_tree(sandbox):
    repo = sandbox.repo()
    head = repo.get_git_ref("heads/main")
    base = repo.get_git_commit(head.object.sha)
    blob = repo.create_git_blob(base64.b64encode(b"\x00\xff").decode(), "base64")
    elements = [
        InputGitTreeElement("src/app.py", "100644", "blob", content="print(1)\n"),
        InputGitTreeElement("logo.bin", "100644", "blob", sha=blob.sha),
        InputGitTreeElement("run.sh", "100755", "blob", content="#!/bin/sh\n"),
    ]
    tree = repo.create_git_tree(elements, base_tree=base.tree)
    commit = repo.create_git_commit("Scaffold", tree, [base], author=InputGitAuthor("Ada", "ada@example.org"))
    head.edit(commit.sha)
    paths = {e.path: (e.mode, e.type) for e in repo.get_git_tree("main", recursive=True).tree}
    assert paths["src"] == ("040000", "tree")
    assert paths["run.sh"] == ("100755", "blob")
    assert set(paths) == {"README.md", "src", "src/app.py", "logo.bin", "run.sh"}
    assert repo.get_contents("logo.bin").decoded_content == b"\x00\xff"
    assert [c.sha for c in repo.get_commits()] == [commit.sha, base.sha]
    detail = repo.get_commit(commit.sha)
    assert {f.filename: f.status for f in detail.files}["src/app.py"] == "added"
    languages = repo.get_languages()
    assert (languages["Python"], languages["Shell"]) == (9, 10)
    without = repo.create_git_tree([InputGitTreeElement("src/app.py", "100644", "blob", sha=None)], base_tree=tree)
    assert "src" not in {e.path for e in without.tree}


def test_object_names_are_gits_own(sandbox):
    repo = sandbox.repo()
    assert repo.create_git_blob("hello world\n", "utf-8").sha == "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"


def test_refs_refuse_what_git_refuses(sandbox):
    repo = sandbox.repo()
    first = repo.get_git_ref("heads/main").object.sha
    repo.create_file("a.txt", "Add", "a")
    second = repo.get_git_ref("heads/main").object.sha
    branch = repo.create_git_ref("refs/heads/feature/x", first)
    assert repo.get_branch("feature/x").commit.sha == first
    with pytest.raises(GithubException) as caught:
        repo.create_git_ref("refs/heads/feature/x", first)
    assert caught.value.data["message"] == "Reference already exists"
    branch.edit(second)
    with pytest.raises(GithubException) as caught:
        branch.edit(first)
    assert (caught.value.status, caught.value.data["message"]) == (422, "Update is not a fast forward")
    branch.edit(first, force=True)
    branch.delete()
    with pytest.raises(GithubException) as caught:
        repo.get_branch("feature/x")
    assert (caught.value.status, caught.value.data["message"]) == (404, "Branch not found")
    with pytest.raises(GithubException):
        repo.create_git_ref("refs/heads/bad", "0" * 40)


def test_contents_want_the_current_sha(sandbox):
    repo = sandbox.repo()
    made = repo.create_file("docs/a.md", "Add", "one")
    with pytest.raises(GithubException) as caught:
        repo.create_file("docs/a.md", "Again", "two")
    assert (caught.value.status, '"sha" wasn\'t supplied' in caught.value.data["message"]) == (422, True)
    updated = repo.update_file("docs/a.md", "Edit", "two", made["content"].sha)
    with pytest.raises(GithubException) as caught:
        repo.update_file("docs/a.md", "Stale", "three", made["content"].sha)
    assert caught.value.status == 409
    assert [c.path for c in repo.get_contents("docs")] == ["docs/a.md"]
    repo.delete_file("docs/a.md", "Gone", updated["content"].sha)
    with pytest.raises(UnknownObjectException):
        repo.get_contents("docs/a.md")


def test_compare_and_tags(sandbox):
    repo = sandbox.repo()
    first = repo.get_branch("main").commit.sha
    repo.create_file("b.txt", "Add b", "1\n2\n")
    compared = repo.compare(first, "main")
    assert (compared.status, compared.ahead_by, [f.filename for f in compared.files]) == ("ahead", 1, ["b.txt"])
    assert "+1" in compared.files[0].patch
    tag = repo.create_git_tag("v1", "First", first, "commit")
    repo.create_git_ref("refs/tags/v1", tag.sha)
    assert [(t.name, t.commit.sha) for t in repo.get_tags()] == [("v1", first)]
    with sandbox.http() as http:
        answer = http.get(f"/repos/{repo.full_name}/zipball/main", follow_redirects=True)
        assert answer.headers["content-type"] == "application/zip"


def test_branch_protection_round_trip(sandbox):
    repo = sandbox.repo(private=True)
    branch = repo.get_branch("main")
    with pytest.raises(GithubException) as caught:
        branch.get_protection()
    assert (caught.value.status, caught.value.data["message"]) == (404, "Branch not protected")
    branch.edit_protection(strict=True, contexts=["gate"], enforce_admins=True, required_approving_review_count=2)
    rules = repo.get_branch("main").get_protection()
    assert rules.required_status_checks.strict is True
    assert rules.required_status_checks.contexts == ["gate"]
    assert rules.enforce_admins is True
    assert rules.required_pull_request_reviews.required_approving_review_count == 2
    assert repo.get_branch("main").protected is True
    with pytest.raises(GithubException) as caught:
        repo.create_file("x", "Direct", "x")
    assert "must be made through a pull request" in caught.value.data["message"]
    branch.remove_admin_enforcement()
    repo.create_file("x", "As admin", "x")
    branch.remove_protection()
    assert repo.get_branch("main").protected is False


def test_protection_needs_a_plan_on_private_repositories(lax):
    repo = lax.repo("poor", private=True)
    with pytest.raises(GithubException) as caught:
        repo.get_branch("main").edit_protection(strict=True, contexts=[])
    assert caught.value.status == 403
    assert caught.value.data["message"].startswith("Upgrade to GitHub Pro or make this repository public")
    repo.edit(private=False)
    repo.get_branch("main").edit_protection(strict=True, contexts=[])
    with lax.http() as http:
        answer = http.put(f"/repos/{repo.full_name}/branches/main/protection", json={"enforce_admins": True})
        assert answer.status_code == 422
        assert "weren't supplied" in answer.json()["message"]
        assert (
            http.put(f"/repos/{repo.full_name}/branches/nope/protection", json={}).json()["message"]
            == "Branch not found"
        )


def test_rulesets(lax):
    repo = lax.repo()
    rule = {
        "name": "main",
        "target": "branch",
        "enforcement": "active",
        "conditions": {"ref_name": {"include": ["~DEFAULT_BRANCH"], "exclude": []}},
        "rules": [{"type": "deletion"}, {"type": "non_fast_forward"}],
    }
    base = f"/repos/{repo.full_name}/rulesets"
    with lax.http() as http:
        made = http.post(base, json=rule)
        assert made.status_code == 201
        own = f"{base}/{made.json()['id']}"
        assert http.get(own).json()["rules"] == rule["rules"]
        assert http.post(base, json=rule).status_code == 422
        assert http.post(base, json={"name": "x", "enforcement": "maybe"}).status_code == 422
        assert [r["type"] for r in http.get(f"/repos/{repo.full_name}/rules/branches/main").json()] == [
            "deletion",
            "non_fast_forward",
        ]
        assert http.put(own, json={"enforcement": "disabled"}).json()["enforcement"] == "disabled"
        assert http.get(f"/repos/{repo.full_name}/rules/branches/main").json() == []
        assert http.delete(own).status_code == 204
        assert http.get(own).status_code == 404


def test_security_features_depend_on_the_plan(sandbox):
    repo = sandbox.repo(private=True)
    assert repo.enable_vulnerability_alert() is True
    assert repo.get_vulnerability_alert() is True
    assert repo.enable_automated_security_fixes() is True
    repo.disable_vulnerability_alert()
    assert repo.get_vulnerability_alert() is False
    with sandbox.http() as http:
        wanted = {"security_and_analysis": {"secret_scanning": {"status": "enabled"}}}
        refused = http.patch(f"/repos/{repo.full_name}", json=wanted)
        assert (refused.status_code, "not available" in refused.json()["message"]) == (422, True)
        http.patch(f"/repos/{repo.full_name}", json={"private": False})
        assert http.patch(f"/repos/{repo.full_name}", json=wanted).json()["security_and_analysis"][
            "secret_scanning"
        ] == {"status": "enabled"}


def test_environments_and_workflows(sandbox):
    repo = sandbox.repo()
    repo.create_file(".github/workflows/ci.yml", "CI", "name: Checks\non: push\n")
    assert [(w.name, w.path) for w in repo.get_workflows()] == [("Checks", ".github/workflows/ci.yml")]
    assert repo.get_workflow("ci.yml").state == "active"
    (run,) = repo.get_workflow_runs(branch="main", event="push")
    assert (run.name, run.status, run.conclusion) == ("Checks", "queued", None)
    assert run.head_sha == repo.get_branch("main").commit.sha
    made = repo.create_environment("production", wait_timer=5)
    assert made.protection_rules[0].wait_timer == 5
    assert [e.name for e in repo.get_environments()] == ["production"]
    repo.delete_environment("production")
    with pytest.raises(UnknownObjectException):
        repo.get_environment("production")
