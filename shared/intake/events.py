"""What the events we act on say, as typed data; every other event is ignored with a reason."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from shared.domain.forge import ForgeName, IssueSnapshot, RepositoryRef


class Wire(BaseModel):
    """A part of a payload: the fields we use; forges add others at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _as_meant(cls, data: object) -> object:
        # Both forges write null where they have nothing to say, also for what they document as text. JSON can carry
        # half a surrogate pair, which is no character and could be neither stored nor hashed.
        if not isinstance(data, dict):
            return data
        return {
            name: value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            if isinstance(value, str) and not value.isascii()
            else value
            # Of the hundred members an object has, the few that are read.
            for name in (field.alias or own for own, field in cls.model_fields.items())
            if (value := data.get(name)) is not None
        }


class GitHubUser(Wire):
    login: str
    type: str = "User"


class GitHubLabel(Wire):
    name: str


class GitHubRepository(Wire):
    full_name: str


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


class BuildResource(Wire):
    id: int
    build_number: str = Field(default="", alias="buildNumber")
    result: str = ""
    status: str = ""
    definition: BuildDefinition = BuildDefinition()
    project: BuildProject | None = None
    url: str = ""


class AzureDevOpsBuild(Wire):
    """``build.complete``: https://learn.microsoft.com/azure/devops/service-hooks/events#build-completed"""

    event_type: Literal["build.complete"] = Field(alias="eventType")
    resource: BuildResource


class Ignored(Wire):
    """An event nothing follows from."""

    reason: str


ISSUE_ACTIONS = frozenset({"opened", "labeled", "edited", "reopened"})


type Event = GitHubIssues | GitHubIssueComment | AzureDevOpsBuild | Ignored


def parse(forge: ForgeName, event: str, payload: Mapping[str, JsonValue]) -> Event:
    """The typed event, or why it is ignored. Raises ``pydantic.ValidationError`` when a known event is malformed."""
    if forge is ForgeName.GITHUB and event == "issues":
        action = payload.get("action")
        if not isinstance(action, str) or action not in ISSUE_ACTIONS:
            return Ignored(reason=f"nothing follows from an issue being {action}")
        return GitHubIssues.model_validate(payload)
    if forge is ForgeName.GITHUB and event == "issue_comment":
        action = payload.get("action")
        # An edited comment is no new command: what it said first was acted on.
        if action != "created":
            return Ignored(reason=f"nothing follows from a comment being {action}")
        return GitHubIssueComment.model_validate(payload)
    if forge is ForgeName.AZURE_DEVOPS and event == "build.complete":
        return AzureDevOpsBuild.model_validate(payload)
    return Ignored(reason=f"Doneright does not act on {event or 'an event without a name'}")


def content_digest(issue: IssueSnapshot) -> str:
    """Of what the requester wrote; it changes when they edit the request."""
    return hashlib.sha256(f"{issue.title}\0{issue.body}".encode()).hexdigest()
