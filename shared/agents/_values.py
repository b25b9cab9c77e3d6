"""Sample and border values for parameters, as Python source, by annotation, default and use."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

MODULE = "module"
"""Name under which generated tests import the module they test."""


@dataclass(frozen=True)
class Sample:
    """A value as source text, with the value itself where it is a plain literal."""

    code: str
    value: object = None
    known: bool = False
    """Whether ``value`` is what ``code`` makes."""
    imports: tuple[str, ...] = ()
    says: str = ""
    """What is special about it, for the name of a case."""


def literal(value: object, says: str = "") -> Sample:
    """A plain value."""
    return Sample(code=repr(value), value=value, known=True, says=says or f"{value!r}")


def decimal_of(text: str, says: str = "") -> Sample:
    """A decimal number."""
    return Sample(f'decimal.Decimal("{text}")', Decimal(text), True, ("decimal",), says or text)


@dataclass(frozen=True)
class Domain:
    """What a parameter may be."""

    usual: tuple[Sample, ...]
    """Ordinary values, the plainest first."""
    borders: tuple[Sample, ...] = ()
    """Values where mistakes are made: empty, zero, negative, long."""


@dataclass(frozen=True)
class Names:
    """What the module under test offers to build values from."""

    classes: Mapping[str, ast.ClassDef] = field(default_factory=dict)
    constants: Mapping[str, object] = field(default_factory=dict)


_PLAIN: dict[str, Domain] = {
    "int": Domain((literal(1), literal(7)), (literal(0, "zero"), literal(-1, "negative"), literal(2**31, "large"))),
    "float": Domain((literal(1.5), literal(10.0)), (literal(0.0, "zero"), literal(-1.5, "negative"))),
    "complex": Domain((literal(1 + 2j),), (literal(0j, "zero"),)),
    "str": Domain((literal("text"), literal("another")), (literal("", "empty text"), literal(" ", "blank"), literal("Ünï 漢", "beyond ASCII"))),
    "bytes": Domain((literal(b"data"),), (literal(b"", "no bytes"),)),
    "bool": Domain((literal(True), literal(False)),),
    "None": Domain((literal(None),),),
    "list": Domain((literal([1, 2]),), (literal([], "empty list"),)),
    "tuple": Domain((literal((1, 2)),), (literal((), "empty tuple"),)),
    "set": Domain((literal({1}),), (Sample("set()", set(), True, says="empty set"),)),
    "frozenset": Domain((Sample("frozenset({1})", frozenset({1}), True),), (Sample("frozenset()", frozenset(), True, says="empty set"),)),
    "dict": Domain((literal({"key": 1}),), (literal({}, "empty dict"),)),
    "Decimal": Domain((decimal_of("1.50"),), (decimal_of("0", "zero"), decimal_of("-0.01", "negative"))),
    "date": Domain((Sample("datetime.date(2026, 3, 2)", imports=("datetime",)),), (Sample("datetime.date(2024, 2, 29)", imports=("datetime",), says="leap day"),)),
    "datetime": Domain((Sample("datetime.datetime(2026, 3, 2, 10, 0, tzinfo=datetime.UTC)", imports=("datetime",)),), (Sample("datetime.datetime(2026, 3, 2, 10, 0)", imports=("datetime",), says="without a time zone"),)),
    "timedelta": Domain((Sample("datetime.timedelta(hours=1)", imports=("datetime",)),), (Sample("datetime.timedelta(0)", imports=("datetime",), says="no time"),)),
    "UUID": Domain((Sample('uuid.UUID("00000000-0000-4000-8000-000000000001")', imports=("uuid",)),),),
    "Path": Domain((Sample('pathlib.Path("a/b.txt")', imports=("pathlib",)),), (Sample('pathlib.Path()', imports=("pathlib",), says="the current folder"),)),
}  # fmt: skip
_ALIASES = {
    "Sequence": "list", "Iterable": "list", "Collection": "list", "List": "list", "MutableSequence": "list",
    "Mapping": "dict", "Dict": "dict", "MutableMapping": "dict", "Tuple": "tuple", "Set": "set", "AbstractSet": "frozenset",
    "FrozenSet": "frozenset", "Text": "str", "PurePath": "Path", "PurePosixPath": "Path", "Number": "float",
}  # fmt: skip
_DEEPEST = 3


def domain_of(annotation: str, names: Names) -> Domain | None:
    """What a parameter annotated so may be; ``None`` where nobody can tell by reading."""
    try:
        return _domain(ast.parse(annotation, mode="eval").body, names, 0) if annotation else None
    except (SyntaxError, ValueError, RecursionError):
        return None


def domain_of_literal(value: object) -> Domain | None:
    """What a parameter with that default, or compared with that value, may be."""
    return _PLAIN.get(type(value).__name__) if value is not None else None


def _domain(node: ast.expr, names: Names, depth: int) -> Domain | None:
    found: Domain | None = None
    if depth > _DEEPEST:
        return None
    match node:
        case ast.Constant(value=None):
            found = _PLAIN["None"]
        case ast.Constant(value=str() as text):
            found = domain_of(text, names)
        case ast.BinOp(op=ast.BitOr()):
            found = _either(_domain(node.left, names, depth), _domain(node.right, names, depth))
        case ast.Subscript():
            inner = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
            found = _generic(_last(node.value), inner, names, depth)
        case ast.Name(id=name) if name in names.classes:
            found = _made(names.classes[name], names, depth)
        case ast.Name() | ast.Attribute():
            found = _PLAIN.get(_ALIASES.get(_last(node), _last(node)))
    return found


def _either(one: Domain | None, other: Domain | None) -> Domain | None:
    parts = [part for part in (one, other) if part is not None]
    # A value of the known alternative is right, whatever the other would be; None is the border of the two.
    parts.sort(key=lambda part: part is _PLAIN["None"])
    if not parts or (len(parts) == 1 and parts[0] is _PLAIN["None"]):
        return None
    borders = tuple(
        border
        for part in parts
        for border in (part.borders if part is not _PLAIN["None"] else (literal(None, "None"),))
    )
    return Domain(parts[0].usual, borders)


def _generic(name: str, inner: list[ast.expr], names: Names, depth: int) -> Domain | None:
    found: Domain | None = None
    kind = _ALIASES.get(name, name)
    if name in {"Annotated", "Final", "ClassVar", "Required"}:
        found = _domain(inner[0], names, depth)
    elif name in {"Optional", "Union"}:
        parts = [_domain(one, names, depth) for one in inner] + ([_PLAIN["None"]] if name == "Optional" else [])
        for part in parts:
            found = _either(found, part)
    elif name == "Literal":
        values = tuple(literal(one.value) for one in inner if isinstance(one, ast.Constant))
        found = Domain(values) if values else None
    elif kind in {"list", "set", "frozenset"}:
        found = _collection(kind, _domain(inner[0], names, depth + 1))
    elif kind == "tuple":
        found = _tuple(inner, names, depth)
    elif kind == "dict" and len(inner) == 2:
        found = _dict(*(_domain(one, names, depth + 1) for one in inner))
    return found


def _tuple(inner: list[ast.expr], names: Names, depth: int) -> Domain | None:
    several = [one for one in inner if not (isinstance(one, ast.Constant) and one.value is ...)]
    parts = [one for one in (_domain(one, names, depth + 1) for one in several) if one is not None]
    if not parts or len(parts) < len(several):
        return None
    made = _sequence("(", [one.usual[0] for one in parts], ",)")
    return Domain((made,), _PLAIN["tuple"].borders if len(several) < len(inner) else ())


def _dict(key: Domain | None, value: Domain | None) -> Domain | None:
    if key is None or value is None:
        return None
    first, second = key.usual[0], value.usual[0]
    try:
        made = {first.value: second.value} if first.known and second.known else None
    except TypeError:
        return None
    code = f"{{{first.code}: {second.code}}}"
    sample = Sample(code, made, made is not None, first.imports + second.imports, "one entry")
    return Domain((sample,), _PLAIN["dict"].borders)


def _collection(kind: str, inner: Domain | None) -> Domain | None:
    if inner is None:
        return None
    opening, closing = {"list": ("[", "]"), "set": ("{", "}"), "frozenset": ("frozenset([", "])")}[kind]
    made = _sequence(opening, [inner.usual[0]], closing)
    return Domain((made,), _PLAIN[kind].borders)


def _sequence(opening: str, parts: list[Sample], closing: str) -> Sample:
    whole = all(part.known for part in parts)
    values = [part.value for part in parts]
    value: object = None
    try:
        if whole:
            value = {"[": list, "(": tuple, "{": set, "frozenset([": frozenset}[opening](values)
    except TypeError:
        whole = False
    imports = tuple(name for part in parts for name in part.imports)
    return Sample(opening + ", ".join(part.code for part in parts) + closing, value, whole, imports, "one entry")


def _made(node: ast.ClassDef, names: Names, depth: int) -> Domain | None:
    """An instance of a class of the module itself: an enumeration's member, or what its fields make."""
    code = f"{MODULE}.{node.name}"
    bases = {_last(base) for base in node.bases}
    if bases & {"Enum", "StrEnum", "IntEnum", "Flag", "IntFlag"}:
        members = [
            one.targets[0].id
            for one in node.body
            if isinstance(one, ast.Assign) and isinstance(one.targets[0], ast.Name)
        ]
        return Domain(tuple(Sample(f"{code}.{name}", says=name) for name in members)) if members else None
    arguments = constructor(node, names, depth + 1)
    if arguments is None:
        return None
    imports = tuple(name for _, one in arguments for name in one.imports)
    return Domain((Sample(f"{code}({', '.join(f'{name}={one.code}' for name, one in arguments)})", imports=imports),))


def constructor(node: ast.ClassDef, names: Names, depth: int = 0) -> tuple[tuple[str, Sample], ...] | None:
    """Arguments that make an instance of a class of the module; ``None`` where nobody can tell by reading."""
    bases = {_last(base) for base in node.bases}
    own = next((one for one in node.body if isinstance(one, ast.FunctionDef) and one.name == "__init__"), None)
    if own is not None:
        wanted = list(_required(own))
    elif bases & {"NamedTuple", "BaseModel", "Frozen", "TypedDict"} or any(
        _last(one.func if isinstance(one, ast.Call) else one) in {"dataclass", "define", "frozen"}
        for one in node.decorator_list
    ):
        if bases - {"NamedTuple", "BaseModel", "TypedDict", "object"}:
            # Fields of a base elsewhere are not seen.
            return None
        wanted = [
            (one.target.id, ast.unparse(one.annotation))
            for one in node.body
            if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name) and one.value is None
        ]
    elif bases - {"object", "Protocol", "ABC"} or bases & {"Protocol", "ABC"}:
        return None
    else:
        wanted = []
    made: list[tuple[str, Sample]] = []
    for name, annotation in wanted:
        found = domain_of(annotation, names) if depth <= _DEEPEST else None
        if found is None:
            return None
        made.append((name, found.usual[0]))
    return tuple(made)


def _required(node: ast.FunctionDef) -> Iterator[tuple[str, str]]:
    positional = [*node.args.posonlyargs, *node.args.args]
    free = positional[1 : len(positional) - len(node.args.defaults)]
    for one in [
        *free,
        *(arg for arg, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True) if default is None),
    ]:
        yield one.arg, ast.unparse(one.annotation) if one.annotation else ""


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
