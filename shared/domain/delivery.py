"""A delivery: one webhook as it arrived, verified, and what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import ForgeName, Frozen
from shared.domain.run import RunInput


class DeliveryState(StrEnum):
    """What became of a delivery."""

    HANDLED = "handled"
    IGNORED = "ignored"
    DUPLICATE = "duplicate"
    HELD = "held"
    FAILING = "failing"
    POISONED = "poisoned"
    QUEUED_AGAIN = "queued_again"


class Envelope(Frozen):
    """What travels on the queue: the body itself, or the digest it is stored under when it is large."""

    version: int = 1
    forge: ForgeName
    id: str = Field(min_length=1, description="X-GitHub-Delivery, or made of subscription, notification and event id.")
    event: str
    received_at: datetime
    correlation: str = ""
    body: str = ""
    claim: str = Field(default="", description="Digest of the body in the artifact store; then `body` is empty.")
    replay: int = Field(default=0, description="How often a person asked for it to be handled again.")


class DeliveryRecord(Frozen):
    """A delivery on record."""

    envelope: Envelope | None = Field(default=None, description="None when the message could not be read at all.")
    id: str
    forge: ForgeName | None = None
    event: str = ""
    state: DeliveryState
    reason: str = ""
    attempts: int = 0
    subject: str = ""
    instance: str = ""
    connection: str = ""
    updated_at: datetime
    raw: str = Field(default="", description="Digest of the unreadable message, when that is all there is.")


class RequestState(StrEnum):
    """Where the run for a subject stands."""

    RUNNING = "running"
    REFUSED = "refused"
    FAILED = "failed"
    COMPLETED = "completed"
    ADVISED = "advised"


class RequestRecord(Frozen):
    """The latest run for a subject; it decides whether another delivery starts a new one."""

    subject: str
    run: int = 1
    instance: str
    state: RequestState
    content_digest: str = Field(description="Of what the requester wrote; an edit after a refusal starts a new run.")
    project: str = ""
    connection: str
    updated_at: datetime
    start: RunInput | None = Field(
        default=None,
        description="What the run was started with, so that one its engine lost can be started again; None once a"
        " refusal was answered.",
    )
