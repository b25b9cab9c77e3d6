"""Says which files of a change a gate is asked about, and why it is not asked where there are none."""

from __future__ import annotations

from collections.abc import Iterable

from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.globs import fits
from shared.domain.review import Judgement
from shared.evidence.changes.kinds import FileKind, kind_of

MANIFESTS = (
    "**/pyproject.toml", "**/requirements*.txt", "**/requirements*.in", "**/setup.py", "**/setup.cfg", "**/Pipfile*",
    "**/*.lock", "**/environment.y*ml", "**/package.json", "**/package-lock.json", "**/pnpm-lock.yaml", "**/npm-shrinkwrap.json",
    "**/go.mod", "**/go.sum", "**/Cargo.toml", "**/*.csproj", "**/packages.lock.json", "**/Directory.Packages.props",
    "**/pom.xml", "**/build.gradle*", "**/Gemfile", "**/composer.json", "**/requirements/*.txt",
)  # fmt: skip
"""Files that say on what the software depends."""

USER_INTERFACE = (
    "**/*.html", "**/*.htm", "**/*.jsx", "**/*.tsx", "**/*.vue", "**/*.svelte", "**/*.css", "**/*.scss", "**/*.sass", "**/*.less",
    "**/*.cshtml", "**/*.razor", "**/*.hbs", "**/*.ejs", "**/*.j2", "**/*.jinja*", "**/*.xaml", "**/*.erb",
)  # fmt: skip
"""Files that people see the result of."""

_MOST_NAMED = 3


def of_kind(evidence: ChangeEvidence, *kinds: FileKind, removed: bool = False) -> tuple[ChangedFile, ...]:
    """The changed files of ``kinds``; those that are gone only where ``removed`` says so."""
    return tuple(
        file
        for file in evidence.known_files
        if kind_of(file.path) in kinds and (removed or file.status is not FileStatus.REMOVED)
    )


def matching(evidence: ChangeEvidence, patterns: Iterable[str]) -> tuple[ChangedFile, ...]:
    """The changed files, also those that are gone, whose path fits one of ``patterns``."""
    asked = tuple(patterns)
    return tuple(file for file in evidence.known_files if fits(file.path, asked))


def aside(evidence: ChangeEvidence, what: str, *kinds: FileKind) -> Judgement | None:
    """Why ``what`` is not asked of a change of nothing but files of ``kinds``, or cannot be while they are unknown."""
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    found = {kind_of(file.path) for file in evidence.files}
    if found <= set(kinds):
        told = " and ".join(sorted(found)) or "nothing"
        return Judgement.not_applicable(f"{what}: the change touches {told} alone")
    return None


def named(files: Iterable[ChangedFile | str]) -> str:
    """A few of the files by path, and how many more there are."""
    paths = [one if isinstance(one, str) else one.path for one in files]
    more = f" and {len(paths) - _MOST_NAMED} more" if len(paths) > _MOST_NAMED else ""
    return ", ".join(paths[:_MOST_NAMED]) + more
