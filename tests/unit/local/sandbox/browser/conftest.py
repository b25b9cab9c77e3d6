"""Reads rendered HTML strictly, so that tests ask about elements instead of searching text."""

from collections.abc import Callable
from dataclasses import dataclass, field
from html.parser import HTMLParser

import pytest

VOID = {"meta", "link", "input", "img", "br", "hr", "use"}


@dataclass
class Element:
    tag: str
    attrs: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""
    children: list["Element"] = field(default_factory=list)


class Document(HTMLParser):
    """Elements in document order; a tag that closes nothing or stays open is an error."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[Element] = []
        self._open: list[Element] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {[element.tag for element in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        assert len(names) == len(set(names)), f"doubled attribute in <{tag}>: {names}"
        element = Element(tag, {name: value or "" for name, value in attrs}, tuple(e.tag for e in self._open))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        if tag in VOID:
            return
        assert self._open and self._open[-1].tag == tag, f"</{tag}> closes {self._open[-1].tag if self._open else None}"
        self._open.pop()

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    def one(self, tag: str) -> Element:
        (element,) = self.all(tag)
        return element

    def by_id(self, name: str) -> Element:
        (element,) = [element for element in self.elements if element.attrs.get("id") == name]
        return element

    def with_class(self, name: str) -> list[Element]:
        return [element for element in self.elements if name in element.attrs.get("class", "").split()]

    @property
    def text(self) -> str:
        return self.one("body").text


@pytest.fixture(scope="session")
def read() -> Callable[[str], Document]:
    return Document
