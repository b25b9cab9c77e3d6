"""Writes the HTML of Azure Boards as Markdown, so that one reader reads both."""

from __future__ import annotations

import re
from html import escape
from html.parser import HTMLParser

_BLOCKS = frozenset(
    ["p", "div", "section", "article", "blockquote", "header", "footer", "main", "dl", "dt", "dd", "details", "summary", "hr"]
)  # fmt: skip
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_OF_TABLES = frozenset(["table", "tr", "td", "th"])
_HIDDEN = frozenset(["script", "style", "head", "title"])
_STRUCTURE = re.compile(r"^\s{0,3}(?:#{1,6}\s|[-*+]\s|\d+[.)]\s|\||```)", re.MULTILINE)
_TAG = re.compile(r"<(?:div|p|br|ul|ol|li|table|h[1-6]|span|b|strong|pre|font)\b[^<>]*>", re.IGNORECASE)
_DEEPEST = 8


def is_html(text: str) -> bool:
    """Whether ``text`` is HTML as rich-text editors store it, rather than Markdown with a tag or two in it."""
    plain = text.lstrip()
    return bool(_TAG.match(plain)) or (bool(_TAG.search(plain)) and not _STRUCTURE.search(plain))


def as_markdown(html: str) -> str:
    """``html`` with its headings, lists, tables, boxes, images, code and bold lines as Markdown. Raises nothing."""
    writer = _Writer()
    writer.feed(html)
    writer.close()
    return writer.finish()


class _Writer(HTMLParser):
    """Line by line: a line is what stands between two tags that break it."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._out: list[str] = []
        self._line: list[tuple[str, bool]] = []
        self._mark = ""
        self._bold = 0
        self._depth = 0
        self._hidden = 0
        self._code: list[str] | None = None
        self._links: list[str] = []
        self._tables: list[list[list[str]]] = []
        self._cell: list[str] | None = None

    def finish(self) -> str:
        while self._tables:
            self.handle_endtag("table")
        if self._code is not None:
            self.handle_endtag("pre")
        self._break(blank=True)
        return "\n".join(self._out).strip("\n") + "\n"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag in _HIDDEN:
            self._hidden += 1
        elif tag in _OF_TABLES:
            self._open_table(tag)
        elif tag == "pre":
            self._break(blank=True)
            self._code = []
        elif tag == "br":
            self._break(blank=False)
        elif tag in _HEADINGS:
            self._break(blank=True)
            self._mark = "#" * _HEADINGS[tag] + " "
        elif tag in {"ul", "ol"}:
            self._break(blank=not self._depth)
            self._depth = min(self._depth + 1, _DEEPEST)
        elif tag == "li":
            self._break(blank=False)
            self._mark = "  " * max(self._depth - 1, 0) + "- "
        elif tag in {"b", "strong"}:
            self._bold += 1
        elif tag == "a":
            self._links.append(given.get("href", ""))
        elif tag == "img":
            self._say(f"![{given.get('alt', '') or 'image'}]({given.get('src', '') or 'image'})", raw=True)
        elif tag == "input" and given.get("type", "").lower() == "checkbox":
            self._say("[x] " if "checked" in given else "[ ] ", raw=True)
        elif tag in _BLOCKS:
            self._break(blank=True)

    def handle_endtag(self, tag: str) -> None:
        if tag in _HIDDEN:
            self._hidden = max(self._hidden - 1, 0)
        elif tag in _OF_TABLES:
            self._close_table(tag)
        elif tag == "pre" and self._code is not None:
            text, self._code = "".join(self._code).strip("\n"), None
            fence = "`" * max(3, max((len(run) for run in re.findall(r"`+", text)), default=0) + 1)
            self._out += [fence, text, fence, ""]
        elif tag in _HEADINGS:
            self._break(blank=True)
        elif tag in {"ul", "ol"}:
            self._break(blank=False)
            self._depth = max(self._depth - 1, 0)
            if not self._depth:
                self._out.append("")
        elif tag == "li":
            self._break(blank=False)
        elif tag in {"b", "strong"}:
            self._bold = max(self._bold - 1, 0)
        elif tag == "a" and self._links:
            if (target := self._links.pop()) and not target.startswith("#"):
                self._say(f" ({target})")
        elif tag in _BLOCKS:
            self._break(blank=True)

    def handle_data(self, data: str) -> None:
        if self._hidden:
            return
        if self._code is not None:
            self._code.append(data)
        else:
            self._say(data)

    def _open_table(self, tag: str) -> None:
        if tag == "table":
            self._break(blank=True)
            self._tables.append([])
        elif tag == "tr" and self._tables:
            self._tables[-1].append([])
        elif tag in {"td", "th"} and self._tables:
            self._cell = []

    def _close_table(self, tag: str) -> None:
        if tag in {"td", "th"} and self._tables and self._cell is not None:
            rows = self._tables[-1]
            if not rows:
                rows.append([])
            rows[-1].append(" ".join("".join(self._cell).split()).replace("|", "\\|"))
            self._cell = None
        elif tag == "table" and self._tables:
            self._tabulate(self._tables.pop())

    def _say(self, text: str, *, raw: bool = False) -> None:
        # What was escaped in HTML must not come to life as a tag in Markdown.
        safe = text if raw else escape(text, quote=False)
        if self._cell is not None:
            self._cell.append(safe)
        else:
            self._line.append((safe, bool(self._bold)))

    def _break(self, *, blank: bool) -> None:
        if self._cell is not None:
            self._cell.append(" ")
            return
        said, self._line = self._line, []
        text = " ".join("".join(part for part, _ in said).split())
        if not text:
            if blank and not self._mark and self._out and self._out[-1]:
                self._out.append("")
            return
        mark, self._mark = self._mark, ""
        bold = all(strong for part, strong in said if part.strip())
        if bold and not mark and not self._depth and not text.startswith("#"):
            self._out += ["", f"**{text}**", ""]
            return
        # A further line of a list item belongs to it.
        self._out.append(f"{mark or '  ' * self._depth}{text}")
        if blank and not self._depth:
            self._out.append("")

    def _tabulate(self, rows: list[list[str]]) -> None:
        rows = [row for row in rows if row]
        if not rows:
            return
        width = max(len(row) for row in rows)
        lines = [f"| {' | '.join([*row, *[''] * (width - len(row))])} |" for row in rows]
        self._out += ["", lines[0], f"|{' --- |' * width}", *lines[1:], ""]
