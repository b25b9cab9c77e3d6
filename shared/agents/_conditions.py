"""Finds arguments for which a function's own conditions hold or do not, by evaluating them on sample values, never running it."""

from __future__ import annotations

import ast
import itertools
import math
import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from shared.agents._values import Domain, Names, Sample, decimal_of, domain_of_literal, literal

Function = ast.FunctionDef | ast.AsyncFunctionDef
Arguments = Mapping[str, Sample]

_MOST_TRIED = 3_000
_LONGEST_FILLED = 1_000
_COMPARED: dict[type[ast.cmpop], Callable[[Any, Any], object]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt, ast.GtE: operator.ge,
    ast.In: lambda one, many: one in many, ast.NotIn: lambda one, many: one not in many,
}  # fmt: skip
_COUNTED: dict[type[ast.operator], Callable[[float, float], float]] = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv, ast.Mod: operator.mod,
}  # fmt: skip
_TYPES: dict[str, type] = {
    one.__name__: one for one in (int, float, str, bytes, bool, list, dict, tuple, set, frozenset, complex, Decimal)
}
_METHODS = frozenset({"strip", "lower", "upper", "isdigit", "isalpha", "isalnum", "isspace", "isnumeric", "startswith", "endswith", "is_integer"})  # fmt: skip


class CannotTell(Exception):  # noqa: N818 - an answer, not a fault
    """An expression that is not evaluated here."""


@dataclass(frozen=True)
class Condition:
    """A condition on parameters alone, and what happens where it holds."""

    test: ast.expr
    line: int
    parameters: tuple[str, ...]
    error: str = ""
    """What is raised where it holds; empty: the function goes another way."""
    exits: bool = False
    """Whether nothing after it is reached where it holds."""
    deeper: bool = False
    """Whether further conditions where it holds decide on a refusal."""

    @property
    def text(self) -> str:
        """As written."""
        return ast.unparse(self.test)[:200]


def conditions(node: Function, parameters: Sequence[str]) -> tuple[Condition, ...]:
    """The conditions that decide on arguments as they were given, in order; those after a parameter is bound anew are not."""
    return tuple(_walked(node.body, tuple(parameters), set()))


def holds(condition: Condition, arguments: Arguments, names: Names) -> bool | None:
    """Whether it holds; ``None`` where that cannot be told by reading."""
    known = {name: one.value for name, one in arguments.items() if one.known}
    try:
        return bool(_value(condition.test, {**names.constants, **known}))
    except (CannotTell, TypeError, ValueError, ArithmeticError, AttributeError):
        return None


def pools(
    parameters: Mapping[str, Domain | None], found: Sequence[Condition], names: Names
) -> dict[str, tuple[Sample, ...]]:
    """For each parameter the values to try, the plainest first: its domain's, and those around what it is compared with."""
    told: dict[str, tuple[Sample, ...]] = {}
    for name, domain in parameters.items():
        near = [
            one
            for condition in found
            if name in condition.parameters
            for one in _near(condition.test, name, domain, names)
        ]
        guessed = domain or (domain_of_literal(near[0].value) if near else None)
        values = [*(guessed.usual if guessed else ()), *near, *(guessed.borders if guessed else ())]
        told[name] = tuple({one.code: one for one in values}.values())
    return told


def assignments(tried: Mapping[str, Sequence[Sample]]) -> Iterator[dict[str, Sample]]:
    """Every combination, the plainest first, up to a bound."""
    names = list(tried)
    for values in itertools.islice(itertools.product(*(tried[name] for name in names)), _MOST_TRIED):
        yield dict(zip(names, values, strict=True))


def _walked(body: list[ast.stmt], parameters: tuple[str, ...], bound: set[str]) -> Iterator[Condition]:
    for statement in body:
        if isinstance(statement, ast.If):
            yield from _of_if(statement, parameters, bound)
        elif isinstance(statement, ast.With | ast.AsyncWith | ast.Try):
            yield from _walked(statement.body, parameters, bound)
        bound |= {one.id for one in ast.walk(statement) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)}


def _of_if(
    statement: ast.If, parameters: tuple[str, ...], bound: set[str], before: tuple[ast.expr, ...] = ()
) -> Iterator[Condition]:
    error = _raised(statement.body)
    exits = bool(error) or isinstance(statement.body[-1], ast.Return)
    deeper = not error and any(isinstance(one, ast.Raise) for part in statement.body for one in ast.walk(part))
    for part in _alternatives(statement.test) if error else [statement.test]:
        # An `elif` is asked only where all before it does not hold.
        test = ast.BoolOp(ast.And(), [*(ast.UnaryOp(ast.Not(), one) for one in before), part]) if before else part
        free = {one.id for one in ast.walk(test) if isinstance(one, ast.Name)}
        used = tuple(name for name in parameters if name in free)
        if used and not free & bound:
            yield Condition(test, statement.lineno, used, error, exits, deeper)
    if len(statement.orelse) == 1 and isinstance(statement.orelse[0], ast.If):
        yield from _of_if(statement.orelse[0], parameters, bound, (*before, statement.test))


def _alternatives(test: ast.expr) -> list[ast.expr]:
    """Parts each of which alone makes the whole hold."""
    if isinstance(test, ast.BoolOp) and isinstance(test.op, ast.Or):
        return [part for value in test.values for part in _alternatives(value)]
    return [test]


def _raised(body: list[ast.stmt]) -> str:
    last = body[-1]
    if not isinstance(last, ast.Raise) or last.exc is None:
        return ""
    if not all(isinstance(one, ast.Assign | ast.AnnAssign | ast.AugAssign | ast.Expr) for one in body[:-1]):
        # Something before it may go another way.
        return ""
    what = last.exc.func if isinstance(last.exc, ast.Call) else last.exc
    return ast.unparse(what) if isinstance(what, ast.Name | ast.Attribute) else ""


def _near(test: ast.expr, name: str, domain: Domain | None, names: Names) -> Iterator[Sample]:
    """Values on both sides of each constant that the parameter, or its length, is compared with."""
    kind = domain.usual[0].value if domain and domain.usual[0].known else None
    for node in ast.walk(test):
        if not isinstance(node, ast.Compare):
            continue
        sides = [node.left, *node.comparators]
        for side in sides:
            if not any(
                isinstance(one, ast.Name) and one.id == name
                for other in sides
                if other is not side
                for one in ast.walk(other)
            ):
                continue
            try:
                constant = _value(side, dict(names.constants))
            except (CannotTell, TypeError, ValueError, ArithmeticError, AttributeError):
                continue
            measured = any(isinstance(other, ast.Call) and ast.unparse(other) == f"len({name})" for other in sides)
            yield from _around(constant, kind, measured=measured)


def _around(constant: object, kind: object, *, measured: bool) -> Iterator[Sample]:
    if measured and isinstance(constant, int) and 0 <= constant <= _LONGEST_FILLED:
        for length in (constant, constant - 1, constant + 1):
            if length >= 0:
                yield _filled(kind, length)
    elif isinstance(constant, bool | None):
        yield literal(constant)
    elif isinstance(constant, int | float | Decimal) and math.isfinite(constant):
        for one in (constant, constant - 1, constant + 1):
            if isinstance(kind, Decimal):
                yield decimal_of(str(one))
            else:
                yield literal(float(one) if isinstance(kind, float) else one)
    elif isinstance(constant, str | bytes):
        yield literal(constant)
    elif isinstance(constant, list | tuple | set | frozenset):
        # A set has no order of its own, and proposals are the same every time.
        yield from (literal(one) for one in sorted(constant, key=repr)[:3])


def _filled(kind: object, length: int) -> Sample:
    says = f"length {length}"
    if isinstance(kind, list):
        item = kind[0] if kind else 1
        return Sample(f"[{item!r}] * {length}", [item] * length, True, says=says)
    if isinstance(kind, bytes):
        return Sample(f'b"x" * {length}', b"x" * length, True, says=says)
    return Sample(f'"x" * {length}', "x" * length, True, says=says)


def _value(node: ast.expr, known: Mapping[str, object]) -> object:
    """The value of an expression over plain values. Raises ``CannotTell`` for whatever could run foreign code."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name) and node.id in known:
        return known[node.id]
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        values = [_value(one, known) for one in node.elts]
        return set(values) if isinstance(node, ast.Set) else values
    return _computed(node, known)


def _computed(node: ast.expr, known: Mapping[str, object]) -> object:
    match node:
        case ast.BoolOp():
            value = _joined(node, known)
        case ast.UnaryOp() | ast.BinOp():
            value = _counted(node, known)
        case ast.Compare():
            value = _compared(node, known)
        case ast.Call(keywords=[]):
            value = _called(node, known)
        case _:
            raise CannotTell
    return value


def _joined(node: ast.BoolOp, known: Mapping[str, object]) -> object:
    value: object = None
    for part in node.values:
        value = _value(part, known)
        if bool(value) is isinstance(node.op, ast.Or):
            return value
    return value


def _counted(node: ast.UnaryOp | ast.BinOp, known: Mapping[str, object]) -> object:
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, known)
        if isinstance(node.op, ast.Not):
            return not value
        if isinstance(node.op, ast.USub) and isinstance(value, int | float | Decimal):
            return -value
        raise CannotTell
    left, right = _value(node.left, known), _value(node.right, known)
    # Numbers alone: a text times a number could fill the memory.
    if type(node.op) not in _COUNTED or not isinstance(left, int | float) or not isinstance(right, int | float):
        raise CannotTell
    return _COUNTED[type(node.op)](left, right)


def _compared(node: ast.Compare, known: Mapping[str, object]) -> bool:
    left = _value(node.left, known)
    for op, side in zip(node.ops, node.comparators, strict=True):
        right = _value(side, known)
        if not _COMPARED[type(op)](left, right):
            return False
        left = right
    return True


def _called(node: ast.Call, known: Mapping[str, object]) -> object:
    if isinstance(node.func, ast.Name) and node.func.id not in known:
        if node.func.id == "isinstance" and len(node.args) == 2:
            wanted = node.args[1].elts if isinstance(node.args[1], ast.Tuple) else [node.args[1]]
            types = [_TYPES.get(ast.unparse(one)) for one in wanted]
            if None in types:
                raise CannotTell
            return isinstance(_value(node.args[0], known), tuple(one for one in types if one))
        if node.func.id in {"len", "abs", "bool"} and len(node.args) == 1:
            value = _value(node.args[0], known)
            return {"len": len, "abs": abs, "bool": bool}[node.func.id](value)  # type: ignore[operator]
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _METHODS:
        value = _value(node.func.value, known)
        if isinstance(value, str | bytes | float):
            return getattr(value, node.func.attr)(*(_value(one, known) for one in node.args))
    raise CannotTell
