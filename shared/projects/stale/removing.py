"""Removes what Doneright made of a project, when somebody asks for it by the project's exact name."""

from __future__ import annotations

import hashlib

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.faults import FieldFault
from shared.domain.plan import Plan, StepProgress
from shared.domain.project import RequestOrigin
from shared.domain.run import UNDER_WAY, DrawnPlan, DrawnStep, ProjectRecord, ProjectState, Runbook, RunInput
from shared.errors import ConflictError, DefectError, RefusedError
from shared.projects.admission import is_advisory
from shared.projects.asking import Asked
from shared.projects.beginning import keep, new_run
from shared.projects.ports import PROJECTS, REQUESTS, ProjectPorts
from shared.projects.stale.listing import LISTINGS, NEVER, NOT_THERE, activity_of
from shared.projects.stale.ports import StalePorts


class NameDiffersError(RefusedError):
    """The name that was typed is not the project's."""

    def __init__(self, name: str) -> None:
        super().__init__("the name is not the project's, so nothing was removed", "Type it exactly as it is shown.")
        self.faults = (FieldFault(field="name", problem="is not the project's exact name", example=name),)


def remove(
    ports: StalePorts,
    project: str,
    name: str,
    *,
    even_if_active: bool,
    actor: str,
    deadline_seconds: int,
    pause_seconds: float,
) -> Asked:
    """The run that removes what Doneright made of ``project``, kept on record; the one under way when there is one.

    Args:
        ports: the projects', and where listings are remembered.
        project: its id.
        name: the project's exact name, as a person typed it.
        even_if_active: remove it although it was not listed as idle, or something happened in it since.
        actor: who asks, by name.
        deadline_seconds: how long taking one step back may take.
        pause_seconds: how long its first pause is.

    Raises ``NameDiffersError``; ``RefusedError`` when nothing of it is Doneright's, or people are at work in it.
    """
    record = ports.projects.project(project)
    if record is None:
        raise RefusedError(f"there is no project {project}", "Only what Doneright made can be removed by it.")
    if name != record.name:
        raise NameDiffersError(record.name)
    if record.state is ProjectState.REMOVING:
        return _under_way(ports.projects, record)
    _removable(ports.projects, record)
    if not even_if_active:
        _idle(ports, record)
    return _begin(ports.projects, record, actor, deadline_seconds, pause_seconds, even_if_active=even_if_active)


def draw(ports: ProjectPorts, run: RunInput, project: str) -> DrawnPlan:
    """The plan whose steps are taken back, each with a progress of its own in this run. Doing it again is the same."""
    record = ports.project(project)
    if record is None or record.instance != run.instance:
        raise DefectError(f"project {project} is not being removed by {run.instance}")
    plan = Plan.model_validate_json(ports.artifacts.get(record.plan))
    for order, step in enumerate(plan.steps):
        progress = StepProgress(
            step=step.id,
            title=step.title,
            forge=step.forge,
            kind=step.kind,
            depends_on=step.depends_on,
            order=order,
            # What an earlier run began is this one's to take back.
            started_at=ports.clock.now(),
        )
        try:
            ports.progress.create(run.instance, step.id, progress)
        except ConflictError:
            continue  # an earlier try of this activity wrote it
    return DrawnPlan(
        digest=record.plan, steps=tuple(DrawnStep(id=step.id, depends_on=step.depends_on) for step in plan.steps)
    )


def left_over(ports: ProjectPorts, project: str) -> list[str]:
    """What Doneright once made of the project and did not see gone."""
    ledger = ports.ledger(project)
    return [one for one in ledger.intents() if not one.endswith(":done")]


def _removable(ports: ProjectPorts, record: ProjectRecord) -> None:
    if record.state in UNDER_WAY:
        raise RefusedError(f"the project {record.id} is {record.state} at this moment", "Wait until its run has ended.")
    if record.state in NOT_THERE or not record.plan or not left_over(ports, record.id):
        raise RefusedError(
            f"nothing of the project {record.id} is there that Doneright made", "Remove by hand what others made."
        )
    connection = ports.connection(record.connection)
    if connection.paused:
        raise RefusedError(f"connection {connection.id} is paused", "Resume it, then ask again.")
    if is_advisory(connection):
        raise RefusedError(f"connection {connection.id} is advisory, so nothing is changed", "Set it to enforced.")


def _idle(ports: StalePorts, record: ProjectRecord) -> None:
    found = ports.listings.get(LISTINGS, record.id)
    if found is None:
        raise RefusedError(
            f"the project {record.id} was never listed as empty or stale",
            f"GET /api/stale?connection={record.connection} lists those that are; even_if_active removes it all the same.",
        )
    listed = found[0]
    # Forges tell dates in whole seconds.
    moment = listed.at.replace(microsecond=0)
    for place, activity in activity_of(ports.projects, record, listed.at):
        for fact in activity.facts:
            before = listed.seen.get(f"{place.forge}.{fact.kind}", moment) or NEVER
            if fact.at is not None and fact.at > before:
                raise RefusedError(
                    f"something happened in {place.ref.name} on {place.forge} since it was listed: "
                    f"{fact.kind} {fact.what} on {fact.at:%Y-%m-%d %H:%M} UTC",
                    "Look at it and list again; even_if_active removes it all the same.",
                )


def _under_way(ports: ProjectPorts, record: ProjectRecord) -> Asked:
    found = ports.requests.get(REQUESTS, record.subject)
    kept = found[0].start if found and found[0].instance == record.instance else None
    return Asked(instance=record.instance, start=kept, again=True)


def _begin(
    ports: ProjectPorts,
    record: ProjectRecord,
    actor: str,
    deadline_seconds: int,
    pause_seconds: float,
    *,
    even_if_active: bool,
) -> Asked:
    subject = f"remove-{record.id}"
    request = ports.requests.get(REQUESTS, subject)
    number = (request[0].run if request else 0) + 1
    origin = RequestOrigin(subject=subject, requester=actor)
    now = ports.clock.now()
    run = new_run(
        origin,
        number,
        record.connection,
        hashlib.sha256(record.name.encode()).hexdigest(),
        request=record.request,
        runbook=Runbook.REMOVAL,
        deadline_seconds=deadline_seconds,
        pause_seconds=pause_seconds,
    )
    found = ports.projects.get(PROJECTS, record.id)
    if found is None or found[0] != record:
        raise RefusedError("somebody else changed it in this moment", "Look at its status page.")
    claimed = record.model_copy(
        update={
            "subject": subject,
            "run": number,
            "instance": run.instance,
            "state": ProjectState.REMOVING,
            "reason": "",
            "question": None,
            "started_at": now,
            "finished_at": None,
        }
    )
    try:
        keep(ports, run, request[1] if request else None, project=record.id)
        # On record before anything is removed, even if this process ends here.
        ports.audit.append(
            record.id,
            NewAuditEvent(
                tag=AuditTag.REMOVAL_REQUESTED,
                instance=run.instance,
                step="ask",
                subject=subject,
                actor=ports.pseudonyms.of(actor, record.connection),
                detail={"even_if_active": even_if_active, "resources": left_over(ports, record.id)[:500]},
                artifacts=(record.plan,),
            ),
        )
        ports.projects.replace(PROJECTS, record.id, claimed, found[1])
    except ConflictError:
        raise RefusedError("somebody else changed it in this moment", "Look at its status page.") from None
    return Asked(instance=run.instance, start=run)
