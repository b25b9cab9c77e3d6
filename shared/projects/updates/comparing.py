"""Decides the fate of every file an update touches: what a team did to a file is never lost, and never overwritten.

Only files the template changed between two renders are looked at; all others are the team's. A moved file is one that
was removed and one that was added.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from shared.domain.blobs import blob_sha
from shared.domain.pull_request import REGULAR, BranchChange, TreeFile
from shared.domain.scaffold_update import FileFate, FileMerge
from shared.projects.bundle import Bundle
from shared.projects.updates.merging import Extent, Names, extent, is_text, merge

RESOLVE = "Choose between the marked lines, remove the markers, and mark the pull request as ready."


@dataclass(frozen=True)
class Comparison:
    """The fate of each file the template changed, and the commit that brings it about."""

    files: tuple[FileMerge, ...]
    change: BranchChange

    @property
    def marked(self) -> bool:
        """Whether a file of the commit holds conflict markers."""
        return any(file.fate is FileFate.CONFLICT for file in self.files)


@dataclass(frozen=True)
class _Side:
    """A file of one render."""

    content: bytes
    executable: bool


@dataclass(frozen=True)
class _Verdict:
    """What is to be told of a file, and what is to be written: nothing, a file, or its removal."""

    file: FileMerge
    written: _Side | None = None
    removed: bool = False


def compare(
    old: Bundle,
    new: Bundle,
    team: Mapping[str, TreeFile],
    read: Callable[[str], bytes],
    names: Names,
    *,
    with_modes: bool = True,
) -> Comparison:
    """Three-way merge of the render before, today's render and the team's files.

    Args:
        old: the render the repository was last brought to.
        new: today's render.
        team: path → file at the head of the default branch.
        read: the content of a team's file by its git digest; called only where both sides changed a file.
        names: what conflict markers call the sides.
        with_modes: whether the forge takes which files may be run; otherwise modes stay as they are.
    """
    verdicts = []
    for path in sorted(old.files.keys() | new.files.keys()):
        before, after = _side(old, path), _side(new, path)
        if before == after:
            continue
        found = _judge(path, before, after, team.get(path), read, names, with_modes)
        if found is not None:
            verdicts.append(found)
    gone = {verdict.file.path for verdict in verdicts if verdict.removed}
    staying = team.keys() - gone
    folders = {folder for path in staying for folder in _folders_of(path)}
    verdicts = [
        _where_there_is_room(verdict, staying, folders) if verdict.file.fate is FileFate.ADDED else verdict
        for verdict in verdicts
    ]
    return Comparison(tuple(verdict.file for verdict in verdicts), _change(verdicts, team))


def _change(verdicts: list[_Verdict], team: Mapping[str, TreeFile]) -> BranchChange:
    written = {verdict.file.path: verdict.written for verdict in verdicts if verdict.written is not None}
    return BranchChange(
        added={path: side.content for path, side in written.items() if path not in team},
        edited={path: side.content for path, side in written.items() if path in team},
        removed=frozenset(verdict.file.path for verdict in verdicts if verdict.removed),
        executable=frozenset(path for path, side in written.items() if side.executable),
    )


def _judge(
    path: str,
    before: _Side | None,
    after: _Side | None,
    team: TreeFile | None,
    read: Callable[[str], bytes],
    names: Names,
    with_modes: bool,
) -> _Verdict | None:
    """The verdict on one file; ``None`` when the repository has what the template wants."""
    if after is None:
        return _removal(path, before, team)
    if before is None:
        return _addition(path, after, team, with_modes)
    if team is None:
        kept = FileMerge(
            path=path, fate=FileFate.KEPT, team="deleted it", template="changed it", advice="It stays deleted."
        )
        return _Verdict(kept)
    return _both(path, before, after, team, read, names, with_modes)


def _removal(path: str, before: _Side | None, team: TreeFile | None) -> _Verdict | None:
    if team is None or before is None:
        return None
    if _holds(team, before):
        removed = FileMerge(path=path, fate=FileFate.REMOVED, template="no longer has it")
        return _Verdict(removed, removed=True)
    kept = FileMerge(
        path=path,
        fate=FileFate.KEPT,
        team="changed it",
        template="no longer has it",
        advice="It stays as you have it; delete it when nothing of yours needs it.",
    )
    return _Verdict(kept)


def _addition(path: str, after: _Side, team: TreeFile | None, with_modes: bool) -> _Verdict | None:
    if team is None:
        added = FileMerge(path=path, fate=FileFate.ADDED, template="new file")
        return _Verdict(added, written=after)
    if _holds(team, after):
        return None
    kept = FileMerge(
        path=path,
        fate=FileFate.KEPT,
        team="has a file of its own there",
        template="new file",
        advice="Yours stays; take over from the template what you want of it.",
    )
    return _Verdict(kept)


def _both(
    path: str,
    before: _Side,
    after: _Side,
    team: TreeFile,
    read: Callable[[str], bytes],
    names: Names,
    with_modes: bool,
) -> _Verdict | None:
    if team.mode not in REGULAR:
        return _Verdict(_kept(path, "made it a link", "changed it"))
    # Who changed the mode has it; the template's change counts where the team made none.
    executable = after.executable if team.executable == before.executable else team.executable
    mode_changes = with_modes and executable != team.executable
    if before.content == after.content or _holds(team, after):
        return _mode_alone(path, before, team, read, executable) if mode_changes else None
    if _holds(team, before):
        updated = FileMerge(path=path, fate=FileFate.UPDATED, template=_template_words(before, after))
        return _Verdict(updated, written=_Side(after.content, executable))
    mine = read(team.digest)
    if not all(is_text(content) for content in (before.content, after.content, mine)):
        sizes = f"{len(mine)} bytes", f"{len(after.content)} bytes"
        return _Verdict(_kept(path, f"replaced it ({sizes[0]})", f"replaced it ({sizes[1]})"))
    return _merged(path, before, after, mine, executable, mode_changes, names)


def _mode_alone(path: str, before: _Side, team: TreeFile, read: Callable[[str], bytes], executable: bool) -> _Verdict:
    told = FileMerge(
        path=path,
        fate=FileFate.UPDATED if _holds(team, before) else FileFate.MERGED,
        team="" if _holds(team, before) else "changed it",
        template="may be run" if executable else "may not be run any more",
    )
    return _Verdict(told, written=_Side(read(team.digest), executable))


def _merged(
    path: str, before: _Side, after: _Side, mine: bytes, executable: bool, mode_changes: bool, names: Names
) -> _Verdict | None:
    result = merge(before.content, mine, after.content, names)
    if result.content == mine and not mode_changes:
        return None
    team, template = in_words(extent(before.content, mine)), in_words(extent(before.content, after.content))
    if not result.conflicts:
        clean = FileMerge(path=path, fate=FileFate.MERGED, team=team, template=template)
        return _Verdict(clean, written=_Side(result.content, executable))
    marked = FileMerge(
        path=path,
        fate=FileFate.CONFLICT,
        team=team,
        template=template,
        advice=RESOLVE,
        conflicts=result.conflicts,
    )
    return _Verdict(marked, written=_Side(result.content, executable))


def _folders_of(path: str) -> list[str]:
    return [path[:at] for at in range(len(path)) if path[at] == "/"]


def _where_there_is_room(added: _Verdict, staying: Set[str], folders: Set[str]) -> _Verdict:
    path = added.file.path
    in_the_way = [folder for folder in _folders_of(path) if folder in staying] + ([path] if path in folders else [])
    if not in_the_way:
        return added
    kept = FileMerge(
        path=path,
        fate=FileFate.KEPT,
        team=f"has {in_the_way[0]} there, as a {'folder' if in_the_way[0] == path else 'file'}",
        template="new file",
        advice="It is left out; make room for it, or do without.",
    )
    return _Verdict(kept)


def _kept(path: str, team: str, template: str) -> FileMerge:
    advice = "Yours stays, since the two cannot be merged line by line; take over what you want of the template's."
    return FileMerge(path=path, fate=FileFate.KEPT, team=team, template=template, advice=advice)


def _template_words(before: _Side, after: _Side) -> str:
    words = []
    if before.content != after.content:
        text = is_text(before.content) and is_text(after.content)
        words.append(in_words(extent(before.content, after.content)) if text else "replaced it")
    if before.executable != after.executable:
        words.append("may be run" if after.executable else "may not be run any more")
    return "; ".join(words)


def in_words(found: Extent) -> str:
    """An extent as people read it: lines added, lines removed, and where."""
    if not found.added and not found.removed:
        return "line endings"
    plural = "" if found.added + found.removed == 1 else "s"
    signs = " ".join(f"{sign}{n}" for sign, n in (("+", found.added), ("−", found.removed)) if n)  # noqa: RUF001
    return f"{signs} line{plural}, from line {found.first}"


def _side(render: Bundle, path: str) -> _Side | None:
    content = render.files.get(path)
    return None if content is None else _Side(content, path in render.executable)


def _holds(team: TreeFile, side: _Side) -> bool:
    return team.mode in REGULAR and team.digest == blob_sha(side.content)
