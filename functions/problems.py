"""Turns whatever an HTTP function raises into a refusal that says what is wrong and what to do.

Scripts get it as an RFC 9457 problem, browsers as a page.
"""

from __future__ import annotations

import functools
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

import azure.functions as func
from pydantic import BaseModel, ValidationError

from functions import pages
from shared.domain.faults import FieldFault, faults_of
from shared.domain.keys import UnusableKeyError
from shared.errors import ConflictError, RefusedError, TransientError
from shared.settings import settings

MEDIA_TYPE = "application/problem+json"
_CORRELATION = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_NUMBER = re.compile(r"[0-9]{1,16}")
_log = logging.getLogger(__name__)


class ProblemError(Exception):
    """An answer that is a refusal."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        *,
        faults: Iterable[FieldFault] = (),
        remedy: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.faults = tuple(faults)
        self.remedy = remedy
        self.headers = dict(headers or {})


def correlation_of(request: func.HttpRequest) -> str:
    """The caller's correlation id where it is a sane one, else a new one."""
    for name in ("x-correlation-id", "x-github-delivery", "x-ms-client-tracking-id"):
        value = request.headers.get(name, "")
        if _CORRELATION.fullmatch(value):
            return str(value)
    parts = request.headers.get("traceparent", "").split("-")
    return str(parts[1]) if len(parts) == 4 and len(parts[1]) == 32 else uuid.uuid4().hex


def problem(raised: Exception, request: func.HttpRequest) -> func.HttpResponse:
    """The refusal that tells about ``raised``, logged when nobody expected it.

    It is ``application/problem+json``, or a page with the same content for whoever asks for HTML.
    """
    error, correlation = as_problem(raised), correlation_of(request)
    if error.status is HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.error("an HTTP function failed", exc_info=raised, extra={"correlation": correlation})
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": error.status.phrase,
        "status": error.status.value,
        "detail": error.detail,
        "correlation": correlation,
    }
    if error.remedy:
        body["remedy"] = error.remedy
    if error.faults:
        body["errors"] = [fault.model_dump(exclude_defaults=True) for fault in error.faults]
    headers = {**error.headers, "x-correlation-id": correlation}
    if wants_html(request):
        return page(pages.refusal(body), error.status, headers)
    return func.HttpResponse(
        json.dumps(body, ensure_ascii=False), status_code=error.status.value, mimetype=MEDIA_TYPE, headers=headers
    )


def refusals(function: Callable[..., func.HttpResponse]) -> Callable[..., func.HttpResponse]:
    """Decorates a synchronous HTTP function: it may raise, its caller gets a problem."""

    @functools.wraps(function)
    def edge(req: func.HttpRequest, **bindings: Any) -> func.HttpResponse:
        try:
            return function(req, **bindings)
        except Exception as error:
            return problem(error, req)

    return edge


def as_problem(error: Exception) -> ProblemError:
    """The refusal that tells a caller about ``error``; an unexpected one is told without its words."""
    match error:
        case ProblemError():
            return error
        case UnusableKeyError():
            return ProblemError(HTTPStatus.BAD_REQUEST, f"a name in the address cannot be one: {error}")
        case ConflictError():
            return ProblemError(HTTPStatus.CONFLICT, error.reason)
        case TransientError():
            seconds = str(max(1, round(error.retry_after or 5)))
            return ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE, error.reason, remedy="Try again.", headers={"Retry-After": seconds}
            )
        case RefusedError():
            return ProblemError(HTTPStatus.CONFLICT, error.reason, remedy=error.remedy)
        case _:
            return ProblemError(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                "Doneright failed to answer; this is a defect.",
                remedy="Its log holds the reason under the correlation id.",
            )


def body_of[M: BaseModel](request: func.HttpRequest, model: type[M], examples: Mapping[str, str] | None = None) -> M:
    """The JSON body as ``model``. Raises ``ProblemError`` naming every field at fault."""
    try:
        value = json.loads(request.get_body())
    except (ValueError, RecursionError) as error:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from error
    if not isinstance(value, dict):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "the body is JSON and not an object")
    return validated(model, value, examples)


def validated[M: BaseModel](model: type[M], value: Mapping[str, Any], examples: Mapping[str, str] | None = None) -> M:
    """What a caller gave, as ``model``. Raises ``ProblemError`` naming every field at fault.

    Only here is a validation error the caller's: a setting or a record that does not validate is our defect.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = faults_of(error, examples, model)
        fields = "1 field is" if len(faults) == 1 else f"{len(faults)} fields are"
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{fields} missing or wrong", faults=faults) from error


def number(request: func.HttpRequest, name: str, default: int, least: int, most: int) -> int:
    """The query parameter ``name`` as a whole number. Raises ``ProblemError`` for one outside ``least`` to ``most``."""
    text = request.params.get(name, "") or str(default)
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name} is {text[:40]!r}; it may be {least} to {most}")
    return int(text)


def answer(
    content: BaseModel | Mapping[str, Any], status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None
) -> func.HttpResponse:
    """A JSON answer."""
    text = content.model_dump_json() if isinstance(content, BaseModel) else json.dumps(content, ensure_ascii=False)
    return func.HttpResponse(
        text,
        status_code=status.value,
        mimetype="application/json",
        headers={"Cache-Control": "no-store"} | dict(headers or {}),
    )


def page(html: str, status: HTTPStatus = HTTPStatus.OK, headers: Mapping[str, str] | None = None) -> func.HttpResponse:
    """An HTML answer that may load nothing from elsewhere and be framed by nobody."""
    return func.HttpResponse(
        html,
        status_code=status.value,
        mimetype="text/html",
        headers={
            "Cache-Control": "no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
            "form-action 'self' https: http:; base-uri 'none'; frame-ancestors 'none'",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
        }
        | dict(headers or {}),
    )


def wants_html(request: func.HttpRequest) -> bool:
    """Whether the caller is a browser: it accepts HTML, and not JSON before it."""
    accepted = request.headers.get("accept", "")
    html, data = accepted.find("text/html"), accepted.find("application/json")
    return bool(html >= 0 and (data < 0 or html < data))


def actor_of(request: func.HttpRequest) -> str:
    """Who calls: the signed-in person where App Service authentication is on, else the holder of a key.

    Without that authentication in front, anybody can send its header.
    """
    person = request.headers.get("x-ms-client-principal-name") if settings().app_service_authentication else ""
    return str(person or "api")
