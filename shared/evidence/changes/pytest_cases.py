"""Reads the test cases of a Python file as pytest collects them, one for each set of parameters that can be read."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from typing import NamedTuple

from shared.domain.change import Part, Unknown
from shared.evidence.changes.cases import CaseClass, classed
from shared.evidence.changes.python import LARGEST

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_REFUSERS = frozenset({"raises", "assertRaises", "assertRaisesRegex", "RaisesGroup", "assert_raises"})
_CLAIMS = ("assert", "expect", "verify", "should", "check", "raises", "fail", "snapshot", "match")
_MOST_SETS = 500
_CLIENT_ERROR, _LAST_ERROR = 400, 599


class Found(NamedTuple):
    """A case before it is compared with the diff."""

    name: str
    lines: frozenset[int]
    """Those whose change changes the case: its body, and of its parameters its own set."""
    line: int
    end: int
    kind: CaseClass
    because: str
    skipped: bool
    asserts: bool
    text: str


def cases(path: str, source: str) -> Part[tuple[Found, ...]]:
    """The cases of ``source``. ``Unknown`` where it does not parse."""
    if len(source) > LARGEST:
        return Unknown(reason=f"{path} has {len(source)} characters; {LARGEST} are the most that is read")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        return tuple(_module(tree, source.split("\n")))
    except SyntaxError as error:
        return Unknown(reason=f"{path} does not parse as Python: line {error.lineno or 1}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Unknown(reason=f"{path} does not parse as Python: {str(error) or 'it is nested too deep'}")


def _module(tree: ast.Module, lines: list[str]) -> Iterator[Found]:
    for node in tree.body:
        if isinstance(node, _Function) and node.name.startswith("test"):
            yield from _function(node, "", lines, skipped=False, outer=[])
        elif isinstance(node, ast.ClassDef) and _collected(node):
            skipped = _skipped(node.decorator_list)
            for inner in node.body:
                if isinstance(inner, _Function) and inner.name.startswith("test"):
                    yield from _function(inner, f"{node.name}::", lines, skipped=skipped, outer=node.decorator_list)


def _collected(node: ast.ClassDef) -> bool:
    return node.name.startswith("Test") or any(ast.unparse(base).endswith("TestCase") for base in node.bases)


def _function(
    node: _Function, prefix: str, lines: list[str], *, skipped: bool, outer: list[ast.expr]
) -> Iterator[Found]:
    start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    end = node.end_lineno or node.lineno
    own = frozenset(range(start, end + 1))
    refusal, limit = _refusal(node), _limit(node)
    asserts = _asserts(node)
    left_out = skipped or _skipped(node.decorator_list)
    text = "\n".join(lines[start - 1 : end])
    name = prefix + node.name
    sets = [one for each in [*node.decorator_list, *outer] for one in [_sets(each)] if one]
    # Of several parametrisations stacked upon one another, the longest tells what differs; the others vary it.
    told = max(sets, key=len, default=[])
    if not told:
        kind, because = classed(name, refusal=refusal, limit=limit)
        yield Found(name, own, node.lineno, end, kind, because, left_out, asserts, text)
        return
    elsewhere = frozenset(number for one in told for number in one.lines)
    for one in told[:_MOST_SETS]:
        kind, because = classed(f"{name} {one.id}", refusal=one.refusal or refusal, limit=one.limit or limit)
        mine = (own - elsewhere) | one.lines
        yield Found(
            f"{name}[{one.id}]",
            mine,
            min(one.lines),
            max(one.lines),
            kind,
            because,
            left_out or one.skipped,
            asserts,
            text,
        )


class _Set(NamedTuple):
    id: str
    lines: frozenset[int]
    refusal: str
    limit: str
    skipped: bool


def _sets(decorator: ast.expr) -> list[_Set]:
    """The sets of parameters of ``@pytest.mark.parametrize`` where they are written out."""
    if not (isinstance(decorator, ast.Call) and ast.unparse(decorator.func).endswith("parametrize")):
        return []
    named = {word.arg: word.value for word in decorator.keywords if word.arg}
    values = decorator.args[1] if len(decorator.args) > 1 else named.get("argvalues")
    if not isinstance(values, ast.List | ast.Tuple | ast.Set):
        return []
    given_ids = named.get("ids")
    ids = [_text(one) for one in given_ids.elts] if isinstance(given_ids, ast.List | ast.Tuple) else []
    found = []
    for index, value in enumerate(values.elts):
        marked = isinstance(value, ast.Call) and ast.unparse(value.func).endswith("param")
        words = {word.arg: word.value for word in value.keywords} if isinstance(value, ast.Call) and marked else {}
        parts = (
            list(value.args)
            if isinstance(value, ast.Call) and marked
            else list(value.elts)
            if isinstance(value, ast.Tuple | ast.List)
            else [value]
        )
        own = _text(words["id"]) if "id" in words else ids[index] if index < len(ids) else ""
        found.append(
            _Set(
                own or "-".join(ast.unparse(part)[:30] for part in parts),
                frozenset(range(value.lineno, (value.end_lineno or value.lineno) + 1)),
                next((f"status {status}" for part in parts if (status := _status(part))), ""),
                next((at for part in parts if (at := _boundary(part))), ""),
                _skipped([words["marks"]]) if "marks" in words else False,
            )
        )
    return found


def _text(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""


def _refusal(node: _Function) -> str:
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            name = one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")
            if name in _REFUSERS:
                return name
        if isinstance(one, ast.Assert):
            for part in ast.walk(one.test):
                if isinstance(part, ast.Compare):
                    for side in (part.left, *part.comparators):
                        if (status := _status(side)) and "status" in ast.unparse(part):
                            return f"status {status}"
    return ""


def _status(node: ast.expr) -> int:
    """The HTTP status of an error that ``node`` is; 0: none."""
    if isinstance(node, ast.Constant) and type(node.value) is int and _CLIENT_ERROR <= node.value <= _LAST_ERROR:
        return node.value
    return 0


def _limit(node: _Function) -> str:
    if any(ast.unparse(one).startswith(("given(", "hypothesis.given(")) for one in node.decorator_list):
        return "generated values"
    for one in ast.walk(node):
        if isinstance(one, ast.Call):
            name = ast.unparse(one.func)
            if name in {"range", "sorted", "len", "sum", "next", "print"}:
                continue
            for part in [*one.args, *(word.value for word in one.keywords)]:
                if at := _boundary(part):
                    return at
    return ""


def _boundary(node: ast.expr) -> str:
    """How a value at a limit is written; empty: ``node`` is none."""
    text = ast.unparse(node)
    match node:
        case ast.Constant(value=value) if value is None or value in {"", b""} or (value == 0 and value is not False):
            return text
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=1)):
            return text
        case ast.List(elts=[]) | ast.Tuple(elts=[]) | ast.Dict(keys=[]):
            return text
        case ast.Call() | ast.Attribute() if text.startswith(
            ("float('inf", "float('-inf", "float('nan", "sys.max", "math.inf", "math.nan")
        ):
            return text
    return ""


def _asserts(node: _Function) -> bool:
    for one in ast.walk(node):
        if isinstance(one, ast.Assert):
            if not isinstance(one.test, ast.Constant):
                return True
        elif isinstance(one, ast.Call):
            name = (one.func.attr if isinstance(one.func, ast.Attribute) else getattr(one.func, "id", "")).lower()
            if any(claim in name for claim in _CLAIMS):
                return True
    return False


def _skipped(decorators: list[ast.expr]) -> bool:
    """Left out always. ``skipif`` leaves out somewhere only, and an expected failure still runs."""
    for one in decorators:
        name = ast.unparse(one.func if isinstance(one, ast.Call) else one)
        if name.rsplit(".", 1)[-1] == "skip":
            return True
    return False
