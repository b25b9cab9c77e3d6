"""What events about pull requests say: which one, at which head, and whether somebody wrote something to Doneright.

Sources: https://docs.github.com/webhooks/webhook-events-and-payloads and
https://learn.microsoft.com/azure/devops/service-hooks/events
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pydantic import Field, JsonValue

from shared.domain.change import ChangeRef, Person
from shared.domain.forge import ForgeName, Frozen, RepositoryRef
from shared.domain.publication import OWN_MARK
from shared.intake.wire import GitHubRepository, GitHubUser, Wire
from shared.reviews.said import lines_in

OWN_CHECKS = "doneright"
"""Begins the names of our checks and labels."""


class Written(Frozen):
    """What somebody wrote on a pull request."""

    comment: str = Field(description="Id, as the forge's adapter answers to it.")
    author: Person
    body: str
    url: str = ""


class ChangeNews(Frozen):
    """That something happened to a pull request."""

    forge: ForgeName
    repository: RepositoryRef
    number: int | None = Field(default=None, description="None: whichever has `commit` as its head.")
    head: str = Field(default="", description="SHA of its head, where the event tells.")
    commit: str = Field(default="", description="What a check or status is about.")
    reason: str
    written: Written | None = None
    closed: bool = Field(
        default=False, description="It is not open: what is said to Doneright there is followed, and no review begins."
    )
    merged: str | None = Field(
        default=None, description="SHA of the merge, empty where it is not told; None: it was not merged."
    )

    @property
    def ref(self) -> ChangeRef | None:
        """Which pull request, where the event tells."""
        return (self.number and ChangeRef(forge=self.forge, repository=self.repository, number=self.number)) or None


class _Head(Wire):
    sha: str


class _Pull(Wire):
    number: int
    head: _Head
    state: str = "open"
    merged: bool = False
    merge_commit: str | None = Field(default=None, alias="merge_commit_sha")


class _Label(Wire):
    name: str = ""


class GitHubPullRequest(Wire):
    """``pull_request``."""

    action: str
    pull_request: _Pull
    repository: GitHubRepository
    label: _Label | None = None


class _Review(Wire):
    id: int = 0
    state: str = ""
    body: str = ""
    user: GitHubUser | None = None


class GitHubReview(Wire):
    """``pull_request_review``."""

    action: str
    review: _Review
    pull_request: _Pull
    repository: GitHubRepository


class _ReviewComment(Wire):
    id: int
    body: str = ""
    user: GitHubUser | None = None
    html_url: str = ""


class GitHubReviewComment(Wire):
    """``pull_request_review_comment``."""

    action: str
    comment: _ReviewComment
    pull_request: _Pull
    repository: GitHubRepository


class GitHubThread(Wire):
    """``pull_request_review_thread``."""

    action: str
    pull_request: _Pull
    repository: GitHubRepository


class _Ran(Wire):
    name: str = ""
    head_sha: str


class GitHubCheckRun(Wire):
    """``check_run``."""

    action: str
    check_run: _Ran
    repository: GitHubRepository


class GitHubStatus(Wire):
    """``status``."""

    sha: str
    state: str
    context: str = ""
    repository: GitHubRepository


class _Project(Wire):
    name: str


class _Repository(Wire):
    name: str
    project: _Project


class _Commit(Wire):
    commit_id: str = Field(default="", alias="commitId")


class _AzurePull(Wire):
    repository: _Repository
    number: int = Field(alias="pullRequestId")
    status: str = "active"
    source: _Commit = Field(default_factory=lambda: _Commit(commitId=""), alias="lastMergeSourceCommit")
    merge: _Commit = Field(default_factory=lambda: _Commit(commitId=""), alias="lastMergeCommit")


class AzureDevOpsPullRequest(Wire):
    """``git.pullrequest.created``, ``.updated`` and ``.merged`` (which tells of the trial merge as well)."""

    resource: _AzurePull


class _AzureAuthor(Wire):
    id: str = ""
    name: str = Field(default="", alias="displayName")
    login: str = Field(default="", alias="uniqueName")


class _AzureComment(Wire):
    id: int
    content: str = ""
    author: _AzureAuthor = _AzureAuthor()
    deleted: bool = Field(default=False, alias="isDeleted")
    published: str = Field(default="", alias="publishedDate")
    edited: str = Field(default="", alias="lastContentUpdatedDate")
    type: str = Field(default="text", alias="commentType")
    links: dict[str, JsonValue] = Field(default_factory=dict, alias="_links")

    @property
    def thread(self) -> str:
        """Id of the thread it stands in, from its links; the event names it nowhere else."""
        found = re.search(r"/threads/(\d+)", str(self.links), re.IGNORECASE)
        return found[1] if found else ""


class _AzureCommented(Wire):
    comment: _AzureComment
    pull_request: _AzurePull = Field(alias="pullRequest")


class AzureDevOpsComment(Wire):
    """``ms.vss-code.git-pullrequest-comment-event``; the same event tells of new, edited and deleted comments."""

    resource: _AzureCommented


GITHUB_EVENTS = frozenset(
    {
        "pull_request",
        "pull_request_review",
        "pull_request_review_comment",
        "pull_request_review_thread",
        "check_run",
        "status",
    }
)
AZURE_DEVOPS_PULL_REQUEST = frozenset({"git.pullrequest.created", "git.pullrequest.updated", "git.pullrequest.merged"})
AZURE_DEVOPS_COMMENT = "ms.vss-code.git-pullrequest-comment-event"

_PULL_REQUEST_ACTIONS = frozenset(
    {"opened", "reopened", "synchronize", "edited", "ready_for_review", "labeled", "unlabeled"}
)


def news(forge: ForgeName, event: str, payload: Mapping[str, JsonValue]) -> ChangeNews | str | None:
    """What the event says of a pull request; why nothing follows; ``None`` when it is about none.

    Raises ``pydantic.ValidationError`` when a known event is malformed.
    """
    if forge is ForgeName.GITHUB:
        reader = _GITHUB.get(event)
        return reader(payload) if reader else None
    if event in AZURE_DEVOPS_PULL_REQUEST:
        return _azure_pull(event, payload)
    return _azure_comment(payload) if event == AZURE_DEVOPS_COMMENT else None


def is_own(body: str) -> bool:
    """Whether Doneright wrote it."""
    return OWN_MARK in body


def holds_command(body: str) -> bool:
    """Whether somebody speaks to Doneright in it."""
    return bool(lines_in(body))


def _pull_request(payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    told = GitHubPullRequest.model_validate(payload)
    if told.action == "closed" and told.pull_request.merged:
        return ChangeNews(
            forge=ForgeName.GITHUB,
            repository=RepositoryRef.parse(told.repository.full_name),
            number=told.pull_request.number,
            head=told.pull_request.head.sha,
            reason="the pull request was merged",
            merged=told.pull_request.merge_commit or "",
        )
    if told.action not in _PULL_REQUEST_ACTIONS:
        return f"nothing follows from a pull request being {told.action}"
    if told.label and told.label.name.lower().startswith(OWN_CHECKS):
        return "Doneright's own label"
    return _on_github(told.repository, told.pull_request, f"the pull request was {told.action}")


def _review(payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    told = GitHubReview.model_validate(payload)
    review = told.review
    if review.user and review.user.type == "Bot":
        return "programs approve nothing"
    if is_own(review.body) or (review.state.lower() == "commented" and not review.body.strip()):
        # What was written in the code comes as events of its own.
        return "the review says nothing beside its comments"
    return _on_github(told.repository, told.pull_request, f"a review was {told.action}")


def _review_comment(payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    told = GitHubReviewComment.model_validate(payload)
    if told.action != "created":
        return f"nothing follows from a comment being {told.action}"
    if refused := _unheard(told.comment.user, told.comment.body):
        return refused
    written = Written(
        comment=f"review:{told.comment.id}",
        author=_person(told.comment.user),
        body=told.comment.body,
        url=told.comment.html_url,
    )
    found = _on_github(
        told.repository, told.pull_request, "somebody commented in the code", heard=holds_command(written.body)
    )
    return found.model_copy(update={"written": written}) if isinstance(found, ChangeNews) else found


def _thread(payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    told = GitHubThread.model_validate(payload)
    return _on_github(told.repository, told.pull_request, f"a discussion was {told.action}")


def _check_run(payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    told = GitHubCheckRun.model_validate(payload)
    run = told.check_run
    if told.action != "completed" or run.name.lower().startswith(OWN_CHECKS):
        return f"nothing follows from the check {run.name[:60]} being {told.action}"
    return ChangeNews(
        forge=ForgeName.GITHUB,
        repository=RepositoryRef.parse(told.repository.full_name),
        commit=run.head_sha,
        reason=f"the check {run.name[:60]} ended",
    )


def _status(payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    told = GitHubStatus.model_validate(payload)
    if told.state == "pending" or told.context.lower().startswith(OWN_CHECKS):
        return f"nothing follows from the status {told.context[:60]} being {told.state}"
    return ChangeNews(
        forge=ForgeName.GITHUB,
        repository=RepositoryRef.parse(told.repository.full_name),
        commit=told.sha,
        reason=f"the status {told.context[:60]} is {told.state}",
    )


def _azure_pull(event: str, payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    told = AzureDevOpsPullRequest.model_validate(payload).resource
    if told.status == "completed":
        merged = {"merged": told.merge.commit_id}
        return _on_azure(told, "the pull request was merged").model_copy(update=merged)
    if told.status != "active":
        return f"the pull request is {told.status}"
    return _on_azure(told, f"{event} arrived")


def _azure_comment(payload: Mapping[str, JsonValue]) -> ChangeNews | str:
    resource = AzureDevOpsComment.model_validate(payload).resource
    comment, pull = resource.comment, resource.pull_request
    if comment.deleted or (comment.edited and comment.edited != comment.published):
        # An edited comment is no new command: what it said first was acted on.
        return "nothing follows from a comment being edited or deleted"
    if comment.type != "text":
        return "the service wrote it by itself"
    closed = pull.status != "active"
    if closed and not holds_command(comment.content):
        return f"the pull request is {pull.status}"
    author = comment.author
    if refused := _unheard(None, comment.content):
        return refused
    written = Written(
        comment=f"{comment.thread}:{comment.id}",
        author=Person(
            id=author.id, login=author.login, name=author.name, bot=author.login.lower().startswith("build\\")
        ),
        body=comment.content,
    )
    return _on_azure(pull, "somebody commented").model_copy(update={"written": written, "closed": closed})


def _unheard(user: GitHubUser | None, body: str) -> str:
    if user is not None and user.type == "Bot":
        return "programs are not heard"
    return "Doneright wrote it" if is_own(body) else ""


def _on_github(repository: GitHubRepository, pull: _Pull, reason: str, *, heard: bool = False) -> ChangeNews | str:
    """``heard``: somebody speaks to Doneright, which work that is merged can still be accepted by."""
    closed = pull.state != "open"
    if closed and not heard:
        return f"the pull request is {pull.state}"
    return ChangeNews(
        forge=ForgeName.GITHUB,
        repository=RepositoryRef.parse(repository.full_name),
        number=pull.number,
        head=pull.head.sha,
        reason=reason,
        closed=closed,
    )


def _on_azure(pull: _AzurePull, reason: str) -> ChangeNews:
    return ChangeNews(
        forge=ForgeName.AZURE_DEVOPS,
        repository=RepositoryRef(owner=pull.repository.project.name, name=pull.repository.name),
        number=pull.number,
        head=pull.source.commit_id,
        reason=reason,
    )


def _person(user: GitHubUser | None) -> Person:
    return Person(id=user.login if user else "ghost", login=user.login if user else "ghost", bot=False)


_GITHUB: Mapping[str, Callable[[Mapping[str, JsonValue]], ChangeNews | str]] = {
    "pull_request": _pull_request,
    "pull_request_review": _review,
    "pull_request_review_comment": _review_comment,
    "pull_request_review_thread": _thread,
    "check_run": _check_run,
    "status": _status,
}
