"""Keeps every delivery with what became of it, so that nothing is lost and anything can be handled again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import ValidationError

from shared.domain.audit import TENANT, AuditTag, NewAuditEvent
from shared.domain.delivery import DeliveryRecord, DeliveryState, Envelope
from shared.domain.run import RunInput
from shared.errors import ConflictError, RefusedError
from shared.intake.handling import Handling, unreadable_id
from shared.ports import ArtifactStore, AuditLog, Clock, Queue, Records

DELIVERIES = "deliveries"


@dataclass(frozen=True)
class Keeper:
    """The record of deliveries."""

    clock: Clock
    audit: AuditLog
    artifacts: ArtifactStore
    deliveries: Records[DeliveryRecord]
    queue: Queue

    def handled(self, envelope: Envelope, handling: Handling, attempts: int) -> None:
        """Write down what became of a delivery."""
        started: RunInput | None = handling.start
        self._put(
            DeliveryRecord(
                envelope=envelope,
                id=envelope.id,
                forge=envelope.forge,
                event=envelope.event,
                state=handling.state,
                reason=handling.reason,
                attempts=attempts,
                subject=handling.subject,
                instance=started.instance if started else "",
                connection=handling.connection,
                updated_at=self.clock.now(),
            )
        )

    def failing(self, envelope: Envelope, reason: str, attempts: int) -> None:
        """Write down why a try failed, so that the reason is there when the tries are used up."""
        self._put(
            DeliveryRecord(
                envelope=envelope,
                id=envelope.id,
                forge=envelope.forge,
                event=envelope.event,
                state=DeliveryState.FAILING,
                reason=reason,
                attempts=attempts,
                updated_at=self.clock.now(),
            )
        )

    def poisoned(self, message: str) -> DeliveryRecord:
        """Keep a message whose tries are used up, with the reason of the last one."""
        now = self.clock.now()
        try:
            envelope = Envelope.model_validate_json(message)
        except ValidationError as error:
            record = DeliveryRecord(
                id=unreadable_id(message),
                state=DeliveryState.POISONED,
                reason=f"the message is no envelope: {error.errors(include_url=False)[0]['msg']}",
                updated_at=now,
                raw=self.artifacts.put(message.encode(), "text/plain"),
            )
        else:
            found = self.find(envelope.id)
            record = DeliveryRecord(
                envelope=envelope,
                id=envelope.id,
                forge=envelope.forge,
                event=envelope.event,
                state=DeliveryState.POISONED,
                reason=found.reason if found else "the app stopped during every try",
                attempts=found.attempts if found else 0,
                updated_at=now,
            )
        self._put(record)
        self.audit.append(
            TENANT,
            NewAuditEvent(
                tag=AuditTag.DELIVERY_POISONED,
                instance=f"delivery-{record.id}",
                step=f"poisoned.{record.envelope.replay if record.envelope else 0}",
                subject=record.id,
                detail={"event": record.event, "reason": record.reason},
            ),
        )
        return record

    def find(self, delivery: str) -> DeliveryRecord | None:
        """The delivery of that id."""
        found = self.deliveries.get(DELIVERIES, delivery)
        return found[0] if found else None

    def listed(self, state: DeliveryState | None = None, limit: int = 200) -> Sequence[DeliveryRecord]:
        """Deliveries, the latest first; of one state when given."""
        rows = [record for _, _, record in self.deliveries.list(DELIVERIES, limit=100_000)]
        chosen = [record for record in rows if state is None or record.state is state]
        return sorted(chosen, key=lambda record: record.updated_at, reverse=True)[:limit]

    def replay(self, delivery: str, actor: str) -> DeliveryRecord:
        """Queue a kept delivery again. Raises ``RefusedError`` for one that is unknown or was never readable."""
        while True:
            found = self.deliveries.get(DELIVERIES, delivery)
            if found is None:
                raise RefusedError(f"there is no delivery {delivery}", "GET /api/deliveries lists those on record.")
            record, etag = found
            if record.envelope is None:
                raise RefusedError(
                    "the message was never readable, so there is nothing to handle",
                    f"Its bytes are kept as artifact {record.raw}; send what it should have been again.",
                )
            envelope = record.envelope.model_copy(update={"replay": record.envelope.replay + 1})
            again = record.model_copy(
                update={
                    "envelope": envelope,
                    "state": DeliveryState.QUEUED_AGAIN,
                    "reason": record.reason,
                    "updated_at": self.clock.now(),
                }
            )
            try:
                self.deliveries.replace(DELIVERIES, delivery, again, etag)
            except ConflictError:
                continue
            break
        self.audit.append(
            TENANT,
            NewAuditEvent(
                tag=AuditTag.DELIVERY_REPLAYED,
                instance=f"delivery-{delivery}",
                step=f"replay.{envelope.replay}",
                subject=delivery,
                actor=actor,
                detail={"event": record.event, "was": record.state.value},
            ),
        )
        self.queue.send(envelope.model_dump_json())
        return again

    def release(self, connection: str) -> int:
        """Queue what was held for a paused connection; how many there were."""
        held = [r for r in self.listed(DeliveryState.HELD, 100_000) if r.connection == connection and r.envelope]
        for record in held:
            if record.envelope:
                self.queue.send(record.envelope.model_dump_json())
        return len(held)

    def _put(self, record: DeliveryRecord) -> None:
        self.deliveries.put(DELIVERIES, record.id, record)
