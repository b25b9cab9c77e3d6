"""What the events we act on say, as typed data; every other event is ignored with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import Field, JsonValue

from shared.domain.change import Person
from shared.domain.forge import ForgeName, IssueSnapshot, RepositoryRef
from shared.intake.change_events import ChangeNews, Written, holds_command, is_own, news
from shared.intake.wire import GitHubLabel, GitHubRepository, GitHubUser, Wire


class GitHubIssue(Wire):
    id: int
    number: int
    title: str
    body: str | None = None
    user: GitHubUser | None = None
    labels: tuple[GitHubLabel, ...] = ()
    state: str = "open"
    html_url: str = ""
    pull_request: dict[str, JsonValue] | None = None


class GitHubIssues(Wire):
    """``issues``: https://docs.github.com/webhooks/webhook-events-and-payloads#issues"""

    action: str
    issue: GitHubIssue
    repository: GitHubRepository

    def snapshot(self) -> IssueSnapshot:
        """The issue as the domain knows it."""
        return IssueSnapshot(
            id=str(self.issue.id),
            ref=RepositoryRef.parse(self.repository.full_name),
            number=self.issue.number,
            title=self.issue.title,
            body=self.issue.body or "",
            author=self.issue.user.login if self.issue.user else "ghost",
            labels=tuple(label.name for label in self.issue.labels),
            state=self.issue.state,
            url=self.issue.html_url,
        )


class GitHubComment(Wire):
    id: int
    body: str = ""
    user: GitHubUser | None = None
    html_url: str = ""


class GitHubIssueComment(Wire):
    """``issue_comment``: https://docs.github.com/webhooks/webhook-events-and-payloads#issue_comment"""

    action: str
    comment: GitHubComment
    issue: GitHubIssue
    repository: GitHubRepository


class BuildDefinition(Wire):
    name: str = ""


class BuildProject(Wire):
    name: str = ""


class BuildRepository(Wire):
    name: str = ""


class BuildResource(Wire):
    id: int
    build_number: str = Field(default="", alias="buildNumber")
    result: str = ""
    status: str = ""
    definition: BuildDefinition = BuildDefinition()
    project: BuildProject | None = None
    url: str = ""
    source_branch: str = Field(default="", alias="sourceBranch")
    source_version: str = Field(default="", alias="sourceVersion")
    repository: BuildRepository | None = None


class AzureDevOpsBuild(Wire):
    """``build.complete``: https://learn.microsoft.com/azure/devops/service-hooks/events#build-completed"""

    event_type: Literal["build.complete"] = Field(alias="eventType")
    resource: BuildResource


class Ignored(Wire):
    """An event nothing follows from."""

    reason: str


ISSUE_ACTIONS = frozenset({"opened", "labeled", "edited", "reopened"})


type Event = GitHubIssues | GitHubIssueComment | AzureDevOpsBuild | ChangeNews | Ignored


def parse(forge: ForgeName, event: str, payload: Mapping[str, JsonValue]) -> Event:
    """The typed event, or why it is ignored. Raises ``pydantic.ValidationError`` when a known event is malformed."""
    match forge, event:
        case ForgeName.GITHUB, "issues":
            return _issues(payload)
        case ForgeName.GITHUB, "issue_comment":
            return _issue_comment(payload)
        case ForgeName.AZURE_DEVOPS, "build.complete":
            return AzureDevOpsBuild.model_validate(payload)
    told = news(forge, event, payload) or f"Doneright does not act on {event or 'an event without a name'}"
    return told if isinstance(told, ChangeNews) else Ignored(reason=told)


def _issues(payload: Mapping[str, JsonValue]) -> GitHubIssues | Ignored:
    action = payload.get("action")
    if not isinstance(action, str) or action not in ISSUE_ACTIONS:
        return Ignored(reason=f"nothing follows from an issue being {action}")
    return GitHubIssues.model_validate(payload)


def _issue_comment(payload: Mapping[str, JsonValue]) -> GitHubIssueComment | ChangeNews | Ignored:
    action = payload.get("action")
    # An edited comment is no new command: what it said first was acted on.
    if action != "created":
        return Ignored(reason=f"nothing follows from a comment being {action}")
    comment = GitHubIssueComment.model_validate(payload)
    return comment if comment.issue.pull_request is None else _on_a_pull_request(comment)


def _on_a_pull_request(event: GitHubIssueComment) -> ChangeNews | Ignored:
    """GitHub tells of comments on a pull request as of those on an issue; only its head is not among it."""
    author = event.comment.user
    if author is None or author.type == "Bot":
        return Ignored(reason="programs give no commands")
    if is_own(event.comment.body):
        return Ignored(reason="Doneright wrote it")
    closed = event.issue.state != "open"
    if closed and not holds_command(event.comment.body):
        return Ignored(reason=f"the pull request is {event.issue.state}")
    return ChangeNews(
        forge=ForgeName.GITHUB,
        repository=RepositoryRef.parse(event.repository.full_name),
        number=event.issue.number,
        reason="somebody commented",
        closed=closed,
        written=Written(
            comment=f"issue:{event.comment.id}",
            author=Person(id=author.login, login=author.login),
            body=event.comment.body,
            url=event.comment.html_url,
        ),
    )


def content_digest(issue: IssueSnapshot) -> str:
    """Of what the requester wrote; it changes when they edit the request."""
    return hashlib.sha256(f"{issue.title}\0{issue.body}".encode()).hexdigest()
