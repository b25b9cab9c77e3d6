"""Writes every log record as one JSON line on stderr that names the invocation, function and correlation it belongs to."""

import json
import logging
import random
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from azure_functions_runtime import invocation_id_cv

LEVELS = {
    "trace": logging.DEBUG,
    "debug": logging.DEBUG,
    "information": logging.INFO,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
    "none": logging.CRITICAL + 10,
}
CATEGORY_LOGGERS = {"default": "", "function": "Function", "host": "Host"}
CORRELATION_HEADERS = (b"x-correlation-id", b"x-github-delivery", b"x-ms-client-tracking-id")
CORRELATION_SOURCES = frozenset((b"traceparent", *CORRELATION_HEADERS))
MAX_CORRELATION_LENGTH = 128


@dataclass(slots=True)
class Invocation:
    """What a log record says of the invocation it was written in."""

    function: str
    correlation_id: str


# Keyed by invocation id and not held in a context variable: the worker library runs synchronous functions on
# threads it hands only the invocation id to.
ACTIVE: dict[str, Invocation] = {}


def new_id() -> str:
    """A random id in the form Azure gives invocations; unique, not secret, and made several times a request."""
    digits = f"{random.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def correlation_of(headers: Mapping[bytes, bytes]) -> str:
    """The correlation id of a request: the trace id of ``traceparent``, else a known header, else a new one.

    A value that is too long or holds anything but printable ASCII is not passed on.
    """
    if CORRELATION_SOURCES.isdisjoint(headers):
        return f"{random.getrandbits(128):032x}"
    parent = headers.get(b"traceparent")
    if parent is not None:
        parts = parent.split(b"-")
        if len(parts) >= 4 and len(parts[1]) == 32 and parts[1].isalnum():
            return parts[1].decode("ascii")
    for name in CORRELATION_HEADERS:
        value = headers.get(name)
        if value and len(value) <= MAX_CORRELATION_LENGTH and value.isascii() and value.decode("ascii").isprintable():
            return value.decode("ascii")
    return f"{random.getrandbits(128):032x}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line: time (UTC), level, logger, message, and the invocation where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """Render one record."""
        seconds = int(record.created)
        line: dict[str, Any] = {
            "time": f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int((record.created - seconds) * 1e6):06d}Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        invocation_id = record.__dict__.get("invocation_id") or invocation_id_cv.get()
        if invocation_id:
            line["invocation_id"] = invocation_id
            active = ACTIVE.get(invocation_id)
            if active is not None:
                line["function"] = active.function
                line["correlation_id"] = active.correlation_id
        for name in ("function", "correlation_id", "duration_ms", "status"):
            value = record.__dict__.get(name)
            if value is not None:
                line[name] = value
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(log_levels: Mapping[str, str], override: str | None = None) -> None:
    """Install the JSON handler and the levels of ``logging.logLevel`` (or the one given on the command line).

    Categories follow Azure: ``default``, ``Function``, ``Function.<name>``, ``Host.<part>``; any other name is a logger's.

    Raises:
        ValueError: an unknown level name, with the names that exist.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # Libraries that log each call at information level would drown the app's own lines.
    for chatty in ("azure", "azure.core.pipeline.policies.http_logging_policy", "uvicorn", "aiohttp", "grpc"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.raiseExceptions = False
    for category, level in log_levels.items():
        first, _, rest = category.partition(".")
        base = CATEGORY_LOGGERS.get(first.lower(), first)
        logging.getLogger(f"{base}.{rest}" if rest else base).setLevel(level_of(level))
    if override is not None:
        root.setLevel(level_of(override))
        for name in ("Function", "Host"):
            logging.getLogger(name).setLevel(level_of(override))


def level_of(name: str) -> int:
    """The logging level of an Azure level name (case does not matter).

    Raises:
        ValueError: unknown name.
    """
    level = LEVELS.get(name.lower())
    if level is None:
        raise ValueError(
            f"unknown log level {name!r}; use one of Trace, Debug, Information, Warning, Error, Critical, None"
        )
    return level
