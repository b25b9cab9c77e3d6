"""Writes what people read of an update: the commit's message and the pull request's title and body, within its limit."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from shared.domain.pull_request import PullRequestText
from shared.domain.scaffold_update import FileFate, FileMerge
from shared.projects.answers import plain
from shared.projects.updates.comparing import Comparison

TRAILER = "Doneright-Scaffold"
"""Stands in the message of every commit of ours, with the render's digest."""

_TITLE = "Update the scaffold to {version}"
_CONFLICTS = (
    "Your team and the template changed the same lines. These files hold git's conflict markers, so this is a draft, "
    "and checks may fail until the markers are gone."
)
_LEAST = 250
"""Characters that a section takes with its heading and nothing but a count."""

_HOW = {
    FileFate.ADDED: "added",
    FileFate.UPDATED: "updated: you had not changed it",
    FileFate.MERGED: "merged with your changes",
    FileFate.REMOVED: "removed: you had not changed it",
}


def message(version: str, base_version: str, render: str) -> str:
    """The commit's message; its trailer tells our commit from a team's."""
    return (
        f"{_TITLE.format(version=version)}\n\nBrings what changed in the template since version {base_version}.\n\n"
        f"{TRAILER}: {render}"
    )


def is_ours(text: str, render: str) -> bool:
    """Whether ``text`` is the message of a commit of ours that brings ``render``."""
    return any(line.strip() == f"{TRAILER}: {render}" for line in text.splitlines())


def text(
    comparison: Comparison,
    *,
    version: str,
    base_version: str,
    branch: str,
    head: str,
    whole: str,
    limit: int,
) -> PullRequestText:
    """Title and body; a draft while files hold conflict markers.

    Args:
        comparison: what the update does.
        version: of the template it brings.
        base_version: of the template the repository has.
        branch: the default branch.
        head: the commit it was computed on.
        whole: the address at which the whole merge can be read.
        limit: the most characters the forge takes; what does not fit is counted, and stands at ``whole``.
    """
    conflicts = [file for file in comparison.files if file.fate is FileFate.CONFLICT]
    kept = [file for file in comparison.files if file.fate is FileFate.KEPT]
    brought = [file for file in comparison.files if file.fate in _HOW]
    title = _TITLE.format(version=version)
    if conflicts:
        title += f": {_count(conflicts, 'conflict')} to resolve"
    parts = [
        f"This repository was made from version {base_version} of its template. This brings what changed up to "
        f"version {version}, on top of `{branch}` at {head[:10]}, and keeps what your team changed."
    ]
    footer = (
        "Merge it to have the new template. Close it to do without this version: it is not offered again unless "
        "somebody asks for it. Commits of yours on this branch are safe; Doneright leaves the branch to you from the "
        f"first on.\n\nEvery file, as data: {whole}"
    )
    # What needs a person comes first and takes what room it needs; the others keep room to be counted at least.
    wanted: list[Callable[[int], str]] = []
    if conflicts:
        wanted.append(lambda room: _table("Conflicts", _CONFLICTS, conflicts, room))
    if kept:
        wanted.append(lambda room: _table("Left as you have it", "", kept, room))
    if brought:
        wanted.append(lambda room: _listing("Brought in", brought, room))
    left = limit - len(parts[0]) - len(footer) - 2
    for number, section in enumerate(wanted, 1):
        parts.append(section(left - 2 - _LEAST * (len(wanted) - number)))
        left -= len(parts[-1]) + 2
    return PullRequestText(title=title, body="\n\n".join([*parts, footer]), draft=comparison.marked)


def _table(heading: str, words: str, files: Sequence[FileMerge], room: int) -> str:
    if not files:
        return ""
    top = f"### {heading}\n\n" + (f"{words}\n\n" if words else "")
    top += "| File | Your team | The template | What to do |\n| --- | --- | --- | --- |"
    rows = (
        f"| {plain(file.path)}{_where(file)} | {plain(file.team)} | {plain(file.template)} | {plain(file.advice)} |"
        for file in files
    )
    return _fitted(top, rows, len(files), room, "\n\n")


def _listing(heading: str, files: Sequence[FileMerge], room: int) -> str:
    if not files:
        return ""
    rows = (f"- {plain(file.path)}: {_HOW[file.fate]}" for file in files)
    return _fitted(f"### {heading}\n", rows, len(files), room, "\n")


def _fitted(top: str, rows: Iterable[str], count: int, room: int, before_rest: str) -> str:
    reserve = 40
    lines = [top]
    used = len(top)
    for number, row in enumerate(rows):
        if used + len(row) + 1 > room - reserve:
            return "\n".join(lines) + f"{before_rest}… and {count - number} more."
        lines.append(row)
        used += len(row) + 1
    return "\n".join(lines)


def _where(file: FileMerge) -> str:
    if not file.conflicts:
        return ""
    shown = ", ".join(str(line) for line in file.conflicts[:5])
    return f" ({'line' if len(file.conflicts) == 1 else 'lines'} {shown}{', …' if len(file.conflicts) > 5 else ''})"


def _count(files: Sequence[FileMerge], noun: str) -> str:
    number = sum(len(file.conflicts) for file in files)
    return f"{number} {noun}{'' if number == 1 else 's'}"
