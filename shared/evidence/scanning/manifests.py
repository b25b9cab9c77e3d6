"""Reads from files that say on what software depends which packages, in which exact versions, and which are left open."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from shared.domain.globs import fits
from shared.errors import RefusedError

MOST_PACKAGES = 20_000
"""In one file."""
MOST_TEXT = 8 * 1024 * 1024
"""Characters of one file."""


class UnreadableError(RefusedError):
    """The file is not what its name says, or in a version of its format that is not read."""


@dataclass(frozen=True)
class Package:
    """A package in the version that will be installed."""

    purl: str
    name: str
    version: str
    line: int | None = None


@dataclass(frozen=True)
class Manifest:
    """What one file says."""

    packages: tuple[Package, ...] = ()
    open: tuple[str, ...] = ()
    """Packages whose version is decided elsewhere: by a lock file, or when they are installed."""

    @property
    def said(self) -> frozenset[str]:
        """What it says, wherever in the file it stands."""
        return frozenset((*(one.purl for one in self.packages), *self.open))


@dataclass(frozen=True)
class Kind:
    """One kind of file."""

    pattern: str
    ecosystem: str
    """The type of its package URLs: https://github.com/package-url/purl-spec/blob/main/PURL-TYPES.rst"""
    read: Callable[[str], Manifest] | None = None
    """``None``: it is not read here."""
    lock: bool = False
    """It holds every package, those that others bring as well."""


def kind_of_manifest(path: str) -> Kind | None:
    """What the file at ``path`` is; ``None`` for one that names no dependencies."""
    if not fits(path, tuple(kind.pattern for kind in KINDS)):
        return None
    return next(kind for kind in KINDS if fits(path, (kind.pattern,)))


def read(kind: Kind, text: str) -> Manifest:
    """What ``text`` says.

    Raises:
        UnreadableError: it is not what its name says, or names more packages than are looked up.
    """
    if kind.read is None:
        raise UnreadableError("files of its kind are not read here")
    if len(text) > MOST_TEXT:
        raise UnreadableError(f"it is longer than {MOST_TEXT} characters")
    try:
        manifest = kind.read(text)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        # tomllib and json raise ValueError; the others are shapes that no tool writes.
        raise UnreadableError("it is not what its name says") from error
    if len(manifest.packages) > MOST_PACKAGES:
        raise UnreadableError(f"it names more than {MOST_PACKAGES} packages")
    return manifest


_LONGEST_LINE = 2_000
_COMMENT = re.compile(r"(?:^|\s)#.*$")
_OPTION = re.compile(r"\s--(?:hash|config-settings|global-option|install-option)[ =]\S+")
_EXACT = re.compile(r"===?\s*(?P<version>[^\s*,]+)")


def _requirements(text: str) -> Manifest:
    """pip's: https://pip.pypa.io/en/stable/reference/requirements-file-format/"""
    packages: list[Package] = []
    left_open: list[str] = []
    for number, line in _logical_lines(text):
        content = _OPTION.sub("", _COMMENT.sub("", line)).strip()
        if not content:
            continue
        if content.startswith("-"):
            if re.match(r"(?:-e|--editable)[ =]", content):
                left_open.append(content[:100])
            continue  # indexes and further files, which are looked at when they change
        _requirement(content, number, packages, left_open)
    return Manifest(tuple(packages), tuple(left_open))


def _requirement(content: str, line: int | None, packages: list[Package], left_open: list[str]) -> None:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415 - cold start

    try:
        if len(content) > _LONGEST_LINE:
            raise InvalidRequirement("too long")
        required = Requirement(content)
    except InvalidRequirement:
        left_open.append(content[:100])
        return
    exact = _EXACT.fullmatch(str(required.specifier)) if not required.url else None
    if exact:
        packages.append(_package("pypi", required.name, exact["version"], line))
    else:
        left_open.append(content)


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    begun = 0
    parts: list[str] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not parts:
            begun = number
        stripped = line.rstrip("\r")
        if stripped.endswith("\\"):
            parts.append(stripped[:-1])
            continue
        yield begun, " ".join([*parts, stripped])
        parts = []
    if parts:
        yield begun, " ".join(parts)


def _pyproject(text: str) -> Manifest:
    """https://packaging.python.org/specifications/pyproject-toml/, dependency groups, and Poetry's own tables."""
    document = tomllib.loads(text)
    project = document.get("project", {})
    requirements = [
        *project.get("dependencies", ()),
        *(one for group in project.get("optional-dependencies", {}).values() for one in group),
        *(one for group in document.get("dependency-groups", {}).values() for one in group if isinstance(one, str)),
        *document.get("build-system", {}).get("requires", ()),
    ]
    packages: list[Package] = []
    left_open: list[str] = []
    for one in requirements:
        _requirement(one, _line_with(text, one), packages, left_open)
    poetry = document.get("tool", {}).get("poetry", {})
    tables = [poetry.get("dependencies", {}), poetry.get("dev-dependencies", {})]
    tables += [group.get("dependencies", {}) for group in poetry.get("group", {}).values()]
    left_open += [f"{name} {told}" for table in tables for name, told in table.items() if name != "python"]
    return Manifest(tuple(packages), tuple(left_open))


def _toml_lock(ecosystem: str) -> Callable[[str], Manifest]:
    """uv's, Poetry's and Cargo's lock files: a table ``package`` each."""

    def reading(text: str) -> Manifest:
        lines = _first_lines(text)
        packages: list[Package] = []
        for one in tomllib.loads(text).get("package", ()):
            name, version, source = one["name"], one.get("version"), one.get("source")
            if version is None or not _from_registry(source, ecosystem):
                continue
            packages.append(_package(ecosystem, name, version, lines.get(f'name = "{name}"')))
        return Manifest(tuple(packages))

    return reading


def _from_registry(source: object, ecosystem: str) -> bool:
    """Whether a package comes from a registry, not from a folder, an address or a repository."""
    match source:
        case None:
            return ecosystem != "cargo"  # Cargo leaves the source out for packages of the workspace
        case str():
            return source.startswith(("registry+", "sparse+"))
        case {"registry": _}:
            return True
        case {"type": kind}:
            return bool(kind == "legacy")
    return False


def _pipfile_lock(text: str) -> Manifest:
    document = json.loads(text)
    lines = _first_lines(text)
    packages: list[Package] = []
    left_open: list[str] = []
    for group in ("default", "develop"):
        for name, told in document.get(group, {}).items():
            exact = _EXACT.fullmatch(told.get("version", ""))
            if exact:
                packages.append(_package("pypi", name, exact["version"], lines.get(f'"{name}": {{')))
            else:
                left_open.append(name)
    return Manifest(tuple(packages), tuple(left_open))


def _package_lock(text: str) -> Manifest:
    """npm's, versions 1 to 3: https://docs.npmjs.com/cli/configuring-npm/package-lock-json"""
    document = json.loads(text)
    lines = _first_lines(text)
    packages: list[Package] = []
    if "packages" in document:
        for place, told in document["packages"].items():
            if "node_modules/" not in place or told.get("link") or not told.get("version"):
                continue
            name = told.get("name") or place.rpartition("node_modules/")[2]
            packages.append(_package("npm", name, told["version"], lines.get(f'"{place}": {{')))
    elif "dependencies" in document:
        packages += _nested(document["dependencies"], lines)
    elif document.get("lockfileVersion") is None:
        raise UnreadableError("it has no lockfileVersion")
    return Manifest(tuple(packages))


def _nested(dependencies: Mapping[str, Any], lines: Mapping[str, int]) -> Iterator[Package]:
    for name, told in dependencies.items():
        version = told.get("version", "")
        if version and ":" not in version:
            yield _package("npm", name, version, lines.get(f'"{name}": {{'))
        yield from _nested(told.get("dependencies", {}), lines)


def _package_json(text: str) -> Manifest:
    document = json.loads(text)
    tables = ("dependencies", "devDependencies", "optionalDependencies", "peerDependencies", "overrides")
    return Manifest(open=tuple(f"{name} {told}" for table in tables for name, told in document.get(table, {}).items()))


def _package(ecosystem: str, name: str, version: str, line: int | None) -> Package:
    from packageurl import PackageURL  # noqa: PLC0415 - cold start

    namespace, _, bare = name.rpartition("/")
    if not bare or not isinstance(version, str):
        raise ValueError("a package without a name or version")
    purl = PackageURL(ecosystem, namespace or None, bare, version).to_string()
    return Package(purl, name, version, line)


def _first_lines(text: str) -> dict[str, int]:
    lines: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), 1):
        lines.setdefault(line.strip(), number)
    return lines


def _line_with(text: str, part: str) -> int | None:
    return next((number for number, line in enumerate(text.split("\n"), 1) if part in line), None)


KINDS = (
    Kind("**/uv.lock", "pypi", _toml_lock("pypi"), lock=True),
    Kind("**/poetry.lock", "pypi", _toml_lock("pypi"), lock=True),
    Kind("**/Pipfile.lock", "pypi", _pipfile_lock, lock=True),
    Kind("**/package-lock.json", "npm", _package_lock, lock=True),
    Kind("**/npm-shrinkwrap.json", "npm", _package_lock, lock=True),
    Kind("**/Cargo.lock", "cargo", _toml_lock("cargo"), lock=True),
    Kind("**/requirements*.txt", "pypi", _requirements),
    Kind("**/requirements*.in", "pypi", _requirements),
    Kind("**/requirements/*.txt", "pypi", _requirements),
    Kind("**/requirements/*.in", "pypi", _requirements),
    Kind("**/constraints*.txt", "pypi", _requirements),
    Kind("**/pyproject.toml", "pypi", _pyproject),
    Kind("**/package.json", "npm", _package_json),
    Kind("**/yarn.lock", "npm", lock=True),
    Kind("**/pnpm-lock.yaml", "npm", lock=True),
    Kind("**/bun.lock", "npm", lock=True),
    Kind("**/pdm.lock", "pypi", _toml_lock("pypi"), lock=True),
    Kind("**/Pipfile*", "pypi"),
    Kind("**/setup.py", "pypi"),
    Kind("**/setup.cfg", "pypi"),
    Kind("**/environment.y*ml", "pypi"),
    Kind("**/go.mod", "golang"),
    Kind("**/go.sum", "golang", lock=True),
    Kind("**/Cargo.toml", "cargo"),
    Kind("**/*.csproj", "nuget"),
    Kind("**/*.fsproj", "nuget"),
    Kind("**/packages.lock.json", "nuget", lock=True),
    Kind("**/Directory.Packages.props", "nuget"),
    Kind("**/pom.xml", "maven"),
    Kind("**/build.gradle*", "maven"),
    Kind("**/gradle.lockfile", "maven", lock=True),
    Kind("**/Gemfile", "gem"),
    Kind("**/Gemfile.lock", "gem", lock=True),
    Kind("**/composer.json", "composer"),
    Kind("**/composer.lock", "composer", lock=True),
    Kind("**/*.lock", "generic"),
)
"""Every kind of file that names dependencies; the first that fits."""
