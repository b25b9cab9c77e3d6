"""Keeps the runs of updates: one at a time for a project or a connection, and what came of each repository."""

from __future__ import annotations

from shared.domain.connection import Connection
from shared.domain.forge import ForgeName
from shared.domain.keys import encode_key
from shared.domain.run import ProjectRecord, ProjectState
from shared.domain.scaffold_update import (
    EndedRun,
    ProjectUpdate,
    ProjectUpdateView,
    RepositoryUpdateView,
    Target,
    UpdateOutcome,
    UpdateRun,
    UpdateRunView,
    UpdateState,
)
from shared.errors import ConflictError, DefectError, RefusedError
from shared.projects.ports import PROJECTS
from shared.projects.scaffold import TEMPLATE_VERSION
from shared.projects.updates.ports import RUNS, UpdatePorts
from shared.projects.updates.recording import FILES
from shared.projects.updates.surveying import scaffold_steps, standing_of, updatable

MOST = 100_000


def begin(
    ports: UpdatePorts, connection: Connection, actor: str, *, project: str = "", force: bool = False
) -> UpdateRun:
    """The run that is to be started: the one under way where there is one, else a new one on record.

    ``actor`` is who asks, by name. Raises ``RefusedError`` while the connection is paused.
    """
    if connection.paused:
        raise RefusedError(f"connection {connection.id} is paused", "Resume it, then ask again.")
    subject = _subject(connection.id, project)
    while True:
        found = ports.runs.get(RUNS, subject)
        if found and found[0].finished_at is None:
            return found[0]
        number = found[0].run + 1 if found else 1
        run = UpdateRun(
            instance=encode_key(f"scaffold-update-{subject}.{number}"),
            run=number,
            connection=connection.id,
            project=project,
            force=force,
            actor=ports.projects.pseudonyms.of(actor, connection.id),
            started_at=ports.projects.clock.now(),
        )
        try:
            if found:
                ports.runs.replace(RUNS, subject, run, found[1])
            else:
                ports.runs.create(RUNS, subject, run)
        except ConflictError:
            continue  # somebody else asked at the same moment; theirs is the run
        return run


def targets(ports: UpdatePorts, run: UpdateRun) -> list[str]:
    """Ids of the projects a run is about, in order."""
    if run.project:
        return [run.project]
    return sorted(
        record.id
        for _, _, record in ports.projects.projects.list(PROJECTS, limit=MOST)
        if record.connection == run.connection and record.state is ProjectState.COMPLETED and record.plan
    )


def target(ports: UpdatePorts, task: ProjectUpdate) -> Target:
    """The forges a project's repositories are on; each is written down as not looked at yet."""
    record = ports.projects.project(task.project)
    forges = _forges(ports, updatable(record, task.project))
    for forge in forges:
        pending = UpdateOutcome(project=task.project, forge=forge, state=UpdateState.PENDING)
        try:
            ports.outcomes.create(task.run.instance, f"{task.project}.{forge}", pending)
        except ConflictError:
            continue  # an earlier try of this activity wrote it
    return Target(project=task.project, forges=forges)


def finish(ports: UpdatePorts, end: EndedRun) -> str:
    """Write down that the run has ended; how, in a word."""
    run = end.run
    subject = _subject(run.connection, run.project)
    while True:
        found = ports.runs.get(RUNS, subject)
        if found is None:
            raise DefectError(f"the run {run.instance} is not on record")
        ended, etag = found
        if ended.instance != run.instance or ended.finished_at is not None:
            return _view(ports, ended if ended.instance == run.instance else run).state
        ended = ended.model_copy(update={"finished_at": ports.projects.clock.now(), "broken": end.broken})
        try:
            ports.runs.replace(RUNS, subject, ended, etag)
        except ConflictError:
            continue
        return _view(ports, ended).state


def newest(ports: UpdatePorts, connection: str, project: str = "") -> UpdateRunView | None:
    """The newest run of a connection, or of one project; ``None`` when there was none."""
    found = ports.runs.get(RUNS, _subject(connection, project))
    return _view(ports, found[0]) if found else None


def beside_templates(ports: UpdatePorts, project: str) -> ProjectUpdateView:
    """Each repository of a project beside the templates, as it was last seen. Asks no forge.

    Raises ``RefusedError`` for a project that is not completed.
    """
    record = updatable(ports.projects.project(project), project)
    run = ports.runs.get(RUNS, _subject(record.connection, project))
    repositories = []
    for _, step in sorted(scaffold_steps(ports, record).items()):
        standing = standing_of(ports, record, step)
        merge = standing.last.merge if standing.last else ""
        files = FILES.validate_json(ports.projects.artifacts.get(merge)) if merge else ()
        repositories.append(RepositoryUpdateView(standing=standing, files=files))
    return ProjectUpdateView(
        project=project,
        version=TEMPLATE_VERSION,
        running=bool(run and run[0].finished_at is None),
        repositories=tuple(repositories),
    )


def forges_of(ports: UpdatePorts, project: str) -> tuple[ForgeName, ...]:
    """The forges a completed project's repositories are on. Raises ``RefusedError`` for any other project."""
    return _forges(ports, updatable(ports.projects.project(project), project))


def _forges(ports: UpdatePorts, record: ProjectRecord) -> tuple[ForgeName, ...]:
    return tuple(sorted(scaffold_steps(ports, record)))


def _view(ports: UpdatePorts, run: UpdateRun) -> UpdateRunView:
    outcomes = tuple(outcome for _, _, outcome in ports.outcomes.list(run.instance, MOST))
    failed = bool(run.broken) or any(outcome.state is UpdateState.FAILED for outcome in outcomes)
    return UpdateRunView(
        instance=run.instance,
        connection=run.connection,
        project=run.project,
        state="running" if run.finished_at is None else "partly_failed" if failed else "completed",
        started_at=run.started_at,
        finished_at=run.finished_at,
        broken=run.broken,
        outcomes=outcomes,
    )


def _subject(connection: str, project: str) -> str:
    return f"project-{project}" if project else f"connection-{connection}"
