"""Reads the functions and classes of a Python file from its syntax tree, without running or importing anything."""

from __future__ import annotations

import ast
import hashlib
import warnings
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from shared.domain.change import Part, Unknown
from shared.evidence.changes.declared import (
    Branch,
    Declaration,
    DeclarationKind,
    Declared,
    Language,
    Parameter,
    ParameterKind,
    Route,
)

LARGEST = 1024 * 1024
"""Characters of a file that is read; nobody writes a larger one by hand."""

BLIND = (
    "What is bound when the program runs is not seen: names from `setattr` or `globals()`, routes registered by calls, "
    "names that a package passes on from another file."
)

_Function = ast.FunctionDef | ast.AsyncFunctionDef
_METHODS = frozenset({"get", "post", "put", "patch", "delete", "head", "options"})
_LONGEST_CONDITION = 200


class Outlined(NamedTuple):
    """A function or class before anything is read of it but where it stands: cheap, since most are left as they are."""

    name: str
    kind: DeclarationKind
    public: bool
    start: int
    end: int
    text: str
    """Its lines."""
    node: _Function | ast.ClassDef


def declared(path: str, source: str) -> Part[Declared]:
    """The functions and classes of ``source``; ``Unknown`` with line and reason where it does not parse."""
    found = outlined(path, source)
    if isinstance(found, Unknown):
        return found
    read = each_declared(path, found)
    return read if isinstance(read, Unknown) else Declared(language=Language.PYTHON, declarations=read, blind=BLIND)


def outlined(path: str, source: str) -> Part[tuple[Outlined, ...]]:
    """Where the functions and classes of ``source`` stand, in the order of their lines. ``Unknown`` as ``declared``."""
    if len(source) > LARGEST:
        return Unknown(reason=f"{path} has {len(source)} characters; {LARGEST} are the most that is read")
    try:
        with warnings.catch_warnings():
            # An invalid escape in somebody's string is a warning of the compiler, and no business of ours.
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
        return tuple(_Reader(path, tree, source).read())
    except SyntaxError as error:
        return Unknown(reason=f"{path} does not parse as Python: line {error.lineno or 1}: {error.msg}")
    except (ValueError, RecursionError, MemoryError) as error:
        return Unknown(reason=f"{path} does not parse as Python: {str(error) or 'it is nested too deep'}")


def each_declared(path: str, found: Iterable[Outlined]) -> Part[tuple[Declaration, ...]]:
    """All that can be read of functions and classes. ``Unknown`` where one is nested too deep to be read."""
    try:
        return tuple(map(_declaration, found))
    except RecursionError:
        return Unknown(reason=f"{path} is nested too deep to be read")


class _Reader:
    def __init__(self, path: str, tree: ast.Module, source: str) -> None:
        self._tree = tree
        # As the compiler counts lines: a form feed or a Unicode separator ends none.
        self._lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        self._exported = _exported(tree)
        # A module named with one underscore is its package's own affair; __init__ and __main__ are not.
        self._private = any(part.startswith("_") and not part.startswith("__") for part in path.split("/"))

    def read(self) -> Iterator[Outlined]:
        yield from self._block(self._tree.body, "", within=None, public=not self._private)

    def _block(
        self, body: list[ast.stmt], prefix: str, *, within: DeclarationKind | None, public: bool
    ) -> Iterator[Outlined]:
        for node in body:
            if isinstance(node, _Function):
                kind = DeclarationKind.METHOD if within is DeclarationKind.CLASS else DeclarationKind.FUNCTION
                yield self._outlined(node, prefix + node.name, kind, public=public)
                yield from self._block(
                    node.body, f"{prefix}{node.name}.<locals>.", within=DeclarationKind.FUNCTION, public=False
                )
            elif isinstance(node, ast.ClassDef):
                one = self._outlined(node, prefix + node.name, DeclarationKind.CLASS, public=public)
                yield one
                yield from self._block(
                    node.body, f"{prefix}{node.name}.", within=DeclarationKind.CLASS, public=one.public
                )
            else:
                for inner in _blocks(node):
                    yield from self._block(inner, prefix, within=within, public=public)

    def _outlined(self, node: _Function | ast.ClassDef, name: str, kind: DeclarationKind, *, public: bool) -> Outlined:
        start = min([node.lineno, *(one.lineno for one in node.decorator_list)])
        end = node.end_lineno or node.lineno
        text = "\n".join(self._lines[start - 1 : end])
        return Outlined(name, kind, self._is_public(name, public=public), start, end, text, node)

    def _is_public(self, name: str, *, public: bool) -> bool:
        last = name.rsplit(".", 1)[-1]
        if not public or (last.startswith("_") and not (last.startswith("__") and last.endswith("__"))):
            return False
        return "." in name or self._exported is None or name in self._exported


def _declaration(one: Outlined) -> Declaration:
    node = one.node
    common: dict[str, Any] = {
        "name": one.name,
        "kind": one.kind,
        "public": one.public,
        "line": node.lineno,
        "start": one.start,
        "end": one.end,
        "decorators": tuple(ast.unparse(each) for each in node.decorator_list),
        "docstring": ast.get_docstring(node) or "",
        "digest": _digest(node),
    }
    if isinstance(node, ast.ClassDef):
        return Declaration(signature=_class_signature(node), **common)
    own = list(_own(node))
    return Declaration(
        signature=_signature(node),
        parameters=_parameters(node, method=one.kind is DeclarationKind.METHOD),
        returns=ast.unparse(node.returns) if node.returns else "",
        routes=tuple(_routes(node)),
        branches=tuple(sorted(_branches(own), key=lambda branch: branch.line)),
        raises=_raised(own),
        asynchronous=isinstance(node, ast.AsyncFunctionDef),
        **common,
    )


def _blocks(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """The statements inside ``if``, ``try``, ``with`` and loops, which declare as well."""
    for name in ("body", "orelse", "finalbody"):
        inner = getattr(node, name, None)
        if isinstance(inner, list):
            yield inner
    for name in ("handlers", "cases"):
        for part in getattr(node, name, ()):
            yield part.body


def _exported(tree: ast.Module) -> frozenset[str] | None:
    """The names of ``__all__`` where it is written as plain strings."""
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = node.value if isinstance(node, ast.Assign | ast.AnnAssign) else None
        if (
            any(isinstance(one, ast.Name) and one.id == "__all__" for one in targets)
            and isinstance(value, ast.List | ast.Tuple)
            and all(isinstance(one, ast.Constant) and isinstance(one.value, str) for one in value.elts)
        ):
            return frozenset(str(one.value) for one in value.elts if isinstance(one, ast.Constant))
    return None


def _parameters(node: _Function, *, method: bool) -> tuple[Parameter, ...]:
    given = node.args
    plain = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    found = [
        _parameter(one, ParameterKind.POSITIONAL if index < len(given.posonlyargs) else ParameterKind.NORMAL, default)
        for index, (one, default) in enumerate(zip(plain, defaults, strict=True))
    ]
    static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)
    if method and not static and found:
        found = found[1:]
    if given.vararg:
        found.append(_parameter(given.vararg, ParameterKind.VARIADIC, None))
    found += [
        _parameter(one, ParameterKind.KEYWORD, default)
        for one, default in zip(given.kwonlyargs, given.kw_defaults, strict=True)
    ]
    if given.kwarg:
        found.append(_parameter(given.kwarg, ParameterKind.KEYWORDS, None))
    return tuple(found)


def _parameter(given: ast.arg, kind: ParameterKind, default: ast.expr | None) -> Parameter:
    return Parameter(
        name=given.arg,
        kind=kind,
        annotation=ast.unparse(given.annotation) if given.annotation else "",
        default=ast.unparse(default) if default is not None else None,
    )


def _signature(node: _Function) -> str:
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(node.args)}){returns}"


def _class_signature(node: ast.ClassDef) -> str:
    bases = [ast.unparse(one) for one in node.bases] + [ast.unparse(one) for one in node.keywords]
    fields = [
        ast.unparse(one)
        for one in node.body
        if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and not one.target.id.startswith("_")
    ]
    return f"({', '.join(bases)})" + (f" {{{'; '.join(fields)}}}" if fields else "")


def _routes(node: _Function) -> Iterator[Route]:
    """What ``@app.get("/x")``, ``@app.route("/x", methods=["POST"])`` and ``@bp.route(route="x")`` bind."""
    for one in node.decorator_list:
        if not isinstance(one, ast.Call) or not isinstance(one.func, ast.Attribute):
            continue
        verb = one.func.attr.lower()
        named = {word.arg: word.value for word in one.keywords if word.arg}
        where = one.args[0] if one.args else named.get("path", named.get("route", named.get("rule")))
        if not isinstance(where, ast.Constant) or not isinstance(where.value, str):
            continue
        path = "/" + where.value.lstrip("/")
        if verb in _METHODS:
            yield Route(method=verb.upper(), path=path)
        elif verb in {"route", "api_route"}:
            for method in _texts(named.get("methods")) or ("ANY",):
                yield Route(method=method.upper(), path=path)
        elif verb == "websocket":
            yield Route(method="WEBSOCKET", path=path)


def _texts(node: ast.expr | None) -> tuple[str, ...]:
    if not isinstance(node, ast.List | ast.Tuple | ast.Set):
        return ()
    names = (one.value if isinstance(one, ast.Constant) else getattr(one, "attr", None) for one in node.elts)
    return tuple(name for name in names if isinstance(name, str))


def _own(node: _Function) -> Iterator[ast.AST]:
    """Everything inside a function but not inside a function or class within it."""
    waiting: list[ast.AST] = list(reversed(node.body))
    while waiting:
        one = waiting.pop()
        yield one
        if not isinstance(one, _Function | ast.ClassDef | ast.Lambda):
            waiting.extend(reversed(list(ast.iter_child_nodes(one))))


def _branches(own: Iterable[ast.AST]) -> Iterator[Branch]:
    for one in own:
        match one:
            case ast.If() | ast.While() | ast.IfExp() | ast.Assert():
                yield Branch(line=one.lineno, kind=type(one).__name__.lower(), condition=_short(one.test))
            case ast.For() | ast.AsyncFor():
                yield Branch(line=one.lineno, kind="for", condition=f"{_short(one.target)} in {_short(one.iter)}")
            case ast.ExceptHandler():
                yield Branch(line=one.lineno, kind="except", condition=_short(one.type) if one.type else "")
            case ast.Match():
                for way in one.cases:
                    yield Branch(line=way.pattern.lineno, kind="case", condition=_short(way.pattern))
            case ast.comprehension(ifs=[first, *_]):
                yield Branch(line=first.lineno, kind="comprehension", condition=_short(first))


def _short(node: ast.AST) -> str:
    return ast.unparse(node)[:_LONGEST_CONDITION]


def _raised(own: Iterable[ast.AST]) -> tuple[str, ...]:
    names: dict[str, None] = {}
    for one in own:
        if isinstance(one, ast.Raise) and one.exc is not None:
            what = one.exc.func if isinstance(one.exc, ast.Call) else one.exc
            if isinstance(what, ast.Name | ast.Attribute):
                names[ast.unparse(what)] = None
    return tuple(names)


def _digest(node: _Function | ast.ClassDef) -> str:
    """Of the tree without positions and docstring; a class without its methods, which are told for themselves."""
    parts = list(node.body)
    if (
        parts
        and isinstance(parts[0], ast.Expr)
        and isinstance(parts[0].value, ast.Constant)
        and isinstance(parts[0].value.value, str)
    ):
        parts = parts[1:]
    if isinstance(node, ast.ClassDef):
        parts = [one for one in parts if not isinstance(one, _Function | ast.ClassDef)]
        head: list[ast.AST] = [*node.bases, *node.keywords]
    else:
        head = [node.args, *([node.returns] if node.returns else [])]
    text = "\n".join(ast.dump(one) for one in [*node.decorator_list, *head, *parts])
    return hashlib.sha256(f"{type(node).__name__}\n{text}".encode(errors="surrogatepass")).hexdigest()[:16]
