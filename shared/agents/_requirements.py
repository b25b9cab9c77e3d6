"""Finds the requirements that a description states, in Markdown, HTML or plain sentences, each with its heading."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from pydantic import Field

from shared.domain.forge import Frozen

LONGEST = 50_000
"""Characters of a description that are read."""
MOST = 100
"""Requirements of one description; a longer one is no single piece of work."""

_ITEM = re.compile(r"\s{0,8}(?:[-*+•]|\d{1,3}[.)])\s+(?:\[[ xX]\]\s+)?(?P<text>\S.*)")
_HEADING = re.compile(r"(?:#{1,6}\s+(?P<marked>.+?)\s*#*|\*\*(?P<bold>[^*]{3,80})\*\*:?|(?P<colon>[A-Z][^.:]{2,60}):)")
_SENTENCE = re.compile(r"(?<=[.!?])\s+(?=[A-Z\"“])")
_OBLIGES = re.compile(
    r"\b(?:must|shall|should|needs? to|has to|have to|can(?:not)?|may(?: not)?|will|is able to|are able to|want(?:s)? to|i want|so that)\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"(?:out of scope|not in scope|non[- ]?goals?|background|context|motivation|why|notes?|links?|references?|see also|"
    r"glossary|history|alternatives|open questions?|risks?|acceptance criteria|definition of done)\b",
    re.IGNORECASE,
)
_BLOCKS = frozenset({"p", "div", "br", "tr", "ul", "ol", "table", "section"})
_TAG = re.compile(r"</?(?:p|div|br|li|ul|ol|h[1-6]|span|b|strong|table|a|em)\b[^>]*>", re.IGNORECASE)


class StatedRequirement(Frozen):
    """One thing that a description asks for."""

    id: str = Field(pattern=r"^R[1-9]\d{0,2}$")
    text: str = Field(min_length=1, max_length=500)
    heading: str = Field(default="", description="What it stands under; empty where there is no heading.")


def plain(text: str) -> str:
    """``text`` as lines of Markdown, whether it was HTML or not."""
    text = text[:LONGEST].replace("\r\n", "\n")
    if not _TAG.search(text):
        return text
    reader = _Lines()
    reader.feed(text)
    reader.close()
    return reader.text


def stated(description: str) -> tuple[StatedRequirement, ...]:
    """What ``description`` asks for, in its order, each once.

    Items of lists count, and sentences that oblige (*must*, *can*, *so that* …); what stands under headings such as
    *Out of scope* or *Background* does not.
    """
    found: dict[str, tuple[str, str]] = {}
    for heading, text in _told(plain(description)):
        cleaned = _cleaned(text)
        if len(cleaned) > 2 and cleaned.casefold() not in found:
            found[cleaned.casefold()] = (cleaned, heading)
        if len(found) == MOST:
            break
    return tuple(
        StatedRequirement(id=f"R{number}", text=text, heading=heading)
        for number, (text, heading) in enumerate(found.values(), 1)
    )


def _told(text: str) -> Iterator[tuple[str, str]]:
    heading, aside, fenced = "", False, False
    prose: list[str] = []

    def sentences() -> Iterator[tuple[str, str]]:
        whole = " ".join(prose)
        prose.clear()
        for one in _SENTENCE.split(whole):
            if _OBLIGES.search(one):
                yield heading, one

    for line in text.split("\n"):
        if line.lstrip().startswith(("```", "~~~")):
            fenced = not fenced
            continue
        if fenced:
            continue
        begins = _HEADING.fullmatch(line.strip())
        item = _ITEM.fullmatch(line)
        if begins and not item:
            yield from sentences()
            heading = next(part for part in begins.groups() if part).strip().rstrip(":")
            aside = bool(_ASIDE.match(heading))
        elif aside:
            continue
        elif item:
            yield from sentences()
            yield heading, item["text"]
        elif line.strip():
            prose.append(line.strip())
        else:
            yield from sentences()
    yield from sentences()


def _cleaned(text: str) -> str:
    text = re.sub(r"\[([^\]]{1,200})\]\([^)]{1,500}\)", r"\1", text)
    text = " ".join(re.sub(r"[*`]|(?<!\w)_|_(?!\w)", "", text).split())
    return text[:500].rstrip(" .;,")


class _Lines(HTMLParser):
    """Text of HTML with its list items and headings as Markdown writes them."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._parts: list[str] = []
        self._hidden = 0

    @property
    def text(self) -> str:
        """All that was read."""
        return re.sub(r"\n{3,}", "\n\n", "".join(self._parts)).strip()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a line where the tag does."""
        if tag in {"script", "style"}:
            self._hidden += 1
        elif tag == "li":
            self._parts.append("\n- ")
        elif re.fullmatch(r"h[1-6]", tag):
            self._parts.append("\n\n" + "#" * int(tag[1]) + " ")
        elif tag in _BLOCKS:
            self._parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End a line where the tag does."""
        if tag in {"script", "style"}:
            self._hidden = max(0, self._hidden - 1)
        elif tag in _BLOCKS or re.fullmatch(r"h[1-6]", tag):
            self._parts.append("\n\n" if tag != "br" else "\n")

    def handle_data(self, data: str) -> None:
        """Take the words."""
        if not self._hidden:
            self._parts.append(re.sub(r"\s*\n\s*", " ", data) if data.strip() else " " if data else "")
