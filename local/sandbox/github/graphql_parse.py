"""Parses the part of the GraphQL language that queries and mutations use (spec.graphql.org, October 2021)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

_TOKEN = re.compile(
    r'[\s,\ufeff]+|#[^\n]*|(?P<block>"""(?:[^"\\]|\\.|"(?!""))*""")|(?P<string>"(?:[^"\\\n]|\\.)*")|(?P<float>-?\d+(?:\.\d+(?:[eE][+-]?\d+)?|[eE][+-]?\d+))'
    r"|(?P<int>-?\d+)|(?P<name>[_A-Za-z]\w*)|(?P<punctuation>\.\.\.|[!$()\[\]{}:=@|&])"
)


class ParseError(ValueError):
    """The text is no GraphQL document; the message says where."""


@dataclass(frozen=True)
class Variable:
    """A reference to a variable."""

    name: str


@dataclass
class Field:
    """A field asked for, with where it stands (line, column)."""

    name: str
    alias: str
    at: tuple[int, int]
    arguments: dict[str, Any] = field(default_factory=dict)
    selections: list[Field | Spread] = field(default_factory=list)


@dataclass
class Spread:
    """A fragment: inline with a type, or by name."""

    fragment: str | None
    on: str | None
    selections: list[Field | Spread] = field(default_factory=list)


@dataclass
class Document:
    """One operation with its fragments."""

    operation: str
    name: str | None
    defaults: dict[str, Any]
    required: list[str]
    selections: list[Field | Spread]
    fragments: dict[str, Spread]


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, tuple[int, int]]] = []
        position = 0
        while position < len(text):
            found = _TOKEN.match(text, position)
            line = text.count("\n", 0, position) + 1
            column = position - (text.rfind("\n", 0, position) + 1) + 1
            if found is None:
                raise ParseError(f'Parse error on "{text[position]}" (error) at [{line}, {column}]')
            if found.lastgroup:
                self.tokens.append((found.lastgroup, found[0], (line, column)))
            position = found.end()
        self.tokens.append(("end", "", (text.count("\n") + 1, 1)))
        self.at = 0

    @property
    def text(self) -> str:
        return self.tokens[self.at][1] if self.tokens[self.at][0] in {"name", "punctuation"} else ""

    def take(self, expected: str | None = None, kind: str | None = None) -> str:
        found_kind, text, (line, column) = self.tokens[self.at]
        if (
            (expected is not None and text != expected)
            or (kind is not None and found_kind != kind)
            or found_kind == "end"
        ):
            shown = f'"{text}"' if text else "end of file"
            raise ParseError(f"Parse error on {shown} at [{line}, {column}], expected {expected or kind or 'more'}")
        self.at += 1
        return text

    def document(self, wanted: str | None) -> Document:
        operations: list[Document] = []
        fragments: dict[str, Spread] = {}
        while self.tokens[self.at][0] != "end":
            if self.text == "fragment":
                self.take()
                name = self.take(kind="name")
                self.take("on")
                on = self.take(kind="name")
                fragments[name] = Spread(name, on, self.selections())
            else:
                operations.append(self.operation(fragments))
        chosen = [o for o in operations if wanted is None or o.name == wanted]
        if len(chosen) != 1:
            raise ParseError("An operation name is required" if operations else "Unexpected end of document")
        return chosen[0]

    def operation(self, fragments: dict[str, Spread]) -> Document:
        kind, name = "query", None
        defaults: dict[str, Any] = {}
        required: list[str] = []
        if self.text != "{":
            kind = self.take(kind="name")
            if kind not in {"query", "mutation"}:
                raise ParseError(f"Unsupported operation {kind}")
            if self.text not in {"{", "("}:
                name = self.take(kind="name")
            if self.text == "(":
                self.variables(defaults, required)
        return Document(kind, name, defaults, required, self.selections(), fragments)

    def variables(self, defaults: dict[str, Any], required: list[str]) -> None:
        self.take("(")
        while self.text != ")":
            self.take("$")
            name = self.take(kind="name")
            self.take(":")
            depth = 0
            while self.text == "[":
                self.take()
                depth += 1
            self.take(kind="name")
            must = False
            while self.text in {"!", "]"}:
                must = self.take() == "!" and (depth == 0 or self.tokens[self.at - 2][1] == "]")
            if self.text == "=":
                self.take()
                defaults[name] = self.value()
            elif must:
                required.append(name)
        self.take(")")

    def selections(self) -> list[Field | Spread]:
        self.take("{")
        found: list[Field | Spread] = []
        while self.text != "}":
            found.append(self.selection())
        self.take("}")
        if not found:
            raise ParseError("Parse error: an empty selection")
        return found

    def selection(self) -> Field | Spread:
        if self.text == "...":
            self.take()
            if self.text == "on":
                self.take()
                return Spread(None, self.take(kind="name"), self.selections())
            if self.text == "{":
                return Spread(None, None, self.selections())
            return Spread(self.take(kind="name"), None)
        place = self.tokens[self.at][2]
        name = alias = self.take(kind="name")
        if self.text == ":":
            self.take()
            name = self.take(kind="name")
        arguments = {}
        if self.text == "(":
            self.take()
            while self.text != ")":
                key = self.take(kind="name")
                self.take(":")
                arguments[key] = self.value()
            self.take(")")
        return Field(name, alias, place, arguments, self.selections() if self.text == "{" else [])

    def value(self) -> Any:
        kind, text, _ = self.tokens[self.at]
        self.take()
        if kind == "punctuation" and text == "$":
            return Variable(self.take(kind="name"))
        if kind == "punctuation" and text == "[":
            items = []
            while self.text != "]":
                items.append(self.value())
            self.take("]")
            return items
        if kind == "punctuation" and text == "{":
            pairs = {}
            while self.text != "}":
                key = self.take(kind="name")
                self.take(":")
                pairs[key] = self.value()
            self.take("}")
            return pairs
        if kind == "block":
            return text[3:-3].strip()
        if kind == "name":
            return {"true": True, "false": False, "null": None}.get(text, text)
        if kind == "punctuation":
            raise ParseError(f'Parse error on "{text}"')
        try:
            return json.loads(text)
        except ValueError as error:
            raise ParseError(f"Parse error on {text}") from error


def parse(text: str, operation: str | None = None) -> Document:
    """The operation named (or the only one) of a document; raises ParseError."""
    try:
        return _Parser(text).document(operation)
    except RecursionError as error:
        raise ParseError("Parse error: the document is nested too deeply") from error
