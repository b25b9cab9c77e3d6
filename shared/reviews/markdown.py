"""Writes markdown in which nothing from a change can act: no table breaks, nobody is called, nothing links or hides.

Also the one place that knows how long a comment may be, and cuts one between its rows and never within.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

from shared.domain.change import ChangeRef
from shared.domain.forge import ForgeName
from shared.projects import answers

COMMENT_LIMITS = {ForgeName.GITHUB: 65_000, ForgeName.AZURE_DEVOPS: 149_000}
"""UTF-16 units of one comment, a little below what each forge refuses: 65,536 on GitHub
(https://github.com/orgs/community/discussions/27190), 150,000 on Azure DevOps (its answer to a longer one says so)."""

_HARMLESS_CODE = re.compile(r"[\w ./:,;=+*()#%?!'\"$&{}\[\]^~-]+")
_HIDING = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_CODE_SPAN = re.compile(r"`([^`\n]+)`")
_DOLLAR = re.compile(r"\$")
_BANG = re.compile(r"!(?=\d)")


def size(text: str) -> int:
    """Length in UTF-16 units, which is how both forges count at their strictest."""
    return len(text) + sum(1 for c in text if c > "\uffff")


def clipped(text: str, most: int) -> str:
    """``text`` on one line and at most ``most`` characters long, its cut end shown by an ellipsis."""
    line = " ".join(visible(text).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def visible(text: str) -> str:
    """``text`` without the characters that nobody sees: controls, turns of direction, joiners, unassigned ones."""
    if text.isprintable():
        return text
    return "".join(c if c in "\t\n\r" or unicodedata.category(c) not in _HIDING else "\ufffd" for c in text)


def plain(text: str, most: int = 600) -> str:
    """``text`` from a change or a tool as harmless words on one line, fit for a cell of a table."""
    # GitHub sets formulas between dollars, Azure DevOps makes !12 a link to a pull request.
    escaped = answers.plain(clipped(text, most))
    return _BANG.sub("!\u200b", _DOLLAR.sub(r"\\$", escaped))


def code(text: str, most: int = 200) -> str:
    """``text`` as a code span where it is harmless in one, otherwise as plain words."""
    line = clipped(text, most)
    return f"`{line}`" if line.strip() == line and _HARMLESS_CODE.fullmatch(line) else plain(line, most)


def prose(text: str, most: int = 600) -> str:
    """As ``plain``, and what stands between backticks stays code where it is harmless."""
    line = clipped(text, most)
    parts: list[str] = []
    at = 0
    for span in _CODE_SPAN.finditer(line):
        # Joining would let a blank at an edge, which `plain` takes away, be lost.
        parts += [_edged(line[at : span.start()]), code(span[1])]
        at = span.end()
    return "".join([*parts, _edged(line[at:])])


def paragraphs(text: str, most: int = 600, lines: int = 40) -> str:
    """As ``prose`` line by line, so that a list stays one; at most ``lines`` of them."""
    kept: list[str] = []
    for line in visible(text[: most * 2]).splitlines():
        bare = line.strip()
        if bare:
            kept.append(f"- {prose(bare[2:], most)}" if bare.startswith("- ") else prose(bare, most))
    if len(kept) > lines:
        kept = [*kept[:lines], "…"]
    # A list begins after an empty line; two other lines stay lines of one paragraph.
    joined: list[str] = []
    for line in kept:
        if line.startswith("- ") and joined and not joined[-1].startswith("- "):
            joined.append("")
        joined.append(line)
    return "\n".join(joined)


def _edged(text: str) -> str:
    before = " " if text[:1].isspace() else ""
    after = " " if len(text) > 1 and text[-1:].isspace() else ""
    return f"{before}{plain(text)}{after}" if text.strip() else before


def linked(label: str, url: str) -> str:
    """``label``, which is markdown already, as a link to ``url`` where that is an address of the web, else alone."""
    safe = quote(url, safe="/:?#[]@!$&'*+,;=%._~-")
    try:
        parts = urlsplit(safe)
    except ValueError:
        return label
    return f"[{label}](<{safe}>)" if parts.scheme in {"http", "https"} and parts.hostname else label


def fenced(text: str, language: str = "") -> str:
    """``text`` word for word in a fence that it cannot close."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text}\n{fence}"


def place_url(ref: ChangeRef, change_url: str, head: str, path: str, line: int | None, end_line: int | None) -> str:
    """The page of a file at ``head`` with its lines marked; empty where the address of the change does not tell it."""
    match ref.forge:
        case ForgeName.GITHUB:
            base, found, _ = change_url.partition("/pull/")
            mark = f"#L{line}" + (f"-L{end_line}" if end_line and line and end_line > line else "") if line else ""
            return f"{base}/blob/{quote(head, safe='')}/{quote(path)}{mark}" if found else ""
        case ForgeName.AZURE_DEVOPS:
            base, found, _ = change_url.partition("/pullrequest/")
            mark = ""
            if line:
                mark = f"&line={line}&lineEnd={max(end_line or line, line) + 1}&lineStartColumn=1&lineEndColumn=1"
            where = f"path={quote('/' + path, safe='/')}&version=GC{quote(head, safe='')}{mark}"
            return f"{base}?{where}" if found else ""


@dataclass(frozen=True)
class Section:
    """A part of a comment: what stands before its rows, the rows, and what closes it."""

    title: str
    """In words, for the note that stands in place of what was cut."""
    before: str = ""
    rows: Sequence[str] = field(default=())
    after: str = ""
    beyond: int = 0
    """Rows that were not even written, being more than any comment holds."""

    def text(self, rows: int, note: str = "") -> str:
        """With the first ``rows`` of its rows, and ``note`` behind them."""
        parts = [self.before, *self.rows[:rows]] if self.before else list(self.rows[:rows])
        return "\n".join([*parts, *(["", note] if note else []), *([self.after] if self.after else [])])


def composed(first: str, sections: Sequence[Section], last: str, *, limit: int, whole: str) -> str:
    """A comment of at most ``limit`` UTF-16 units: ``first``, the sections in order, ``last``.

    What does not fit is left out by whole rows, and a link to ``whole`` stands where the cut is.
    """
    left = limit - size(first) - size(last) - 4
    notes = [_left_out(section, 0, whole) for section in sections]
    reserved = sum(size(note) + 2 for note in notes)
    parts = [first]
    for section, note in zip(sections, notes, strict=True):
        reserved -= size(note) + 2
        text = _fitting(section, left - reserved - 2, whole) or note
        parts.append(text)
        left -= size(text) + 2
    return "\n\n".join([*parts, last])


def _fitting(section: Section, room: int, whole: str) -> str:
    text = section.text(len(section.rows))
    if size(text) <= room and not section.beyond:
        return text
    low, high = 0, len(section.rows) - (0 if section.beyond else 1)
    while low < high:
        middle = (low + high + 1) // 2
        fits = size(section.text(middle, _left_out(section, middle, whole))) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    if low < 1:
        return ""
    return section.text(low, _left_out(section, low, whole))


def _left_out(section: Section, shown: int, whole: str) -> str:
    count = len(section.rows) + section.beyond - shown
    what = f"{count} more" if shown else f"{count} left out here" if count else "left out here"
    return f"*{section.title}: {what}; they stand in {linked('the whole review', whole)}.*"
