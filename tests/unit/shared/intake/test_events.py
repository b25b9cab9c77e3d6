"""Every event either forge publishes is read or ignored with a reason; none raises."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from pydantic import ValidationError

from shared.domain.forge import ForgeName
from shared.intake.change_events import AZURE_DEVOPS_COMMENT, AZURE_DEVOPS_PULL_REQUEST, GITHUB_EVENTS, ChangeNews
from shared.intake.events import (
    ISSUE_ACTIONS,
    AzureDevOpsBuild,
    GitHubIssueComment,
    GitHubIssues,
    Ignored,
    content_digest,
    parse,
)
from tests.fakes.app import an_issue

ROOT = Path(__file__).resolve().parents[4]
CONTRACTS = Path(os.environ.get("DONERIGHT_CONTRACTS", ROOT.parent / "shared" / "contracts"))
NPM = ROOT / "node_modules" / "@octokit" / "webhooks-examples"


def github_issue(**changes):
    issue = {"id": 1, "number": 2, "title": "T", "labels": [{"name": "new-project"}], "state": "open"}
    return {"action": "opened", "issue": issue | changes, "repository": {"full_name": "acme/requests"}}


def github_examples(groups) -> int:
    """Parse every example; how many there were."""
    count = 0
    for name, examples in groups:
        for example in examples:
            event = parse(ForgeName.GITHUB, name, example)
            if name == "issues" and example["action"] in ISSUE_ACTIONS:
                assert isinstance(event, GitHubIssues)
                assert event.snapshot().number == example["issue"]["number"]
            elif name == "issue_comment" and example["action"] == "created":
                assert isinstance(event, GitHubIssueComment)
                assert event.comment.body == example["comment"]["body"]
            elif name in GITHUB_EVENTS:
                assert isinstance(event, ChangeNews | Ignored)
                assert event.reason
            else:
                assert isinstance(event, Ignored)
                assert event.reason
            count += 1
    return count


@pytest.mark.contract
def test_no_example_of_the_contracts_folder_raises():
    path = CONTRACTS / "github" / "webhook_examples.json"
    if not path.exists():
        pytest.skip(f"the official contracts are not at {CONTRACTS}")
    groups = json.loads(path.read_text(encoding="utf-8"))
    groups = groups.items() if isinstance(groups, dict) else [(g["name"], g["examples"]) for g in groups]
    assert github_examples((name, e if isinstance(e, list) else [e]) for name, e in groups) > 200


@pytest.mark.contract
def test_no_example_of_the_npm_package_raises():
    index = NPM / "api.github.com" / "index.json"
    if not index.exists():
        pytest.skip("@octokit/webhooks-examples is not installed: npm ci")
    groups = json.loads(index.read_text(encoding="utf-8"))
    assert github_examples((group["name"], group["examples"]) for group in groups) > 100


@pytest.mark.contract
def test_no_azure_devops_sample_raises():
    samples = sorted((CONTRACTS / "azure_devops" / "events").glob("*.json"))
    if not samples:
        pytest.skip(f"the official contracts are not at {CONTRACTS}")
    for sample in samples:
        payload = json.loads(sample.read_text(encoding="utf-8"))
        name = payload.get("eventType", "")
        event = parse(ForgeName.AZURE_DEVOPS, name, payload)
        wanted = {"build.complete": AzureDevOpsBuild, "git.pullrequest.created": ChangeNews}
        if name in AZURE_DEVOPS_PULL_REQUEST | {AZURE_DEVOPS_COMMENT}:
            assert isinstance(event, wanted.get(name, ChangeNews | Ignored)), sample.name
        else:
            assert isinstance(event, wanted.get(name, Ignored)), sample.name


@pytest.mark.parametrize("action", sorted(ISSUE_ACTIONS))
def test_issue_actions_that_can_make_a_request(action):
    event = parse(ForgeName.GITHUB, "issues", github_issue() | {"action": action})
    assert isinstance(event, GitHubIssues)
    assert event.snapshot().labels == ("new-project",)


@pytest.mark.parametrize("action", ["closed", "deleted", "", None, 7, ["opened"], {}])
def test_other_actions_are_ignored(action):
    assert isinstance(parse(ForgeName.GITHUB, "issues", github_issue() | {"action": action}), Ignored)


def test_what_the_forges_leave_null_is_as_if_not_given():
    event = parse(ForgeName.GITHUB, "issues", github_issue(body=None, user=None, html_url=None, labels=None))
    assert isinstance(event, GitHubIssues)
    snapshot = event.snapshot()
    assert (snapshot.author, snapshot.body, snapshot.labels) == ("ghost", "", ())
    build = {"id": 5, "result": None, "buildNumber": None, "url": None, "definition": None, "project": None}
    event = parse(ForgeName.AZURE_DEVOPS, "build.complete", {"eventType": "build.complete", "resource": build})
    assert isinstance(event, AzureDevOpsBuild)
    assert (event.resource.result, event.resource.definition.name) == ("", "")


def test_half_a_character_is_replaced_and_a_whole_one_stays():
    event = parse(ForgeName.GITHUB, "issues", github_issue(title="a\ud83d", body="\ud83d\ude00 \udc00 😀"))
    assert isinstance(event, GitHubIssues)
    assert (event.issue.title, event.issue.body) == ("a\ufffd", "😀 \ufffd 😀")
    assert content_digest(event.snapshot())


@pytest.mark.parametrize(
    ("forge", "event", "payload"),
    [
        (ForgeName.GITHUB, "issues", {"action": "opened"}),
        (ForgeName.GITHUB, "issues", github_issue(number="many")),
        (ForgeName.AZURE_DEVOPS, "build.complete", {"eventType": "build.complete", "resource": {}}),
        (ForgeName.AZURE_DEVOPS, "build.complete", {"eventType": "other", "resource": {"id": 1}}),
    ],
)
def test_a_known_event_that_is_malformed_names_the_field(forge, event, payload):
    with pytest.raises(ValidationError):
        parse(forge, event, payload)


@pytest.mark.parametrize(
    ("forge", "event"),
    [(ForgeName.AZURE_DEVOPS, "issues"), (ForgeName.GITHUB, "build.complete"), (ForgeName.GITHUB, "")],
)
def test_events_of_nobody_are_ignored(forge, event):
    assert isinstance(parse(forge, event, {}), Ignored)


def test_the_digest_follows_what_was_written_alone():
    issue = an_issue()
    assert content_digest(issue) == content_digest(issue.model_copy(update={"labels": (), "author": "x"}))
    assert content_digest(issue) != content_digest(issue.model_copy(update={"title": "Other"}))
    assert content_digest(issue) != content_digest(issue.model_copy(update={"body": "Other"}))
