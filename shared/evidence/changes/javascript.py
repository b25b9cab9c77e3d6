"""Reads what a JavaScript or TypeScript file exports, by the shape of its lines; it is no parser, and says what it misses."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from itertools import chain, islice

from shared.domain.change import Part, Unknown
from shared.evidence.changes.declared import Declaration, DeclarationKind, Declared, Language, Route

LARGEST = 1024 * 1024
"""Characters of a file that is read; nobody writes a larger one by hand."""
MOST = 2_000
"""Exports or tests of a file."""

BLIND = (
    "Exports are read line by line, without a parser: members of exported classes and objects, names passed on with "
    "`export * from`, computed names, branches and types of parameters are not seen."
)

_NAME = r"[A-Za-z_$][\w$]*"
_EXPORT = re.compile(
    rf"^export\s+(?P<default>default\s+)?(?:declare\s+)?(?:abstract\s+)?(?P<async>async\s+)?"
    rf"(?P<word>function\s*\*?|class|const|let|var|interface|type|enum)\s*(?P<name>{_NAME})?"
)
_LIST = re.compile(r"^export\s+(?:type\s+)?\{(?P<names>[^}]{0,9999})\}", re.MULTILINE)
_COMMONJS = re.compile(rf"^(?:module\.)?exports\.(?P<name>{_NAME})\s*=")
_ROUTE = re.compile(
    r"""\b(?:app|router|server|fastify|api)\.(?P<verb>get|post|put|patch|delete|head|options|all)\(\s*["'`](?P<path>/[^"'`]*)["'`]"""
)
_CALLABLE = re.compile(r"=\s*(?:async\s*)?(?:function\b|\([^)]*\)\s*(?::[^=]+)?=>|[A-Za-z_$][\w$]*\s*=>)")
_LONGEST = 500


def declared(path: str, source: str, language: Language) -> Part[Declared]:
    """The exports and routes of ``source``. ``Unknown`` for a file too large to be written by hand."""
    if len(source) > LARGEST:
        return Unknown(reason=f"{path} has {len(source)} characters; {LARGEST} are the most that is read")
    lines = without_comments(source).split("\n")
    brackets = Brackets(lines)
    declarations = list(islice(chain(_exports(lines, brackets), _routes(lines, brackets)), MOST + 1))
    if len(declarations) > MOST:
        return Unknown(reason=f"{path} exports more than {MOST} names")
    found = sorted(declarations, key=lambda one: (one.start, one.name))
    return Declared(language=language, declarations=tuple(found), blind=BLIND)


def _exports(lines: list[str], brackets: Brackets) -> Iterator[Declaration]:
    for number, line in enumerate(lines, 1):
        if found := _EXPORT.match(line):
            word = found["word"].split()[0].rstrip("*")
            name = found["name"] or "default"
            end = brackets.closing(number)
            text = "\n".join(lines[number - 1 : end])
            function = word == "function" or (
                word in {"const", "let", "var"} and bool(_CALLABLE.search(text[:_LONGEST]))
            )
            kind = (
                DeclarationKind.FUNCTION
                if function
                else DeclarationKind.CONSTANT
                if word in {"const", "let", "var"}
                else DeclarationKind.CLASS
            )
            yield _made(name, kind, text, number, end, asynchronous=bool(found["async"]))
        elif found := _COMMONJS.match(line):
            end = brackets.closing(number)
            text = "\n".join(lines[number - 1 : end])
            kind = DeclarationKind.FUNCTION if _CALLABLE.search(text[:_LONGEST]) else DeclarationKind.CONSTANT
            yield _made(found["name"], kind, text, number, end)
    text = "\n".join(lines)
    for listed in _LIST.finditer(text):
        number = text.count("\n", 0, listed.start()) + 1
        for one in listed["names"].split(","):
            if name := one.strip().removeprefix("type ").split(" as ")[-1].strip():
                yield _made(name, DeclarationKind.CONSTANT, one.strip(), number, number)


def _made(
    name: str, kind: DeclarationKind, text: str, number: int, end: int, *, asynchronous: bool = False
) -> Declaration:
    signature = _parenthesis(text) if kind is DeclarationKind.FUNCTION else ""
    return Declaration(
        name=name,
        kind=kind,
        signature=signature,
        line=number,
        start=number,
        end=end,
        public=True,
        asynchronous=asynchronous,
        digest=_digest(text),
    )


def _routes(lines: list[str], brackets: Brackets) -> Iterator[Declaration]:
    for number, line in enumerate(lines, 1):
        for found in _ROUTE.finditer(line):
            route = Route(method="ANY" if found["verb"] == "all" else found["verb"].upper(), path=found["path"])
            end = brackets.closing(number)
            yield Declaration(
                name=route.text,
                kind=DeclarationKind.FUNCTION,
                signature=route.text,
                line=number,
                start=number,
                end=end,
                public=True,
                routes=(route,),
                digest=_digest("\n".join(lines[number - 1 : end])),
            )


class Brackets:
    """Where brackets opened on a line are closed again; strings and comments hold none."""

    def __init__(self, lines: list[str]) -> None:
        self._lines: list[tuple[int, bool, bool]] = []
        for line in lines:
            plain = _STRINGS.sub("", line)
            opening, closing = (sum(map(plain.count, signs)) for signs in ("{([", "})]"))
            self._lines.append((opening - closing, opening > 0, line.rstrip().endswith(";")))

    def closing(self, number: int) -> int:
        """The line where what begins on line ``number`` ends; that line itself where nothing closes it."""
        depth, opened = 0, False
        for index in range(number - 1, min(len(self._lines), number - 1 + _MOST_LINES)):
            net, opens, ended = self._lines[index]
            depth, opened = depth + net, opened or opens
            if depth <= 0 and (opened or ended or index > number):
                return index + 1
        return number


_MOST_LINES = 5_000
"""Of one function or test; in a longer one its end is not looked for."""
_STRINGS = re.compile(r"""'(?:\\.|[^'\\])*'|"(?:\\.|[^"\\])*"|`(?:\\.|[^`\\])*`""")


def _parenthesis(text: str) -> str:
    """The first pair of round brackets and what follows to the body: parameters, and the result's type."""
    start = text.find("(")
    if start < 0:
        return ""
    depth = 0
    for index in range(start, min(len(text), start + _LONGEST)):
        depth += (text[index] == "(") - (text[index] == ")")
        if depth == 0:
            return " ".join(text[start : index + 1].split())
    return " ".join(text[start : start + _LONGEST].split())


_COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|(?<![:\"'`\\])//[^\n]*", re.DOTALL)


def without_comments(source: str) -> str:
    """Comments as blanks, so that lines keep their numbers. A comment's sign inside a string is taken for one as well."""
    return _COMMENT.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), source)


def _digest(text: str) -> str:
    return hashlib.sha256(" ".join(text.split()).encode(errors="surrogatepass")).hexdigest()[:16]
