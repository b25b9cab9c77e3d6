"""Reads YAML that anyone may have written: bounded, plain, each value with its line; what goes beyond is named by line.

Scalars are read by YAML 1.2's core schema (https://yaml.org/spec/1.2.2/#103-core-schema), so that ``off`` is a word and
no boolean. Anchors, aliases, tags, merge keys, second documents and keys given twice are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from shared.domain.faults import FieldFault
from shared.errors import RefusedError

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Ten times as fast where libyaml is there."""

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_WHOLE = re.compile(r"[-+]?[0-9]{1,18}")
_NUMBER = re.compile(r"[-+]?(\.[0-9]{1,18}|[0-9]{1,18}(\.[0-9]{0,18})?)([eE][-+]?[0-9]{1,2})?")

type Path = tuple[str | int, ...]


class Limits(NamedTuple):
    """How much of a text is read at all."""

    size: int = 64 * 1024
    """Bytes."""
    depth: int = 8
    values: int = 5000


class LineFault(FieldFault):
    """A field at fault, and the line it stands on."""

    line: int


class UnreadableError(RefusedError):
    """The text is not what this reader takes."""

    def __init__(self, line: int, problem: str, remedy: str) -> None:
        super().__init__(f"line {line}: {problem}", remedy)
        self.fault = LineFault(field="(whole)", problem=problem, line=line)


class Document(NamedTuple):
    """Plain values, and the line of each by its path."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest value above it that is there."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


def trusted(content: bytes | str) -> Any:
    """What YAML 1.1 of our own making holds: files of this package, and what was rendered from its templates.

    Raises ``yaml.YAMLError`` and ``UnicodeDecodeError``.
    """
    return yaml.load(content, Loader=_Loader)  # noqa: S506 - a safe loader  # nosec B506


def read(content: bytes | str, limits: Limits = Limits()) -> Document:  # noqa: B008 - immutable
    """The one document in ``content``. Raises ``UnreadableError`` with the line of what is refused."""
    text = _decoded(content, limits)
    try:
        return _Builder(limits).built(yaml.parse(text, Loader=_Loader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise UnreadableError(mark.line + 1 if mark else 1, f"is not YAML: {error.problem}", "Correct it.") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise UnreadableError(line, "holds a character that YAML does not take", "Take it out.") from error
    except yaml.YAMLError as error:
        raise UnreadableError(1, f"is not YAML: {' '.join(str(error).split())[:200]}", "Correct it.") from error


def _decoded(content: bytes | str, limits: Limits) -> str:
    try:
        raw = content.encode("utf-8") if isinstance(content, str) else content
        if len(raw) > limits.size:
            raise UnreadableError(1, f"has {len(raw)} bytes; {limits.size} are the most", "Say less.")
        return raw.decode("utf-8-sig")
    except UnicodeError as error:
        raise UnreadableError(1, "is not UTF-8 text", "Save it as UTF-8.") from error


class _Open:
    """A mapping or sequence that is being read."""

    def __init__(self, path: Path, made: dict[str, Any] | list[Any]) -> None:
        self.path = path
        self.made = made
        self.key: str | None = None

    def next_path(self) -> Path:
        """Where the next value belongs."""
        if isinstance(self.made, list):
            return (*self.path, len(self.made))
        return (*self.path, self.key) if self.key is not None else self.path

    @property
    def wants_key(self) -> bool:
        """Whether the next scalar is a key."""
        return isinstance(self.made, dict) and self.key is None

    def put(self, value: Any) -> None:
        """Add ``value`` in its place."""
        if isinstance(self.made, list):
            self.made.append(value)
        elif self.key is not None:
            self.made[self.key] = value
            self.key = None


class _Builder:
    """Builds values from the parser's events without recursion, and stops at the first that is too much."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._lines: dict[Path, int] = {}
        self._stack: list[_Open] = []
        self._root: Any = None
        self._values = 0

    def built(self, events: Iterator[yaml.Event]) -> Document:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise _refused(event, "begins a second document", "Keep one.")
            elif isinstance(event, yaml.NodeEvent):
                self._node(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._stack.pop()
        return Document(self._root, self._lines)

    def _node(self, event: yaml.NodeEvent) -> None:
        self._check(event)
        line = _line(event)
        top = self._stack[-1] if self._stack else None
        if top is not None and top.wants_key:
            top.key = self._key(event, top)
            self._lines[top.next_path()] = line
            return
        path = top.next_path() if top else ()
        self._lines.setdefault(path, line)
        value: Any
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        else:
            value = {} if isinstance(event, yaml.MappingStartEvent) else []
        if top is None:
            self._root = value
        else:
            top.put(value)
        if isinstance(value, dict | list):
            self._stack.append(_Open(path, value))
            if len(self._stack) > self._limits.depth:
                raise _refused(event, f"nests deeper than {self._limits.depth}", "Nest less.")

    def _check(self, event: yaml.NodeEvent) -> None:
        self._values += 1
        if self._values > self._limits.values:
            raise _refused(event, f"holds more than {self._limits.values} values", "Say less.")
        # A few lines of aliases can stand for billions of values.
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _refused(event, "uses an anchor (&name) or alias (*name), which is not taken", "Write it out.")
        tag = getattr(event, "tag", None)
        if tag is not None:
            raise _refused(event, f"uses the tag {tag[:60]}, which is not taken", "Leave the tag out.")

    def _key(self, event: yaml.NodeEvent, top: _Open) -> str:
        if not isinstance(event, yaml.ScalarEvent):
            raise _refused(event, "has a key that is no word", "Give a name before the colon.")
        key: str = event.value
        if key == "<<":
            raise _refused(event, "merges with <<, which is not taken", "Write it out.")
        if key in top.made:
            raise _refused(event, f"gives {key[:60]!r} twice", "Keep one of them.")
        return key


def _scalar(event: yaml.ScalarEvent) -> Any:
    text: str = event.value
    if not event.implicit[0]:
        return text
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _WHOLE.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _refused(event: yaml.Event, problem: str, remedy: str) -> UnreadableError:
    return UnreadableError(_line(event), problem, remedy)


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1
