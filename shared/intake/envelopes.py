"""Wraps a verified webhook for the queue, moving what does not fit to the artifact store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import parse_qs

from pydantic import JsonValue
from pydantic_core import from_json, to_json

from shared.domain.delivery import Envelope
from shared.domain.forge import ForgeName
from shared.domain.keys import bounded
from shared.errors import RefusedError
from shared.ports import ArtifactStore

LARGEST_BODY = 25 * 1024 * 1024
"""GitHub caps payloads at 25 MB: https://docs.github.com/webhooks/webhook-events-and-payloads#payload-cap"""


def json_value(text: str) -> JsonValue:
    """What ``text`` says. Raises ``ValueError`` when it is not JSON, ``RecursionError`` when it is nested too deep.

    pydantic's parser takes half the time of the standard one, which has the last word on what the first refuses: half
    of a surrogate pair, or deep nesting.
    """
    try:
        value: JsonValue = from_json(text)
    except ValueError:
        value = json.loads(text)
    return value


def payload_text(body: bytes, content_type: str) -> str:
    """The JSON text of a webhook body; GitHub may also send it as the form field ``payload``.

    Raises ``RefusedError`` when it is not JSON, or not an object.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(f"the body is not UTF-8: byte {error.start} is wrong") from error
    if content_type.split(";", 1)[0].strip().lower() == "application/x-www-form-urlencoded":
        text = parse_qs(text).get("payload", [""])[0]
    try:
        payload = json_value(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"the body is not JSON: {error}") from error
    if not isinstance(payload, dict):
        raise RefusedError("the body is JSON and not an object")
    return text


def azure_devops_identity(payload: Mapping[str, JsonValue], body: bytes) -> tuple[str, str]:
    """(delivery id, event type) of a service hook. One event reaches each subscription under the same ``id``."""
    event = payload.get("eventType")
    subscription, notification, ident = payload.get("subscriptionId"), payload.get("notificationId"), payload.get("id")
    parts = [str(part) for part in (subscription, notification, ident) if part not in (None, "")]
    return "-".join(parts) or hashlib.sha256(body).hexdigest(), event if isinstance(event, str) else ""


def wrap(
    *,
    forge: ForgeName,
    delivery: str,
    event: str,
    text: str,
    received_at: datetime,
    correlation: str,
    artifacts: ArtifactStore,
    large: int,
) -> Envelope:
    """The envelope; a body of more than ``large`` bytes is stored first and referred to (claim check)."""
    encoded = text.encode()
    fits = len(encoded) <= large and _within(text, encoded, large * 5 // 4)
    return Envelope(
        forge=forge,
        id=_short(delivery),
        event=event[:100],
        received_at=received_at,
        correlation=correlation[:200],
        body=text if fits else "",
        claim="" if fits else artifacts.put(encoded, "application/json"),
    )


def _within(text: str, encoded: bytes, most: int) -> bool:
    """Whether ``text``, which is JSON, takes at most ``most`` bytes inside the envelope's own JSON.

    There each of its bytes takes two at most: JSON holds quotes, backslashes and line ends, and no other that is escaped.
    """
    return 2 * len(encoded) + 2 <= most or len(to_json(text)) <= most


def _short(delivery: str) -> str:
    # An id cut short could be another delivery's; one that makes no key could never be written down.
    return (
        bounded(delivery)
        if len(delivery) <= 200
        else "sha256-" + hashlib.sha256(delivery.encode("utf-8", "surrogatepass")).hexdigest()
    )


def unwrap(envelope: Envelope, artifacts: ArtifactStore) -> dict[str, JsonValue]:
    """The payload an envelope carries."""
    text = artifacts.get(envelope.claim).decode() if envelope.claim else envelope.body
    payload = json_value(text)
    if not isinstance(payload, dict):
        raise RefusedError("the payload is not an object")
    return payload
