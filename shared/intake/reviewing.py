"""Decides what follows from something that happened to a pull request: a round of its review, an answer, or nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from shared.domain.change import ChangeRef
from shared.domain.forge import Frozen
from shared.domain.pull_request import PullRequestState
from shared.domain.review import ReviewInput, ReviewRecord
from shared.domain.run import ProjectRecord
from shared.errors import RefusedError
from shared.intake.change_events import ChangeNews
from shared.projects.ports import ProjectPorts
from shared.projects.repositories import repositories_of
from shared.reviews import recording
from shared.reviews.collecting import connection_of, forge_of
from shared.reviews.commands import Said, follow
from shared.reviews.ports import ReviewPorts
from shared.reviews.tickets import Moving, after_merge


class Follows(Frozen):
    """What follows."""

    start: tuple[ReviewInput, ...] = Field(default=(), description="Runs to start; one that is there already stays.")
    reason: str = ""


def what_follows(
    ports: ReviewPorts,
    news: ChangeNews,
    *,
    project: str,
    connection: str,
    at: datetime,
    moved: Moving | None = None,
) -> Follows:
    """What follows from ``news``. Handling it twice does no more than once, but for a further round.

    ``moved`` moves the tickets of a change that people merged; without it they stay.
    Raises ``TransientError`` when the forge or storage asks for patience, and ``RefusedError`` when the forge refuses.
    """
    if news.ref is None:
        records = recording.of_commit(ports, news.forge, news.repository, news.commit)
        runs = _asked(ports, records, project=project, connection=connection, reason=news.reason)
        return Follows(start=runs, reason="" if records else "no pull request under review has that commit as its head")
    if news.merged is not None:
        told = after_merge(ports, moved, news.ref, news.merged) if moved else ()
        return Follows(reason="; ".join(told) or news.reason)
    forge = forge_of(ports, connection_of(ports, connection), news.forge)
    head, reason = news.head, news.reason
    if news.written:
        followed = follow(
            ports,
            Said(
                ref=news.ref,
                project=project,
                connection=connection,
                comment=news.written.comment,
                author=news.written.author,
                body=news.written.body,
                url=news.written.url,
                at=at,
            ),
        )
        reason = followed.reason or reason
        if followed.answered and not followed.look_again:
            return Follows(reason=reason)
    if news.closed:
        return Follows(reason=reason)
    if not head:
        now = forge.head_of(news.ref)
        if now is None or now[1] is not PullRequestState.OPEN:
            return Follows(reason="the pull request is not open any more")
        head = now[0]
    wanted = recording.want(ports, news.ref, head, project=project, connection=connection, reason=reason[:200])
    return Follows(
        start=(wanted.start,) if wanted.start else (),
        reason=reason if wanted.start else f"{reason}; the review under way looks again",
    )


def look_again(ports: ReviewPorts, ref: ChangeRef, *, project: str, connection: str, reason: str) -> Follows:
    """Ask for a round of the review of the head as it is now. Raises ``RefusedError`` where there is nothing open."""
    forge = forge_of(ports, connection_of(ports, connection), ref.forge)
    now = forge.head_of(ref)
    if now is None:
        raise RefusedError(f"there is no pull request {ref.key}", "Look at its number and repository.")
    if now[1] is not PullRequestState.OPEN:
        raise RefusedError(f"{ref.key} is {now[1]}", "Only an open pull request is reviewed.")
    wanted = recording.want(ports, ref, now[0], project=project, connection=connection, reason=reason[:200])
    return Follows(start=(wanted.start or recording.run_of(wanted.record),), reason=reason)


def with_new_evidence(
    projects: ProjectPorts, ports: ReviewPorts, project: ProjectRecord, commit: str
) -> tuple[ReviewInput, ...]:
    """Runs to start since a report about ``commit`` arrived: reviews of that head look again."""
    connection = projects.connection(project.connection)
    records = [
        record
        for forge, repository in repositories_of(project, connection)
        for record in recording.of_commit(ports, forge, repository, commit)
    ]
    return _asked(ports, records, project=project.id, connection=connection.id, reason="a report was uploaded")


def _asked(
    ports: ReviewPorts, records: Sequence[ReviewRecord], *, project: str, connection: str, reason: str
) -> tuple[ReviewInput, ...]:
    """Ask for a round of each that is not of the past; the runs to start."""
    wanted = (
        recording.want(ports, one.ref, one.head, project=project, connection=connection, reason=reason)
        for one in _newest(ports, records)
    )
    return tuple(one.start for one in wanted if one.start)


def _newest(ports: ReviewPorts, records: Sequence[ReviewRecord]) -> list[ReviewRecord]:
    """Those that are about the newest head of their pull request: the past is not judged again."""
    return [one for one in records if (latest := recording.latest_of(ports, one.ref)) and latest.head == one.head]
