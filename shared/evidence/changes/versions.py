"""The text of a changed file at the merge base and at the head; where the forge gave one of them, the diff gives the other."""

from __future__ import annotations

from shared.domain.change import ChangedFile, FileStatus, Part, Unknown
from shared.evidence.changes.lines import added, removed

_NONE = ""


def after(file: ChangedFile) -> Part[str]:
    """The text at the head, empty for a removed file; ``Unknown`` for a binary one, or one that could not be had."""
    if file.status is FileStatus.REMOVED:
        return _NONE
    if file.content is not None:
        return file.content
    if file.binary:
        return Unknown(reason=f"{file.path} is binary")
    if file.status is FileStatus.ADDED and file.patch is not None:
        return "".join(f"{line.text}\n" for line in added(file))
    if file.before is not None and file.patch is not None:
        found = _patched(file.before, file)
        if found is not None:
            return found
    return Unknown(reason=f"the text of {file.path} at the head could not be had")


def before(file: ChangedFile) -> Part[str]:
    """The text at the merge base, empty for an added file; ``Unknown`` for a binary one, or one that could not be had."""
    if file.status is FileStatus.ADDED:
        return _NONE
    if file.before is not None:
        return file.before
    if file.binary:
        return Unknown(reason=f"{file.path} is binary")
    if file.status is FileStatus.REMOVED and file.patch is not None:
        return "".join(f"{line.text}\n" for line in removed(file))
    # A file that was renamed and not edited has no hunks.
    patch = "" if file.status is FileStatus.RENAMED and not file.additions + file.deletions else file.patch
    found = _unpatched(file.content, file) if file.content is not None and patch is not None else None
    if found is not None:
        return found
    return Unknown(reason=f"the text of {file.path} before the change could not be had")


def _unpatched(head: str, file: ChangedFile) -> str | None:
    """``head`` with what the diff adds taken out and what it removes put back; None where the two do not fit."""
    return _swapped(
        head, {line.number: line.text for line in added(file)}, {line.number: line.text for line in removed(file)}
    )


def _patched(base: str, file: ChangedFile) -> str | None:
    return _swapped(
        base, {line.number: line.text for line in removed(file)}, {line.number: line.text for line in added(file)}
    )


def _swapped(text: str, gone: dict[int, str], come: dict[int, str]) -> str | None:
    ended = text.endswith("\n")
    lines = text.split("\n")
    if ended:
        lines.pop()
    for number, line in gone.items():
        if number > len(lines) or lines[number - 1].rstrip("\r") != line.rstrip("\r"):
            return None
    kept = iter([line for number, line in enumerate(lines, 1) if number not in gone])
    total = len(lines) - len(gone) + len(come)
    if come and max(come) > total:
        return None
    made = [come[number] if number in come else next(kept) for number in range(1, total + 1)]
    return "\n".join(made) + ("\n" if ended and made else "")
