"""Log lines are JSON that names the invocation, and correlation ids are taken only when they are safe."""

import json
import logging
import sys

import pytest
from azure_functions_runtime import invocation_id_cv

from local.host.logs import ACTIVE, Invocation, JsonFormatter, correlation_of, level_of, new_id


def record(message: str, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("app", logging.WARNING, "f.py", 1, message, (), None)
    made.__dict__.update(extra)
    return made


def test_a_line_names_its_invocation() -> None:
    ACTIVE["one"] = Invocation("orders", "corr")
    token = invocation_id_cv.set("one")
    try:
        line = json.loads(JsonFormatter().format(record("naïve\n")))
    finally:
        invocation_id_cv.reset(token)
        del ACTIVE["one"]
    assert (line["level"], line["logger"], line["message"]) == ("warning", "app", "naïve\n")
    assert (line["invocation_id"], line["function"], line["correlation_id"]) == ("one", "orders", "corr")


def test_an_exception_is_one_line_with_its_trace() -> None:
    try:
        raise LookupError("gone")
    except LookupError:
        made = record("failed")
        made.exc_info = sys.exc_info()
    text = JsonFormatter().format(made)
    assert "\n" not in text
    assert "LookupError: gone" in json.loads(text)["trace"]


@pytest.mark.parametrize(
    "headers",
    [
        {b"x-correlation-id": b"a\tb"},
        {b"x-correlation-id": b"x" * 129},
        {b"x-correlation-id": "é".encode()},
        {b"x-correlation-id": b""},
        {b"traceparent": b"00-short-1-01"},
        {},
    ],
)
def test_unsafe_correlation_ids_are_replaced(headers: dict[bytes, bytes]) -> None:
    made = correlation_of(headers)
    assert len(made) == 32
    assert int(made, 16) >= 0


def test_the_trace_id_wins() -> None:
    trace = b"0af7651916cd43dd8448eb211c80319c"
    headers = {b"traceparent": b"00-" + trace + b"-b7ad6b7169203331-01", b"x-correlation-id": b"other"}
    assert correlation_of(headers) == trace.decode()


def test_levels() -> None:
    assert level_of("Information") == logging.INFO
    with pytest.raises(ValueError, match="Loud"):
        level_of("Loud")


def test_ids_differ() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
