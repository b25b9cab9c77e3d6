"""Decides what follows from a delivery: a run to start, a fact to record, or nothing, with the reason."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from pydantic import Field, ValidationError

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.connection import Connection
from shared.domain.delivery import DeliveryState, Envelope, RequestState
from shared.domain.faults import faults_of
from shared.domain.forge import ForgeName, Frozen, IssueSnapshot, RepositoryRef
from shared.domain.issue_category import IssueToSort
from shared.domain.project import RequestOrigin
from shared.domain.run import RunInput
from shared.errors import RefusedError
from shared.intake import commands
from shared.intake.change_events import ChangeNews
from shared.intake.envelopes import unwrap
from shared.intake.events import (
    AzureDevOpsBuild,
    BuildResource,
    GitHubIssueComment,
    GitHubIssues,
    Ignored,
    content_digest,
    parse,
)
from shared.projects.beginning import new_run
from shared.projects.deciding import Wake
from shared.projects.lost import to_take_up
from shared.projects.ports import CONNECTIONS, PROJECTS, REQUESTS, ProjectPorts
from shared.projects.repositories import project_of

RESTARTS_ON_EDIT = frozenset({RequestState.REFUSED})
"""Ends of a run after which an edited request is a new try. Other ends need a person's word: a replay."""

SORTED_ON = frozenset({"opened", "edited"})
"""What makes an issue that is no request be categorised; a label that somebody sets is theirs."""


_TRIAL_MERGE = re.compile(r"refs/pull/([1-9][0-9]{0,9})/merge")


class Handling(Frozen):
    """What follows from a delivery."""

    state: DeliveryState
    reason: str = ""
    subject: str = ""
    connection: str = ""
    start: RunInput | None = Field(default=None, description="The run to start, under its own instance id.")
    again: bool = Field(default=False, description="Whether that run was begun before and may only have been lost.")
    wake: Wake | None = Field(default=None, description="A run that waits for what this delivery decided.")
    news: ChangeNews | None = Field(default=None, description="Something about a pull request of `project`.")
    project: str = Field(default="", description="Whose pull request it is.")
    case: IssueToSort | None = Field(default=None, description="An issue that is no request, to be categorised.")


def handle(
    ports: ProjectPorts,
    envelope: Envelope,
    *,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int = 0,
) -> Handling:
    """What follows from ``envelope``. Changes nothing but the record; handling twice does no more than once.

    Raises ``RefusedError`` for a payload that is not what its event promises; the delivery is then kept as poisoned.
    """
    payload = unwrap(envelope, ports.artifacts)
    try:
        event = parse(envelope.forge, envelope.event, payload)
    except ValidationError as error:
        fields = "; ".join(f"{fault.field}: {fault.problem}" for fault in faults_of(error))
        raise RefusedError(f"the payload of {envelope.event!r} is not what that event promises: {fields}") from error
    match event:
        case Ignored():
            return Handling(state=DeliveryState.IGNORED, reason=event.reason)
        case AzureDevOpsBuild():
            return _build(ports, envelope, event)
        case GitHubIssues():
            return _issue(ports, envelope, event, deadline_seconds, pause_seconds, decision_seconds)
        case GitHubIssueComment():
            return _comment(ports, event)
        case ChangeNews():
            return _change(ports, event)


def connection_for(connections: Sequence[Connection], repository: str) -> Connection | None:
    """The first connection, by id, that takes requests from ``repository``."""
    return next((c for c in connections if c.takes_requests_from(repository)), None)


def _issue(
    ports: ProjectPorts,
    envelope: Envelope,
    event: GitHubIssues,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int,
) -> Handling:
    issue = event.snapshot()
    subject = f"github-issue-{issue.id}"
    if unfit := _unfit(issue, ports.request_label):
        return _case(ports, event, issue, subject) or _ignored(subject, unfit)
    connections = [connection for _, _, connection in ports.connections.list(CONNECTIONS)]
    connection = connection_for(connections, event.repository.full_name)
    if connection is None:
        return _ignored(subject, f"no connection takes requests from {event.repository.full_name}")
    if connection.paused:
        return _held(subject, connection)
    digest = content_digest(issue)
    found = ports.requests.get(REQUESTS, subject)
    run = 1
    if found:
        latest = found[0]
        if begun := to_take_up(latest):
            return Handling(
                state=DeliveryState.HANDLED, subject=subject, connection=latest.connection, start=begun, again=True
            )
        edited = latest.state in RESTARTS_ON_EDIT and latest.content_digest != digest
        asked = envelope.replay > 0 and latest.state is not RequestState.RUNNING
        if not edited and not asked:
            return Handling(
                state=DeliveryState.DUPLICATE,
                reason=f"run {latest.run} for this issue is {latest.state}",
                subject=subject,
                connection=connection.id,
            )
        run = latest.run + 1
    origin = RequestOrigin(
        subject=subject, requester=issue.author, repository=str(issue.ref), issue=issue.number, url=issue.url
    )
    start = new_run(
        origin,
        run,
        connection.id,
        digest,
        form=ports.artifacts.put(issue.body.encode(), "text/markdown"),
        deadline_seconds=deadline_seconds,
        pause_seconds=pause_seconds,
        decision_seconds=decision_seconds,
    )
    return Handling(state=DeliveryState.HANDLED, subject=subject, connection=connection.id, start=start)


def _case(ports: ProjectPorts, event: GitHubIssues, issue: IssueSnapshot, subject: str) -> Handling | None:
    """An issue that is no request, in a repository of a connection or of one of its projects, is sorted."""
    if event.action not in SORTED_ON or issue.state != "open" or event.issue.pull_request is not None:
        return None
    project = ports.project(issue.ref.name.lower())
    connections = [connection for _, _, connection in ports.connections.list(CONNECTIONS)]
    owner = issue.ref.owner.lower()
    own = next(
        (c for c in connections if project and c.id == project.connection and c.github.organization.lower() == owner),
        None,
    )
    connection = own or connection_for(connections, event.repository.full_name)
    if connection is None:
        return None
    if connection.paused:
        return _held(subject, connection)
    case = IssueToSort(connection=connection.id, repository=str(issue.ref), number=issue.number)
    return Handling(state=DeliveryState.HANDLED, subject=subject, connection=connection.id, case=case)


def _comment(ports: ProjectPorts, event: GitHubIssueComment) -> Handling:
    subject = commands.subject_of(event)
    connections = [connection for _, _, connection in ports.connections.list(CONNECTIONS)]
    connection = connection_for(connections, event.repository.full_name)
    if connection is None:
        return _ignored(subject, f"no connection takes requests from {event.repository.full_name}")
    if commands.word_in(event.comment.body) is not None and connection.paused:
        return _held(subject, connection)
    followed = commands.follow(ports, event)
    if followed.wake is None:
        return _ignored(subject, followed.reason)
    return Handling(state=DeliveryState.HANDLED, subject=subject, connection=connection.id, wake=followed.wake)


def _change(ports: ProjectPorts, news: ChangeNews) -> Handling:
    """Something about a pull request, in a repository of a project."""
    subject = news.ref.key if news.ref else f"{news.forge}:{str(news.repository).lower()}@{news.commit}"
    project = project_of(ports, news.forge, news.repository)
    if project is None:
        return _ignored(subject, f"no project of Doneright's has the repository {news.repository}")
    connection = ports.connection(project.connection)
    if connection.paused:
        return _held(subject, connection)
    return Handling(
        state=DeliveryState.HANDLED, subject=subject, connection=connection.id, news=news, project=project.id
    )


def _held(subject: str, connection: Connection) -> Handling:
    return Handling(
        state=DeliveryState.HELD,
        reason=f"connection {connection.id} is paused",
        subject=subject,
        connection=connection.id,
    )


def _unfit(issue: IssueSnapshot, label: str) -> str:
    if label.lower() not in {given.lower() for given in issue.labels}:
        return f"the issue has no label {label}"
    return "" if issue.state == "open" else f"the issue is {issue.state}"


def _build(ports: ProjectPorts, envelope: Envelope, event: AzureDevOpsBuild) -> Handling:
    build = event.resource
    subject = f"azure-devops-build-{build.id}"
    name = build.project.name if build.project else ""
    wanted = (name.lower(), build.definition.name.lower())
    for _, _, project in ports.projects.list(PROJECTS, limit=10_000):
        # Older payloads name no team project; our pipelines carry the project's id as their name.
        if project.name.lower() == wanted[0] or (not name and project.id == wanted[1]):
            ports.audit.append(
                project.id,
                NewAuditEvent(
                    tag=AuditTag.AZURE_DEVOPS_BUILD_COMPLETED,
                    instance=subject,
                    step=build.result or "completed",
                    subject=build.url or subject,
                    detail={"build": build.build_number, "result": build.result, "delivery": envelope.id},
                ),
            )
            return Handling(
                state=DeliveryState.HANDLED,
                subject=subject,
                connection=project.connection,
                news=_news_of(build, project.name),
                project=project.id,
            )
    return _ignored(subject, f"no project of Doneright's is named {name or build.definition.name!r}")


def _news_of(build: BuildResource, project: str) -> ChangeNews | None:
    """What the end of a build says of a pull request: its own, where it built the trial merge, else of its commit."""
    pull = _TRIAL_MERGE.fullmatch(build.source_branch)
    if pull is None and not build.source_version:
        return None
    return ChangeNews(
        forge=ForgeName.AZURE_DEVOPS,
        repository=RepositoryRef(owner=project, name=(build.repository.name if build.repository else "") or project),
        number=int(pull[1]) if pull else None,
        commit=build.source_version,
        reason=f"the build {build.build_number or build.id} ended",
    )


def _ignored(subject: str, reason: str) -> Handling:
    return Handling(state=DeliveryState.IGNORED, reason=reason, subject=subject)


def unreadable_id(message: str) -> str:
    """An id for a message that is no envelope."""
    return "unreadable-" + hashlib.sha256(message.encode()).hexdigest()[:32]
