"""Reads what a request to the durable HTTP API asks, and refuses a parameter or body that the API does not take."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf import timestamp_pb2, wrappers_pb2

from local.host.durable_answers import CONTINUATION, STATUS_NAMES
from local.host.messages import Request

STATUS_NUMBERS = {name.lower(): number for number, name in STATUS_NAMES.items()}


class BadRequestError(Exception):
    """A query parameter or body is not what the API takes; the message says which."""


async def json_body(request: Request, *, required: bool) -> str | None:
    """The body as JSON text, or None when there is none.

    Raises:
        BadRequestError: it is not JSON, or is missing though required.
    """
    body = await request.body()
    if not body:
        if required and request.headers.get(b"content-type", b"").startswith(b"application/json"):
            return "null"
        if required:
            raise BadRequestError("Only application/json request content is supported")
        return None
    if required and not request.headers.get(b"content-type", b"application/json").startswith(b"application/json"):
        raise BadRequestError("Only application/json request content is supported")
    try:
        text = body.decode("utf-8")
        json.loads(text)
    except ValueError as error:
        raise BadRequestError(f"Invalid JSON content: {error}") from error
    return text


def flag(request: Request, name: str, *, default: bool = False) -> bool:
    """A parameter that is true or false.

    Raises:
        BadRequestError: it is neither.
    """
    text = parameter(request.query, name)
    if text is None:
        return default
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise BadRequestError(f"{name}: {text!r} is neither true nor false")


def parameter(query: Mapping[str, str], name: str) -> str | None:
    """A parameter's text; its name is read without regard to case."""
    lowered = name.lower()
    return next((value for key, value in query.items() if key.lower() == lowered), None)


def positive(request: Request, name: str, default: int) -> int:
    """A parameter that counts.

    Raises:
        BadRequestError: it is no positive number.
    """
    text = parameter(request.query, name)
    if text is None:
        return default
    if not text.isdigit() or int(text) == 0:
        raise BadRequestError(f"{name}: {text!r} is not a positive number")
    return int(text)


def seconds(request: Request, name: str) -> float | None:
    """A time to wait in seconds; Azure answers within 230.

    Raises:
        BadRequestError: it is no number, or out of bounds.
    """
    text = parameter(request.query, name)
    if text is None:
        return None
    try:
        value = float(text)
    except ValueError as error:
        raise BadRequestError(f"{name}: {text!r} is not a number of seconds") from error
    if not 0 < value <= 230:
        raise BadRequestError(f"{name}: {text!r} must be over 0 and at most 230 seconds")
    return value


def statuses(request: Request) -> list[pb.OrchestrationStatus]:
    """The runtime statuses that are asked for; none means any.

    Raises:
        BadRequestError: one of them is not known.
    """
    text = parameter(request.query, "runtimeStatus")
    if not text:
        return []
    numbers = []
    for name in text.split(","):
        number = STATUS_NUMBERS.get(name.strip().lower())
        if number is None:
            raise BadRequestError(f"runtimeStatus: {name!r} is none of {', '.join(STATUS_NAMES.values())}")
        numbers.append(number)
    return numbers


def moment(request: Request, name: str) -> timestamp_pb2.Timestamp | None:
    """A parameter that is a time; one without a zone is in UTC.

    Raises:
        BadRequestError: it is not ISO 8601.
    """
    text = parameter(request.query, name)
    if not text:
        return None
    try:
        given = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError as error:
        raise BadRequestError(f"{name}: {text!r} is not an ISO 8601 time") from error
    stamp = timestamp_pb2.Timestamp()
    stamp.FromDatetime(given.astimezone(UTC) if given.tzinfo else given)
    return stamp


def continuation(request: Request) -> wrappers_pb2.StringValue | None:
    """Where the page that is asked for begins; None for the first."""
    token = request.headers.get(CONTINUATION.encode(), b"").decode("latin-1")
    return wrappers_pb2.StringValue(value=token) if token else None
