"""Divides the markdown of a filled-in form into its answers, and says where the division is in doubt.

An answer is text of a person's own: it may leave a code block or an HTML comment open, which makes text of every question
after it, or quote the heading of another question. A reading that could be a wrong one is a doubt, never a silent default.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import groupby, pairwise, zip_longest
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token

NO_RESPONSE = "_No response_"
_HEADING = re.compile(r"###[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_AFTER_ALL = "\n\nend"
"""A paragraph that only a block which nothing closed can swallow."""


class Doubt(NamedTuple):
    """Why the answers cannot be told apart."""

    label: str
    """Lower-case label of the question whose answer is at fault; empty for the text before the first question."""
    problem: str
    example: str
    unread: frozenset[str]
    """Labels whose answers are not to be believed, the faulty one among them."""


class _Heading(NamedTuple):
    label: str
    line: int
    body: int


class _Quote(NamedTuple):
    """A line that would be the heading of a question, were it not inside a block of an answer."""

    holder: str
    label: str
    line: int


class Form:
    """The body of an issue, parsed once. ``questions`` are the form's labels in lower case and in its order."""

    def __init__(self, markdown: str, questions: Sequence[str], several_lines: Collection[str]) -> None:
        text = markdown.replace("\r\n", "\n").replace("\r", "\n")
        self._lines = text.split("\n")
        self._tokens = MarkdownIt("commonmark").parse(text + _AFTER_ALL)
        self._questions = list(questions)
        self._several_lines = several_lines
        self._headings = [heading for heading in self._find_headings() if self._is_question(heading)]

    def answers(self) -> dict[str, str]:
        """Label (lower case) → answer of every level-three section; an answer not given is absent.

        A heading inside a code block is text, not a section: a parser decides, not a regular expression.
        """
        found: dict[str, str] = {}
        for heading, after in zip_longest(self._headings, self._headings[1:]):
            answer = "\n".join(self._lines[heading.body : after.line if after else None]).strip()
            if answer and answer not in {NO_RESPONSE, "None"} and heading.label not in found:
                found[heading.label] = answer
        return found

    def doubts(self) -> list[Doubt]:
        """Every reason not to believe ``answers``: none, or the form has only this one reading."""
        seen = Counter(heading.label for heading in self._headings if heading.label in self._questions)
        doubts = [self._repeated(label, times) for label, times in seen.items() if times > 1]
        for holder, group in groupby(self._quotes(), key=lambda quote: quote.holder):
            quotes = list(group)
            if hidden := [quote for quote in quotes if not seen[quote.label]]:
                doubts.append(self._swallowed(holder, hidden))
            elif unclear := [quote for quote in quotes if self._may_be_a_question(quote)]:
                doubts.append(self._quoted(holder, unclear))
        return doubts

    def _find_headings(self) -> Iterator[_Heading]:
        for token, inline in pairwise(self._tokens):
            if token.type == "heading_open" and token.level == 0 and token.tag == "h3" and token.map:
                yield _Heading(inline.content.strip().lower(), token.map[0], token.map[1])

    def _is_question(self, heading: _Heading) -> bool:
        # A form may ask more than is read here. GitHub leaves a line empty before and after each heading it writes; a
        # heading without is one that a person wrote inside an answer.
        if not heading.label or heading.label in self._questions:
            return bool(heading.label)
        around = self._lines[max(0, heading.line - 1) : heading.line] + self._lines[heading.body : heading.body + 1]
        return not any(line.strip() for line in around)

    def _quotes(self) -> Iterator[_Quote]:
        at = {heading.line: heading.label for heading in self._headings}
        holder = ""
        for number, line in enumerate(self._lines):
            if number in at:
                holder = at[number]
            elif (found := _HEADING.fullmatch(line)) and (label := found[1].strip().lower()) in self._questions:
                yield _Quote(holder, label, number)

    def _may_be_a_question(self, quote: _Quote) -> bool:
        # A quoted heading is text where its question is answered elsewhere. The block that holds it may yet have been
        # closed by the first line of a later answer's block. With one line an answer, or questions in the form's order,
        # it cannot have been, unless the later answer too has several lines.
        order = [self._questions.index(h.label) for h in self._headings if h.label in self._questions]
        if quote.holder not in self._several_lines or order != sorted(order):
            return True
        after = self._questions[self._questions.index(quote.holder) + 1 :]
        return quote.label in after and quote.label in self._several_lines

    def _repeated(self, label: str, times: int) -> Doubt:
        return Doubt(
            label,
            f"its heading stands {times} times in the issue, so it is not clear which answer counts",
            f"one line '### {label.capitalize()}' in the issue; '#### {label.capitalize()}' where an answer quotes it",
            frozenset({label}),
        )

    def _swallowed(self, holder: str, hidden: list[_Quote]) -> Doubt:
        block, is_open, end = self._block_at(hidden[0].line)
        labels = _listed(hidden)
        problem = (
            f"the answer leaves {block} open, so {labels} could not be read"
            if is_open
            else f"{block} that begins in the answer holds the heading of {labels}, which could not be read"
        )
        return Doubt(holder, problem, end, frozenset({holder} | {quote.label for quote in hidden}))

    def _quoted(self, holder: str, unclear: list[_Quote]) -> Doubt:
        block, _, _ = self._block_at(unclear[0].line)
        first = unclear[0].label.capitalize()
        problem = (
            f"{block} in the answer holds the heading of {_listed(unclear)}, so it is not clear where the answer ends"
        )
        return Doubt(holder, problem, f"'#### {first}' for the line '### {first}'", frozenset({holder}))

    def _block_at(self, line: int) -> tuple[str, bool, str]:
        """What the block around ``line`` is called, whether nothing closed it, and how it is closed."""
        token = next(token for token in self._tokens if _spans(token, line))
        assert token.map  # noqa: S101 - narrows the type; a token that spans a line has one
        is_open = token.map[1] > len(self._lines)
        if token.type == "fence":
            return "a code block", is_open, f"a code block ended by a line {token.markup}"
        if token.content.lstrip().startswith("<!--"):
            return "an HTML comment", is_open, "a comment ended by -->"
        return "an HTML block", is_open, "an HTML element ended by its closing tag, such as </pre>"


def _spans(token: Token, line: int) -> bool:
    return token.level == 0 and token.map is not None and token.map[0] <= line < token.map[1]


def _listed(quotes: list[_Quote]) -> str:
    return ", ".join(dict.fromkeys(quote.label.capitalize() for quote in quotes))
