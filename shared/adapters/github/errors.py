"""Decides what each failure of GitHub means to Doneright: wait and call again, refused, not supported, or absent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from shared.errors import DonerightError, NotSupportedError, RefusedError, TransientError

# GitHub asks for at least a minute when it names no time for a secondary limit.
# https://docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api
SECONDARY_LIMIT_WAIT = 60.0

_RATE_LIMIT = re.compile(r"rate limit|abuse detection", re.IGNORECASE)
# https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api: comments made too fast
_TOO_QUICK = re.compile(r"submitted too quickly", re.IGNORECASE)
_PLAN = re.compile(
    r"upgrade to github|upgrade your plan|not available (?:for|on) (?:this|your)|must be enabled for this repository"
    r"|requires github (?:pro|team|enterprise)|advanced security must be|billing plan supports",
    re.IGNORECASE,
)
_DIGITS = re.compile(r"[0-9]{1,12}")
_WORKFLOW = re.compile(r"refusing to allow .* workflow", re.IGNORECASE)


class NotFoundError(RefusedError):
    """GitHub shows nothing there: it is absent, or this credential may not see it (GitHub does not tell which)."""


class CredentialError(RefusedError):
    """GitHub does not accept the credential."""


class AlreadyThereError(RefusedError):
    """A create or an update met something that is already there (409, or 422 in the words for it)."""


class UnprocessableError(RefusedError):
    """GitHub understood the request and finds its content wrong (400, 422)."""


class EmptyRepositoryError(RefusedError):
    """Git data was asked of a repository that has no commit yet (409)."""


def translated(status: int, headers: Mapping[str, str], body: Any, *, action: str, now: datetime) -> DonerightError:
    """The error that tells an operator what an answer of GitHub with a status of 400 or more means.

    Args:
        status: HTTP status.
        headers: response headers with lower-case names.
        body: the decoded JSON body.
        action: what was tried, e.g. ``POST /orgs/x/repos``; free of secrets.
        now: the time of day, to turn a reset time into seconds.
    """
    message = _message(body)
    return (
        _passing(status, headers, body, action, now)
        or _worded(status, message, body, action)
        or _by_status(status, headers, body, action)
    )


def _passing(status: int, headers: Mapping[str, str], body: Any, action: str, now: datetime) -> TransientError | None:
    message = _message(body)
    throttled = status == 403 and _throttled(headers, message)
    if status == 429 or throttled or (status in {403, 422} and _TOO_QUICK.search(_reasons(body))):
        return TransientError(f"GitHub throttles {action}: {message}", _wait(headers, now))
    if status >= 500 or status == 408:
        return TransientError(f"GitHub answered {status} to {action}: {message}", _retry_after(headers, now))
    return None


def _worded(status: int, message: str, body: Any, action: str) -> RefusedError | None:
    """What only the words of the answer tell."""
    if status in {403, 404, 422} and _WORKFLOW.search(message):
        return RefusedError(
            f"GitHub refused {action}: {message}",
            "Grant the App the permission workflows=write, or the token the scope workflow",
        )
    if status in {402, 403, 404, 422} and _PLAN.search(message):
        return NotSupportedError(
            f"GitHub's plan does not offer this ({action}): {message}",
            "Upgrade the plan of the account, make the repository public, or do without",
        )
    if status == 409 and "is empty" in message.lower():
        return EmptyRepositoryError(f"The repository is empty ({action})", "Push a first commit")
    if status in {409, 422} and _already_there(body):
        return AlreadyThereError(f"GitHub refused {action}: {_reasons(body)}", "Read what is there and decide")
    return None


def _by_status(status: int, headers: Mapping[str, str], body: Any, action: str) -> DonerightError:
    message = _message(body)
    if status == 401:
        return CredentialError(
            f"GitHub refused the credential for {action}: expired or revoked ({message})",
            "Store a new personal access token, or for a GitHub App check its id, private key and installation",
        )
    if status == 404:
        return NotFoundError(
            f"GitHub shows nothing at {action}: {message}",
            f"Check the name, and that the credential may reach it{_accepted(headers)}",
        )
    if status == 403:
        return RefusedError(f"GitHub refused {action}: {message}", f"Grant the permission{_accepted(headers)}")
    if status == 409:
        return TransientError(f"GitHub reports a conflict on {action}: {message}")
    return UnprocessableError(f"GitHub refused {action} ({status}): {_reasons(body)}", "Correct the named fields")


def _message(body: Any) -> str:
    text = body.get("message") or body.get("data") if isinstance(body, dict) else None
    return str(text)[:500] if text else "no message"


def _reasons(body: Any) -> str:
    errors = body.get("errors") if isinstance(body, dict) else None
    if not isinstance(errors, list) or not errors:
        return _message(body)
    return f"{_message(body)}: " + "; ".join(_reason(error) for error in errors)


def _reason(error: Any) -> str:
    if not isinstance(error, dict):
        return str(error)
    where = ".".join(str(error[key]) for key in ("resource", "field") if error.get(key))
    what = error.get("message") or error.get("code") or "invalid"
    return f"{where}: {what}" if where else str(what)


def _already_there(body: Any) -> bool:
    errors = body.get("errors") if isinstance(body, dict) else None
    if isinstance(errors, list) and any(isinstance(e, dict) and e.get("code") == "already_exists" for e in errors):
        return True
    text = _reasons(body).lower()
    return "already exist" in text or "sha\" wasn't supplied" in text


def _throttled(headers: Mapping[str, str], message: str) -> bool:
    return "retry-after" in headers or headers.get("x-ratelimit-remaining") == "0" or bool(_RATE_LIMIT.search(message))


def _wait(headers: Mapping[str, str], now: datetime) -> float:
    said = _retry_after(headers, now)
    if said is not None:
        return said
    reset = headers.get("x-ratelimit-reset", "")
    if headers.get("x-ratelimit-remaining") == "0" and _DIGITS.fullmatch(reset):
        return max(1.0, float(reset) - now.timestamp())
    return SECONDARY_LIMIT_WAIT


def _retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """Seconds, from either form of RFC 9110 section 10.2.3; ``None`` when absent or unreadable."""
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


def _accepted(headers: Mapping[str, str]) -> str:
    """The permissions GitHub says would do, from its two headers for it."""
    wanted = []
    if headers.get("x-accepted-github-permissions"):
        wanted.append(f"App or fine-grained token: {headers['x-accepted-github-permissions']}")
    if headers.get("x-accepted-oauth-scopes"):
        wanted.append(f"classic token, one scope of: {headers['x-accepted-oauth-scopes']}")
    return f" ({'; '.join(wanted)})" if wanted else ""
