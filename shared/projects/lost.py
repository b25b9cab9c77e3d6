"""Decides which runs their engine may have lost, and keeps on record that one was started again or ended unheard."""

from __future__ import annotations

from datetime import timedelta

from shared.domain.audit import TENANT, AuditTag
from shared.domain.delivery import RequestRecord, RequestState
from shared.domain.plan import ENDED, ReversalState, StepProgress
from shared.domain.run import UNDER_WAY, Admission, Conclusion, Refusal, Runbook, RunInput
from shared.projects.admission import abandon
from shared.projects.answering import conclude
from shared.projects.ports import CONNECTIONS, PROJECTS, REQUESTS, ProjectPorts

OPEN = frozenset({RequestState.RUNNING, RequestState.REFUSED})
"""States of a request whose run has something left to do as long as its start is kept: to go on, or to say no."""


def to_take_up(request: RequestRecord) -> RunInput | None:
    """What to offer the engine once more; ``None`` when the run has ended.

    An engine that still knows the run refuses its instance id, so offering a healthy run disturbs nothing.
    """
    return request.start if request.state is RequestState.RUNNING else None


def quiet_runs(ports: ProjectPorts, quiet: timedelta) -> tuple[RunInput, ...]:
    """Runs that have not ended, or not said their refusal, and were begun at least ``quiet`` ago, but for those of paused connections."""
    until = ports.clock.now() - quiet
    # The end of a run is written in two places, and whoever wrote it may have died in between.
    unfinished = {p.instance for _, _, p in ports.projects.list(PROJECTS, limit=100_000) if p.state in UNDER_WAY}
    open_connections = {c.id for _, _, c in ports.connections.list(CONNECTIONS) if not c.paused}
    return tuple(
        request.start
        for _, _, request in ports.requests.list(REQUESTS, limit=100_000)
        if request.start is not None
        and (request.state in OPEN or request.instance in unfinished)
        and request.updated_at <= until
        and request.connection in open_connections
    )


def taken_up(ports: ProjectPorts, run: RunInput) -> None:
    """Write down that ``run`` was started again, each time it was."""
    request = _request_of(ports, run)
    # The same run can be lost twice, and each time is an event of its own.
    step = f"restarted.{ports.clock.now().isoformat()}"
    ports.record((request.project if request else "") or TENANT, AuditTag.RUN_RESTARTED, run, step)


def settle(ports: ProjectPorts, run: RunInput, how: str) -> None:
    """End the records of a run that ended in the engine, as ``how`` says, without having written it down.

    What its steps came to decides; where some had not ended, the run has failed. A run that wrote its end down
    meanwhile is left as it is.
    """
    request = _request_of(ports, run)
    if request is None:
        return
    if request.state is RequestState.REFUSED:
        ports.requests.put(REQUESTS, run.subject, request.model_copy(update={"start": None}))
        return
    reason = f"the run ended in the durable engine as {how} before it was through"
    claimed = ports.project(request.project) if request.project else None
    project = claimed if claimed and claimed.instance == run.instance else None
    if request.state is not RequestState.RUNNING and (project is None or project.state not in UNDER_WAY):
        return
    if project is None:
        abandon(ports, Refusal(run=run, admission=Admission(reason=reason, remedy="Ask for it again.")))
        return
    steps = ports.steps(run.instance)
    through = bool(steps) and all(_is_through(run, step) for step in steps)
    states = {step.step: step.state.value for step in steps}
    conclude(ports, Conclusion(run=run, project=project.id, states=states, reason="" if through else reason))


def _is_through(run: RunInput, step: StepProgress) -> bool:
    if run.runbook is Runbook.REMOVAL:
        return step.reversal is not None and step.reversal.state is not ReversalState.WAITING
    return step.state in ENDED


def _request_of(ports: ProjectPorts, run: RunInput) -> RequestRecord | None:
    found = ports.requests.get(REQUESTS, run.subject)
    return found[0] if found and found[0].instance == run.instance else None
