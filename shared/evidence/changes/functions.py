"""Which functions and classes a change adds, removes or changes, and which added lines of the diff lie in each."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from pydantic import Field

from shared.domain.change import ChangedFile, Part, Unknown
from shared.domain.forge import Frozen
from shared.evidence.changes import javascript, python
from shared.evidence.changes.declared import Declaration, DeclarationKind, Declared, Language, Route
from shared.evidence.changes.lines import gained
from shared.evidence.changes.remembered import remembered
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


@remembered
def touched(file: ChangedFile) -> Part[Touching]:
    """What the change of ``file`` touches. ``Unknown`` where a version of it could not be had or does not parse.

    A version at the merge base that does not parse leaves what was before unknown, so the whole answer is.
    """
    language = language_of(file.path)
    if language is None:
        return Unknown(reason=f"functions of {file.path} are not read", supported=False)
    old, new = before(file), after(file)
    if isinstance(old, Unknown):
        return old
    if isinstance(new, Unknown):
        return new
    path = file.previous_path or file.path
    if language is Language.PYTHON:
        compared = _python(path, old, file.path, new)
    else:
        compared = _javascript(path, old, file.path, new, language)
    if isinstance(compared, Unknown):
        return compared
    numbers = gained(file) or ()
    owners = _owners(compared.places, numbers)
    return Touching(
        path=file.path,
        language=language,
        touched=tuple(_moves(file.path, compared, owners)),
        outside=tuple(owners.get(None, ())),
        blind=python.BLIND if language is Language.PYTHON else javascript.BLIND,
    )


class _Compared(NamedTuple):
    """What may differ between two versions of a file; what is the same to the letter is left out."""

    old: Sequence[Declaration]
    new: Sequence[Declaration]
    places: Sequence[tuple[int, int]]
    """First and last line of all that the head declares."""


def _python(path: str, old: str, path_now: str, new: str) -> Part[_Compared]:
    then, now = python.outlined(path, old), python.outlined(path_now, new)
    if isinstance(then, Unknown):
        return then
    if isinstance(now, Unknown):
        return now
    before_, after_ = _by_turn(then), _by_turn(now)
    same = {
        key
        for key, one in after_.items()
        if (other := before_.get(key)) and (one.text, one.kind, one.public) == (other.text, other.kind, other.public)
    }
    read = [
        python.each_declared(place, [one for key, one in each.items() if key not in same])
        for place, each in ((path, before_), (path_now, after_))
    ]
    for one in read:
        if isinstance(one, Unknown):
            return one
    first, second = (one for one in read if not isinstance(one, Unknown))
    return _Compared(first, second, [(one.start, one.end) for one in now])


def _javascript(path: str, old: str, path_now: str, new: str, language: Language) -> Part[_Compared]:
    then, now = javascript.declared(path, old, language), javascript.declared(path_now, new, language)
    if isinstance(then, Unknown):
        return then
    if isinstance(now, Unknown):
        return now
    return _Compared(then.declarations, now.declarations, [(one.start, one.end) for one in now.declarations])


def _by_turn[T: (Declaration, python.Outlined)](declarations: Iterable[T]) -> dict[tuple[str, int], T]:
    """By name and, where a name is declared again (overloads, setters, versions under ``if``), by its turn."""
    turns: dict[str, int] = defaultdict(int)
    found: dict[tuple[str, int], T] = {}
    for one in declarations:
        found[(one.name, turns[one.name])] = one
        turns[one.name] += 1
    return found


def _moves(path: str, compared: _Compared, owners: Mapping[tuple[int, int] | None, list[int]]) -> Iterator[Touched]:
    then, now = _by_turn(compared.old), _by_turn(compared.new)
    for key, one in now.items():
        earlier = then.get(key)
        move = _move(earlier, one)
        if move is not None:
            lines = tuple(owners.get((one.start, one.end), ()))
            yield Touched(path=path, move=move, before=earlier, after=one, lines=lines)
    for key, one in then.items():
        if key not in now:
            yield Touched(path=path, move=Move.REMOVED, before=one)


def _owners(places: Sequence[tuple[int, int]], numbers: Iterable[int]) -> Mapping[tuple[int, int] | None, list[int]]:
    """Added lines by the innermost function or class that holds them; None: those in none."""
    found: dict[tuple[int, int] | None, list[int]] = defaultdict(list)
    waiting = sorted(places, key=lambda place: (place[0], -place[1]))
    open_: list[tuple[int, int]] = []
    next_ = 0
    for number in sorted(numbers):
        while next_ < len(waiting) and waiting[next_][0] <= number:
            open_.append(waiting[next_])
            next_ += 1
        # One that has ended is in nobody's way any more; places nest, so the last that is open is the innermost.
        open_ = [place for place in open_ if place[1] >= number]
        found[open_[-1] if open_ else None].append(number)
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
