"""Reads commands out of comments: exactly what each line asks for, or exactly what is wrong with it.

A command is a line of its own that begins with ``/doneright`` at the left margin. What stands in code, in an HTML
comment or in a quotation is shown or hidden, and not said.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field

from shared.domain.forge import Frozen

MOST_COMMANDS = 20
"""In one comment; more is no conversation."""
LONGEST_LINK = 2_000
LONGEST_REASON = 500

_MARGIN = re.compile(r"/doneright(?:[ \t]+(?P<rest>.*))?", re.IGNORECASE)
_FENCE = re.compile(r" {0,3}(?P<fence>`{3,}(?=[^`]*$)|~{3,})")
"""How code begins; after backticks no other may follow: https://spec.commonmark.org/0.31.2/#fenced-code-blocks"""
_FENCE_ENDS = re.compile(r" {0,3}(?P<fence>`{3,}|~{3,})[ \t]*")
_HIDDEN = re.compile(r"(?P<ticks>`+)(?!`).*?(?<!`)(?P=ticks)(?!`)|(?P<open><!--|<pre\b)", re.IGNORECASE)
"""Code within a line, which may show what begins a comment without beginning one, and what hides the lines after it."""
_OPENING = re.compile(r"(?P<open><!--|<pre\b)", re.IGNORECASE)
_LONGEST_SCANNED = 2_000
"""Characters of a line in which code is told apart: strokes without end would take time without end."""
_ENDS = {"<!--": "-->", "<pre": "</pre>"}
_NAME = re.compile(r"[a-z][a-z0-9_]{1,59}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Verb(StrEnum):
    """The first word of a command."""

    REVIEW = "review"
    EXPLAIN = "explain"
    ATTEST = "attest"
    WAIVE = "waive"
    ACCEPT = "accept"
    REJECT = "reject"
    CHOOSE = "choose"
    HELP = "help"


FORMS: Mapping[Verb, str] = {
    Verb.REVIEW: "review",
    Verb.EXPLAIN: "explain GATE",
    Verb.ATTEST: "attest CRITERION LINK",
    Verb.WAIVE: "waive GATE until DATE because REASON",
    Verb.ACCEPT: "accept",
    Verb.REJECT: "reject",
    Verb.CHOOSE: "choose design N",
    Verb.HELP: "help",
}
"""How each is written, without what every one begins with."""

EXAMPLES: Mapping[Verb, str] = {
    Verb.REVIEW: "review",
    Verb.EXPLAIN: "explain coverage_holds",
    Verb.ATTEST: "attest edge_cases_are_handled https://example.com/notes/42",
    Verb.WAIVE: "waive change_is_small until {day} because it moves files and changes nothing else",
    Verb.ACCEPT: "accept",
    Verb.REJECT: "reject because the other team solved it",
    Verb.CHOOSE: "choose design 2",
    Verb.HELP: "help",
}
"""``{day}`` stands for a day that may be given now."""


class ReviewCommand(Frozen):
    """Look again."""

    verb: Literal[Verb.REVIEW] = Verb.REVIEW


class ExplainCommand(Frozen):
    """Say why a gate or criterion is there, what was found, and what to do."""

    verb: Literal[Verb.EXPLAIN] = Verb.EXPLAIN
    name: str


class AttestCommand(Frozen):
    """Say, with a link, that a criterion holds."""

    verb: Literal[Verb.ATTEST] = Verb.ATTEST
    name: str
    link: str


class WaiveCommand(Frozen):
    """Let a gate or criterion go until a day, which is the last one."""

    verb: Literal[Verb.WAIVE] = Verb.WAIVE
    name: str
    until: date
    because: str


class DecideCommand(Frozen):
    """Accept the work, or reject it."""

    verb: Literal[Verb.ACCEPT, Verb.REJECT]
    because: str = ""


class ChooseCommand(Frozen):
    """Choose one of the design options."""

    verb: Literal[Verb.CHOOSE] = Verb.CHOOSE
    number: int = Field(ge=1)


class HelpCommand(Frozen):
    """Tell which commands there are."""

    verb: Literal[Verb.HELP] = Verb.HELP


Command = (
    ReviewCommand | ExplainCommand | AttestCommand | WaiveCommand | DecideCommand | ChooseCommand | HelpCommand
)  # fmt: skip


class Unparsed(Frozen):
    """A line that is none, and how it would be right."""

    problem: str
    verb: Verb | None = Field(default=None, description="What it was meant to be, as far as anybody can tell.")


def lines_in(body: str) -> tuple[str, ...]:
    """What follows ``/doneright`` on each line that says something to us, in order; empty for the bare word."""
    found = []
    for line in _said(body):
        command = _MARGIN.fullmatch(line.rstrip())
        if command:
            found.append((command["rest"] or "").strip())
    return tuple(found)


def parsed(line: str) -> Command | Unparsed:
    """The command of a line that ``lines_in`` found."""
    if not line:
        return Unparsed(problem="the command lacks its word", verb=Verb.HELP)
    word, *words = line.split()
    try:
        verb = Verb(word.lower())
    except ValueError:
        near = difflib.get_close_matches(word.lower()[:40], list(Verb), n=1, cutoff=0.5)
        said = f"{word[:40]!r} is no command"
        return Unparsed(
            problem=f"{said}; perhaps {near[0]}" if near else said, verb=Verb(near[0]) if near else Verb.HELP
        )
    return _READERS[verb](verb, words)


def _said(body: str) -> Iterator[str]:
    """The lines that a reader sees as text."""
    fence = ""
    hidden = ""
    for line in body.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        if hidden:
            end = line.lower().find(hidden)
            hidden = hidden if end < 0 else _left_open(line, end + len(hidden))[0]
            continue
        if fence:
            if (closes := _FENCE_ENDS.fullmatch(line)) and closes["fence"].startswith(fence):
                fence = ""
            continue
        if begun := _FENCE.match(line):
            fence = begun["fence"]
            continue
        hidden, seen = _left_open(line)
        yield line[:seen]


def _left_open(line: str, at: int = 0) -> tuple[str, int]:
    """What has to come before text is seen again, empty when the line hides nothing beyond itself; and how far it is seen."""
    opening = _HIDDEN if len(line) <= _LONGEST_SCANNED else _OPENING
    while "<" in line[at:] and (found := opening.search(line, at)):
        at = found.end()
        if found["open"]:
            closing = _ENDS[found["open"].lower()]
            end = line.lower().find(closing, at)
            if end < 0:
                return closing, found.start()
            at = end + len(closing)
    return "", len(line)


def _review(verb: Verb, words: list[str]) -> Command | Unparsed:
    return ReviewCommand() if not words else _too_much(verb, words)


def _help(verb: Verb, words: list[str]) -> Command | Unparsed:
    return HelpCommand() if not words else _too_much(verb, words)


def _explain(verb: Verb, words: list[str]) -> Command | Unparsed:
    if not words:
        return Unparsed(problem="explain lacks the gate or criterion to explain", verb=verb)
    if len(words) > 1:
        return _too_much(verb, words[1:])
    name = _name(words[0])
    return ExplainCommand(name=name) if name else _no_name(verb, words[0])


def _attest(verb: Verb, words: list[str]) -> Command | Unparsed:
    if not words:
        return Unparsed(problem="attest lacks the criterion and the link that shows it", verb=verb)
    name = _name(words[0])
    if not name:
        return _no_name(verb, words[0])
    if len(words) == 1:
        return Unparsed(problem="attest lacks the link that shows it", verb=verb)
    if len(words) > 2:
        return _too_much(verb, words[2:])
    link = words[1].removeprefix("<").removesuffix(">")
    if problem := _link_fault(link):
        return Unparsed(problem=f"the link {problem}", verb=verb)
    return AttestCommand(name=name, link=link)


def _waive(verb: Verb, words: list[str]) -> Command | Unparsed:
    if not words:
        return Unparsed(problem="waive lacks the gate or criterion, the last day and the reason", verb=verb)
    name = _name(words[0])
    if not name:
        return _no_name(verb, words[0])
    _, until, day, because, *reason = [*words, "", "", "", ""][: max(len(words), 5)]
    given = _day(day)
    said = " ".join(reason).strip()
    if until.lower() != "until":
        problem = "waive lacks `until` and the last day, right after the name"
    elif not day:
        problem = "waive lacks the last day after `until`"
    elif given is None:
        problem = f"{day[:40]!r} is no day; it is written year-month-day"
    elif because.lower() != "because":
        problem = "waive lacks `because` and the reason, right after the day"
    elif fault := _reason_fault(said):
        problem = f"the reason {fault}"
    else:
        return WaiveCommand(name=name, until=given, because=said)
    return Unparsed(problem=problem, verb=verb)


def _decide(verb: Verb, words: list[str]) -> Command | Unparsed:
    if not words:
        return DecideCommand.model_validate({"verb": verb})
    if words[0].lower() != "because":
        return _too_much(verb, words)
    reason = " ".join(words[1:])
    if problem := _reason_fault(reason):
        return Unparsed(problem=f"the reason {problem}", verb=verb)
    return DecideCommand.model_validate({"verb": verb, "because": reason})


def _choose(verb: Verb, words: list[str]) -> Command | Unparsed:
    if not words or words[0].lower() != "design":
        return Unparsed(problem="choose is followed by `design` and the number of the option", verb=verb)
    if len(words) == 1:
        return Unparsed(problem="choose design lacks the number of the option", verb=verb)
    if len(words) > 2:
        return _too_much(verb, words[2:])
    if not re.fullmatch(r"[1-9][0-9]{0,2}", words[1]):
        return Unparsed(problem=f"{words[1][:40]!r} is no number of an option; they count from 1", verb=verb)
    return ChooseCommand(number=int(words[1]))


_READERS: Mapping[Verb, Callable[[Verb, list[str]], Command | Unparsed]] = {
    Verb.REVIEW: _review,
    Verb.EXPLAIN: _explain,
    Verb.ATTEST: _attest,
    Verb.WAIVE: _waive,
    Verb.ACCEPT: _decide,
    Verb.REJECT: _decide,
    Verb.CHOOSE: _choose,
    Verb.HELP: _help,
}


def _name(word: str) -> str:
    """A gate or criterion as it was meant: case and the kind of stroke do not count; empty for what cannot be one."""
    name = word.strip("`").lower().replace("-", "_")
    return name if _NAME.fullmatch(name) else ""


def _no_name(verb: Verb, word: str) -> Unparsed:
    return Unparsed(problem=f"{word[:40]!r} is no name of a gate or criterion", verb=verb)


def _too_much(verb: Verb, words: Iterable[str]) -> Unparsed:
    return Unparsed(problem=f"{' '.join(words)[:40]!r} is too much for {verb}", verb=verb)


def _day(word: str) -> date | None:
    if not _DAY.fullmatch(word) or not word.isascii():
        return None
    try:
        return date.fromisoformat(word)
    except ValueError:
        return None


def _reason_fault(reason: str) -> str:
    if len(reason) < 3:
        return "is missing"
    if len(reason) > LONGEST_REASON:
        return f"has {len(reason)} characters; {LONGEST_REASON} are the most"
    return ""


def _link_fault(link: str) -> str:
    if len(link) > LONGEST_LINK:
        return f"has {len(link)} characters; {LONGEST_LINK} are the most"
    try:
        address = urlsplit(link)
        host, secret = address.hostname, address.username or address.password
    except ValueError:
        return "cannot be read as an address"
    if address.scheme.lower() not in {"http", "https"} or not host:
        return "is no address of http:// or https://"
    if secret:
        return "carries credentials; give it without them"
    if any(character in link for character in '"<>`|\\') or not link.isprintable():
        return "holds a character that no address has"
    return ""
