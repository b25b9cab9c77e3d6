"""Reads a portfolio's file, JSON or YAML, into plain values; what YAML does beyond that is refused with its line."""

from __future__ import annotations

import json
from collections.abc import Hashable
from typing import Any

import yaml

from shared.errors import RefusedError

LONGEST = 1024 * 1024
"""Bytes of a file."""
YAML_TYPES = frozenset({"application/yaml", "application/x-yaml", "text/yaml", "text/x-yaml"})
"""https://www.rfc-editor.org/rfc/rfc9512 and what was used before it."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where libyaml is there."""


class TooLargeError(RefusedError):
    """The file is larger than any portfolio."""


class _PlainLoader(_Loader):  # type: ignore[misc]  # which of the two is decided at run time
    """Refuses a key that is given twice, of which YAML would silently keep the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise _refused(f"{key.value!r} is given twice", key.start_mark)
            seen.add(key.value)
        made: dict[Hashable, Any] = super().construct_mapping(node, deep=deep)
        return made


# Dates, binaries, sets and the like have no JSON; text that looks like a date stays text.
_PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


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
        text = content.decode("utf-8-sig")
        for event in yaml.parse(text, Loader=_Loader):
            if isinstance(event, yaml.AliasEvent):
                # A few lines of aliases can stand for billions of values.
                raise _refused("aliases (*name) are not taken; use the file's defaults", event.start_mark)
        value = yaml.load(text, Loader=_PlainLoader)  # noqa: S506  # nosec B506 - derived from a safe loader
    except yaml.YAMLError as error:
        raise RefusedError(
            f"the body is not YAML: {' '.join(str(error).split())}", "Correct it at that line."
        ) from error
    except (UnicodeDecodeError, RecursionError, ValueError) as error:
        raise RefusedError(f"the body is not YAML: {error}", "Send UTF-8 text with less nesting.") from error
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RefusedError(
            f"the body holds what JSON has not: {error}", "Write text, numbers, lists and fields."
        ) from error
    return value


def _refused(problem: str, mark: Any) -> RefusedError:
    return RefusedError(f"the body is not accepted: line {mark.line + 1}: {problem}", "Correct it at that line.")
