"""Finds pull requests whose event never arrived, reviews that the engine lost, and verdicts whose waivers have ended.

All are started as if an event had just told of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from shared.domain.change import ChangeRef
from shared.domain.forge import Frozen
from shared.domain.keys import encode_key
from shared.domain.review import ReviewInput, ReviewRecord, ReviewState
from shared.domain.run import ProjectRecord, ProjectState
from shared.errors import RefusedError, TransientError
from shared.projects.ports import PROJECTS, ProjectPorts
from shared.projects.repositories import MOST_PROJECTS, repositories_of
from shared.reviews import recording
from shared.reviews.ports import ReviewPorts

MOST_OPEN = 100
"""Open pull requests of a repository that are looked at, the newest first."""

REVIEWED_STATES = frozenset({ProjectState.COMPLETED, ProjectState.ACCEPTED})
"""Projects whose pull requests are worth a look: others are still being made, or gone."""


class ReviewSweep(Frozen):
    """What a sweep found."""

    start: tuple[ReviewInput, ...] = ()
    problems: tuple[str, ...] = ()


def sweep_reviews(projects: ProjectPorts, ports: ReviewPorts, *, quiet: timedelta) -> ReviewSweep:
    """Look at every repository of every project. One that cannot be reached does not stop the others."""
    found: list[ReviewInput] = list(recording.quiet(ports, ports.clock.now() - quiet))
    problems: list[str] = []
    for _, _, project in projects.projects.list(PROJECTS, limit=MOST_PROJECTS):
        if project.state not in REVIEWED_STATES:
            continue
        connection = projects.connection(project.connection)
        if connection.paused:
            continue
        try:
            found += _unseen(projects, ports, project)
        except (TransientError, RefusedError) as error:
            problems.append(f"{project.id}: {error.reason}")
    return ReviewSweep(start=tuple(found), problems=tuple(problems))


def _unseen(projects: ProjectPorts, ports: ReviewPorts, project: ProjectRecord) -> Iterator[ReviewInput]:
    connection = projects.connection(project.connection)
    forges = ports.connect(connection)
    for name, repository in repositories_of(project, connection):
        forge = forges.get(name)
        if forge is None:
            continue
        for change in forge.changes(repository, open_only=True, limit=MOST_OPEN):
            found = ports.reviews.get(encode_key(change.ref.key), change.head)
            if found and not _has_ended_waiver(ports, found[0]):
                continue
            wanted = recording.want(
                ports,
                ChangeRef(forge=name, repository=repository, number=change.ref.number),
                change.head,
                project=project.id,
                connection=connection.id,
                reason="a waiver has ended" if found else "the sweep found it unreviewed",
            )
            if wanted.start:
                yield wanted.start


def _has_ended_waiver(ports: ReviewPorts, record: ReviewRecord) -> bool:
    """Whether the verdict rests on a waiver whose day is over, and nobody is judging it again already."""
    return (
        record.waived_until is not None
        and record.waived_until <= ports.clock.now()
        and record.state is not ReviewState.RUNNING
    )
