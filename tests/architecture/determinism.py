"""Finds in source code what would make a replayed orchestrator take another path than the first time."""

from __future__ import annotations

import ast
from collections.abc import Iterator

FORBIDDEN_IMPORTS = {
    "asyncio", "concurrent", "github", "http", "httpx", "io", "locale", "multiprocessing", "os", "pathlib", "platform",
    "random", "requests", "secrets", "shutil", "socket", "subprocess", "sys", "tempfile", "threading", "time", "urllib.request",
    "uuid", "shared.adapters", "shared.services", "shared.settings",
}  # fmt: skip
FORBIDDEN_CALLS = {"open", "input", "id", "hash", "globals", "vars"}
FORBIDDEN_METHODS = {"now", "utcnow", "today", "uuid1", "uuid4", "urandom", "getenv", "read_text", "write_text"}
CONSUMERS = {"list", "tuple", "iter", "next", "enumerate", "zip", "map", "filter", "dict", "min_by"}
CONTEXT, CLIENT = "OrchestrationContext", "Client"


def faults(source: str) -> list[str]:
    """``line: what`` for everything in ``source`` that depends on more than the history.

    Looked at: what the module imports at its top, and every function but those that are handed a durable client, which
    run in triggers.
    """
    tree = ast.parse(source)
    found = [fault for node in tree.body for fault in _imports(node)]
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and CLIENT not in ast.dump(node.args):
            found += _function(node)
    return [f"{line}: {what}" for line, what in sorted(set(found))]


def orchestrators(source: str) -> list[str]:
    """Names of the functions of ``source`` that are handed an orchestration context."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and CONTEXT in ast.dump(node.args)
    ]


def _imports(node: ast.AST) -> Iterator[tuple[int, str]]:
    names: list[str] = []
    if isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    elif isinstance(node, ast.ImportFrom) and node.module:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    for name in names:
        if any(name == bad or name.startswith(bad + ".") for bad in FORBIDDEN_IMPORTS):
            yield node.lineno, f"imports {name}"


def _function(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[tuple[int, str]]:
    if isinstance(function, ast.AsyncFunctionDef) and CONTEXT in ast.dump(function.args):
        yield function.lineno, f"{function.name} is async; the engine drives plain generators"
    sets = _set_names(function)
    for node in ast.walk(function):
        yield from _imports(node)
        if isinstance(node, ast.Call):
            yield from _called(node, sets)
        elif isinstance(node, ast.For | ast.comprehension) and _is_set(node.iter, sets):
            yield node.iter.lineno, f"iterates over the set {ast.unparse(node.iter)}; sort it"
        elif isinstance(node, ast.Starred) and _is_set(node.value, sets):
            yield node.lineno, f"unpacks the set {ast.unparse(node.value)}; sort it"
        elif isinstance(node, ast.Global | ast.Nonlocal):
            yield node.lineno, "changes what outlives the function"
        elif isinstance(node, ast.Attribute) and node.attr == "environ":
            yield node.lineno, "reads the environment"


def _called(call: ast.Call, sets: set[str]) -> Iterator[tuple[int, str]]:
    target = call.func
    if isinstance(target, ast.Name):
        if target.id in FORBIDDEN_CALLS:
            yield call.lineno, f"calls {target.id}()"
        if target.id in CONSUMERS and any(_is_set(argument, sets) for argument in call.args):
            yield call.lineno, f"takes a set in no order: {ast.unparse(call)}"
    elif isinstance(target, ast.Attribute):
        if target.attr in FORBIDDEN_METHODS:
            yield call.lineno, f"calls {ast.unparse(target)}()"
        if target.attr in {"join", "extend"} and any(_is_set(argument, sets) for argument in call.args):
            yield call.lineno, f"takes a set in no order: {ast.unparse(call)}"
        if target.attr == "pop" and _is_set(target.value, sets):
            yield call.lineno, f"takes any one of a set: {ast.unparse(call)}"


def _set_names(function: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(function):
        if isinstance(node, ast.AnnAssign | ast.arg) and node.annotation is not None:
            name = node.arg if isinstance(node, ast.arg) else ast.unparse(node.target)
            if ast.unparse(node.annotation).startswith(("set[", "frozenset[", "set", "Set[")):
                names.add(name)
        elif isinstance(node, ast.Assign) and _is_set(node.value, names):
            names.update(ast.unparse(target) for target in node.targets)
    return names


def _is_set(node: ast.AST, sets: set[str]) -> bool:
    match node:
        case ast.Set() | ast.SetComp():
            return True
        case ast.Name(id=name):
            return name in sets
        case ast.Call(func=ast.Name(id="set" | "frozenset")):
            return True
        case ast.Call(func=ast.Attribute(attr="union" | "intersection" | "difference" | "symmetric_difference")):
            return True
        case ast.BinOp(op=ast.BitOr() | ast.BitAnd() | ast.Sub() | ast.BitXor(), left=left, right=right):
            return _is_set(left, sets) or _is_set(right, sets)
    return False
