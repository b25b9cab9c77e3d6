"""The bytes that are hashed into the log: canonical JSON (RFC 8785) of an event, its detail represented by a digest.

Because only the digest of ``detail`` is hashed, a detail can be erased later without breaking any proof.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from json.encoder import encode_basestring

from pydantic import JsonValue

from shared.domain.audit import AuditEvent
from shared.errors import DefectError

_SAFE_INTEGER = 2**53 - 1


def canonical_json(value: JsonValue) -> bytes:
    """``value`` as RFC 8785 canonical JSON in UTF-8.

    Raises:
        DefectError: a number that IEEE 754 doubles cannot carry, or text that is not Unicode (a lone surrogate).
    """
    try:
        return _written(value).encode("utf-8")
    except UnicodeEncodeError as error:
        raise DefectError("a text holds half of a surrogate pair, which is not Unicode") from error


def _written(value: JsonValue) -> str:
    match value:
        case str():
            return encode_basestring(value)
        case None | bool():
            return json.dumps(value)
        case int():
            return _integer(value)
        case float():
            return _number(value)
        case list() | tuple():
            return "[" + ",".join(_written(item) for item in value) + "]"
        case dict():
            return "{" + ",".join(f"{encode_basestring(k)}:{_written(value[k])}" for k in _ordered(value)) + "}"
    raise DefectError(f"{type(value).__name__} is not a JSON value")


def _ordered(value: Mapping[str, JsonValue]) -> list[str]:
    """RFC 8785 §3.2.3: keys are ordered by their UTF-16 code units, not by code points, which is one for ASCII."""
    if all(map(str.isascii, value)):
        return sorted(value)
    return sorted(value, key=lambda key: key.encode("utf-16-be", "surrogatepass"))


def _integer(value: int) -> str:
    if abs(value) <= _SAFE_INTEGER:
        return str(value)
    try:
        written = _number(float(value))
    except OverflowError:
        written = "0"
    if int(Decimal(written)) != value and int(float(written)) != value:
        raise DefectError("an integer beyond 2^53 loses digits in JSON; record it as a text")
    return written


def _number(value: float) -> str:
    """ECMAScript's Number::toString (ECMA-262 §6.1.6.1.20), which RFC 8785 §3.2.2.3 prescribes."""
    if not math.isfinite(value):
        raise DefectError("JSON has no infinite number and no NaN")
    if value == 0:
        return "0"
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    text = "".join(map(str, digits))
    point = len(text) + int(exponent)
    if 0 < point <= 21:
        body = text + "0" * (point - len(text)) if point >= len(text) else f"{text[:point]}.{text[point:]}"
    elif -6 < point <= 0:
        body = "0." + "0" * -point + text
    else:
        mantissa = text if len(text) == 1 else f"{text[0]}.{text[1:]}"
        body = f"{mantissa}e{point - 1:+d}"
    return "-" * sign + body


def detail_digest(detail: Mapping[str, JsonValue]) -> str:
    """SHA-256 of the canonical JSON of ``detail``, hex."""
    return hashlib.sha256(canonical_json(dict(detail))).hexdigest()


def written_time(at: datetime) -> str:
    """``at`` in UTC to the microsecond, as in ``2026-01-31T08:00:00.000000Z``. Raises ``DefectError`` when naive."""
    if at.tzinfo is None:
        raise DefectError("an event's time has no time zone")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def leaf_of(event: AuditEvent) -> bytes:
    """The leaf data of ``event``: canonical JSON of every field but ``detail``. Its hash is ``merkle.leaf_hash``.

    Raises:
        DefectError: the event holds something that has no canonical form.
    """
    return canonical_json(
        {
            "project": event.project,
            "sequence": event.sequence,
            "at": written_time(event.at),
            "tag": event.tag.value,
            "instance": event.instance,
            "step": event.step,
            "subject": event.subject,
            "actor": event.actor,
            "detail_digest": event.detail_digest,
            "artifacts": list(event.artifacts),
        }
    )
