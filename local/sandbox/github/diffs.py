"""Tells what changed between two commits as git does: renames found, hunks with missing line ends, binaries without."""

from __future__ import annotations

import difflib
import re
from collections import OrderedDict
from dataclasses import dataclass

from local.sandbox.github import objects
from local.sandbox.github.hub import Hub
from local.sandbox.github.pushes import changes

MOST_FILES = 3_000
"""https://docs.github.com/rest/pulls/pulls#list-pull-requests-files"""
MOST_PATCH = 1_000_000
"""Bytes of both texts together beyond which GitHub leaves the patch out."""
ALIKE = 0.5
"""Share of equal lines from which git calls a removed and an added file one that was renamed."""
RENAME_LIMIT = 200
"""Pairs beyond which git gives up looking for renames that are not exact."""
SUBMODULE = "160000"
_KEPT = 64
_LINE = re.compile(r"[^\n]*\n|[^\n]+")

_seen: OrderedDict[tuple[str, str], tuple[Difference, ...]] = OrderedDict()


@dataclass(frozen=True)
class Difference:
    """One file that differs."""

    path: str
    previous: str
    status: str
    sha: str
    additions: int
    deletions: int
    patch: str | None


def differences(hub: Hub, base: str | None, head: str) -> tuple[Difference, ...]:
    """Every changed file, by path. Commits never change, so what was compared once is kept."""
    key = (base or "", head)
    if key in _seen:
        _seen.move_to_end(key)
        return _seen[key]
    found = changes(hub, base, head)
    renamed = _renames(hub, found)
    gone = set(renamed.values())
    made = tuple(
        _difference(hub, path, renamed.get(path, ""), found[renamed[path]][0] if path in renamed else old, new)
        for path, (old, new) in found.items()
        if path not in gone
    )
    _seen[key] = made
    while len(_seen) > _KEPT:
        _seen.popitem(last=False)
    return made


def _difference(
    hub: Hub, path: str, previous: str, old: tuple[str, str] | None, new: tuple[str, str] | None
) -> Difference:
    before = _content(hub, old)
    after = _content(hub, new)
    added, removed, patch = compared(before, after)
    status = "renamed" if previous else "added" if old is None else "removed" if new is None else "modified"
    return Difference(path, previous, status, (new or old or ("", ""))[1], added, removed, patch)


def _content(hub: Hub, entry: tuple[str, str] | None) -> bytes:
    if entry and entry[0] == SUBMODULE:
        return f"Subproject commit {entry[1]}\n".encode()
    return objects.blob(hub, entry[1]) if entry else b""


def is_binary(content: bytes) -> bool:
    """Git's own test."""
    return b"\0" in content[:8_000]


def compared(before: bytes, after: bytes) -> tuple[int, int, str | None]:
    """Lines added, lines removed, and the hunks; none for binaries, large texts and equal ones."""
    if is_binary(before) or is_binary(after) or before == after:
        return 0, 0, None
    old, new = (_LINE.findall(content.decode(errors="replace")) for content in (before, after))
    rows = list(difflib.unified_diff(old, new))[2:]
    added = sum(row.startswith("+") for row in rows)
    removed = sum(row.startswith("-") for row in rows)
    if len(before) + len(after) >= MOST_PATCH:
        return added, removed, None
    text = "\n".join(row[:-1] if row.endswith("\n") else f"{row}\n\\ No newline at end of file" for row in rows)
    return added, removed, text


def _renames(hub: Hub, found: dict[str, tuple[tuple[str, str] | None, tuple[str, str] | None]]) -> dict[str, str]:
    """New path → old path."""
    removed = {path: old[1] for path, (old, new) in found.items() if old and new is None and old[0] != SUBMODULE}
    added = {path: new[1] for path, (old, new) in found.items() if new and old is None and new[0] != SUBMODULE}
    renamed: dict[str, str] = {}
    by_sha = {sha: path for path, sha in removed.items()}
    for path, sha in added.items():
        if (before := by_sha.pop(sha, None)) and objects.blob(hub, sha):
            renamed[path] = before
            del removed[before]
    left = [path for path in added if path not in renamed]
    if len(left) * len(removed) > RENAME_LIMIT:
        return renamed
    for path in left:
        after = objects.blob(hub, added[path])
        scores = {old: _alike(objects.blob(hub, sha), after) for old, sha in removed.items()}
        best = max(scores, key=lambda old: scores[old], default=None)
        if best is not None and scores[best] >= ALIKE:
            renamed[path] = best
            del removed[best]
    return renamed


def _alike(one: bytes, other: bytes) -> float:
    if not one or not other or is_binary(one) or is_binary(other):
        return 0.0
    return difflib.SequenceMatcher(None, one.split(b"\n"), other.split(b"\n"), autojunk=False).ratio()


_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")


def shown_lines(patch: str, side: str = "RIGHT") -> tuple[range, ...]:
    """Lines of one side that each hunk shows: where comments may stand."""
    first = 3 if side == "RIGHT" else 1
    found = (_HUNK.match(row) for row in patch.split("\n"))
    return tuple(
        range(int(one[first]), int(one[first]) + int(one[first + 1] if one[first + 1] is not None else 1))
        for one in found
        if one
    )
