"""Decides which function an HTTP path and method belong to, with the templates and precedence of ASP.NET routing."""

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from local.host.app import Function, IndexingError
from local.host.keys import AuthLevel

PARAMETER = re.compile(
    r"\{(\*{0,2})([A-Za-z_][A-Za-z0-9_]*)((?::(?:[^:={}?]|\{\{|\}\})*)*)(?:=([^}?]*))?(\?)?\}"
)  # braces inside a constraint are written twice
INTEGER = re.compile(r"[+-]?\d+")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")

Check = Callable[[str], bool]


def _is_int(bits: int) -> Check:
    return lambda value: INTEGER.fullmatch(value) is not None and -(2 ** (bits - 1)) <= int(value) < 2 ** (bits - 1)


def _is_guid(value: str) -> bool:
    try:
        uuid.UUID(value)
    except ValueError:
        return False
    return True


def _is_datetime(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


SIMPLE_CHECKS: Mapping[str, Check] = {
    "int": _is_int(32),
    "long": _is_int(64),
    "bool": lambda value: value.lower() in ("true", "false"),
    "alpha": lambda value: re.fullmatch(r"[A-Za-z]*", value) is not None,
    "guid": _is_guid,
    "datetime": _is_datetime,
    "decimal": lambda value: NUMBER.fullmatch(value) is not None,
    "double": lambda value: NUMBER.fullmatch(value) is not None,
    "float": lambda value: NUMBER.fullmatch(value) is not None,
    "required": bool,
}


def constraint(text: str) -> Check:
    """The check of one inline constraint, such as ``int`` or ``range(1,9)``.

    Raises:
        ValueError: unknown constraint or wrong arguments.
    """
    name, _, rest = text.partition("(")
    if not rest:
        if name in SIMPLE_CHECKS:
            return SIMPLE_CHECKS[name]
        raise ValueError(f"unknown route constraint {text!r}")
    argument = rest.removesuffix(")")
    if name == "regex":
        pattern = re.compile(argument.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)
        return lambda value: pattern.search(value) is not None
    numbers = [int(part) for part in argument.split(",")]
    first, last = numbers[0], numbers[-1]

    def within(value: str, low: int | None, high: int | None) -> bool:
        return (
            INTEGER.fullmatch(value) is not None
            and (low is None or int(value) >= low)
            and (high is None or int(value) <= high)
        )

    checks: dict[str, Check] = {
        "length": lambda value: first <= len(value) <= last,
        "minlength": lambda value: len(value) >= first,
        "maxlength": lambda value: len(value) <= first,
        "min": lambda value: within(value, first, None),
        "max": lambda value: within(value, None, first),
        "range": lambda value: within(value, first, last),
    }
    if name not in checks:
        raise ValueError(f"unknown route constraint {text!r}")
    return checks[name]


@dataclass(frozen=True, slots=True)
class Route:
    """One function's template, compiled."""

    function: Function
    template: str
    methods: frozenset[str] | None
    level: AuthLevel
    precedence: tuple[int, ...]
    pattern: re.Pattern[str] | None
    checks: Mapping[str, tuple[Check, ...]]
    defaults: Mapping[str, str]

    def match(self, path: str) -> dict[str, str] | None:
        """The route parameters of a path without its leading slash, or None when it does not fit."""
        if self.pattern is None:
            return {} if path == self.template.lower() else None
        found = self.pattern.fullmatch(path)
        if found is None:
            return None
        values = {name: value for name, value in found.groupdict().items() if value is not None and value != ""}
        for name, checks in self.checks.items():
            if name in values and not all(check(values[name]) for check in checks):
                return None
        return {**self.defaults, **values}


def compile_route(function: Function, prefix: str) -> Route:
    """Compile the template of an HTTP function.

    Raises:
        IndexingError: the template is malformed or uses an unknown constraint.
    """
    own = str(function.binding.get("route") or function.name).strip("/")
    template = "/".join(part for part in (prefix.strip("/"), own) if part)
    methods = function.binding.get("methods")
    level = AuthLevel(str(function.binding.get("authLevel") or AuthLevel.FUNCTION).lower())
    checks: dict[str, tuple[Check, ...]] = {}
    defaults: dict[str, str] = {}
    precedence: list[int] = []
    expression = ""
    for position, segment in enumerate(template.split("/")):
        separator = "/" if position else ""
        try:
            piece, rank, optional = _compile_segment(segment, checks, defaults)
        except (ValueError, re.error) as error:
            raise IndexingError(f"function {function.name}: route {own!r}: {error}") from error
        precedence.append(rank)
        expression += f"(?:{separator}{piece})?" if optional else f"{separator}{piece}"
    has_parameters = any(rank > 1 for rank in precedence)
    return Route(
        function=function,
        template=template,
        methods=frozenset(str(method).upper() for method in methods) if methods else None,
        level=level,
        precedence=tuple(precedence),
        pattern=re.compile(expression, re.IGNORECASE | re.DOTALL) if has_parameters else None,
        checks=checks,
        defaults=defaults,
    )


def _compile_segment(
    segment: str, checks: dict[str, tuple[Check, ...]], defaults: dict[str, str]
) -> tuple[str, int, bool]:
    parameters = list(PARAMETER.finditer(segment))
    literal = PARAMETER.sub("", segment)
    if "{" in literal or "}" in literal:
        raise ValueError(f"the segment {segment!r} is not a valid template")
    if not parameters:
        return re.escape(segment), 1, False
    expression, end = "", 0
    rank, optional = 3, False
    for match in parameters:
        star, name, constraints, default, question = match.groups()
        expression += re.escape(segment[end : match.start()])
        end = match.end()
        if constraints:
            checks[name] = tuple(constraint(text) for text in constraints[1:].split(":"))
            rank = 2
        if default is not None:
            defaults[name] = default
        expression += f"(?P<{name}>.*)" if star else f"(?P<{name}>[^/]+)"
        if star:
            rank = 5
        if literal:
            rank = 2
        optional = optional or bool(question) or default is not None or bool(star)
    return expression + re.escape(segment[end:]), rank, optional and not literal


class Router:
    """Finds the route of a request; a known path with another method is not found, as in Azure."""

    def __init__(self, functions: Iterable[Function], prefix: str) -> None:
        self.routes = sorted(
            (compile_route(function, prefix) for function in functions), key=lambda route: route.precedence
        )
        self._literal: dict[str, list[Route]] = {}
        self._patterned: list[Route] = []
        for route in self.routes:
            if route.pattern is None:
                self._literal.setdefault(route.template.lower(), []).append(route)
            else:
                self._patterned.append(route)

    def find(self, path: str, method: str) -> tuple[Route, dict[str, str]] | None:
        """The route and route parameters of a path (with its leading slash), or None."""
        trimmed = path.strip("/")
        for route in self._literal.get(trimmed.lower(), ()):
            if route.methods is None or method in route.methods:
                return route, {}
        for route in self._patterned:
            if route.methods is None or method in route.methods:
                values = route.match(trimmed)
                if values is not None:
                    return route, values
        return None
