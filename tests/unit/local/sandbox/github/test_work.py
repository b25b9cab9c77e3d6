"""Issues, comments, labels, pull requests, reviews, statuses and search, as the real PyGithub sees them."""

from __future__ import annotations

import pytest
from github import GithubException, UnknownObjectException


def test_issue_life(sandbox):
    repo = sandbox.repo()
    issue = repo.create_issue("A wish", body="Please", labels=["bug", "wish"], assignees=["bob"])
    assert (issue.number, issue.state, issue.user.login) == (1, "open", "ada")
    assert {label.name for label in issue.labels} == {"bug", "wish"}
    assert [a.login for a in issue.assignees] == ["bob"]
    assert issue.html_url == f"{sandbox.url}/{repo.full_name}/issues/1"
    comment = issue.create_comment("Hello **there**")
    comment.edit("Changed")
    assert [c.body for c in issue.get_comments()] == ["Changed"]
    issue.create_reaction("rocket")
    assert [r.content for r in issue.get_reactions()] == ["rocket"]
    issue.add_to_labels("question")
    issue.remove_from_labels("wish")
    assert {label.name for label in issue.get_labels()} == {"bug", "question"}
    issue.set_labels("done")
    issue.edit(state="closed", state_reason="not_planned")
    again = repo.get_issue(1)
    assert (again.state, again.state_reason, again.closed_by.login, again.comments) == (
        "closed",
        "not_planned",
        "ada",
        1,
    )
    issue.edit(state="open", title="Another")
    assert {"closed", "reopened", "labeled", "unlabeled", "assigned"} <= {e.event for e in again.get_events()}
    comment.delete()
    assert issue.get_comments().totalCount == 0


def test_issue_refusals(lax):
    repo = lax.repo()
    with lax.http() as http:
        path = f"/repos/{repo.full_name}/issues"
        assert http.post(path, json={}).status_code == 422
        blank = http.post(path, json={"title": " "}).json()
        assert blank["errors"] == [{"resource": "Issue", "code": "missing_field", "field": "title"}]
        assert http.post(path, json={"title": "x", "body": "y" * 65_537}).status_code == 422
        assert http.post(path, content=b"{").json()["message"] == "Problems parsing JSON"
        assert http.get(f"{path}/99").status_code == 404
        assert http.patch(f"{path}/nope", json={}).status_code == 404
    stranger = lax.github("eve-token").get_repo(repo.full_name).create_issue("Hi", labels=["bug"])
    assert stranger.labels == []
    repo.edit(has_issues=False)
    with pytest.raises(GithubException) as caught:
        repo.create_issue("x")
    assert caught.value.status == 410


def test_lists_filter_and_page(sandbox):
    repo = sandbox.repo()
    for number in range(1, 8):
        issue = repo.create_issue(f"Issue {number}", labels=["even"] if number % 2 == 0 else ["odd"])
        if number > 5:
            issue.edit(state="closed")
    assert [i.number for i in repo.get_issues()] == [5, 4, 3, 2, 1]
    assert [i.number for i in repo.get_issues(state="all", labels=["even"], direction="asc")] == [2, 4, 6]
    with sandbox.http() as http:
        first = http.get(f"/repos/{repo.full_name}/issues?state=all&per_page=3")
        assert len(first.json()) == 3
        second = http.get(first.links["next"]["url"])
        assert [i["number"] for i in second.json()] == [4, 3, 2]
        assert set(second.links) == {"first", "prev", "next", "last"}
        assert len(http.get(first.links["last"]["url"]).json()) == 1
    github = sandbox.github(per_page=2)
    assert len(list(github.get_repo(repo.full_name).get_issues(state="all"))) == 7
    found = github.search_issues(f"repo:{repo.full_name} is:issue state:open label:even")
    assert {i.number for i in found} == {2, 4}
    assert github.search_issues(f'repo:{repo.full_name} "Issue 3" in:title').totalCount == 1
    with pytest.raises(GithubException) as caught:
        github.search_issues("wombat:1").totalCount  # noqa: B018
    assert caught.value.status == 422


def test_labels(sandbox):
    repo = sandbox.repo()
    label = repo.create_label("new-project", "0e8a16", "Ask for one")
    with pytest.raises(GithubException) as caught:
        repo.create_label("NEW-project", "0e8a16")
    assert caught.value.data["errors"] == [{"resource": "Label", "code": "already_exists", "field": "name"}]
    issue = repo.create_issue("x", labels=["new-project"])
    label.edit("renamed", "ffffff")
    assert [entry.name for entry in issue.get_labels()] == ["renamed"]
    label.delete()
    assert list(issue.get_labels()) == []
    with pytest.raises(UnknownObjectException):
        repo.get_label("renamed")


def _change(repo, branch="feature", path="new.txt", text="one\n"):
    repo.create_git_ref(f"refs/heads/{branch}", repo.get_branch("main").commit.sha)
    return repo.create_file(path, f"Add {path}", text, branch=branch)["commit"].sha


def test_pull_request_life(sandbox):
    repo = sandbox.repo()
    repo.add_to_collaborators("bob", "push")
    issue = repo.create_issue("To fix")
    sha = _change(repo)
    pull = repo.create_pull(base="main", head="feature", title="Add a file", body=f"Fixes #{issue.number}")
    assert (pull.number, pull.mergeable, pull.commits, pull.additions, pull.head.sha) == (2, True, 1, 1, sha)
    assert [f.filename for f in pull.get_files()] == ["new.txt"]
    assert [c.sha for c in pull.get_commits()] == [sha]
    assert [p.number for p in repo.get_pulls(head="octo:feature")] == [2]
    assert pull.html_url == f"{sandbox.url}/{repo.full_name}/pull/2"
    with pytest.raises(GithubException) as caught:
        repo.create_pull(base="main", head="feature", title="Twice")
    assert caught.value.data["errors"][0]["message"] == "A pull request already exists for octo:feature."
    with pytest.raises(GithubException) as caught:
        pull.create_review(event="APPROVE")
    assert caught.value.data["errors"] == ["Can not approve your own pull request"]
    pull.create_review_request(reviewers=["bob"])
    assert [u.login for u in pull.get_review_requests()[0]] == ["bob"]
    theirs = sandbox.github("bob-token").get_repo(repo.full_name).get_pull(2)
    theirs.create_review(body="Hm", event="REQUEST_CHANGES", comments=[{"path": "new.txt", "line": 1, "body": "Why?"}])
    review = theirs.create_review(body="Fine", event="APPROVE")
    assert [r.state for r in pull.get_reviews()] == ["CHANGES_REQUESTED", "APPROVED"]
    assert review.user.login == "bob"
    [first] = pull.get_review_comments()
    pull.create_review_comment_reply(first.id, "Because")
    assert [c.body for c in pull.get_review_comments()] == ["Why?", "Because"]
    merged = pull.merge(merge_method="squash")
    assert merged.merged is True
    pull.update()
    assert (pull.merged, pull.state, pull.merged_by.login, pull.merge_commit_sha) == (True, "closed", "ada", merged.sha)
    assert repo.get_branch("main").commit.sha == merged.sha
    assert repo.get_issue(issue.number).state == "closed"
    assert pull.is_merged()
    assert [p.number for p in repo.get_commit(merged.sha).get_pulls()] == [2]


@pytest.mark.parametrize("method", ["merge", "rebase"])
def test_other_ways_to_merge(sandbox, method):
    repo = sandbox.repo()
    _change(repo)
    repo.create_file("other.txt", "On main", "two\n")
    pull = repo.create_pull(base="main", head="feature", title="Add")
    assert pull.merge(merge_method=method).merged
    assert {e.path for e in repo.get_git_tree("main").tree} == {"README.md", "new.txt", "other.txt"}
    parents = len(repo.get_branch("main").commit.parents)
    assert parents == (2 if method == "merge" else 1)


def test_merge_is_held_by_protection_and_conflicts(sandbox):
    repo = sandbox.repo()
    repo.add_to_collaborators("bob", "push")
    sha = _change(repo)
    repo.get_branch("main").edit_protection(strict=False, contexts=["gate"], required_approving_review_count=1)
    pull = repo.create_pull(base="main", head="feature", title="Add")
    with pytest.raises(GithubException) as caught:
        pull.merge()
    assert (caught.value.status, "1 approving review is required" in caught.value.data["message"]) == (405, True)
    sandbox.github("bob-token").get_repo(repo.full_name).get_pull(pull.number).create_review(event="APPROVE")
    with pytest.raises(GithubException) as caught:
        pull.merge()
    assert caught.value.data["message"] == 'Required status check "gate" is expected.'
    repo.get_commit(sha).create_status("success", context="gate")
    with pytest.raises(GithubException) as caught:
        pull.merge(sha="0" * 40)
    assert caught.value.status == 409
    assert pull.merge().merged
    _change(repo, "left", "same.txt", "left\n")
    _change(repo, "right", "same.txt", "right\n")
    repo.get_branch("main").remove_protection()
    repo.create_pull(base="main", head="left", title="Left").merge()
    right = repo.create_pull(base="main", head="right", title="Right")
    assert (right.mergeable, right.mergeable_state) == (False, "dirty")
    with pytest.raises(GithubException) as caught:
        right.merge()
    assert caught.value.data["message"] == "Pull Request is not mergeable"


def test_statuses(lax):
    repo = lax.repo()
    commit = repo.get_branch("main").commit
    commit.create_status("pending", context="a", description="Waiting", target_url="http://127.0.0.1/x")
    commit.create_status("success", context="a")
    commit.create_status("failure", context="b")
    combined = commit.get_combined_status()
    assert (combined.state, {s.context: s.state for s in combined.statuses}) == (
        "failure",
        {"a": "success", "b": "failure"},
    )
    assert commit.get_statuses().totalCount == 3
    with pytest.raises(GithubException) as caught:
        commit.create_status("maybe")
    assert caught.value.status == 422
