"""Reads Markdown, or the HTML of Azure Boards, into sections of paragraphs, list items, tables and code."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from shared.evidence.prose.html import as_markdown, is_html
from shared.evidence.prose.placeholders import without_comments

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST = 300_000
"""Characters of a text that are read; forges keep far fewer."""
MOST = 1_000_000
"""Characters that are read of all texts together; what lies beyond is not seen, and so proves nothing."""
BOLD_LEVEL = 7
"""A line that is bold as a whole stands as a heading below every real one."""
_BOX = re.compile(r"^(?P<struck>~~)?\[(?P<mark>[ xX])\]\s*")


class Paragraph(NamedTuple):
    """Lines of prose."""

    text: str
    line: int


class Item(NamedTuple):
    """One item of a list, without the items below it."""

    text: str
    line: int
    depth: int
    checked: bool | None
    """``None`` for an item without a box."""


class Table(NamedTuple):
    """A table; every row is as wide as its head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    line: int


class Code(NamedTuple):
    """A block of code or a drawing in words."""

    language: str
    text: str
    line: int


type Block = Paragraph | Item | Table | Code


@dataclass(frozen=True)
class Section:
    """What stands below one heading, up to the next of any level."""

    title: str
    level: int
    """1 to 6; 7 for a bold line; 0 for what stands before the first heading."""
    line: int
    above: tuple[str, ...] = ()
    """Titles of the headings it stands below, from the top."""
    blocks: tuple[Block, ...] = ()
    images: int = 0

    @property
    def items(self) -> tuple[Item, ...]:
        """Its list items in order."""
        return tuple(one for one in self.blocks if isinstance(one, Item))

    @property
    def tables(self) -> tuple[Table, ...]:
        """Its tables."""
        return tuple(one for one in self.blocks if isinstance(one, Table))

    @property
    def codes(self) -> tuple[Code, ...]:
        """Its blocks of code."""
        return tuple(one for one in self.blocks if isinstance(one, Code))

    @property
    def prose(self) -> str:
        """Its paragraphs and list items, a line each."""
        return "\n".join(one.text for one in self.blocks if isinstance(one, Paragraph | Item))

    @property
    def text(self) -> str:
        """All it says."""
        return "\n".join(_words(one) for one in self.blocks)


@lru_cache(maxsize=64)
def sections(text: str) -> tuple[Section, ...]:
    """The sections of ``text`` in order; the first has level 0 and may be empty.

    Many criteria ask the same ticket, so what was read last is kept.
    """
    source = text[:LONGEST].replace("\r\n", "\n").replace("\x00", "")
    if is_html(source):
        source = as_markdown(source)
    return tuple(_Reader().read(_parser().parse(_without_comments(source))))


def sections_of(texts: Iterable[str]) -> Iterator[tuple[Section, ...]]:
    """The sections of each of ``texts``, until ``MOST`` characters were read."""
    left = MOST
    for text in texts:
        left -= min(len(text), LONGEST)
        if left < 0:
            return
        yield sections(text)


def below(all_: Sequence[Section], place: int) -> tuple[Section, ...]:
    """The section at ``place`` and those that stand under its heading."""
    first = all_[place]
    end = next((at for at in range(place + 1, len(all_)) if all_[at].level <= first.level), len(all_))
    return tuple(all_[place:end])


def _without_comments(source: str) -> str:
    # Kept line ends keep the numbers of the lines that follow.
    return re.sub(r"<!--.*?(?:-->|\Z)", lambda found: "\n" * found.group().count("\n"), source, flags=re.DOTALL)


def _words(block: Block) -> str:
    if isinstance(block, Table):
        return "\n".join(" | ".join(row) for row in (block.head, *block.rows))
    return block.text


@cache
def _parser() -> MarkdownIt:
    # Loaded late: a cold start is measured.
    from markdown_it import MarkdownIt  # noqa: PLC0415

    return MarkdownIt("commonmark").enable(["table", "strikethrough"])


@dataclass
class _Open:
    title: str
    level: int
    line: int
    above: tuple[str, ...]
    blocks: list[Block] = field(default_factory=list)
    images: int = 0

    def close(self) -> Section:
        return Section(self.title, self.level, self.line, self.above, tuple(self.blocks), self.images)


class _Reader:
    def __init__(self) -> None:
        self._section = _Open("", 0, 1, ())
        self._done: list[Section] = []
        self._path: list[tuple[int, str]] = []

    def read(self, tokens: Sequence[Token]) -> list[Section]:
        depth, item, place = -1, False, 0
        while place < len(tokens):
            token = tokens[place]
            line = token.map[0] + 1 if token.map else self._section.line
            if token.type in {"bullet_list_open", "ordered_list_open"}:
                depth += 1
            elif token.type in {"bullet_list_close", "ordered_list_close"}:
                depth -= 1
            elif token.type == "list_item_open":
                item = True
            elif token.type == "heading_open":
                self._begin(_plain(tokens[place + 1])[0], int(token.tag[1]), line)
                place += 1
            elif token.type in {"fence", "code_block"}:
                language = (token.info.split() or [""])[0].lower()
                self._section.blocks.append(Code(language, token.content.rstrip("\n"), line))
            elif token.type == "table_open":
                place = self._table(tokens, place, line)
            elif token.type == "html_block":
                if said := without_comments(re.sub(r"<[^<>]*>", " ", token.content)).strip():
                    self._section.blocks.append(Paragraph(said, line))
            elif token.type == "inline":
                item = self._inline(token, line, depth, item)
            place += 1
        self._done.append(self._section.close())
        return self._done

    def _begin(self, title: str, level: int, line: int) -> None:
        self._done.append(self._section.close())
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        self._section = _Open(title.strip(" :#"), level, line, tuple(name for _, name in self._path))
        self._path.append((level, self._section.title))

    def _inline(self, token: Token, line: int, depth: int, item: bool) -> bool:
        """Take one run of text; returns whether the next one begins a list item."""
        title, rest = _bold_line(token) if depth < 0 else ("", "")
        if title:
            self._begin(title, BOLD_LEVEL, line)
            if rest:
                self._section.blocks.append(Paragraph(rest, line + 1))
            return False
        text, images = _plain(token)
        self._section.images += images
        if depth < 0:
            if text.strip():
                self._section.blocks.append(Paragraph(text, line))
            return False
        box = _BOX.match(text)
        if item or box:
            said = text[box.end() :] if box else text
            struck = "~~" if box and box["struck"] else ""
            checked = None if box is None else box["mark"] != " "
            self._section.blocks.append(Item(struck + said.strip(), line, depth, checked))
            return False
        last = self._section.blocks[-1] if self._section.blocks else None
        if isinstance(last, Item):
            self._section.blocks[-1] = last._replace(text=f"{last.text}\n{text}")
        return False

    def _table(self, tokens: Sequence[Token], place: int, line: int) -> int:
        rows: list[list[str]] = []
        while tokens[place].type != "table_close":
            token = tokens[place]
            if token.type == "tr_open":
                rows.append([])
            elif token.type == "inline":
                text, images = _plain(token)
                rows[-1].append(text.strip())
                self._section.images += images
            place += 1
        head, *others = rows
        self._section.blocks.append(Table(tuple(head), tuple(tuple(row) for row in others), line))
        return place


def _plain(token: Token) -> tuple[str, int]:
    """The words of a run of text, with where its links lead, and how many images it shows."""
    return _join(token.children or []), sum(one.type == "image" for one in token.children or [])


def _join(children: Sequence[Token]) -> str:
    return "".join(_spoken(children))


def _spoken(children: Sequence[Token]) -> Iterator[str]:
    links: list[str] = []
    said = ""
    for one in children:
        if one.type in {"text", "code_inline"}:
            said += one.content
            yield one.content
        elif one.type in {"softbreak", "hardbreak"}:
            yield "\n"
        elif one.type == "html_inline":
            yield "\n" if one.content.lower().startswith("<br") else ""
        elif one.type == "image":
            yield one.content
        elif one.type in {"s_open", "s_close"}:
            yield "~~"
        elif one.type == "link_open":
            links.append(str(one.attrGet("href") or ""))
            said = ""
        elif one.type == "link_close" and (target := links.pop() if links else "") and target != said:
            yield f" ({target})"


def _bold_line(token: Token) -> tuple[str, str]:
    """The first line, where it is bold as a whole, and what follows it; two empty texts otherwise."""
    children = [one for one in token.children or [] if one.type != "text" or one.content]
    if not children or children[0].type != "strong_open":
        return "", ""
    end = next((at for at, one in enumerate(children) if one.type == "strong_close"), None)
    if end is None:
        return "", ""
    after = children[end + 1 :]
    if after and after[0].type == "text" and after[0].content.strip() == ":":
        after = after[1:]
    if after and after[0].type not in {"softbreak", "hardbreak"}:
        return "", ""
    return _join(children[1:end]), _join(after).strip()
