"""Follows what people write to Doneright in comments: `/doneright retry` from somebody who may write to the repository."""

from __future__ import annotations

from shared.domain.audit import TENANT, AuditTag
from shared.domain.decision import MEANS, Choice
from shared.domain.delivery import RequestRecord
from shared.domain.forge import Frozen, RepositoryRef
from shared.domain.project import RequestOrigin
from shared.errors import RefusedError
from shared.intake.events import GitHubIssueComment
from shared.projects import answering, answers, deciding
from shared.projects.deciding import Wake
from shared.projects.ports import REQUESTS, ProjectPorts
from shared.reviews.said import lines_in


class Followed(Frozen):
    """What became of a comment: whom to wake, and why nothing else follows."""

    wake: Wake | None = None
    reason: str = ""


class _Asking(Frozen):
    """The comment, as what is answered and recorded."""

    instance: str
    subject: str
    connection: str
    origin: RequestOrigin


def word_in(body: str) -> str | None:
    """The word of the first command in a comment, in lower case, empty for a command without one; ``None`` for none.

    What counts as one is the same everywhere; here a word stands alone on its line.
    """
    return next((line.lower() for line in lines_in(body) if len(line.split()) <= 1), None)


def subject_of(event: GitHubIssueComment) -> str:
    """The request a comment is about."""
    return f"github-issue-{event.issue.id}"


def follow(ports: ProjectPorts, event: GitHubIssueComment) -> Followed:
    """Do what the comment says, where its author may say it; every refusal is answered where the command was given.

    Following the same comment twice does no more than once.
    """
    word = word_in(event.comment.body)
    if word is None:
        return Followed(reason="the comment says nothing to Doneright")
    author = event.comment.user
    if author is None or author.type == "Bot":
        return Followed(reason="programs give no commands")
    found = ports.requests.get(REQUESTS, subject_of(event))
    if found is None:
        return Followed(reason="the issue is no request that Doneright took up")
    request = found[0]
    said = _Asking(
        instance=f"comment-{event.comment.id}",
        subject=request.subject,
        connection=request.connection,
        origin=RequestOrigin(
            subject=request.subject,
            requester=author.login,
            repository=event.repository.full_name,
            issue=event.issue.number,
            url=event.comment.html_url or event.issue.html_url,
        ),
    )
    log = request.project or TENANT
    try:
        return Followed(wake=_obey(ports, request, said, word))
    except RefusedError as error:
        ports.record(log, AuditTag.COMMAND_REFUSED, said, "refuse", word=word, reason=error.reason)
        answering.say(ports, said, log, "refused", answers.not_followed(error.reason, error.remedy))
        return Followed(reason=error.reason)


def _obey(ports: ProjectPorts, request: RequestRecord, said: _Asking, word: str) -> Wake:
    if word not in set(Choice):
        raise RefusedError(
            f"'/doneright {word[:40]}' is no command here" if word else "the command lacks its word",
            "; ".join(f"/doneright {choice}: {MEANS[choice]}" for choice in Choice),
        )
    login = said.origin.requester
    issues = ports.connect(ports.connection(request.connection)).issues
    if not issues.may_write(RepositoryRef.parse(said.origin.repository), login):
        raise RefusedError(
            f"{login} may not write to {said.origin.repository}", "Ask somebody who may to give the command."
        )
    record = ports.project(request.project) if request.project else None
    if record is None or record.instance != request.instance:
        raise RefusedError("this request has no project of its own", "Look at the answers above.")
    return deciding.decide(
        ports,
        record.id,
        Choice(word),
        actor=ports.pseudonyms.of(login, request.connection),
        source=said.instance,
    )
