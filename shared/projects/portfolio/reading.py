"""Reads a portfolio's file, JSON or YAML, into plain values; what YAML does beyond that is refused with its line."""

from __future__ import annotations

import json
from typing import Any

from shared.definitions import reading
from shared.errors import RefusedError

LONGEST = 1024 * 1024
"""Bytes of a file."""
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
"""https://www.rfc-editor.org/rfc/rfc9512 and what was used before it."""
LIMITS = reading.Limits(size=LONGEST, depth=12, values=100_000)
"""Two hundred projects with every field given, and room to spare."""


class TooLargeError(RefusedError):
    """The file is larger than any portfolio."""


def read(content: bytes, content_type: str) -> dict[str, Any]:
    """The file as JSON values. ``content_type`` says which of the two it is.

    Raises ``TooLargeError`` over 1 MiB, else ``RefusedError`` for what is neither, saying where it is wrong.
    """
    if len(content) > LONGEST:
        raise TooLargeError(
            f"the file has {len(content)} bytes; {LONGEST} are the most", "Split it into several portfolios."
        )
    if content_type.split(";", maxsplit=1)[0].strip().lower() in YAML_TYPES:
        value = _yaml(content)
    else:
        try:
            value = json.loads(content)
        except (ValueError, RecursionError) as error:
            raise RefusedError(
                f"the body is not JSON: {error}", "Send YAML with the content type application/yaml."
            ) from error
    if not isinstance(value, dict):
        raise RefusedError("the body is not an object with fields", "Begin with name, connection and projects.")
    return value


def _yaml(content: bytes) -> Any:
    try:
        return reading.read(content, LIMITS).value
    except reading.UnreadableError as error:
        raise RefusedError(f"the body is not accepted: {error.reason}", error.remedy) from error
