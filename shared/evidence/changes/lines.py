"""Which lines a change adds and removes, by their numbers; hunks as both forges' diffs write them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.domain.change import ChangedFile, FileStatus
from shared.evidence.changes.remembered import remembered

_HUNK = re.compile(r"^@@ -(?P<old>\d+)(?:,(?P<olds>\d+))? \+(?P<new>\d+)(?:,(?P<news>\d+))? @@")


class Line(NamedTuple):
    """One line of a diff."""

    number: int
    """In the file at the head for an added or kept line; at the merge base for a removed one."""
    text: str


class Hunk(NamedTuple):
    """One hunk: where it begins at the head and how many lines of the head it shows, for places a comment can reach."""

    start: int
    length: int


class _Step(NamedTuple):
    sign: str
    old: int
    new: int
    text: str


@remembered
def added(file: ChangedFile) -> tuple[Line, ...]:
    """The added lines with their numbers at the head. None for a file whose hunks could not be had: ask ``patch``."""
    return tuple(Line(one.new, one.text) for one in _walk(file.patch or "") if one.sign == "+")


def gained(file: ChangedFile) -> frozenset[int] | None:
    """Numbers of the lines the file gains; every one of a new file. None: its hunks could not be had."""
    if file.patch is not None:
        return frozenset(line.number for line in added(file))
    if file.status is FileStatus.ADDED and file.content is not None:
        return frozenset(range(1, file.content.count("\n") + (not file.content.endswith("\n")) + 1))
    return frozenset() if file.status is FileStatus.REMOVED else None


def removed(file: ChangedFile) -> tuple[Line, ...]:
    """The removed lines with their numbers at the merge base."""
    return tuple(Line(one.old, one.text) for one in _walk(file.patch or "") if one.sign == "-")


def changed(file: ChangedFile) -> frozenset[int]:
    """Numbers at the head of the added lines, and of those that now stand where lines were taken out."""
    return frozenset(one.new for one in _walk(file.patch or ""))


def hunks(file: ChangedFile) -> tuple[Hunk, ...]:
    """The parts of the file at the head that the diff shows."""
    found = (_HUNK.match(line) for line in (file.patch or "").split("\n"))
    return tuple(Hunk(int(one["new"]), int(one["news"] if one["news"] is not None else 1)) for one in found if one)


def reaches(file: ChangedFile, line: int) -> bool:
    """Whether the diff shows ``line`` of the head, so that a comment can stand beside it."""
    return any(hunk.start <= line < hunk.start + hunk.length for hunk in hunks(file))


def _walk(patch: str) -> Iterator[_Step]:
    old = new = left_old = left_new = 0
    # Only "\n" ends a line of a diff; a form feed or a Unicode separator is part of one.
    for line in patch.split("\n"):
        if left_old <= 0 and left_new <= 0:
            if begin := _HUNK.match(line):
                old, new = int(begin["old"]), int(begin["new"])
                left_old = int(begin["olds"] if begin["olds"] is not None else 1)
                left_new = int(begin["news"] if begin["news"] is not None else 1)
            continue
        sign, text = line[:1], line[1:]
        if sign == "+":
            yield _Step(sign, old, new, text)
            new, left_new = new + 1, left_new - 1
        elif sign == "-":
            yield _Step(sign, old, new, text)
            old, left_old = old + 1, left_old - 1
        elif sign == "\\":
            continue
        else:
            old, new, left_old, left_new = old + 1, new + 1, left_old - 1, left_new - 1
