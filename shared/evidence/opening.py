"""Turns bytes into JSON values, XML events or lines without letting a document reach for files, memory or the stack."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

# Entities, external ones too, are refused below as defusedxml refuses them; its own reader is half as fast.
from xml.parsers import expat  # nosec B407

from pydantic_core import from_json

from shared.errors import RefusedError
from shared.evidence.limits import LIMITS

_MARKS = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_RESEND = "Send the report as the tool wrote it."


def text_of(content: bytes) -> str:
    """``content`` as text: UTF-8, or UTF-16 with its mark as PowerShell writes it. Raises ``RefusedError``."""
    for mark, encoding in _MARKS.items():
        if content.startswith(mark):
            return _decoded(content[len(mark) :], encoding)
    return _decoded(content.removeprefix(codecs.BOM_UTF8), "utf-8")


def json_of(content: bytes) -> Any:
    """The JSON value of ``content`` (RFC 8259: finite numbers, whole characters).

    Raises:
        RefusedError: it is no JSON, deeper than 200 values, or holds a number of thousands of digits.
    """
    if content.startswith(tuple(_MARKS)):
        content = text_of(content).encode()
    values = content.count(b",") + content.count(b"{") + content.count(b"[")
    if values > LIMITS.values:
        raise RefusedError(f"the report holds {values} values; {LIMITS.values} are the most", "Send it in parts.")
    try:
        return from_json(content.removeprefix(codecs.BOM_UTF8), allow_inf_nan=False)
    except ValueError as error:
        reason = str(error)
        if "recursion" in reason:
            raise RefusedError(f"the report nests more than {LIMITS.depth} values: {reason}", _RESEND) from error
        if "out of range" in reason:
            raise RefusedError(f"the report holds a number too large to be one: {reason}", _RESEND) from error
        raise RefusedError(f"the report is not JSON: {reason}", _RESEND) from error


def _decoded(content: bytes, encoding: str) -> str:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        raise RefusedError(
            f"the report is not text in {encoding.upper()}: {error.reason} at byte {error.start}", _RESEND
        ) from error


type Start = Callable[[str, dict[str, str]], object]
type End = Callable[[str], object]


class XmlReader:
    """Expat with everything refused by which a document could grow or reach out.

    A document type may be named, as Cobertura's does; nothing is fetched, and it may declare nothing of its own.

    Args:
        start: called with each element's name and attributes.
        namespaces: whether names are told as ``namespace|name``.
        ended: where the names of ended elements go, for a ``start`` that counts itself and calls ``check_depth``.
    """

    def __init__(self, start: Start, *, namespaces: bool = False, ended: list[str] | None = None) -> None:
        # A list's own method is called without a frame: the depth is what has begun less what has ended.
        self._ended: list[str] = [] if ended is None else ended
        self._parser = expat.ParserCreate(namespace_separator="|" if namespaces else None)
        self._parser.buffer_text = True
        self._parser.StartElementHandler = _bounded(start, self._ended) if ended is None else start
        self._parser.EndElementHandler = self._ended.append
        self._parser.StartDoctypeDeclHandler = _doctype
        self._parser.EntityDeclHandler = _entity
        self._parser.UnparsedEntityDeclHandler = _entity
        self._parser.ExternalEntityRefHandler = _entity
        self._parser.SkippedEntityHandler = _entity

    def listen(self, text: Callable[[str], object] | None, end: End | None = None) -> None:
        """From here on give characters to ``text`` and, when it is given, ends of elements to ``end``."""
        self._parser.CharacterDataHandler = text
        if end is None:
            self._parser.EndElementHandler = self._ended.append
            return

        def ended(name: str) -> None:
            self._ended.append(name)
            end(name)

        self._parser.EndElementHandler = ended

    def read(self, content: bytes) -> None:
        """Give ``content`` to the handlers. Raises ``RefusedError`` when it is no XML, or XML that is not taken."""
        try:
            self._parser.Parse(content, True)
        except expat.ExpatError as error:
            raise RefusedError(f"the report is not XML: {error}", _RESEND) from error
        except (LookupError, UnicodeError, ValueError) as error:
            raise RefusedError(f"the report's encoding cannot be read: {error}", "Write it as UTF-8.") from error


def check_depth(depth: int) -> None:
    """Raise ``RefusedError`` for elements nested deeper than is read."""
    if depth > LIMITS.depth:
        raise RefusedError(f"the report nests more than {LIMITS.depth} elements", _RESEND)


def _bounded(start: Start, ended: list[str]) -> Start:
    begun = 0

    def started(name: str, attributes: dict[str, str]) -> None:
        nonlocal begun
        begun += 1
        check_depth(begun - len(ended))
        start(name, attributes)

    return started


def _doctype(name: str, system: str | None, public: str | None, has_subset: int) -> None:
    if has_subset:
        raise RefusedError(f"the report's document type {name[:40]!r} declares things of its own", _UNDECLARED)


def _entity(*_: object) -> int:
    raise RefusedError("the report declares or uses an entity", _UNDECLARED)


_UNDECLARED = "Write it without a document type; no tool's report needs one."
