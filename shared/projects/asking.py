"""Decides what a request by a call starts: a run of its own, the one that is under way with the same request, or none.

The request is kept before its run is started, so that what was answered 202 can be started again whatever breaks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from pydantic import Field, JsonValue

from shared.domain.connection import Connection
from shared.domain.delivery import RequestState
from shared.domain.faults import FieldFault
from shared.domain.forge import Frozen
from shared.domain.project import ProjectRequest, RequestOrigin
from shared.domain.run import UNDER_WAY, Admission, RunInput
from shared.errors import ConflictError
from shared.projects.admission import objection
from shared.projects.beginning import keep, new_run
from shared.projects.lost import to_take_up
from shared.projects.ports import REQUESTS, ProjectPorts

LONGEST_SHOWN = 200
"""Characters of a field's content that a refusal repeats."""


class Asked(Frozen):
    """What follows from a request by a call."""

    instance: str = Field(description="The run that carries the request out.")
    start: RunInput | None = Field(default=None, description="What to start; None: an issue's run carries it out.")
    again: bool = Field(default=False, description="Whether that run was begun before and may only have been lost.")


def ask(
    ports: ProjectPorts,
    request: ProjectRequest,
    connection: Connection,
    requester: str,
    *,
    deadline_seconds: int,
    pause_seconds: float,
    decision_seconds: int = 0,
) -> Asked | Admission:
    """The run for ``request``, kept on record; an ``Admission`` that is none says what stands against it."""
    origin = RequestOrigin(subject=f"api-{request.project_id}", requester=requester)
    while True:
        found = ports.requests.get(REQUESTS, origin.subject)
        existing = ports.project(request.project_id)
        if found and (kept := to_take_up(found[0])) and kept.request:
            if kept.connection != connection.id:
                return (existing and objection(existing, origin, connection, request)) or _asked_elsewhere(kept)
            return _differing(kept.request, request) or Asked(instance=kept.instance, start=kept, again=True)
        if existing and existing.connection == connection.id and existing.state in UNDER_WAY:
            return _differing(existing.request, request) or Asked(instance=existing.instance)
        if existing and (against := objection(existing, origin, connection, request)):
            return against
        number = found[0].run + (found[0].state is not RequestState.RUNNING) if found else 1
        run = new_run(
            origin,
            number,
            connection.id,
            hashlib.sha256(request.model_dump_json().encode()).hexdigest(),
            request=request,
            deadline_seconds=deadline_seconds,
            pause_seconds=pause_seconds,
            decision_seconds=decision_seconds,
        )
        try:
            keep(ports, run, found[1] if found else None)
        except ConflictError:
            continue  # somebody asked for it in between: weigh what they asked for
        return Asked(instance=run.instance, start=run)


def _asked_elsewhere(kept: RunInput) -> Admission:
    return Admission(
        reason=f"the project is being asked for through connection {kept.connection} at this moment",
        remedy="Choose another name.",
        faults=(FieldFault(field="name", problem="is taken"),),
    )


def _differing(running: ProjectRequest, asked: ProjectRequest) -> Admission | None:
    ours, theirs = _fields(running.model_dump(mode="json")), _fields(asked.model_dump(mode="json"))
    faults = tuple(
        FieldFault(field=name, problem=f"the run under way has {_shown(ours[name])}", example=_shown(ours[name]))
        for name in ours
        if ours[name] != theirs[name]
    )
    if not faults:
        return None
    return Admission(
        reason=f"the project {running.project_id} is being made at this moment, from another request",
        remedy="Wait until its run has ended, then ask again; or ask with these fields as the run has them.",
        faults=faults,
    )


def _fields(values: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    flat: dict[str, JsonValue] = {}
    for name, value in values.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": content for inner, content in value.items()}
        else:
            flat[name] = value
    return flat


def _shown(value: JsonValue) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return (text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…") or '""'
