"""Finds what got lost: failed deliveries are asked for again, unseen requests queued, quiet runs offered once more."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from shared.domain.audit import TENANT, AuditTag, NewAuditEvent
from shared.domain.connection import Connection
from shared.domain.delivery import Envelope
from shared.domain.forge import ForgeName, Frozen, IssueSnapshot, RepositoryRef
from shared.domain.run import RunInput
from shared.errors import RefusedError, TransientError
from shared.intake.envelopes import wrap
from shared.intake.events import GitHubIssue, GitHubIssues, content_digest
from shared.intake.handling import RESTARTS_ON_EDIT
from shared.intake.keeping import Keeper
from shared.intake.wire import GitHubLabel, GitHubRepository, GitHubUser
from shared.projects.lost import quiet_runs
from shared.projects.ports import CONNECTIONS, PROJECTS, REQUESTS, ProjectPorts


class Sweep(Frozen):
    """What a sweep found."""

    queued: tuple[str, ...] = ()
    redelivered: int = 0
    problems: tuple[str, ...] = ()
    quiet: tuple[RunInput, ...] = Field(
        default=(), description="Runs to offer to the engine, which may have lost them."
    )


def sweep(ports: ProjectPorts, keeper: Keeper, *, lookback: timedelta, large: int, quiet: timedelta) -> Sweep:
    """Look at every connection that is not paused. One that cannot be reached does not stop the others."""
    queued: list[str] = []
    problems: list[str] = []
    redelivered = 0
    for _, _, connection in ports.connections.list(CONNECTIONS):
        if connection.paused or connection.github.credential is None:
            continue
        try:
            for name in connection.github.request_repositories:
                ref = RepositoryRef.parse(name)
                redelivered += _redeliver(ports, keeper, connection, ref, lookback)
                queued += _unseen(ports, keeper, connection, ref, large)
            queued += _missed(ports, keeper, connection, lookback, large)
        except (TransientError, RefusedError) as error:
            problems.append(f"{connection.id}: {error.reason}")
    return Sweep(
        queued=tuple(queued), redelivered=redelivered, problems=tuple(problems), quiet=quiet_runs(ports, quiet)
    )


def _redeliver(
    ports: ProjectPorts, keeper: Keeper, connection: Connection, ref: RepositoryRef, lookback: timedelta
) -> int:
    issues = ports.connect(connection).issues
    count = 0
    for delivery in issues.failed_deliveries(ref, ports.clock.now() - lookback):
        if keeper.find(delivery.guid) is None:
            issues.redeliver(ref, delivery)
            count += 1
    return count


def _unseen(ports: ProjectPorts, keeper: Keeper, connection: Connection, ref: RepositoryRef, large: int) -> list[str]:
    found = []
    for issue in ports.connect(connection).issues.open_issues(ref, ports.request_label):
        request = ports.requests.get(REQUESTS, f"github-issue-{issue.id}")
        digest = content_digest(issue)
        if request and not (request[0].state in RESTARTS_ON_EDIT and request[0].content_digest != digest):
            continue
        envelope = _as_delivered(ports, issue, digest, large)
        _swept(
            ports,
            envelope,
            issue.url or envelope.id,
            connection=connection.id,
            repository=str(ref),
            issue=issue.number,
        )
        keeper.queue.send(envelope.model_dump_json())
        found.append(envelope.id)
    return found


def _missed(ports: ProjectPorts, keeper: Keeper, connection: Connection, lookback: timedelta, large: int) -> list[str]:
    """Azure DevOps never sends again what it gave up on, but tells what it was."""
    tracker = ports.connect(connection).tracker
    if tracker is None:
        return []
    since = ports.clock.now() - lookback
    url = ports.links.api("webhooks/azure-devops")
    queued = []
    for _, _, project in ports.projects.list(PROJECTS):
        if project.connection != connection.id or ForgeName.AZURE_DEVOPS not in project.request.forges:
            continue
        for missed in tracker.missed_events(project.name, url, since):
            if keeper.find(missed.id) is not None:
                continue
            envelope = wrap(
                forge=ForgeName.AZURE_DEVOPS,
                delivery=missed.id,
                event=missed.event,
                text=missed.payload,
                received_at=ports.clock.now(),
                correlation=f"sweep-{missed.id}",
                artifacts=ports.artifacts,
                large=large,
            )
            _swept(ports, envelope, missed.id, connection=connection.id, project=project.id, event=missed.event)
            keeper.queue.send(envelope.model_dump_json())
            queued.append(envelope.id)
    return queued


def _swept(ports: ProjectPorts, envelope: Envelope, subject: str, **detail: str | int) -> None:
    ports.audit.append(
        TENANT,
        NewAuditEvent(
            tag=AuditTag.DELIVERY_SWEPT,
            instance=f"delivery-{envelope.id}",
            step="swept",
            subject=subject,
            detail=dict(detail),
        ),
    )


def _as_delivered(ports: ProjectPorts, issue: IssueSnapshot, digest: str, large: int) -> Envelope:
    payload = GitHubIssues(
        action="labeled",
        issue=GitHubIssue(
            id=int(issue.id),
            number=issue.number,
            title=issue.title,
            body=issue.body,
            user=GitHubUser(login=issue.author),
            labels=tuple(GitHubLabel(name=label) for label in issue.labels),
            state=issue.state,
            html_url=issue.url,
        ),
        repository=GitHubRepository(full_name=str(issue.ref)),
    )
    return wrap(
        forge=ForgeName.GITHUB,
        # One issue at one content has one id, so that sweeps that overlap do not pile up.
        delivery=f"sweep-{issue.id}-{digest[:12]}",
        event="issues",
        text=payload.model_dump_json(),
        received_at=ports.clock.now(),
        correlation=f"sweep-{issue.id}",
        artifacts=ports.artifacts,
        large=large,
    )
