"""Events about pull requests say which one, at which head, and who wrote what; ours and programs' start nothing."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName
from shared.intake.change_events import ChangeNews
from shared.intake.events import AzureDevOpsBuild, Ignored, parse

HEAD = "a" * 40
REPOSITORY = {"full_name": "acme/Desk"}
PULL = {"number": 7, "state": "open", "head": {"sha": HEAD}}
MONA = {"login": "mona", "type": "User"}
BOT = {"login": "dependabot[bot]", "type": "Bot"}


def github(event, **payload):
    return parse(ForgeName.GITHUB, event, {"repository": REPOSITORY, "pull_request": PULL} | payload)


@pytest.mark.parametrize(
    "action", ["opened", "reopened", "synchronize", "edited", "ready_for_review", "labeled", "unlabeled"]
)
def test_what_happens_to_a_pull_request_asks_for_its_review(action):
    news = github("pull_request", action=action, label={"name": "bug"})
    assert isinstance(news, ChangeNews)
    assert (news.ref.key, news.head) == ("github:acme/desk#7", HEAD)
    assert action in news.reason


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("pull_request", {"action": "closed"}),
        ("pull_request", {"action": "assigned"}),
        ("pull_request", {"action": "opened", "pull_request": PULL | {"state": "closed"}}),
        ("pull_request", {"action": "labeled", "label": {"name": "doneright: blocked"}}),
        ("pull_request_review", {"action": "submitted", "review": {"state": "commented", "body": "", "user": MONA}}),
        ("pull_request_review", {"action": "submitted", "review": {"state": "approved", "user": BOT}}),
        (
            "pull_request_review",
            {"action": "submitted", "review": {"state": "commented", "body": "<!-- doneright:x -->"}},
        ),
        ("pull_request_review_comment", {"action": "edited", "comment": {"id": 1, "body": "/doneright review"}}),
        ("pull_request_review_comment", {"action": "created", "comment": {"id": 1, "body": "hi", "user": BOT}}),
        (
            "pull_request_review_comment",
            {"action": "created", "comment": {"id": 1, "body": "<!-- doneright:remark:ab -->", "user": MONA}},
        ),
        ("check_run", {"action": "completed", "check_run": {"name": "doneright/review", "head_sha": HEAD}}),
        ("check_run", {"action": "created", "check_run": {"name": "unit", "head_sha": HEAD}}),
        ("status", {"sha": HEAD, "state": "pending", "context": "ci"}),
        ("status", {"sha": HEAD, "state": "success", "context": "doneright/review"}),
    ],
)
def test_nothing_follows_and_it_is_said_why(event, payload):
    ignored = github(event, **payload)
    assert isinstance(ignored, Ignored)
    assert ignored.reason


def test_a_review_by_a_person_asks_for_another_look():
    news = github("pull_request_review", action="submitted", review={"state": "approved", "body": "", "user": MONA})
    assert isinstance(news, ChangeNews)
    assert news.ref.number == 7


def test_a_comment_in_the_code_says_who_wrote_what():
    comment = {"id": 42, "body": "/doneright help", "user": MONA, "html_url": "https://x/y"}
    news = github("pull_request_review_comment", action="created", comment=comment)
    assert (news.written.comment, news.written.author.login, news.written.body) == (
        "review:42",
        "mona",
        "/doneright help",
    )


def test_a_comment_on_a_pull_request_is_no_request_for_a_project():
    issue = {"id": 1, "number": 7, "title": "t", "state": "open", "pull_request": {"url": "x"}}
    comment = {"id": 5, "body": "/doneright review", "user": MONA}
    news = parse(
        ForgeName.GITHUB,
        "issue_comment",
        {"action": "created", "issue": issue, "comment": comment, "repository": REPOSITORY},
    )
    assert isinstance(news, ChangeNews)
    assert (news.ref.number, news.head, news.written.comment) == (7, "", "issue:5")


@pytest.mark.parametrize("body", ["/doneright accept", "Shipped.\n\n/doneright reject because it is slow"])
def test_what_is_said_to_us_on_a_closed_pull_request_is_heard(body):
    issue = {"id": 1, "number": 7, "title": "t", "state": "closed", "pull_request": {"url": "x"}}
    closed = PULL | {"state": "closed", "merged": True}
    said = {"id": 5, "body": body, "user": MONA}
    told = {"action": "created", "issue": issue, "comment": said, "repository": REPOSITORY}
    for news in (
        parse(ForgeName.GITHUB, "issue_comment", told),
        github("pull_request_review_comment", action="created", comment=said, pull_request=closed),
        azure_comment({"status": "completed"}, content=body),
        azure_comment({"status": "abandoned"}, content=body),
    ):
        assert isinstance(news, ChangeNews)
        assert (news.closed, news.written.body) == (True, body)


@pytest.mark.parametrize("body", ["Nice work.", "> /doneright accept", "`/doneright accept` accepts it"])
def test_talk_on_a_closed_pull_request_is_not_ours(body):
    issue = {"id": 1, "number": 7, "title": "t", "state": "closed", "pull_request": {"url": "x"}}
    closed = PULL | {"state": "closed"}
    said = {"id": 5, "body": body, "user": MONA}
    told = {"action": "created", "issue": issue, "comment": said, "repository": REPOSITORY}
    for event in (
        parse(ForgeName.GITHUB, "issue_comment", told),
        github("pull_request_review_comment", action="created", comment=said, pull_request=closed),
        azure_comment({"status": "completed"}, content=body),
    ):
        assert isinstance(event, Ignored)


@pytest.mark.parametrize(
    ("comment", "issue"),
    [
        ({"user": BOT}, {}),
        ({"body": "<!-- doneright:summary -->"}, {}),
        ({}, {"state": "closed"}),
        ({"user": None}, {}),
    ],
)
def test_other_comments_on_a_pull_request_start_nothing(comment, issue):
    payload = {
        "action": "created",
        "issue": {"id": 1, "number": 7, "title": "t", "state": "open", "pull_request": {"url": "x"}} | issue,
        "comment": {"id": 5, "body": "x", "user": MONA} | comment,
        "repository": REPOSITORY,
    }
    assert isinstance(parse(ForgeName.GITHUB, "issue_comment", payload), Ignored)


@pytest.mark.parametrize(
    ("event", "payload"),
    [
        ("check_run", {"action": "completed", "check_run": {"name": "unit", "head_sha": HEAD}}),
        ("status", {"sha": HEAD, "state": "failure", "context": "ci"}),
    ],
)
def test_a_check_that_ended_is_about_a_commit(event, payload):
    news = github(event, **payload)
    assert isinstance(news, ChangeNews)
    assert (news.ref, news.commit) == (None, HEAD)


def test_a_resolved_discussion_asks_for_another_look():
    assert isinstance(github("pull_request_review_thread", action="resolved"), ChangeNews)


AZURE_PULL = {
    "pullRequestId": 12,
    "status": "active",
    "repository": {"name": "Desk", "project": {"name": "Front Desk"}},
    "lastMergeSourceCommit": {"commitId": HEAD},
}


@pytest.mark.parametrize("event", ["git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged"])
def test_azure_repos_tells_of_its_pull_requests(event):
    news = parse(ForgeName.AZURE_DEVOPS, event, {"resource": AZURE_PULL})
    assert isinstance(news, ChangeNews)
    assert (news.ref.key, news.head) == ("azure_devops:front desk/desk#12", HEAD)


def test_an_abandoned_pull_request_is_not_reviewed():
    resource = AZURE_PULL | {"status": "abandoned"}
    assert isinstance(parse(ForgeName.AZURE_DEVOPS, "git.pullrequest.updated", {"resource": resource}), Ignored)


def test_a_merge_is_told_with_its_commit_and_asks_for_no_review():
    resource = AZURE_PULL | {"status": "completed", "lastMergeCommit": {"commitId": "c" * 40}}
    on_azure = parse(ForgeName.AZURE_DEVOPS, "git.pullrequest.updated", {"resource": resource})
    merged = PULL | {"state": "closed", "merged": True, "merge_commit_sha": "c" * 40}
    on_github = github("pull_request", action="closed", pull_request=merged)
    for news in (on_azure, on_github):
        assert isinstance(news, ChangeNews)
        assert (news.merged, news.reason) == ("c" * 40, "the pull request was merged")
    untold = github("pull_request", action="closed", pull_request=merged | {"merge_commit_sha": None})
    assert untold.merged == ""


def azure_comment(pull=None, **changes):
    comment = {
        "id": 2,
        "content": "/doneright review",
        "commentType": "text",
        "publishedDate": "2026-01-01T00:00:00Z",
        "lastContentUpdatedDate": "2026-01-01T00:00:00Z",
        "author": {"id": "guid", "displayName": "Mona", "uniqueName": "mona@example.com"},
        "_links": {"threads": {"href": "https://dev.example/_apis/git/repositories/r/pullRequests/12/threads/5"}},
    } | changes
    return parse(
        ForgeName.AZURE_DEVOPS,
        "ms.vss-code.git-pullrequest-comment-event",
        {"resource": {"comment": comment, "pullRequest": AZURE_PULL | (pull or {})}},
    )


def test_an_azure_comment_says_who_wrote_what_in_which_thread():
    news = azure_comment()
    assert isinstance(news, ChangeNews)
    assert (news.written.comment, news.written.author.login) == ("5:2", "mona@example.com")


@pytest.mark.parametrize(
    "changes",
    [
        {"isDeleted": True},
        {"lastContentUpdatedDate": "2026-01-02T00:00:00Z"},
        {"commentType": "system"},
        {"content": "<!-- doneright:summary -->"},
    ],
)
def test_other_azure_comments_start_nothing(changes):
    assert isinstance(azure_comment(**changes), Ignored)


def test_a_build_of_a_trial_merge_names_its_pull_request():
    build = {"id": 5, "sourceBranch": "refs/pull/12/merge", "sourceVersion": HEAD}
    event = parse(ForgeName.AZURE_DEVOPS, "build.complete", {"eventType": "build.complete", "resource": build})
    assert isinstance(event, AzureDevOpsBuild)
    assert (event.resource.source_branch, event.resource.source_version) == ("refs/pull/12/merge", HEAD)
