"""Which changed files need which: by the imports of Python, JavaScript and TypeScript, and by the names of tests."""

from __future__ import annotations

import ast
import posixpath
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath

from shared.domain.change import ChangedFile, Unknown
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.changes.versions import after

SOURCE_ROOTS = frozenset({"src", "lib", "python", "backend", "app"})
"""Folders that are often on the import path themselves, so that modules are named without them."""
_SCRIPTS = (".ts", ".tsx", ".mts", ".cts", ".js", ".jsx", ".mjs", ".cjs")
_SCRIPT_IMPORT = re.compile(r"""(?:from|import|require\s*\(|import\s*\()\s*["'](?P<where>\.{1,2}/[^"'\n]{1,300})["']""")
_LARGEST = 1024 * 1024
_TEST_NAME = re.compile(r"^test_|_test$|\.(?:test|spec)$")


def module_names(path: str) -> tuple[str, ...]:
    """The dotted names by which the Python file at ``path`` may be imported, the shortest first; none for other files."""
    pure = PurePosixPath(path)
    if pure.suffix != ".py":
        return ()
    parts = [*pure.parts[:-1]] if pure.stem == "__init__" else [*pure.parts[:-1], pure.stem]
    names = [".".join(parts)] if parts else []
    while len(parts) > 1 and parts[0] in SOURCE_ROOTS:
        parts = parts[1:]
        names.insert(0, ".".join(parts))
    return tuple(name for name in names if all(part.isidentifier() for part in name.split(".")))


def needs(files: Sequence[ChangedFile]) -> dict[str, frozenset[str]]:
    """Path → paths of other changed files that it needs. A file that does not parse needs none that is seen."""
    modules = {name: file.path for file in files for name in module_names(file.path)}
    paths = frozenset(file.path for file in files)
    coded = _by_stem(files)
    found: dict[str, frozenset[str]] = {}
    for file in files:
        text = after(file)
        wanted: set[str] = set()
        if isinstance(text, str) and len(text) <= _LARGEST:
            suffix = PurePosixPath(file.path).suffix
            if suffix == ".py":
                wanted = set(_python(file.path, text, modules))
            elif suffix in _SCRIPTS:
                wanted = set(_script(file.path, text, paths))
        if kind_of(file.path) is FileKind.TEST:
            wanted.update(coded.get(_TEST_NAME.sub("", PurePosixPath(file.path).stem), ()))
        found[file.path] = frozenset(wanted - {file.path})
    return found


def _python(path: str, text: str, modules: Mapping[str, str]) -> Iterator[str]:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = _base(path, node)
            names = [base, *(f"{base}.{alias.name}" if base else alias.name for alias in node.names)]
        for name in names:
            if name in modules:
                yield modules[name]


def _base(path: str, node: ast.ImportFrom) -> str:
    if not node.level:
        return node.module or ""
    folder = PurePosixPath(path).parts[:-1]
    kept = folder[: len(folder) - (node.level - 1)]
    return ".".join([*kept, *([node.module] if node.module else [])])


def _script(path: str, text: str, paths: frozenset[str]) -> Iterator[str]:
    for found in _SCRIPT_IMPORT.finditer(text):
        where = posixpath.normpath(posixpath.join(posixpath.dirname(path), found["where"]))
        bare = re.sub(r"\.(?:js|jsx|mjs|cjs)$", "", where)
        candidates = [
            where,
            *(bare + suffix for suffix in _SCRIPTS),
            *(f"{where}/index{suffix}" for suffix in _SCRIPTS),
        ]
        yield from (one for one in candidates if one in paths)


def _by_stem(files: Sequence[ChangedFile]) -> Mapping[str, Sequence[str]]:
    """Code files by the name that a test of them carries."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in files:
        if kind_of(file.path) is FileKind.CODE:
            found[PurePosixPath(file.path).stem].append(file.path)
    return found


def text_of(file: ChangedFile) -> str:
    """The text at the head; empty where there is none or it could not be had."""
    found = after(file)
    return "" if isinstance(found, Unknown) else found
