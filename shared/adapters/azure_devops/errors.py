"""Decides what each failure of Azure DevOps means to Doneright: wait and call again, refused, not supported, absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.errors import ConflictError, DonerightError, NotSupportedError, RefusedError, TransientError

CREDENTIAL_REMEDY = (
    "Store a new credential. A personal access token for all organizations stops working on 2026-12-01: "
    "connect a Microsoft Entra identity (managed identity or service principal) instead"
)

_ABSENT = re.compile(r"NotFound|DoesNotExist|NotExist|UnknownProject|WorkItemUnauthorizedAccess")
_ALREADY_THERE = re.compile(r"AlreadyExist|NameConflict|DefinitionExists|Duplicate|NameNotUnique")
_STALE = re.compile(r"Stale|Concurren|Conflict|RevisionMismatch|ChangedSince")
_LICENSE = re.compile(r"Licens|FeatureDisabled|FeatureNotEnabled|Entitlement|NotSupportedOnHosted")
_DIGITS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")


class NotFoundError(RefusedError):
    """The service shows nothing there: it is absent, or this identity may not see it."""


class CredentialError(RefusedError):
    """The service does not accept the credential."""


class AccessError(RefusedError):
    """The credential is good, but lacks a permission."""


class TooLargeError(RefusedError):
    """The service answers more than was asked to be read at once."""


class AlreadyThereError(ConflictError):
    """A create met something that has the name already."""


def translated(
    status: int, headers: Mapping[str, str], body: Any, *, action: str, now: datetime
) -> DonerightError | None:
    """What an answer of Azure DevOps means; ``None`` when it is a success.

    Args:
        status: HTTP status.
        headers: response headers, names in any case.
        body: decoded JSON, or ``None`` when the answer is no JSON.
        action: what was tried, e.g. ``POST /org/_apis/projects``; free of secrets.
        now: the time of day, to turn a date in ``Retry-After`` into seconds.
    """
    lower = {name.lower(): value for name, value in headers.items()}
    # An expired token is answered with 203 or 200 and a sign-in page for people.
    if status in {203, 401} or (status < 400 and "text/html" in lower.get("content-type", "")):
        return CredentialError(
            f"Azure DevOps does not accept the credential for {action}: expired, revoked or without the scope",
            CREDENTIAL_REMEDY,
        )
    if status < 400:
        return None
    message, type_key = _message(body, status), _type_key(body)
    if "deactivated due to inactivity" in message:
        return RefusedError(f"The organization is deactivated: {message}", "Its owner activates it again")
    if status in {408, 429} or status >= 500:
        verb = "throttles" if status == 429 else f"answered {status} to"
        return TransientError(f"Azure DevOps {verb} {action}: {message}", _retry_after(lower, now))
    return _refused(status, message, type_key, f"Azure DevOps refused {action}: {message}")


def _refused(status: int, message: str, type_key: str, reason: str) -> DonerightError:
    if status == 405 or _LICENSE.search(type_key):
        return NotSupportedError(reason, "Give the identity a Basic license, enable the feature, or use a newer server")
    if status == 404 or _ABSENT.search(type_key):
        return NotFoundError(reason, "Check the name, and that the identity may see it")
    if _ALREADY_THERE.search(type_key) or "TF200019" in message:
        return AlreadyThereError(reason)
    if status in {409, 412} or _STALE.search(type_key):
        return ConflictError(reason)
    if status == 403:
        return AccessError(reason, "Grant the identity the permission that the message names, or ask an administrator")
    return RefusedError(reason, "Correct what the message names")


def _message(body: Any, status: int) -> str:
    found = body.get("message") if isinstance(body, dict) else None
    if found is None and isinstance(body, dict) and isinstance(body.get("value"), dict):
        found = body["value"].get("Message")
    return " ".join(str(found).split())[:700] if found else f"status {status} without a message"


def _type_key(body: Any) -> str:
    return str(body.get("typeKey") or "") if isinstance(body, dict) else ""


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds; https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits, RFC 9110 section 10.2.3."""
    value = headers.get("retry-after", "").strip()
    if _DIGITS.fullmatch(value):
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
