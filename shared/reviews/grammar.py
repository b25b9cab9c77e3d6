"""Reads a command: exactly what its line asks for, or exactly what is wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Mapping
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


def parsed(line: str) -> Command | Unparsed:
    """The command of a line that ``said.lines_in`` found."""
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
