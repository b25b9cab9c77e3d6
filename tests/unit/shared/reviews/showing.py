"""Reads markdown as the forges do, to see what would stand there."""

from __future__ import annotations

import re
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

OWN_HTML = re.compile(r"</?(details|summary)>|<br>|<!-- doneright:(summary|settled|remark:[0-9a-f]{16,64}) -->")
"""All the HTML that Doneright writes."""


@dataclass
class Seen:
    """What a reader sees, and what acts."""

    tables: list[list[list[str]]]
    links: list[str]
    html: list[str]
    words: str
    fences: list[tuple[str, str]]


def seen(text: str) -> Seen:
    """``text`` as a forge renders it: tables, link targets, raw HTML, words outside code, fences."""
    tokens = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(text)
    found = Seen([], [], [], "", [])
    cell: list[str] | None = None
    for token in tokens:
        if token.type == "table_open":
            found.tables.append([])
        elif token.type == "tr_open":
            found.tables[-1].append([])
        elif token.type in {"th_open", "td_open"}:
            cell = []
        elif token.type in {"th_close", "td_close"} and cell is not None:
            found.tables[-1][-1].append("".join(cell))
            cell = None
        elif token.type == "fence":
            found.fences.append((token.info, token.content))
        elif token.type == "html_block":
            found.html += re.findall(r"<[^>]*>", token.content)
        for child in token.children or ():
            _child(child, found, cell)
    return found


def _child(token: Token, found: Seen, cell: list[str] | None) -> None:
    if token.type == "link_open":
        found.links.append(str(token.attrs["href"]))
    elif token.type == "image":
        found.links.append(str(token.attrs["src"]))
    elif token.type == "html_inline":
        found.html.append(token.content)
    elif token.type == "text":
        found.words += token.content + " "
    if cell is not None:
        cell.append(token.content)


def calls_somebody(words: str) -> bool:
    """Whether a forge would take something in ``words`` for a mention, an issue, or an address."""
    return bool(
        re.search(r"@[\w<]", words)
        or re.search(r"#\d", words)
        or re.search(r"!\d", words)
        or re.search(r"\bGH-\d", words, re.IGNORECASE)
        or re.search(r"https?://|\bwww\.", words, re.IGNORECASE)
    )
