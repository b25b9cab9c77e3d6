"""Merges two sides' changes of one text line by line (diff3): disjoint changes are both kept, others are marked.

The rules are those of Khanna, Kunal and Pierce, "A Formal Investigation of Diff3" (2007). A team that changed a file's
line endings keeps them: the template's lines are given the same before they are compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shared.projects.updates.matching import matches

LARGEST = 4 * 1024 * 1024
"""Bytes; a larger file is not merged line by line."""

_LINES = re.compile(rb"[^\n]*\n|[^\n]+")


@dataclass(frozen=True)
class Names:
    """What the markers of a conflict call the three sides."""

    team: bytes
    base: bytes
    template: bytes


@dataclass(frozen=True)
class Merged:
    """A merged text and the numbers (from 1) of the lines at which its conflicts begin."""

    content: bytes
    conflicts: tuple[int, ...] = ()


class Extent(NamedTuple):
    """How much one side changed."""

    added: int
    removed: int
    first: int
    """Number (from 1) of the first line that differs, as the changed side counts; 0 when none does."""


class _Chunk(NamedTuple):
    stable: bool
    base: Sequence[bytes]
    team: Sequence[bytes]
    template: Sequence[bytes]


def is_text(content: bytes) -> bool:
    """Whether lines of ``content`` mean anything: no NUL byte, as git decides it, and not too large."""
    return len(content) <= LARGEST and b"\0" not in content


def lines_of(content: bytes) -> list[bytes]:
    """The lines with their ends; only ``\\n`` ends one, as in git."""
    return _LINES.findall(content)


def with_ends_of(model: bytes, content: bytes) -> bytes:
    """``content`` with the line endings of ``model``; as it is where ``model`` mixes them or has none."""
    breaks, carriages = model.count(b"\n"), model.count(b"\r\n")
    if not breaks or carriages not in {0, breaks}:
        return content
    plain = content.replace(b"\r\n", b"\n")
    return plain.replace(b"\n", b"\r\n") if carriages else plain


def merge(base: bytes, team: bytes, template: bytes, names: Names) -> Merged:
    """The template's changes since ``base`` brought into the team's text. Where both changed the same lines
    differently, all three versions stand between git's markers."""
    old, new = (lines_of(with_ends_of(team, text)) for text in (base, template))
    mine = lines_of(team)
    end = b"\r\n" if team.count(b"\r\n") * 2 > team.count(b"\n") else b"\n"
    out: list[bytes] = []
    begins: list[int] = []
    for chunk in _chunks(old, mine, new):
        if chunk.stable or chunk.template in (chunk.base, chunk.team):
            out += chunk.team
        elif chunk.team == chunk.base:
            out += chunk.template
        else:
            _ensure_end(out, end)
            begins.append(len(out) + 1)
            out += _marked(chunk, names, end)
    # A last line without an end must not swallow what is put after it.
    for number in range(len(out) - 1):
        if not out[number].endswith(b"\n"):
            out[number] += end
    return Merged(b"".join(out), tuple(begins))


def extent(before: bytes, after: bytes) -> Extent:
    """How much ``after`` differs from ``before``, line endings aside."""
    old, new = lines_of(with_ends_of(after, before)), lines_of(after)
    same = matches(old, new)
    kept = set(same.values())
    first = next((n for n in range(len(new)) if n not in kept), None)
    if first is None and len(same) < len(old):
        gone = next(n for n in range(len(old)) if n not in same)
        first = min(gone, max(len(new) - 1, 0))
    return Extent(len(new) - len(same), len(old) - len(same), 0 if first is None else first + 1)


def _chunks(base: Sequence[bytes], team: Sequence[bytes], template: Sequence[bytes]) -> Iterator[_Chunk]:
    """Runs of lines that all three have, and what stands between them."""
    in_team, in_template = matches(base, team), matches(base, template)
    at = mine = new = 0
    for line in [*sorted(in_team.keys() & in_template.keys()), len(base)]:
        last = line == len(base)
        to_mine = len(team) if last else in_team[line]
        to_new = len(template) if last else in_template[line]
        if (line, to_mine, to_new) != (at, mine, new):
            yield _Chunk(False, base[at:line], team[mine:to_mine], template[new:to_new])
        if not last:
            yield _Chunk(True, base[line : line + 1], team[to_mine : to_mine + 1], template[to_new : to_new + 1])
        at, mine, new = line + 1, to_mine + 1, to_new + 1


def _marked(chunk: _Chunk, names: Names, end: bytes) -> list[bytes]:
    out = [b"<<<<<<< " + names.team + end, *chunk.team]
    for marker, lines in ((b"||||||| " + names.base, chunk.base), (b"=======", chunk.template)):
        _ensure_end(out, end)
        out += [marker + end, *lines]
    _ensure_end(out, end)
    return [*out, b">>>>>>> " + names.template + end]


def _ensure_end(out: list[bytes], end: bytes) -> None:
    if out and not out[-1].endswith(b"\n"):
        out[-1] += end
