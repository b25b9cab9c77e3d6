"""Finds where a large change can be cut: along commits that share no file, parts that need nothing of each other, folders."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from graphlib import CycleError, TopologicalSorter
from pathlib import PurePosixPath

from pydantic import Field

from shared.agents._dependencies import needs
from shared.agents._neighbours import Neighbours
from shared.domain.change import ChangeCommit, ChangedFile
from shared.domain.forge import Frozen
from shared.evidence.changes.kinds import FileKind, kind_of

LARGE = 500
"""Changed lines, without lock files, above which reviewers find fewer faults per line."""
MANY = 40
"""Changed files above which nobody keeps them all in mind."""
MOST_PARTS = 6
_SMALL = 0.05
"""Share of the lines below which a part is not worth a review of its own."""
_WHOLE = 0.85
"""Share of the lines from which one part is still the large change it was."""


class Seam(StrEnum):
    """Along what a change is cut."""

    COMMITS = "commits"
    INDEPENDENCE = "independence"
    FOLDERS = "folders"


class SplitPart(Frozen):
    """One change out of the large one."""

    title: str
    paths: tuple[str, ...]
    lines: int = Field(ge=0)
    needs: tuple[int, ...] = Field(default=(), description="Numbers of parts, from 1, that must be merged before it.")
    commits: tuple[str, ...] = ()


class Split(Frozen):
    """How to cut a change, in an order in which the parts can be merged."""

    seam: Seam
    parts: tuple[SplitPart, ...] = Field(min_length=2)


def written(files: Iterable[ChangedFile]) -> tuple[ChangedFile, ...]:
    """The files that people wrote, so far as paths tell."""
    return tuple(file for file in files if not file.binary and kind_of(file.path) is not FileKind.LOCK)


def size(files: Iterable[ChangedFile]) -> int:
    """Added and removed lines."""
    return sum(file.additions + file.deletions for file in files)


def is_large(files: Sequence[ChangedFile]) -> bool:
    """Whether the change is worth cutting."""
    own = written(files)
    return size(own) > LARGE or len(own) > MANY


def split(files: Sequence[ChangedFile], commits: Sequence[ChangeCommit]) -> Split | None:
    """The best way to cut the change; ``None`` where nothing shows one."""
    needed = needs(files)
    for seam, groups in (
        (Seam.COMMITS, _by_commits(files, commits)),
        (Seam.INDEPENDENCE, _by_independence(files, needed)),
        (Seam.FOLDERS, _by_folders(files)),
    ):
        parts = _parts(groups, files, needed, commits if seam is Seam.COMMITS else ())
        if len(parts) > 1 and max(part.lines for part in parts) <= _WHOLE * max(1, size(files)):
            return Split(seam=seam, parts=parts)
    return None


def _by_commits(files: Sequence[ChangedFile], commits: Sequence[ChangeCommit]) -> list[set[str]]:
    known = {file.path for file in files} | {file.previous_path for file in files if file.previous_path}
    if len(commits) < 2 or any(one.paths is None for one in commits):
        return []
    groups = _joined([set(one.paths or ()) & known for one in commits])
    current = {file.previous_path: file.path for file in files if file.previous_path}
    told = [{current.get(path, path) for path in group} for group in groups]
    # What no commit names was touched by a merge; nobody can tell where it belongs.
    return told if {path for group in told for path in group} >= {file.path for file in files} else []


def _by_independence(files: Sequence[ChangedFile], needed: Mapping[str, frozenset[str]]) -> list[set[str]]:
    groups = _joined([{path, *wanted} for path, wanted in needed.items()])
    coded = [group for group in groups if any(_is_code(path) for path in group)]
    rest = [group for group in groups if group not in coded]
    if len(coded) < 2:
        return []
    neighbours = Neighbours(coded)
    for group in rest:
        # Documents and the like go with the code they stand nearest to.
        neighbours.join(neighbours.nearest(group), group)
    return _without_small(neighbours.groups(), files)


def _by_folders(files: Sequence[ChangedFile]) -> list[set[str]]:
    paths = [PurePosixPath(file.path) for file in files]
    for depth in range(1, 5):
        groups: dict[tuple[str, ...], set[str]] = defaultdict(set)
        for path in paths:
            groups[path.parts[:-1][:depth]].add(str(path))
        if len(groups) > 1 and max(map(len, groups.values())) < len(paths):
            found = _without_small(list(groups.values()), files)
            if len(found) > 1:
                return found
    return []


def _is_code(path: str) -> bool:
    return kind_of(path) in {FileKind.CODE, FileKind.MIGRATION}


def _joined(sets: Iterable[set[str]]) -> list[set[str]]:
    """Sets that share a member become one."""
    found: list[set[str]] = []
    for one in sets:
        if not one:
            continue
        apart = []
        merged = set(one)
        for group in found:
            if group & merged:
                merged |= group
            else:
                apart.append(group)
        found = [*apart, merged]
    return found


def _without_small(groups: list[set[str]], files: Sequence[ChangedFile]) -> list[set[str]]:
    """Small groups joined to their nearest neighbour, until few enough are left."""
    lines = {file.path: file.additions + file.deletions for file in files}
    least = _SMALL * max(1, sum(lines.values()))
    return Neighbours(groups).without_small(lines, least=least, most=MOST_PARTS)


def _parts(
    groups: list[set[str]],
    files: Sequence[ChangedFile],
    needed: Mapping[str, frozenset[str]],
    commits: Sequence[ChangeCommit],
) -> tuple[SplitPart, ...]:
    """The groups in an order in which each comes after what it needs; those that need each other become one."""
    if len(groups) < 2:
        return ()
    groups, order = _ordered(groups, needed)
    lines = {file.path: file.additions + file.deletions for file in files}
    place = {index: number for number, index in enumerate(order, 1)}
    parts = []
    for index in order:
        group = groups[index]
        wanted = {other for other, its in enumerate(groups) if other != index and _needs(group, its, needed)}
        parts.append(
            SplitPart(
                title=_title(group),
                paths=tuple(sorted(group)),
                lines=sum(lines.get(path, 0) for path in group),
                needs=tuple(sorted(place[one] for one in wanted)),
                commits=tuple(one.id for one in commits if set(one.paths or ()) & group),
            )
        )
    return tuple(parts)


def _ordered(groups: list[set[str]], needed: Mapping[str, frozenset[str]]) -> tuple[list[set[str]], tuple[int, ...]]:
    groups = sorted(groups, key=min)
    while True:
        graph = {
            index: {other for other, its in enumerate(groups) if other != index and _needs(group, its, needed)}
            for index, group in enumerate(groups)
        }
        try:
            return groups, tuple(TopologicalSorter(graph).static_order())
        except CycleError as error:
            circle = set(error.args[1])
            merged = set().union(*(groups[index] for index in circle))
            groups = sorted([merged, *(one for n, one in enumerate(groups) if n not in circle)], key=min)


def _needs(group: set[str], other: set[str], needed: Mapping[str, frozenset[str]]) -> bool:
    return any(needed.get(path, frozenset()) & other for path in group)


def _title(group: set[str]) -> str:
    folders = [PurePosixPath(path).parts[:-1] for path in sorted(group, key=lambda one: (not _is_code(one), one))]
    common: list[str] = []
    coded = [
        one
        for path, one in zip(sorted(group, key=lambda one: (not _is_code(one), one)), folders, strict=True)
        if _is_code(path)
    ]
    for level in zip(*(coded or folders), strict=False):
        if len(set(level)) > 1:
            break
        common.append(level[0])
    first = min(group, key=lambda one: (not _is_code(one), one))
    return "/".join(common) + "/" if common else PurePosixPath(first).name
