"""Reads an XML document whole, without its namespaces, for formats whose parts refer to one another."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.errors import RefusedError
from shared.evidence.limits import LIMITS
from shared.evidence.opening import XmlReader


@dataclass(slots=True)
class Element:
    """One element."""

    name: str
    namespace: str
    attributes: dict[str, str]
    children: list[Element] = field(default_factory=list)
    text: str = ""

    def child(self, name: str) -> Element | None:
        """The first child of that name."""
        return next((each for each in self.children if each.name == name), None)

    def all(self, name: str) -> list[Element]:
        """The children of that name."""
        return [each for each in self.children if each.name == name]

    def text_of(self, name: str) -> str:
        """The text of the first child of that name, without the space around it; empty without one."""
        found = self.child(name)
        return found.text.strip() if found else ""


def tree(content: bytes) -> Element:
    """The root of the document. Raises ``RefusedError`` when it is no XML, or over a limit."""
    above = Element("", "", {})
    path = [above]
    pieces: list[str] = []
    elements = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal elements
        elements += 1
        if elements > LIMITS.items * 4:
            raise RefusedError(f"the report holds more than {LIMITS.items * 4} elements", "Send it in parts.")
        pieces.clear()
        namespace, _, local = name.rpartition("|")
        element = Element(local, namespace, attributes)
        path[-1].children.append(element)
        path.append(element)

    def end(_: str) -> None:
        element = path.pop()
        if pieces:
            element.text = "".join(pieces)
            pieces.clear()

    reader = XmlReader(start, namespaces=True)
    reader.listen(pieces.append, end)
    reader.read(content)
    return above.children[0]
