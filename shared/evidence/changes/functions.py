"""Which functions and classes a change adds, removes or changes, and which added lines of the diff lie in each."""

from __future__ import annotations

from collections import defaultdict
from enum import StrEnum
from pathlib import PurePosixPath

from pydantic import Field

from shared.domain.change import ChangedFile, Part, Unknown
from shared.domain.forge import Frozen
from shared.evidence.changes import javascript, python
from shared.evidence.changes.declared import Declaration, DeclarationKind, Declared, Language, Route
from shared.evidence.changes.lines import gained
from shared.evidence.changes.versions import after, before

__all__ = [
    "Declaration",
    "DeclarationKind",
    "Declared",
    "Move",
    "Route",
    "Touched",
    "Touching",
    "declared",
    "language_of",
    "touched",
]

_LANGUAGES = {
    ".py": Language.PYTHON, ".pyi": Language.PYTHON,
    ".js": Language.JAVASCRIPT, ".jsx": Language.JAVASCRIPT, ".mjs": Language.JAVASCRIPT, ".cjs": Language.JAVASCRIPT,
    ".ts": Language.TYPESCRIPT, ".tsx": Language.TYPESCRIPT, ".mts": Language.TYPESCRIPT, ".cts": Language.TYPESCRIPT,
}  # fmt: skip


class Move(StrEnum):
    """What became of a function or class."""

    ADDED = "added"
    REMOVED = "removed"
    SIGNATURE = "signature"
    """Its parameters, result, fields, routes or whether it is public differ."""
    BODY = "body"
    """It does something else under the same signature."""


class Touched(Frozen):
    """One function or class that a change touches."""

    path: str = Field(description="Of the file at the head; of a removed one at the merge base.")
    move: Move
    before: Declaration | None = None
    after: Declaration | None = None
    lines: tuple[int, ...] = Field(default=(), description="Added lines in it, by their numbers at the head.")

    @property
    def declaration(self) -> Declaration:
        """As it is at the head; one that is gone as it was."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - each is made with one of the two
        return found

    @property
    def name(self) -> str:
        """Its qualified name."""
        return self.declaration.name

    @property
    def breaks(self) -> bool:
        """Whether somebody who called it as it was may be refused now: it is gone, hidden, or asks for more."""
        if self.before is None or not self.before.public:
            return False
        return self.after is None or not self.after.public or _asks_for_more(self.before, self.after)


class Touching(Frozen):
    """All that a change touches in one file."""

    path: str
    language: Language
    touched: tuple[Touched, ...] = ()
    outside: tuple[int, ...] = Field(default=(), description="Added lines in no function or class.")
    blind: str = ""


def language_of(path: str) -> Language | None:
    """The language of the file at ``path``; None: its declarations are not read."""
    return _LANGUAGES.get(PurePosixPath(path).suffix.lower())


def declared(path: str, source: str) -> Part[Declared]:
    """What ``source`` declares. ``Unknown`` where it does not parse, or its language is not read."""
    language = language_of(path)
    if language is None:
        return Unknown(reason=f"functions of {PurePosixPath(path).suffix or path} files are not read", supported=False)
    return python.declared(path, source) if language is Language.PYTHON else javascript.declared(path, source, language)


def touched(file: ChangedFile) -> Part[Touching]:
    """What the change of ``file`` touches. ``Unknown`` where a version of it could not be had or does not parse.

    A version at the merge base that does not parse leaves what was before unknown, so the whole answer is.
    """
    language = language_of(file.path)
    if language is None:
        return Unknown(reason=f"functions of {file.path} are not read", supported=False)
    versions: list[tuple[Declaration, ...]] = []
    blind = ""
    for path, source in ((file.previous_path or file.path, before(file)), (file.path, after(file))):
        if isinstance(source, Unknown):
            return source
        read = declared(path, source) if source else Declared(language=language, declarations=())
        if isinstance(read, Unknown):
            return read
        versions.append(read.declarations)
        blind = read.blind or blind
    numbers = list(gained(file) or ())
    old, new = versions
    inside = {number for one in new for number in range(one.start, one.end + 1)}
    return Touching(
        path=file.path,
        language=language,
        touched=tuple(_compared(file.path, old, new, numbers)),
        outside=tuple(number for number in numbers if number not in inside),
        blind=blind,
    )


def _compared(
    path: str, old: tuple[Declaration, ...], new: tuple[Declaration, ...], numbers: list[int]
) -> list[Touched]:
    then, now = _keyed(old), _keyed(new)
    owner = _owners(new, numbers)
    found: list[Touched] = []
    for key, one in now.items():
        earlier = then.get(key)
        move = _move(earlier, one)
        if move is not None:
            found.append(
                Touched(
                    path=path, move=move, before=earlier, after=one, lines=tuple(owner.get((one.start, one.name), ()))
                )
            )
    found += [Touched(path=path, move=Move.REMOVED, before=one) for key, one in then.items() if key not in now]
    return found


def _keyed(declarations: tuple[Declaration, ...]) -> dict[tuple[str, int], Declaration]:
    """By name and, where a name is declared again (overloads, setters, versions under ``if``), by its turn."""
    turns: dict[str, int] = defaultdict(int)
    found: dict[tuple[str, int], Declaration] = {}
    for one in declarations:
        found[(one.name, turns[one.name])] = one
        turns[one.name] += 1
    return found


def _owners(declarations: tuple[Declaration, ...], numbers: list[int]) -> dict[tuple[int, str], list[int]]:
    """Added lines by the innermost function or class that holds them."""
    found: dict[tuple[int, str], list[int]] = defaultdict(list)
    for number in numbers:
        holders = [one for one in declarations if one.start <= number <= one.end]
        if holders:
            inner = max(holders, key=lambda one: (one.start, -one.end))
            found[(inner.start, inner.name)].append(number)
    return found


def _move(before: Declaration | None, after: Declaration) -> Move | None:
    if before is None:
        return Move.ADDED
    if (before.signature, before.kind, before.public, before.routes, before.asynchronous) != (
        after.signature, after.kind, after.public, after.routes, after.asynchronous,
    ):  # fmt: skip
        return Move.SIGNATURE
    return Move.BODY if before.digest != after.digest else None


def _asks_for_more(before: Declaration, after: Declaration) -> bool:
    """Whether a call that was right may be wrong now: a parameter is gone, renamed, moved, or must now be given."""
    if {route.text for route in before.routes} - {route.text for route in after.routes}:
        return True
    if before.asynchronous is not after.asynchronous or before.kind is not after.kind:
        return True
    if not after.callable:
        return False
    names = {one.name: one for one in after.parameters}
    if any(one.name not in names for one in before.parameters):
        return True
    known = {one.name for one in before.parameters}
    ordered = [one.name for one in after.parameters if one.name in known]
    if ordered != [one.name for one in before.parameters]:
        return True
    return any(
        one.required and (one.name not in known or not _was_required(before, one.name)) for one in after.parameters
    )


def _was_required(before: Declaration, name: str) -> bool:
    return any(one.required for one in before.parameters if one.name == name)
