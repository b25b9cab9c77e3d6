"""Keeps simulations of policies: what was asked, where it stands, and the answer, each on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from shared.domain.audit import AuditTag, NewAuditEvent
from shared.domain.simulation import (
    AskedSimulation,
    Simulated,
    SimulationRecord,
    SimulationState,
    SimulationView,
)
from shared.errors import RefusedError
from shared.reviews.ports import ReviewPorts
from shared.reviews.simulating import simulate

RUNBOOK = "simulation"
SIMULATIONS = "simulations"
"""Partition of the records."""
MOST_KEPT = 10_000
"""Simulations that are looked through for lost ones."""
JSON = "application/json"
YAML = "application/yaml"


def begin(ports: ReviewPorts, asked: AskedSimulation, text: str) -> AskedSimulation:
    """Keep the question with the policy's text, before its run is started."""
    asked = asked.model_copy(update={"policy": ports.artifacts.put(text.encode(), YAML)})
    ports.simulations.create(SIMULATIONS, asked.id, SimulationRecord(asked=asked, created_at=ports.clock.now()))
    return asked


def quiet(ports: ReviewPorts, since: datetime) -> Sequence[AskedSimulation]:
    """Those begun before ``since`` that have no end yet, to be offered to the engine, which may have lost them."""
    return [
        record.asked
        for _, _, record in ports.simulations.list(SIMULATIONS, MOST_KEPT)
        if record.finished_at is None and record.created_at < since
    ]


def carry_out(ports: ReviewPorts, asked: AskedSimulation) -> str:
    """Simulate, keep the answer and put it on record; its digest, empty where it is refused, which is kept as its reason.

    Once it has ended, doing it again changes nothing.
    """
    try:
        result = simulate(ports, asked)
    except RefusedError as error:
        break_off(ports, asked, f"{error.reason}. {error.remedy}".strip())
        return ""
    digest = ports.artifacts.put(result.model_dump_json().encode(), JSON)
    ports.audit.append(
        asked.project,
        NewAuditEvent(
            tag=AuditTag.POLICY_SIMULATED,
            instance=asked.id,
            step="simulated",
            subject=asked.project,
            actor=asked.actor,
            detail={"level": asked.level.value, "changes": len(result.changes), "counts": dict(result.counts)},
            artifacts=(asked.policy, digest),
        ),
    )
    _end(ports, asked, SimulationState.COMPLETED, result=digest)
    return digest


def break_off(ports: ReviewPorts, asked: AskedSimulation, reason: str) -> str:
    """Put down that there will be no answer, and why."""
    _end(ports, asked, SimulationState.FAILED, reason=reason)
    return reason


def kept(ports: ReviewPorts, ident: str) -> SimulationRecord | None:
    """The record of a simulation; ``None`` for an unknown one."""
    found = ports.simulations.get(SIMULATIONS, ident)
    return found[0] if found else None


def view_of(ports: ReviewPorts, ident: str) -> SimulationView | None:
    """How a simulation stands, with its answer; ``None`` for an unknown one."""
    record = kept(ports, ident)
    if record is None:
        return None
    result = Simulated.model_validate_json(ports.artifacts.get(record.result)) if record.result else None
    return SimulationView(
        id=record.asked.id,
        project=record.asked.project,
        state=record.state,
        reason=record.reason,
        level=record.asked.level,
        last=record.asked.last,
        created_at=record.created_at,
        finished_at=record.finished_at,
        result=result,
    )


def _end(
    ports: ReviewPorts, asked: AskedSimulation, state: SimulationState, *, reason: str = "", result: str = ""
) -> None:
    record = kept(ports, asked.id) or SimulationRecord(asked=asked, created_at=ports.clock.now())
    if record.finished_at is None:
        changes = {"state": state, "reason": reason, "result": result, "finished_at": ports.clock.now()}
        ports.simulations.put(SIMULATIONS, asked.id, record.model_copy(update=changes))
