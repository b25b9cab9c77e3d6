"""Takes a person's consent to exactly the plan that was shown, and makes the run that applies the agreed steps."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from shared.domain.adoption import Adoption, Consent, subject_of
from shared.domain.connection import Connection
from shared.domain.faults import FieldFault
from shared.domain.project import RequestOrigin
from shared.domain.run import UNDER_WAY, ProjectRecord, ProjectState
from shared.errors import ConflictError, RefusedError
from shared.projects.admission import is_advisory
from shared.projects.adopting.comparing import differences
from shared.projects.adopting.drawing import agreed
from shared.projects.adopting.planning import WishFaultError, adopted, look, shown
from shared.projects.asking import Asked
from shared.projects.beginning import keep, new_run
from shared.projects.ports import PROJECTS, REQUESTS, ProjectPorts


class PlanChangedError(RefusedError):
    """What was consented to is not what would be done now."""

    def __init__(self, digest: str, faults: Sequence[FieldFault]) -> None:
        super().__init__(
            "the plan changed since it was shown, so nothing was done",
            f"Look at it again and consent to {digest} if it is what you want.",
        )
        self.faults = tuple(faults)


def consent(
    ports: ProjectPorts,
    project: str,
    digest: str,
    steps: Sequence[str] | None,
    *,
    actor: str,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int,
) -> Asked:
    """The run of the agreed steps, kept on record; the same consent again is answered with the same run.

    Args:
        ports: the project's.
        project: its id.
        digest: of the plan that was shown.
        steps: ids of those agreed to; ``None`` for every one that can be.
        actor: who consents, by name.
        deadline_seconds: how long a step may take.
        pause_seconds: how long its first pause is.
        decision_seconds: how long a run that failed waits for a person.

    Raises ``PlanChangedError`` with the differences when live state gives another plan now; ``WishFaultError`` for steps
    that cannot be agreed to; ``RefusedError`` when there is nothing to consent to.
    """
    record, adoption = adopted(ports, project)
    if again := _same_again(ports, record, adoption, digest, steps):
        return again
    if record.state is not ProjectState.ADOPTABLE:
        raise RefusedError(
            f"the project {project} is {record.state} and waits for no consent", "Look at its status page."
        )
    connection = ports.connection(record.connection)
    _takes_changes(connection)
    planned = look(ports, adoption.wish, connection)
    if planned.digest != digest:
        ports.artifacts.put(planned.content(), "application/json")
        _show_anew(ports, record, planned.digest)
        raise PlanChangedError(planned.digest, differences(shown(ports, digest), planned.plan))
    chosen = _chosen(planned.plan.agreeable(), steps)
    plan = agreed(planned.plan.plan, chosen)
    now = ports.clock.now()
    given = Consent(
        digest=digest,
        steps=chosen,
        by=ports.pseudonyms.of(actor, connection.id),
        at=now,
        plan=ports.artifacts.put(plan.model_dump_json().encode(), "application/json"),
    )
    return _begin(
        ports,
        record.model_copy(update={"adoption": adoption.model_copy(update={"consent": given})}),
        actor,
        deadline_seconds,
        pause_seconds,
        decision_seconds,
    )


def reconcile(
    ports: ProjectPorts,
    project: str,
    *,
    actor: str,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int,
) -> Asked:
    """Another run of the steps that were agreed to, or the one that is under way. Arguments are as of ``consent``."""
    record, adoption = adopted(ports, project)
    if record.state in UNDER_WAY:
        return _under_way(ports, record)
    if adoption.consent is None or record.state not in {
        ProjectState.COMPLETED, ProjectState.ACCEPTED, ProjectState.FAILED,
    }:  # fmt: skip
        raise RefusedError(
            f"the project {project} is {record.state}", "Nothing is reconciled without consent; adopt it first."
        )
    _takes_changes(ports.connection(record.connection))
    return _begin(ports, record, actor, deadline_seconds, pause_seconds, decision_seconds)


def _same_again(
    ports: ProjectPorts, record: ProjectRecord, adoption: Adoption, digest: str, steps: Sequence[str] | None
) -> Asked | None:
    given = adoption.consent
    if given is None or record.state not in UNDER_WAY or given.digest != digest:
        return None
    if steps is not None and set(steps) != set(given.steps):
        raise RefusedError("other steps of this plan were consented to already", "Look at its status page.")
    return _under_way(ports, record)


def _under_way(ports: ProjectPorts, record: ProjectRecord) -> Asked:
    found = ports.requests.get(REQUESTS, record.subject)
    kept = found[0].start if found and found[0].instance == record.instance else None
    return Asked(instance=record.instance, start=kept, again=True)


def _takes_changes(connection: Connection) -> None:
    if connection.paused:
        raise RefusedError(f"connection {connection.id} is paused", "Resume it, then consent again.")
    if is_advisory(connection):
        raise RefusedError(
            f"connection {connection.id} is advisory: plans are shown and not applied",
            "Set its mode to enforced, then consent again.",
        )


def _show_anew(ports: ProjectPorts, record: ProjectRecord, digest: str) -> None:
    while True:
        found = ports.projects.get(PROJECTS, record.id)
        if found is None or found[0].adoption is None or found[0].state is not ProjectState.ADOPTABLE:
            return
        adoption = found[0].adoption.model_copy(update={"shown": digest, "planned_at": ports.clock.now()})
        try:
            ports.projects.replace(PROJECTS, record.id, found[0].model_copy(update={"adoption": adoption}), found[1])
            return
        except ConflictError:
            continue


def _chosen(agreeable: Sequence[str], steps: Sequence[str] | None) -> tuple[str, ...]:
    if steps is None:
        return tuple(agreeable)
    if unknown := [step for step in steps if step not in agreeable]:
        raise WishFaultError(
            tuple(
                FieldFault(
                    field="steps",
                    problem=f"{step!r} is no step that can be agreed to; there are: {', '.join(agreeable)}",
                    example=next(iter(agreeable), ""),
                )
                for step in unknown
            )
        )
    if not steps:
        fault = FieldFault(field="steps", problem="names no step; leave it out to agree to all", example=agreeable[0])
        raise WishFaultError((fault,))
    return tuple(step for step in agreeable if step in steps)


def _begin(
    ports: ProjectPorts,
    record: ProjectRecord,
    actor: str,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int,
) -> Asked:
    found = ports.projects.get(PROJECTS, record.id)
    if found is None or found[0].state != record.state or found[0].instance != record.instance:
        raise RefusedError("somebody else changed it in this moment", "Look at its status page.")
    subject = subject_of(record.id)
    request = ports.requests.get(REQUESTS, subject)
    number = (request[0].run if request else 0) + 1
    origin = RequestOrigin(subject=subject, requester=actor)
    now = ports.clock.now()
    run = new_run(
        origin,
        number,
        record.connection,
        hashlib.sha256(record.request.model_dump_json().encode()).hexdigest(),
        request=record.request,
        deadline_seconds=deadline_seconds,
        pause_seconds=pause_seconds,
        decision_seconds=decision_seconds,
    )
    claimed = record.model_copy(
        update={
            "subject": subject,
            "run": number,
            "instance": run.instance,
            "origin": origin,
            "state": ProjectState.RUNNING,
            "plan": "",
            "reason": "",
            "question": None,
            "started_at": now,
            "finished_at": None,
        }
    )
    try:
        keep(ports, run, request[1] if request else None, project=record.id)
        ports.projects.replace(PROJECTS, record.id, claimed, found[1])
    except ConflictError:
        raise RefusedError("somebody else changed it in this moment", "Look at its status page.") from None
    return Asked(instance=run.instance, start=run)
