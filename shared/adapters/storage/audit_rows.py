"""How a log stands in a table: an event row, a head row and a dedupe row, all in the partition of their project."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from shared.adapters.storage.limits import check_row
from shared.audit.encoding import canonical_json, detail_digest, leaf_of, written_time
from shared.audit.merkle import Frontier, leaf_hash
from shared.domain.audit import AuditEvent, AuditHead, NewAuditEvent, Recorded
from shared.errors import DefectError

HEAD = "head"
_DIGITS = 16
_ADVICE = "store it as an artifact and record its digest"


class Dedupe(BaseModel):
    """What the log answers to a step it has recorded before."""

    model_config = ConfigDict(frozen=True)

    sequence: int
    leaf: str
    root: str


def event_key(sequence: int) -> str:
    """The row key of event ``sequence``; keys sort as the numbers do."""
    return f"e{sequence:0{_DIGITS}d}"


def dedupe_key(instance: str, step: str) -> str:
    """The row key under which ``(instance, step)`` is found again."""
    return "d" + hashlib.sha256(f"{instance}\0{step}".encode("utf-8", "surrogatepass")).hexdigest()


def at_sequence(event: AuditEvent, sequence: int) -> tuple[AuditEvent, bytes]:
    """``event`` at its place in the log, with its leaf hash."""
    placed = event.model_copy(update={"sequence": sequence})
    return placed, leaf_hash(leaf_of(placed))


def new_event(project: str, event: NewAuditEvent, at: Any) -> AuditEvent:
    """The event as it will be recorded, at a place still to be found.

    Raises:
        DefectError: a field has no canonical form or is larger than a table row can hold.
    """
    drafted = AuditEvent(
        project=project,
        sequence=0,
        at=at,
        tag=event.tag,
        instance=event.instance,
        step=event.step,
        subject=event.subject,
        actor=event.actor,
        detail_digest=detail_digest(event.detail),
        artifacts=event.artifacts,
        detail=event.detail,
    )
    leaf_of(drafted)
    check_row(event_row("p" * 512, drafted), advice=_ADVICE)
    return drafted


def event_row(partition: str, event: AuditEvent) -> dict[str, str | int]:
    """The event's row; what the keys say already is not repeated."""
    row: dict[str, str | int] = {
        "PartitionKey": partition,
        "RowKey": event_key(event.sequence),
        "at": written_time(event.at),
        "tag": event.tag.value,
        "instance": event.instance,
        "step": event.step,
        "subject": event.subject,
        "actor": event.actor,
        "detail_digest": event.detail_digest,
        "artifacts": json.dumps(event.artifacts),
    }
    if event.detail is not None:
        row["detail"] = canonical_json(event.detail).decode()
    return row


def read_event(project: str, row: Mapping[str, Any]) -> AuditEvent:
    """The event of ``row``.

    Raises:
        DefectError: the row was altered into something that is no event.
    """
    key = str(row.get("RowKey"))
    try:
        fields = {k: row[k] for k in ("at", "tag", "instance", "step", "subject", "actor", "detail_digest")}
        detail = row.get("detail")
        return AuditEvent(
            **fields,
            project=project,
            sequence=int(key.removeprefix("e")),
            artifacts=json.loads(row["artifacts"]),
            detail=None if detail is None else json.loads(detail),
        )
    except (KeyError, TypeError, ValueError) as error:
        what = ", ".join(str(e["loc"][0]) for e in error.errors()) if isinstance(error, ValidationError) else str(error)
        raise DefectError(f"row {key} of the log of {project!r} was altered and is no event: {what}") from error


def head_row(partition: str, frontier: Frontier) -> dict[str, str | int]:
    """The head's row."""
    return {
        "PartitionKey": partition,
        "RowKey": HEAD,
        "size": str(frontier.size),  # as text: Int32 ends at 2^31
        "root": frontier.root().hex(),
        "frontier": frontier.to_text(),
    }


def read_head(project: str, row: Mapping[str, Any]) -> tuple[AuditHead, Frontier]:
    """The head of ``row``, and the frontier to append to. Raises ``DefectError`` when the row was altered."""
    try:
        size, root, text = int(row["size"]), str(row["root"]), str(row["frontier"])
        frontier = Frontier.from_text(size, text)
    except (KeyError, TypeError, ValueError, DefectError) as error:
        raise DefectError(f"the head of the log of {project!r} was altered: {error}") from error
    if frontier.root().hex() != root:
        raise DefectError(f"the head of the log of {project!r} was altered: its root is not that of its frontier")
    return AuditHead(project=project, size=size, root=root, frontier=frontier.to_hex()), frontier


def dedupe_row(partition: str, event: AuditEvent, recorded: Recorded) -> dict[str, str | int]:
    """The row by which a repeated append is recognised."""
    return {
        "PartitionKey": partition,
        "RowKey": dedupe_key(event.instance, event.step),
        "sequence": str(recorded.sequence),
        "leaf": recorded.leaf,
        "root": recorded.root,
    }


def read_dedupe(project: str, row: Mapping[str, Any]) -> Dedupe:
    """What a dedupe row answers. Raises ``DefectError`` when the row was altered."""
    try:
        return Dedupe(sequence=int(row["sequence"]), leaf=str(row["leaf"]), root=str(row["root"]))
    except (KeyError, TypeError, ValueError) as error:
        raise DefectError(f"row {row.get('RowKey')} of the log of {project!r} was altered: {error}") from error
