"""What is weighed before something is built: options, what is said of each, and the one that was taken, with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from shared.evidence.prose.placeholders import says_something


class Aspect(StrEnum):
    """What is said of every option."""

    EFFORT = "effort"
    VULNERABILITIES = "vulnerabilities"
    CLEANLINESS = "cleanliness"
    FAMILIARITY = "familiarity"
    EXECUTION_IMPACT = "execution_impact"
    COST = "cost"
    TESTABILITY = "testability"


_WORDS = {
    Aspect.EFFORT: r"efforts?|estimates?|work|man[- ]?days|story points|implementation time|time to build",
    Aspect.VULNERABILITIES: r"vulnerabilit\w+|weakness(?:es)?|security|risks?",
    Aspect.CLEANLINESS: r"clean\w*|modular\w*|code quality|quality|maintainab\w+",
    Aspect.FAMILIARITY: r"familiar\w*|consisten\w+|resembl\w+|similar\w*|precedents?",
    Aspect.EXECUTION_IMPACT: r"(?:execution|run[- ]?time)(?: impact)?|performance|impact|duration|speed",
    Aspect.COST: r"(?:running |operating )?costs?|price|money|resources",
    Aspect.TESTABILITY: r"testab\w+|tests?|testing",
}
_ASPECTS = {
    aspect: re.compile(rf"(?:\W*)(?:\w+ (?:of|in|to) )?(?:{words})(?:\W.*)?", re.IGNORECASE)
    for aspect, words in _WORDS.items()
}
_BECAUSE = re.compile(
    r"\b(?:because|since|as it|due to|so that|in order to|therefore|for the reason)\b\s*(?P<why>.+)", re.I | re.S
)


@dataclass
class Option:
    """One way to build it."""

    name: str
    number: str = ""
    aspects: dict[Aspect, str] = field(default_factory=dict)
    chosen: bool = False
    said: str = ""
    """All that is written of it beside its name."""

    @property
    def weighed(self) -> bool:
        """Whether anything is said for or against it."""
        return says_something(self.said) or any(says_something(one) for one in self.aspects.values())

    @property
    def key(self) -> str:
        """Equal for the same option wherever it is spoken of."""
        return " ".join(re.findall(r"\w+", self.name.casefold())) or self.number.casefold()

    def lacks(self, wanted: Iterable[Aspect]) -> tuple[Aspect, ...]:
        """What nobody said of it."""
        return tuple(one for one in wanted if not says_something(self.aspects.get(one, "")))


@dataclass
class Design:
    """The options of one ticket or document, and what became of them."""

    options: list[Option] = field(default_factory=list)
    decisions: list[str] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    commanded: int | None = None

    @property
    def chosen(self) -> Option | None:
        """The option that was taken: as it is marked, as a decision names it, or by its number."""
        if self.commanded is not None and 1 <= self.commanded <= len(self.options):
            return self.options[self.commanded - 1]
        marked = [one for one in self.options if one.chosen]
        if len(marked) == 1:
            return marked[0]
        return next((one for said in reversed(self.decisions) if (one := self._named_in(said))), None)

    @property
    def reason(self) -> str:
        """Why it was taken; empty where nobody said."""
        said = next((one for one in reversed(self.reasons) if says_something(one)), "")
        if said:
            return said.strip()
        because = (_BECAUSE.search(one) for one in reversed(self.decisions))
        return next((one["why"].strip() for one in because if one and says_something(one["why"])), "")

    def _named_in(self, decision: str) -> Option | None:
        # What follows "because" may name what was not taken.
        because = _BECAUSE.search(decision)
        said = decision[: because.start()] if because else decision
        plain = " ".join(re.findall(r"\w+", said.casefold()))
        whole = [one for one in self.options if one.key and re.search(rf"\b{re.escape(one.key)}\b", plain)]
        if whole:
            return max(whole, key=lambda one: len(one.key))
        numbers = re.search(r"\b(?:options?|alternative|variant|design|number)\s+(\w{1,2})\b|^\W*(\w{1,2})\W*$", plain)
        if numbers:
            wanted = (numbers[1] or numbers[2]).casefold()
            by_number = [one for one in self.options if one.number.casefold() == wanted]
            if by_number:
                return by_number[0]
            if wanted.isdigit() and 1 <= int(wanted) <= len(self.options):
                return self.options[int(wanted) - 1]
        scored = [(len(set(one.key.split()) & set(plain.split()) - _COMMON), one) for one in self.options]
        best = max((score for score, _ in scored), default=0)
        leaders = [one for score, one in scored if score == best]
        return leaders[0] if best and len(leaders) == 1 else None


_COMMON = frozenset(
    ["a", "an", "and", "as", "by", "for", "in", "is", "it", "of", "on", "option", "or", "the", "to", "we", "with"]
)


def aspect_of(label: str) -> Aspect | None:
    """What a label speaks of."""
    plain = " ".join(re.sub(r"[*_`]", " ", label).split())
    return next((aspect for aspect, pattern in _ASPECTS.items() if pattern.fullmatch(plain)), None)
