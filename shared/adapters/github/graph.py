"""Decides what a GraphQL answer of GitHub means: it may hold data, errors, or both at once, all with status 200."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from shared.adapters.github.client import GitHubClient
from shared.domain.change import Unknown
from shared.errors import RefusedError, TransientError

# https://docs.github.com/graphql/overview/rate-limits-and-query-limits-for-the-graphql-api
_PASSING = re.compile(r"something went wrong|timed? ?out|timeout|rate limit|temporarily", re.IGNORECASE)
_LATER = frozenset({"RATE_LIMITED", "RATE_LIMIT", "SERVICE_UNAVAILABLE", "INTERNAL"})
_WAIT = 60.0


class Fault(NamedTuple):
    """One error of an answer."""

    kind: str
    message: str
    path: tuple[str, ...]
    """Response keys down to the field that could not be had."""
    code: str = ""

    @property
    def absent(self) -> bool:
        """Whether it says no more than that there is no such thing."""
        return self.kind == "NOT_FOUND"


class Answered(NamedTuple):
    """What GitHub told and what it did not."""

    data: dict[str, Any]
    faults: tuple[Fault, ...]

    def refusal(self, *path: str) -> Unknown | None:
        """Why the field of that path could not be had, where GitHub refused it or something in it."""
        for fault in self.faults:
            if fault.path[: len(path)] == path and not fault.absent:
                return Unknown(reason=f"GitHub refused {path[-1]}: {fault.message}")
        return None


class UnknownFieldError(RefusedError):
    """This GitHub does not know a field that was asked for: an Enterprise Server older than the field."""


def ask(client: GitHubClient, document: str, variables: Mapping[str, Any], *, changes: bool = False) -> Answered:
    """Send one query, or with ``changes`` one mutation.

    Raises ``TransientError`` where the answer says that it may be another later, ``UnknownFieldError``, and
    ``RefusedError`` where a query was told nothing at all.
    """
    answer = client.graphql(document, variables, changes=changes)
    if not isinstance(answer, dict):
        raise TransientError("GitHub's GraphQL answer is no object")
    faults = _faults(answer.get("errors") or ())
    words = "; ".join(fault.message for fault in faults)
    # A time-out has no type; the words of other errors hold names that people chose.
    if any(fault.kind in _LATER or (not fault.kind and _PASSING.search(fault.message)) for fault in faults):
        limited = any("RATE" in fault.kind or "rate limit" in fault.message.lower() for fault in faults)
        raise TransientError(f"GitHub's GraphQL: {words}", _WAIT if limited else None)
    if any(fault.code == "undefinedField" for fault in faults):
        raise UnknownFieldError(f"GitHub's GraphQL: {words}", "Update GitHub Enterprise Server")
    data = answer.get("data")
    if data is None and changes and faults:
        return Answered({}, faults)
    if data is None:
        raise RefusedError(f"GitHub's GraphQL refused: {words or 'no data'}", "Check what the credential may do")
    return Answered(data, faults)


def _faults(errors: Sequence[Any]) -> tuple[Fault, ...]:
    return tuple(
        Fault(
            kind=str(error.get("type") or ""),
            message=str(error.get("message") or "no message")[:500],
            path=tuple(str(part) for part in error.get("path") or ()),
            code=str((error.get("extensions") or {}).get("code") or ""),
        )
        for error in errors
        if isinstance(error, dict)
    )
