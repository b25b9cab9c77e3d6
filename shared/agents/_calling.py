"""Decides how a test calls a Python function, what type of answer it may expect, and when it had better not call at all."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from shared.agents._conditions import Function
from shared.agents._values import MODULE, Names, constructor
from shared.evidence.changes.declared import Declaration

_KEPT_DECORATORS = frozenset({"staticmethod", "classmethod", "cache", "lru_cache", "functools.cache", "functools.lru_cache", "override", "typing.override", "abstractmethod"})  # fmt: skip
_OUTSIDE = frozenset(
    ["subprocess", "requests", "httpx", "socket", "shutil", "smtplib", "urllib", "boto3", "aiohttp", "open", "input", "exec", "eval"]
)  # fmt: skip
_OUTSIDE_METHODS = frozenset(["unlink", "rmdir", "rmtree", "write_text", "write_bytes", "mkdir", "rename", "execute", "commit", "system", "remove", "kill"])  # fmt: skip
ANSWERS: Mapping[str, tuple[str, ...]] = {
    **{name: (name,) for name in ("int", "str", "bytes", "bool", "list", "dict", "tuple", "set", "frozenset", "complex")},
    # The numeric tower of PEP 484: an int is right where a float is asked for.
    "float": ("float", "int"),
    "None": ("types.NoneType",),
    **{name: (f"{module}.{name.rpartition('.')[2]}",) for module, short in
       (("decimal", "Decimal"), ("datetime", "date"), ("datetime", "datetime"), ("datetime", "timedelta"), ("uuid", "UUID"), ("pathlib", "Path"))
       for name in (short, f"{module}.{short}")},
}  # fmt: skip
"""Annotation → types an answer may have, as source of a test."""


@dataclass
class Source:
    """A module as its tests see it."""

    tree: ast.Module
    names: Names = field(default_factory=Names)

    @classmethod
    def read(cls, text: str) -> Source | None:
        """The module ``text``; ``None`` where it does not parse."""
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None
        classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
        return cls(tree, Names(classes, dict(_constants(tree))))

    def function(self, declaration: Declaration) -> Function | None:
        """The function that is declared so."""
        nodes = (node for node in ast.walk(self.tree) if isinstance(node, Function))
        return next((node for node in nodes if node.lineno == declaration.line), None)


def error_of(name: str) -> str:
    """How a test names the error ``name`` of the module."""
    known = getattr(builtins, name, None)
    return name if isinstance(known, type) and issubclass(known, BaseException) else f"{MODULE}.{name}"


def call_of(source: Source, declaration: Declaration, node: Function) -> tuple[str, frozenset[str], str]:
    """What to call, the imports its making needs, and why it cannot be called."""
    blocked = _blocked(declaration, node)
    if "." not in declaration.name:
        return f"{MODULE}.{declaration.name}", frozenset(), blocked
    owner, _, name = declaration.name.rpartition(".")
    decorators = {one.partition("(")[0] for one in declaration.decorators}
    if owner not in source.names.classes:
        return "", frozenset(), f"`{owner}` is no class of the module's own"
    if decorators & {"staticmethod", "classmethod"}:
        return f"{MODULE}.{owner}.{name}", frozenset(), blocked
    made = constructor(source.names.classes[owner], source.names)
    if made is None:
        return "", frozenset(), blocked or f"nobody can tell by reading how a `{owner}` is made"
    arguments = ", ".join(f"{name}={one.code}" for name, one in made)
    imports = frozenset(name for _, one in made for name in one.imports)
    return f"{MODULE}.{owner}({arguments}).{name}", imports, blocked


def _blocked(declaration: Declaration, node: Function) -> str:
    if "<locals>" in declaration.name:
        return "it lives inside another function"
    if declaration.asynchronous and any(isinstance(one, ast.Yield) for one in own(node)):
        return "it answers piece by piece, asynchronously"
    strange = [one for one in declaration.decorators if one.partition("(")[0] not in _KEPT_DECORATORS]
    if strange and not declaration.routes:
        return f"`@{strange[0]}` may make something else of it"
    for one in own(node):
        if isinstance(one, ast.Call):
            root = ast.unparse(one.func).partition(".")[0].partition("(")[0]
            last = one.func.attr if isinstance(one.func, ast.Attribute) else ""
            if root in _OUTSIDE or last in _OUTSIDE_METHODS:
                return f"it reaches outside (`{ast.unparse(one.func)[:60]}`), which a test must replace first"
    return ""


def own(node: Function) -> Iterator[ast.AST]:
    return (one for statement in node.body for one in ast.walk(statement))


def answers_of(returns: str, names: Names) -> tuple[str, ...]:
    """Types that an annotation allows, as source; none where it tells too little."""
    try:
        waiting = [ast.parse(returns, mode="eval").body] if returns else []
    except (SyntaxError, ValueError):
        return ()
    parts: list[str] = []
    while waiting:
        one = waiting.pop(0)
        if isinstance(one, ast.BinOp) and isinstance(one.op, ast.BitOr):
            waiting[:0] = [one.left, one.right]
            continue
        name = "None" if isinstance(one, ast.Constant) and one.value is None else ast.unparse(one)
        name = ast.unparse(one.value) if isinstance(one, ast.Subscript) else name
        if name in names.classes and not isinstance(one, ast.Subscript) and not _is_protocol(names.classes[name]):
            parts.append(f"{MODULE}.{name}")
        elif name in ANSWERS and name not in names.classes:
            parts += ANSWERS[name]
        else:
            return ()
    return tuple(dict.fromkeys(parts))


def _is_protocol(node: ast.ClassDef) -> bool:
    return any(ast.unparse(base).rpartition(".")[2].startswith(("Protocol", "TypedDict")) for base in node.bases)


def _constants(tree: ast.Module) -> Iterator[tuple[str, object]]:
    for node in tree.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        value = getattr(node, "value", None)
        if len(targets) == 1 and isinstance(targets[0], ast.Name) and isinstance(value, ast.expr):
            try:
                yield targets[0].id, ast.literal_eval(value)
            except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
                continue
