"""Names each remark by what it is about, so that a line that moved keeps its remark and one that was fixed loses it.

A remark is its rule, its path, and the text of its line with the lines beside it; never the line's number.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from shared.domain.change import ChangedFile, Part, Unknown
from shared.domain.review import Remark
from shared.evidence.changes.lines import added

LENGTH = 32
"""Hexadecimal digits: 128 bits, far more than two remarks of one change could share by chance."""

_FARTHEST = 50
"""Blank lines that are walked over; a file may be made of nothing else."""

_DIGITS = re.compile(r"\d+")


class _Text(NamedTuple):
    """The lines of a file, as far as they are known, by number."""

    at: Callable[[int], str | None]
    """The line of that number; ``None`` where it is not known."""

    def around(self, line: int) -> tuple[str, str, str] | None:
        """The line, and the nearest ones above and below that are not blank; ``None`` where it is not known."""
        text = self.at(line)
        if text is None:
            return None
        return self._nearest(line, -1), _plain(text), self._nearest(line, 1)

    def _nearest(self, line: int, step: int) -> str:
        for number in range(line + step, line + step * _FARTHEST, step):
            text = self.at(number)
            if text is None:
                break
            if text.strip():
                return _plain(text)
        return ""


def fingerprints(remarks: Sequence[Remark], files: Part[tuple[ChangedFile, ...]]) -> tuple[str, ...]:
    """One for each of ``remarks``, in their order: lower-case hexadecimal, no two equal.

    Those that are alike in all that counts are told apart by which comes first in the file, not by where they stand in
    the list, so that the same remarks in another order have the same fingerprints.
    """
    known = {} if isinstance(files, Unknown) else {file.path: file for file in files}
    texts: dict[str, _Text] = {}
    bases: list[str] = []
    for remark in remarks:
        if remark.path in known and remark.path not in texts:
            texts[remark.path] = _Text(_lines(known[remark.path]))
        bases.append(_base(remark, texts.get(remark.path)))
    found = [""] * len(remarks)
    seen: dict[str, int] = {}
    for place in sorted(range(len(remarks)), key=lambda place: _position(remarks[place])):
        ordinal = seen.get(bases[place], 0)
        seen[bases[place]] = ordinal + 1
        found[place] = hashlib.sha256(f"{bases[place]}\0{ordinal}".encode()).hexdigest()[:LENGTH]
    return tuple(found)


def _base(remark: Remark, text: _Text | None) -> str:
    about: list[str]
    around = text.around(remark.line) if text and remark.line is not None else None
    if remark.fingerprint:
        # A tool's own; it knows better than we what makes its findings the same.
        about = ["own", remark.fingerprint]
    elif around is not None:
        about = ["line", *around]
    else:
        # Figures in the words change with every push, and are not what the remark is about.
        about = ["words", _DIGITS.sub("0", _plain(remark.message))]
    rule = remark.rule or _DIGITS.sub("0", _plain(remark.message))
    return hashlib.sha256(json.dumps([rule, remark.path, about]).encode()).hexdigest()


def _lines(file: ChangedFile) -> Callable[[int], str | None]:
    if file.content is not None:
        lines = file.content.split("\n")
        return lambda number: lines[number - 1] if 1 <= number <= len(lines) else None
    return {line.number: line.text for line in added(file)}.get


def _plain(text: str) -> str:
    return " ".join(text.split())


def _position(remark: Remark) -> tuple[str, int, int, str]:
    return remark.path, remark.line or 0, remark.end_line or 0, remark.message
