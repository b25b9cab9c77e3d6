"""Reads the scenarios of a Gherkin feature with their tags, steps and examples; keywords in English.

The language: https://cucumber.io/docs/gherkin/reference/
"""

from __future__ import annotations

import re
from typing import NamedTuple

_TITLE = re.compile(r"^\s*(?P<word>Scenario Outline|Scenario Template|Scenario|Example)\s*:\s*(?P<title>.*?)\s*$")
_HEAD = re.compile(r"^\s*(?P<word>Feature|Rule|Background)\s*:\s*(?P<title>.*?)\s*$")
_EXAMPLES = re.compile(r"^\s*(?:Examples|Scenarios)\s*:")
_STEP = re.compile(r"^\s*(?P<word>Given|When|Then|And|But|\*)\s+(?P<text>.+?)\s*$")
_QUOTES = ('"""', "```")


class Scenario(NamedTuple):
    """One scenario."""

    title: str
    tags: tuple[str, ...]
    """With those of its feature or rule, without the `@`."""
    steps: tuple[str, ...]
    """Each with its keyword; `And` and `But` as the keyword they go on with: `Then the order is refused`."""
    examples: int
    """Rows of examples below their heading."""
    line: int
    end: int

    @property
    def whole(self) -> bool:
        """Whether something is done and something is expected of it."""
        words = {step.split(" ", 1)[0] for step in self.steps}
        return {"When", "Then"} <= words


def scenarios(source: str) -> tuple[Scenario, ...]:
    """The scenarios of ``source`` in their order; text that is no Gherkin has none."""
    return tuple(_Reader().read(source.split("\n")))


class _Reader:
    def __init__(self) -> None:
        self._found: list[Scenario] = []
        self._tags: list[str] = []
        self._feature: list[str] = []
        self._shared: list[str] = []
        self._open: dict[str, list[str]] = {}
        self._title = ""
        self._start = 0
        self._begun = 0
        self._rows = 0
        self._listing = self._headed = False
        self._quote = ""
        self._last = 0

    def read(self, lines: list[str]) -> list[Scenario]:
        for number, line in enumerate(lines, 1):
            self._line(number, line)
        self._close()
        return self._found

    def _line(self, number: int, line: str) -> None:
        stripped = line.strip()
        if self._quote or stripped.startswith(_QUOTES):
            self._quoted(stripped)
            self._last = number
        elif not stripped or stripped.startswith("#"):
            return
        elif stripped.startswith("@"):
            self._begun = self._begun or number
            self._tags += [tag.removeprefix("@") for tag in stripped.split() if tag.startswith("@")]
        elif found := _TITLE.match(line):
            self._close()
            self._open = {"tags": [*self._shared, *self._tags], "steps": []}
            self._title, self._start, self._last = found["title"], self._begun or number, number
            self._fresh()
        elif found := _HEAD.match(line):
            self._close()
            self._share(found["word"])
        elif _EXAMPLES.match(line):
            self._listing, self._headed, self._last = True, False, number
            self._fresh()
        elif stripped.startswith("|"):
            self._rows += self._listing and self._headed
            self._headed = self._headed or self._listing
            self._last = number
        elif found := _STEP.match(line):
            self._step(found["word"], found["text"])
            self._last = number

    def _share(self, word: str) -> None:
        if word == "Feature":
            self._feature = self._shared = list(self._tags)
        elif word == "Rule":
            self._shared = [*self._feature, *self._tags]
        self._fresh()

    def _fresh(self) -> None:
        self._tags, self._begun = [], 0

    def _quoted(self, stripped: str) -> None:
        if not self._quote:
            self._quote = stripped[:3]
            if len(stripped) > len(self._quote) and stripped.endswith(self._quote):
                self._quote = ""
        elif stripped.startswith(self._quote):
            self._quote = ""

    def _step(self, word: str, text: str) -> None:
        if not self._open:
            return
        steps = self._open["steps"]
        if word in {"And", "But", "*"}:
            word = steps[-1].split(" ", 1)[0] if steps else "Given"
        steps.append(f"{word} {text}")

    def _close(self) -> None:
        if self._open:
            self._found.append(
                Scenario(
                    self._title,
                    tuple(self._open["tags"]),
                    tuple(self._open["steps"]),
                    self._rows,
                    self._start,
                    self._last,
                )
            )
        self._open, self._rows, self._listing, self._headed = {}, 0, False, False
