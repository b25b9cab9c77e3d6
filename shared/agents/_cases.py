"""Decides which positive, negative and edge cases a Python function asks for, by its signature and its own conditions."""

from __future__ import annotations

import ast
import builtins
import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from shared.agents._conditions import Condition, Function, assignments, conditions, holds, pools
from shared.agents._values import MODULE, Domain, Names, Sample, constructor, domain_of, domain_of_literal, literal
from shared.domain.test_case import CaseNature
from shared.evidence.changes.declared import Declaration, Parameter, ParameterKind

MOST_OF_A_NATURE = 8
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

type _Pools = Mapping[str, tuple[Sample, ...]]


@dataclass(frozen=True)
class ProposedCase:
    """One case: the arguments, and the error they must raise, if any."""

    nature: CaseNature
    says: str
    arguments: Mapping[str, Sample]
    error: str = ""


@dataclass(frozen=True)
class Proposal:
    """What the tests of one function should show, and how to call it."""

    declaration: Declaration
    cases: tuple[ProposedCase, ...] = ()
    words: tuple[tuple[CaseNature, str], ...] = ()
    """Cases whose data nobody can tell by reading."""
    call: str = ""
    """What to call, as source: ``module.price`` or ``module.Desk(name="text").open``."""
    positional: frozenset[str] = frozenset()
    asynchronous: bool = False
    generates: bool = False
    imports: frozenset[str] = frozenset()
    answer: tuple[str, ...] = ()
    """Types the answer may have, as source; none: not told by the annotation."""
    refusals: tuple[str, ...] = ()
    """Errors the function raises on purpose, as source in the test."""
    blocked: str = ""
    """Why no test can be written; empty: it can."""


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


def propose(source: Source, declaration: Declaration, missing: frozenset[CaseNature]) -> Proposal:
    """The cases of ``missing`` natures for the function that ``declaration`` names."""
    node = source.function(declaration)
    if node is None:
        return Proposal(declaration, blocked="its text could not be found")
    given = [one for one in declaration.parameters if one.kind not in {ParameterKind.VARIADIC, ParameterKind.KEYWORDS}]
    found = conditions(node, [one.name for one in given])
    used = {name for one in found for name in one.parameters}
    wanted = {one.name: _domain(one, source.names) for one in given if one.required or one.name in used}
    values = pools(wanted, found, source.names)
    call, imports, blocked = _call(source, declaration, node)
    answer = _answer(declaration.returns, source.names)
    unknown = [name for name in wanted if not values[name]]
    if not blocked and unknown:
        blocked = f"nobody can tell by reading what {', '.join(f'`{name}`' for name in unknown)} may be"
    ordinary = frozenset(one.code for domain in wanted.values() if domain for one in domain.usual)
    cases = tuple(_cases(values, ordinary, found, source.names)) if not unknown else ()
    return Proposal(
        declaration=declaration,
        cases=tuple(one for nature in CaseNature for one in _first(cases, nature) if nature in missing),
        words=tuple(_words(found, cases, missing, declaration)),
        call=call,
        positional=frozenset(one.name for one in given if one.kind is ParameterKind.POSITIONAL),
        asynchronous=declaration.asynchronous,
        generates=any(isinstance(one, ast.Yield | ast.YieldFrom) for one in _own(node)),
        imports=imports
        | {name for one in cases for sample in one.arguments.values() for name in sample.imports}
        | {one.partition(".")[0] for one in answer if "." in one and not one.startswith(f"{MODULE}.")},
        answer=answer,
        refusals=tuple(dict.fromkeys(error_of(one) for one in declaration.raises)),
        blocked=blocked,
    )


def error_of(name: str) -> str:
    """How a test names the error ``name`` of the module."""
    known = getattr(builtins, name, None)
    return name if isinstance(known, type) and issubclass(known, BaseException) else f"{MODULE}.{name}"


def _first(cases: tuple[ProposedCase, ...], nature: CaseNature) -> list[ProposedCase]:
    return [one for one in cases if one.nature is nature][:MOST_OF_A_NATURE]


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


def _domain(parameter: Parameter, names: Names) -> Domain | None:
    found = domain_of(parameter.annotation, names)
    if parameter.default is None:
        return found
    try:
        value = ast.literal_eval(parameter.default)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return found
    known = found or domain_of_literal(value)
    # What is not given is the most ordinary value of all.
    return Domain((literal(value), *(known.usual if known else ())), known.borders if known else ())


def _cases(
    values: _Pools, ordinary: frozenset[str], found: tuple[Condition, ...], names: Names
) -> Iterator[ProposedCase]:
    guards = [one for one in found if one.error]

    def allowed(arguments: Mapping[str, Sample]) -> bool:
        return not any(holds(one, arguments, names) for one in guards)

    usual = next((one for one in assignments(values) if allowed(one)), None)
    if usual is None:
        return
    yield ProposedCase(CaseNature.POSITIVE, "usual values", usual)
    for one in found:
        if not one.error and not holds(one, usual, names):
            other = next((a for a in assignments(values) if holds(one, a, names) and allowed(a)), None)
            if other is not None:
                yield ProposedCase(CaseNature.POSITIVE, f"when {one.text}", other)
    yield from _in_turn([list(_refused(one, guards, usual, values, names)) for one in guards])
    yield from _in_turn([list(_edges(name, usual, samples, ordinary, allowed)) for name, samples in values.items()])


def _refused(
    guard: Condition, guards: list[Condition], usual: Mapping[str, Sample], values: _Pools, names: Names
) -> Iterator[ProposedCase]:
    # The first guard that holds is the one that raises.
    earlier = guards[: guards.index(guard)]
    shown: set[tuple[str, ...]] = set()
    for arguments in assignments(
        {name: values[name] if name in guard.parameters else (usual[name],) for name in values}
    ):
        told = tuple(arguments[name].code for name in guard.parameters)
        held = holds(guard, arguments, names) and all(holds(other, arguments, names) is False for other in earlier)
        if held and told not in shown:
            shown.add(told)
            yield ProposedCase(CaseNature.NEGATIVE, _told(guard, arguments), arguments, error_of(guard.error))


def _edges(
    name: str,
    usual: Mapping[str, Sample],
    samples: tuple[Sample, ...],
    ordinary: frozenset[str],
    allowed: Callable[[Mapping[str, Sample]], bool],
) -> Iterator[ProposedCase]:
    for sample in samples:
        arguments = {**usual, name: sample}
        if sample.code not in ordinary | {usual[name].code} and allowed(arguments):
            yield ProposedCase(CaseNature.EDGE, f"{name} {sample.says or sample.code}", arguments)


def _in_turn(groups: list[list[ProposedCase]]) -> Iterator[ProposedCase]:
    """The first of each, then the second of each: a bound on their number leaves none out."""
    for row in itertools.zip_longest(*groups):
        yield from (one for one in row if one is not None)


def _told(condition: Condition, arguments: Mapping[str, Sample]) -> str:
    return f"{condition.text} with " + ", ".join(
        f"{name} {arguments[name].says or arguments[name].code}" for name in condition.parameters
    )


def _words(
    found: tuple[Condition, ...],
    cases: tuple[ProposedCase, ...],
    missing: frozenset[CaseNature],
    declaration: Declaration,
) -> Iterator[tuple[CaseNature, str]]:
    shown = {one.nature for one in cases}
    if CaseNature.POSITIVE in missing and CaseNature.POSITIVE not in shown:
        yield CaseNature.POSITIVE, "an ordinary call answers what it should"
    if CaseNature.NEGATIVE in missing:
        told = {one.says.partition(" with ")[0] for one in cases if one.nature is CaseNature.NEGATIVE}
        for one in found:
            if one.error and one.text not in told:
                yield CaseNature.NEGATIVE, f"`{one.text}` raises {one.error}"
        raised = {one.error for one in found if one.error}
        for name in declaration.raises:
            if name not in raised:
                yield CaseNature.NEGATIVE, f"what makes it raise {name}"
        if not found and not declaration.raises:
            yield CaseNature.NEGATIVE, "it refuses nothing: say what it must not accept, and show that"
    if CaseNature.EDGE in missing and CaseNature.EDGE not in shown:
        for branch in declaration.branches[:MOST_OF_A_NATURE]:
            yield CaseNature.EDGE, f"both ways of `{branch.kind} {branch.condition}` in line {branch.line}"


def _call(source: Source, declaration: Declaration, node: Function) -> tuple[str, frozenset[str], str]:
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
    if declaration.asynchronous and any(isinstance(one, ast.Yield) for one in _own(node)):
        return "it answers piece by piece, asynchronously"
    strange = [one for one in declaration.decorators if one.partition("(")[0] not in _KEPT_DECORATORS]
    if strange and not declaration.routes:
        return f"`@{strange[0]}` may make something else of it"
    for one in _own(node):
        if isinstance(one, ast.Call):
            root = ast.unparse(one.func).partition(".")[0].partition("(")[0]
            last = one.func.attr if isinstance(one.func, ast.Attribute) else ""
            if root in _OUTSIDE or last in _OUTSIDE_METHODS:
                return f"it reaches outside (`{ast.unparse(one.func)[:60]}`), which a test must replace first"
    return ""


def _own(node: Function) -> Iterator[ast.AST]:
    return (one for statement in node.body for one in ast.walk(statement))


def _answer(returns: str, names: Names) -> tuple[str, ...]:
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
