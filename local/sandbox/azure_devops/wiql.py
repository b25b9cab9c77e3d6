"""Reads the work item query language: SELECT, FROM WorkItems or WorkItemLinks, WHERE, ORDER BY, MODE."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r"\s*(?:(?P<name>\[[^\]]+\](?:\.\[[^\]]+\])?)|(?P<text>'(?:[^']|'')*'|\"[^\"]*\")|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<operator><>|<=|>=|=|<|>)|(?P<mark>[(),])|(?P<macro>@[A-Za-z]+(?:\s*[-+]\s*\d+)?)|(?P<word>[A-Za-z_][\w.]*))"
)


_DEEPEST = 64
_LONGEST_NUMBER = 40
_LONGEST_OFFSET = 5


class WiqlError(ValueError):
    """The query cannot be read; the message names where."""


@dataclass(frozen=True)
class Condition:
    """`field operator values`, possibly of one side of a link."""

    side: str
    field: str
    operator: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Group:
    """Conditions joined by AND or OR; `negated` turns the answer round."""

    joiner: str
    parts: tuple[Condition | Group, ...]
    negated: bool = False


@dataclass
class Query:
    """A query taken apart."""

    columns: list[str] = field(default_factory=list)
    links: bool = False
    where: Group | Condition | None = None
    order: list[tuple[str, bool]] = field(default_factory=list)
    mode: str = "MustContain"


def parse(text: str) -> Query:
    """Read a query; raises WiqlError."""
    return _Parser(text).query()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.tokens = self._tokens(text)
        self.at = 0

    @staticmethod
    def _tokens(text: str) -> list[tuple[str, str]]:
        found, at = [], 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise WiqlError(f"unexpected text near '{text[at : at + 20].strip()}'")
            found.append((str(match.lastgroup), match.group().strip()))
            at = match.end()
        return found

    def peek(self) -> str:
        return self.tokens[self.at][1].upper() if self.at < len(self.tokens) else ""

    def next(self) -> tuple[str, str]:
        if self.at >= len(self.tokens):
            raise WiqlError("the query ends too early")
        self.at += 1
        return self.tokens[self.at - 1]

    def accept(self, *words: str) -> bool:
        if [t[1].upper() for t in self.tokens[self.at : self.at + len(words)]] != list(words):
            return False
        self.at += len(words)
        return True

    def expect(self, word: str) -> None:
        _, found = self.next()
        if found.upper() != word:
            raise WiqlError(f"expected {word} but found '{found}'")

    def query(self) -> Query:
        query = Query()
        self.expect("SELECT")
        query.columns.append(self.name()[1])
        while self.accept(","):
            query.columns.append(self.name()[1])
        self.expect("FROM")
        source = self.next()[1].lower()
        if source not in {"workitems", "workitemlinks"}:
            raise WiqlError(f"FROM must name WorkItems or WorkItemLinks, not '{source}'")
        query.links = source == "workitemlinks"
        if self.accept("WHERE"):
            query.where = self.any_of()
        if self.accept("ORDER", "BY"):
            while True:
                name = self.name()[1]
                descending = self.accept("DESC")
                self.accept("ASC")
                query.order.append((name, descending))
                if not self.accept(","):
                    break
        if self.accept("ASOF"):
            self.next()
        if self.accept("MODE"):
            opened = self.accept("(")
            query.mode = self.next()[1]
            while opened and not self.accept(")"):
                self.next()
        if self.at < len(self.tokens):
            raise WiqlError(f"unexpected '{self.tokens[self.at][1]}'")
        return query

    def name(self) -> tuple[str, str]:
        kind, text = self.next()
        if kind not in {"name", "word"}:
            raise WiqlError(f"expected a field but found '{text}'")
        sides = [part.strip("[]") for part in text.split("].[")] if kind == "name" else [text]
        return (sides[0], sides[1]) if len(sides) == 2 else ("", sides[0])

    def any_of(self) -> Group | Condition:
        return self._joined("OR", self.all_of)

    def all_of(self) -> Group | Condition:
        return self._joined("AND", self.one)

    def _joined(self, joiner: str, part: Callable[[], Group | Condition]) -> Group | Condition:
        parts = [part()]
        while self.accept(joiner):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Group(joiner, tuple(parts))

    def one(self) -> Group | Condition:
        if self.peek() not in {"NOT", "("}:
            return self.condition()
        self.depth += 1
        if self.depth > _DEEPEST:
            raise WiqlError(f"conditions are nested more than {_DEEPEST} levels deep")
        inner: Group | Condition
        if self.accept("NOT"):
            inner = Group("AND", (self.one(),), negated=True)
        else:
            self.expect("(")
            inner = self.any_of()
            self.expect(")")
        self.depth -= 1
        return inner

    def condition(self) -> Condition:
        side, name = self.name()
        return Condition(side, name, *self._comparison())

    def _comparison(self) -> tuple[str, tuple[Any, ...]]:
        for words in (
            ("NOT", "IN"),
            ("NOT", "UNDER"),
            ("NOT", "CONTAINS", "WORDS"),
            ("NOT", "CONTAINS"),
            ("IN",),
            ("UNDER",),
            ("EVER",),
            ("CONTAINS", "WORDS"),
            ("CONTAINS",),
            ("IS", "EMPTY"),
            ("IS", "NOT", "EMPTY"),
        ):
            if self.accept(*words):
                operator = " ".join(words)
                if operator.startswith("IS"):
                    return operator, ()
                if operator.endswith("IN"):
                    return operator, self._list()
                return operator, (self.value(),)
        kind, operator = self.next()
        if kind != "operator":
            raise WiqlError(f"expected an operator but found '{operator}'")
        return operator, (self.value(),)

    def _list(self) -> tuple[Any, ...]:
        self.expect("(")
        values = [self.value()]
        while self.accept(","):
            values.append(self.value())
        self.expect(")")
        return tuple(values)

    def value(self) -> Any:
        kind, text = self.next()
        if kind == "text":
            return text[1:-1].replace("''", "'") if text.startswith("'") else text[1:-1]
        if kind == "number":
            if len(text) > _LONGEST_NUMBER:
                raise WiqlError(f"the number {text[:20]}… is too long")
            return float(text) if "." in text else int(text)
        if kind == "macro":
            if sum(c.isdigit() for c in text) > _LONGEST_OFFSET:
                raise WiqlError(f"the offset of {text[:20]}… is too large")
            return text
        if kind == "word" and text.lower() in {"true", "false"}:
            return text.lower() == "true"
        raise WiqlError(f"expected a value but found '{text}'")
