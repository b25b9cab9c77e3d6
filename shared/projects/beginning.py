"""Makes a run and the record that it was asked for: the one place that decides a run's id and what it starts with."""

from __future__ import annotations

from shared.domain.adoption import AdoptedRequest
from shared.domain.delivery import RequestRecord, RequestState
from shared.domain.keys import encode_key
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.run import Runbook, RunInput
from shared.projects.ports import REQUESTS, ProjectPorts


def new_run(
    origin: RequestOrigin,
    number: int,
    connection: str,
    content_digest: str,
    *,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int = 0,
    request: ProjectRequest | AdoptedRequest | None = None,
    form: str = "",
    runbook: Runbook = Runbook.BOOTSTRAP,
) -> RunInput:
    """The run with this ``number`` of what ``origin`` asks for. The same subject and number are always the same id.

    Args:
        origin: who asks, where, and for which subject.
        number: of the run among those of its subject, from 1.
        connection: id of the connection it goes through.
        content_digest: of what the requester wrote.
        deadline_seconds: how long a step may take.
        pause_seconds: how long its first pause is.
        decision_seconds: how long a run that failed waits for a person; 0 lets it end as failed at once.
        request: what is asked for, where it was validated already.
        form: digest of the issue's markdown in the artifact store, where that is what asks.
        runbook: what carries it out.
    """
    return RunInput(
        instance=encode_key(f"{origin.subject}.{number}"),
        subject=origin.subject,
        run=number,
        connection=connection,
        origin=origin,
        content_digest=content_digest,
        form=form,
        request=request,
        runbook=runbook,
        step_deadline_seconds=deadline_seconds,
        step_pause_seconds=pause_seconds,
        decision_seconds=decision_seconds,
    )


def record_of(
    ports: ProjectPorts, run: RunInput, state: RequestState = RequestState.RUNNING, *, project: str = ""
) -> RequestRecord:
    """What is kept about ``run`` now: with what it was started, unless it failed, since that is not started again."""
    return RequestRecord(
        subject=run.subject,
        run=run.run,
        instance=run.instance,
        state=state,
        content_digest=run.content_digest,
        project=project,
        connection=run.connection,
        updated_at=ports.clock.now(),
        start=None if state is RequestState.FAILED else run,
    )


def keep(ports: ProjectPorts, run: RunInput, etag: str | None, *, project: str = "") -> None:
    """Put ``run`` on record in place of its subject's record with that ``etag``; ``None`` when there was none.

    Raises ``ConflictError`` when somebody wrote that record meanwhile; then nothing was written.
    """
    record = record_of(ports, run, project=project)
    if etag is None:
        ports.requests.create(REQUESTS, run.subject, record)
    else:
        ports.requests.replace(REQUESTS, run.subject, record, etag)
