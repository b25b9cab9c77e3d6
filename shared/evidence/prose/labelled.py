"""Reads what people write after a label: ``Effort: 3 days``, in a line, a list item or a cell."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.evidence.prose.documents import Block, Item, Paragraph, Table

_LABELLED = re.compile(
    r"(?P<label>[A-Za-z][A-Za-z0-9 /&'-]{1,48}?)\s*(?::|\u2013|\u2014|\s-\s)\s*(?P<value>.*)", re.DOTALL
)


def labelled(text: str) -> Iterator[tuple[str, str]]:
    """Every label of ``text`` with what follows it; labels begin a line or follow a semicolon."""
    pending: tuple[str, str] | None = None
    for line in text.split("\n"):
        for part in line.split(";"):
            found = _LABELLED.fullmatch(part.strip())
            # An address is no label: https://…
            if found and not found["value"].startswith("//"):
                if pending:
                    yield pending
                pending = found["label"].strip(), found["value"].strip()
            elif pending:
                pending = pending[0], f"{pending[1]} {part.strip()}".strip()
    if pending:
        yield pending


def pairs(blocks: tuple[Block, ...]) -> Iterator[tuple[str, str]]:
    """Labels and values of paragraphs, list items and tables of two columns.

    An item that is a label alone speaks through the items below it.
    """
    for place, block in enumerate(blocks):
        if isinstance(block, Paragraph):
            yield from labelled(block.text)
        elif isinstance(block, Item):
            yield from _of_item(blocks, place, block)
        elif isinstance(block, Table) and len(block.head) == 2:
            yield (block.head[0], block.head[1])
            yield from ((row[0], row[1]) for row in block.rows)


def _of_item(blocks: tuple[Block, ...], place: int, item: Item) -> Iterator[tuple[str, str]]:
    found = list(labelled(item.text))
    if found and found[-1][1]:
        yield from found
        return
    below = []
    for one in blocks[place + 1 :]:
        if not isinstance(one, Item) or one.depth <= item.depth:
            break
        below.append(one.text)
    yield from found[:-1]
    yield (found[-1][0] if found else item.text.strip(" :")), "\n".join(below)
