"""Drafts acceptance criteria in Given-When-Then for what a ticket asks: how it goes well, is refused, and at its bounds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pydantic import Field

from shared.agents._requirements import StatedRequirement
from shared.domain.forge import Frozen
from shared.domain.test_case import CaseNature

_STORY = re.compile(
    r"as (?:an? |the )?(?P<role>[^,]{2,80}),? i (?:want|need|would like|can)(?: to)? (?P<goal>.{3,300}?)"
    r"(?:,? so that (?P<benefit>.{3,300}))?",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"(?:if|when|whenever|once|after) (?P<cause>[^,]{3,200}), (?:then )?(?P<effect>.{3,300})", re.IGNORECASE
)
_LATE_CONDITION = re.compile(r"(?P<effect>.{3,300}?) (?:if|when|whenever|once) (?P<cause>.{3,200})", re.IGNORECASE)
_OBLIGES = re.compile(
    r"(?P<who>.{2,120}?) (?P<verb>must not|must|shall not|shall|should not|should|cannot|can not|can|may not|may|will not|will|"
    r"is able to|are able to|needs? to|ha(?:s|ve) to) (?P<what>.{2,300})",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"(?<![\w.,/#:-])(?P<number>\d{1,9}(?:\.\d{1,4})?)(?![.,:/-]?\w)(?P<unit>\s?%|\s[a-zA-Z]{1,20})?")
_NEGATIVE = re.compile(
    r"\b(?:not|cannot|never|no longer|refuse[sd]?|reject(?:s|ed)?|deny|denie[sd]|fail(?:s|ed)?|prevent)\b",
    re.IGNORECASE,
)


class Scenario(Frozen):
    """One scenario."""

    name: str = Field(max_length=160)
    nature: CaseNature
    given: str
    when: str
    then: str
    requirement: str = ""

    @property
    def lines(self) -> tuple[str, str, str]:
        """Its three steps."""
        return (f"Given {self.given}", f"When {self.when}", f"Then {self.then}")


def scenarios(requirements: Sequence[StatedRequirement]) -> tuple[Scenario, ...]:
    """Scenarios for each requirement that can be read as one, each name once."""
    found: dict[str, Scenario] = {}
    for one in requirements:
        for scenario in _of(one):
            found.setdefault(scenario.name, scenario)
    return tuple(found.values())


def gherkin(title: str, drafted: Sequence[Scenario], tag: str = "") -> str:
    """A feature file (https://cucumber.io/docs/gherkin/reference/) with ``drafted``."""
    lines = [f"Feature: {_one_line(title)}"]
    for one in drafted:
        tags = [f"@{one.nature}", *([f"@{tag}"] if tag else [])]
        lines += ["", f"  {' '.join(tags)}", f"  Scenario: {one.name}", *(f"    {step}" for step in one.lines)]
    return "\n".join(lines) + "\n"


def _of(requirement: StatedRequirement) -> Iterator[Scenario]:
    text = requirement.text
    given, when, then = _parts(text)
    negative = bool(_NEGATIVE.search(then or text))

    def drafted(name: str, nature: CaseNature, given: str, when: str, then: str) -> Scenario:
        return Scenario(
            name=_shortened(name), nature=nature, given=given, when=when, then=then, requirement=requirement.id
        )

    if negative:
        yield drafted(text, CaseNature.NEGATIVE, given, when, then)
    else:
        yield drafted(text, CaseNature.POSITIVE, given, when, then)
        yield drafted(
            f"Refused: {text}", CaseNature.NEGATIVE, given, f"{when}, with something missing or not allowed",
            "it is refused with the reason and what to do, and nothing has changed",
        )  # fmt: skip
    for found in list(_NUMBER.finditer(text))[:2]:
        bound = f"{found['number']}{found['unit'] or ''}".strip()
        yield drafted(
            f"At the bound of {bound}: {text}", CaseNature.EDGE, f"{given}, and a value of exactly {bound}", when,
            "it behaves as just within the bound, and one step beyond as outside of it",
        )  # fmt: skip


def _parts(text: str) -> tuple[str, str, str]:
    """Given, when and then as far as the wording tells them."""
    story = _STORY.fullmatch(text)
    if story:
        return (
            f"a {_lowered(story['role'])}",
            f"they {_third_person(_lowered(story['goal']))}",
            _third_person(_lowered(story["benefit"] or f"it is done: {story['goal']}")),
        )
    condition = _CONDITION.fullmatch(text) or _LATE_CONDITION.fullmatch(text)
    if condition:
        return "the system in its usual state", _lowered(condition["cause"]), _lowered(condition["effect"])
    obliges = _OBLIGES.fullmatch(text)
    if obliges:
        who, what = _lowered(obliges["who"]), _lowered(obliges["what"])
        if "not" in obliges["verb"].lower():
            return (
                who,
                f"something would have {_them(who)} {what}",
                "it is refused with the reason, and nothing has changed",
            )
        return f"{who}, with everything in place", f"the time comes to {what}", f"it is done: {what}"
    return "the system in its usual state", f"this is used: {_lowered(text)}", "it does what was asked, and says so"


def _them(who: str) -> str:
    return "it" if re.match(r"(?:the|an?|each|every|it|no)\b", who, re.IGNORECASE) else "them"


def _third_person(text: str) -> str:
    return re.sub(r"\bmy\b", "their", re.sub(r"\bI\b", "they", text))


def _lowered(text: str) -> str:
    text = _one_line(text).strip(" .")
    # An abbreviation or a name keeps its capitals.
    return (
        text
        if len(text) < 2 or not text[0].isupper() or text[1].isupper() or (text[1] == " " and text[0] == "I")
        else text[0].lower() + text[1:]
    )


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _shortened(text: str) -> str:
    text = _one_line(text)
    return text if len(text) <= 160 else text[:157].rsplit(" ", 1)[0] + " …"
