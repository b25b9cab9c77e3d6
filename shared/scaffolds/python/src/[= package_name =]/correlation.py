"""The correlation id of the request being served: the caller's when harmless, else a new one."""

import re
from contextvars import ContextVar
from uuid import uuid4

HEADER = "X-Correlation-ID"

_current: ContextVar[str | None] = ContextVar("correlation_id", default=None)
# Anything else could forge log lines or response headers.
_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")


def current_correlation_id() -> str | None:
    """Return the id of the request being served, or None outside of one."""
    return _current.get()


def begin_correlation(offered: str | None) -> str:
    """Start a request with the id its caller offered, or with a new one."""
    identifier = offered if offered and _HARMLESS.fullmatch(offered) else uuid4().hex
    _current.set(identifier)
    return identifier
