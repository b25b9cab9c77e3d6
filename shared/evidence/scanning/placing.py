"""Puts texts of a change into a folder for scanners, under names of our own, so that no path of a change is ever a path here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from shared.domain.change import ChangedFile, FileStatus
from shared.evidence.changes.lines import added
from shared.evidence.scanning.ports import ScanLimits
from shared.evidence.scanning.touched import Touched

_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,10}")
_LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(frozen=True)
class Placed:
    """A text of a change in a folder."""

    file: ChangedFile
    touched: Touched
    name: str
    """Below the folder, with slashes; made here."""
    starts: tuple[int, ...] | None = None
    """Where the text ends lines with a lone carriage return: the line at the forge of each line here."""

    def line(self, number: int) -> int:
        """The line as the forge counts, which ends lines at line feeds alone."""
        if self.starts is None:
            return max(number, 1)
        return self.starts[min(max(number, 1), len(self.starts)) - 1]


@dataclass(frozen=True)
class Unseen:
    """A file that a scanner should have looked at and could not."""

    path: str
    reason: str


def place(
    files: Iterable[ChangedFile],
    folder: Path,
    limits: ScanLimits,
    named: Callable[[int, ChangedFile], str],
    *,
    sparse: bool = False,
    most: Callable[[ChangedFile], int] | None = None,
) -> tuple[list[Placed], list[Unseen]]:
    """Write the texts of ``files`` at the head below ``folder``.

    Args:
        named: the name of a file below the folder by its number. It must not use the path but for its end.
        most: bytes of a file, where they are others than the limits say.
        sparse: where the text could not be had, write the added lines alone, each at its number.

    Returns:
        what was written, and the files whose text could not be had or is too large.
    """
    placed: list[Placed] = []
    unseen: list[Unseen] = []
    total = 0
    for number, file in enumerate(files):
        if file.status is FileStatus.REMOVED:
            continue
        touched = Touched(file)
        if touched.nothing:
            continue
        text = file.content
        if text is None and sparse and file.patch is not None:
            text = _sparse(file)
        if text is None:
            unseen.append(Unseen(file.path, "its text could not be had; one longer than 512 KiB is not read"))
            continue
        largest = most(file) if most else limits.file_bytes
        # No character takes less than a byte, so a huge text is not copied to be refused.
        content, starts = _with_line_feeds(text) if len(text) <= largest else ("", None)
        data = content.encode("utf-8", "replace")
        if max(len(text), len(data)) > largest:
            unseen.append(Unseen(file.path, f"it is larger than {largest} bytes"))
            continue
        total += len(data)
        if total > limits.all_bytes:
            unseen.append(Unseen(file.path, f"the files before it take {limits.all_bytes} bytes already"))
            continue
        name = named(number, file)
        target = folder.joinpath(*name.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
        placed.append(Placed(file, touched, name, starts))
    return placed, unseen


def numbered(number: int, file: ChangedFile) -> str:
    """``00007.py``: the end alone is the change's, where it is letters and digits."""
    return f"{number:05d}{suffix_of(file.path)}"


def suffix_of(path: str) -> str:
    """The end of the file's name in lower case; empty where it has none, or one of unusual characters."""
    end = "." + path.rpartition("/")[2].rpartition(".")[2] if "." in path.rpartition("/")[2] else ""
    return end.lower() if _SUFFIX.fullmatch(end) else ""


def _sparse(file: ChangedFile) -> str:
    lines = {line.number: line.text for line in added(file)}
    return "\n".join(lines.get(number, "") for number in range(1, max(lines, default=0) + 1))


def _with_line_feeds(text: str) -> tuple[str, tuple[int, ...] | None]:
    """``text`` with every line ended by a line feed, and where lone carriage returns ended some, the forge's numbers."""
    if "\r" not in text:
        return text, None
    starts, number = [1], 1
    for end in _LINE_END.finditer(text):
        number += end[0] != "\r"
        starts.append(number)
    return _LINE_END.sub("\n", text), tuple(starts)
