"""Finds how a ticket says that it is met: scenarios in Given-When-Then, whatever they are written in, and checklists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared.evidence.prose.documents import Code, Paragraph, Section, Table, sections
from shared.evidence.prose.placeholders import says_something

_STEP = re.compile(r"(?:[-*+]\s+)?(?P<word>given|when|then|and|but)\b[\s,:]*(?P<rest>.*)", re.IGNORECASE | re.DOTALL)
_NAMED = re.compile(
    r"(?:[-*+]\s+)?(?P<word>scenario(?: outline| template)?|example|background)\s*\d*\s*[:.)\u2013-]\s*(?P<name>.*)",
    re.IGNORECASE,
)
_TURN = re.compile(r"[,;.]?\s+(?=(?P<word>when|then)\b)", re.IGNORECASE)
_ACCEPTANCE = re.compile(r"\bacceptance\b|\bdone when\b|\bconditions of satisfaction\b", re.IGNORECASE)
_CODES = frozenset(["", "gherkin", "feature", "cucumber", "text", "txt"])


@dataclass
class Scenario:
    """One example of how it behaves."""

    name: str = ""
    given: list[str] = field(default_factory=list)
    when: list[str] = field(default_factory=list)
    then: list[str] = field(default_factory=list)

    @property
    def lacks(self) -> tuple[str, ...]:
        """Which of Given, When and Then say nothing."""
        parts = (("Given", self.given), ("When", self.when), ("Then", self.then))
        return tuple(name for name, said in parts if not any(says_something(one) for one in said))


def scenarios(text: str) -> tuple[Scenario, ...]:
    """Every scenario of ``text`` in order, also those that lack a part."""
    reader = _Reader()
    for section in sections(text):
        if found := _NAMED.fullmatch(section.title):
            reader.begin(found["word"], found["name"])
        elif (step := _STEP.fullmatch(section.title)) and step["word"].lower() in {"given", "when", "then"}:
            reader.step(section.title)
        for block in section.blocks:
            if isinstance(block, Table):
                reader.table(block)
            elif not isinstance(block, Code) or block.language in _CODES:
                reader.lines(block.text)
    return reader.finish()


def checklist(text: str, *, whole: bool = False) -> tuple[str, ...]:
    """The points of the list below a heading that speaks of acceptance; of every list, where the text is ``whole`` about it.

    Steps of scenarios are none, and neither are points that say nothing.
    """
    found = sections(text)
    lists = [one for one in found if whole or _about_acceptance(one)]
    return tuple(
        item.text
        for section in lists
        for item in section.items
        if says_something(item.text) and not _STEP.fullmatch(item.text) and not _NAMED.match(item.text)
    )


def _about_acceptance(section: Section) -> bool:
    if any(_ACCEPTANCE.search(title) for title in (section.title, *section.above)):
        return True
    lead = next((one.text for one in section.blocks if isinstance(one, Paragraph)), "")
    return bool(_ACCEPTANCE.search(lead)) and lead.rstrip().endswith(":")


class _Reader:
    def __init__(self) -> None:
        self._done: list[Scenario] = []
        self._now = Scenario()
        self._last = ""
        self._background: list[str] = []
        self._behind = False

    def begin(self, word: str, name: str) -> None:
        self._close()
        self._behind = word.lower() == "background"
        self._now = Scenario(name="" if self._behind else name.strip())

    def lines(self, text: str) -> None:
        for line in text.split("\n"):
            plain = line.strip()
            if found := _NAMED.match(plain):
                self.begin(found["word"], found["name"])
            elif _STEP.fullmatch(plain):
                for part in _parts(plain):
                    self.step(part)

    def step(self, text: str) -> None:
        found = _STEP.fullmatch(text.strip())
        if found is None:
            return
        word, rest = found["word"].lower(), found["rest"].strip()
        if word in {"and", "but"}:
            word = self._last
            if not word:
                return
        elif self._over(word):
            name = ""
            self._close()
            self._now = Scenario(name=name)
        self._last = word
        if self._behind and word == "given":
            self._background.append(rest)
        else:
            getattr(self._now, word).append(rest)

    def table(self, table: Table) -> None:
        head = [cell.strip().lower() for cell in table.head]
        if not {"given", "when", "then"} <= set(head):
            return
        self._close()
        for row in table.rows:
            told = dict(zip(head, row, strict=False))
            self._done.append(Scenario(given=[told["given"]], when=[told["when"]], then=[told["then"]]))

    def finish(self) -> tuple[Scenario, ...]:
        self._close()
        for one in self._done:
            one.given[:0] = self._background
        return tuple(self._done)

    def _over(self, word: str) -> bool:
        """Whether a step of this kind begins another scenario."""
        if word == "given":
            return bool(self._now.when or self._now.then)
        return word == "when" and bool(self._now.then) and not self._now.given

    def _close(self) -> None:
        one, self._now, self._last, self._behind = self._now, Scenario(), "", False
        if one.given or one.when or one.then:
            self._done.append(one)


def _parts(line: str) -> Iterator[str]:
    """A sentence that holds more than one step, taken apart: ``Given a cart, when I pay, then I get a receipt``."""
    line = " ".join(line.split())
    first = _STEP.fullmatch(line)
    word = first["word"].lower() if first else ""
    for turn, cut in (("when", word == "given"), ("then", word in {"given", "when"})):
        found = next((one for one in _TURN.finditer(line) if one["word"].lower() == turn), None)
        if cut and found:
            yield line[: found.start()]
            line = line[found.end() :]
    yield line


def complete(found: Sequence[Scenario]) -> tuple[Scenario, ...]:
    """Those that say something in all three parts."""
    return tuple(one for one in found if not one.lacks)
