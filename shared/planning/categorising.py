"""Decides the category of an issue by rules that can be told, or says that they do not tell it and between which two."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache

from shared.domain.forge import Frozen
from shared.domain.issue_category import Candidate, Reason, Verdict
from shared.planning.rules import Category, Rules

MOST_TEXT = 20_000
"""Characters of a body that are read; what follows is logs."""

_FENCED = re.compile(r"^(?P<fence>`{3,}|~{3,}).*?(?:^(?P=fence)[ \t]*$|\Z)", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)", re.DOTALL)
_TAG = re.compile(r"<[^<>]{0,200}>")
_HEADING = re.compile(r"^(?:#{1,6}[ \t]+|\*\*)(?P<text>[^\n*]{1,120}?)(?:\*\*)?:?[ \t]*$", re.MULTILINE)
_WORD = re.compile(r"[a-z0-9][a-z0-9'-]*")
_TOKEN = re.compile(r"[\w./-]+")


class Text(Frozen):
    """What is categorised."""

    title: str
    body: str = ""
    labels: tuple[str, ...] = ()
    type: str = ""


def categorise(text: Text, rules: Rules, *, own_labels: Sequence[str] = ()) -> Verdict:
    """The category of ``text``.

    ``own_labels`` are those of its labels that Doneright set itself: they are no evidence. A person's label that names
    a category, as one of Doneright's own or as a common one, decides; where two name different ones, it is uncategorised.
    """
    own = {label.casefold() for label in own_labels}
    said = {
        category: label for label in text.labels if label.casefold() not in own and (category := _said(label, rules))
    }
    candidates = sorted(
        (scored for category in rules.categories if (scored := _score(text, category, rules)).points),
        key=lambda one: (-one.points, one.category),
    )
    if len(said) > 1:
        named = " and ".join(repr(label) for label in said.values())
        return Verdict(
            version=rules.version,
            candidates=tuple(one for one in candidates if one.category in said)[:2],
            by_person=next(iter(said.values())),
            explanation=f"The labels {named} say different things.",
        )
    if len(said) == 1:
        ((category, label),) = said.items()
        return Verdict(
            category=category,
            version=rules.version,
            candidates=tuple(one for one in candidates if one.category == category),
            by_person=label,
            explanation=f"The label {label!r} says so.",
        )
    return _decided(tuple(candidates), rules)


def _said(label: str, rules: Rules) -> str:
    if told := rules.category_of(label):
        return told
    name = label.casefold().replace("-", " ").replace("_", " ").strip()
    return next((one.id for one in rules.categories if name in one.labels), "")


def _decided(candidates: tuple[Candidate, ...], rules: Rules) -> Verdict:
    if not candidates:
        return Verdict(version=rules.version, explanation="No rule speaks for any category.")
    best, *others = candidates
    second = others[0].points if others else 0
    if best.points >= rules.least and best.points - second >= rules.lead:
        because = "; ".join(f"{one.rule}: {one.found} (+{one.points})" for one in best.reasons)
        return Verdict(
            category=best.category,
            version=rules.version,
            candidates=candidates[:2],
            explanation=f"{best.category} with {best.points} points, the next has {second}. {because}.",
        )
    why = (
        f"the best, {best.category}, has {best.points} of the {rules.least} points it takes"
        if best.points < rules.least
        else f"{best.category} ({best.points}) and {others[0].category} ({second}) are too close"
    )
    return Verdict(version=rules.version, candidates=candidates[:2], explanation=f"Not told: {why}.")


def _score(text: Text, category: Category, rules: Rules) -> Candidate:
    points = rules.points
    title = " ".join(_words(text.title))
    body = _prose(text.body[:MOST_TEXT])
    reasons: list[Reason] = []
    reasons += _worded(category, set(_words(text.title)), set(_words(body)), rules)
    said = " ".join(_words(body))
    reasons += _matched(
        "phrases", category.phrases, lambda one: _holds(title, one), points.phrase * points.title_factor
    )
    reasons += _matched(
        "phrases", category.phrases, lambda one: _holds(said, one) and not _holds(title, one), points.phrase
    )
    headings = {found["text"].strip().rstrip(":").casefold() for found in _HEADING.finditer(text.body[:MOST_TEXT])}
    reasons += _matched("forms", category.forms, headings.__contains__, points.form)
    reasons += _matched("types", category.types, lambda one: one == text.type.casefold(), points.type)
    paths = _paths(f"{text.title}\n{text.body[:MOST_TEXT]}")
    reasons += _matched("paths", category.paths, lambda one: any(_is(path, one) for path in paths), points.path)
    return Candidate(category=category.id, points=sum(one.points for one in reasons), reasons=tuple(reasons))


def _worded(category: Category, title: set[str], body: set[str], rules: Rules) -> list[Reason]:
    points = rules.points
    found = [(word, points.word * points.title_factor) for word in category.words if word in title]
    found += [(word, points.word) for word in category.words if word in body and word not in title]
    reasons, left = [], points.most_words
    for word, worth in found:
        if left > 0:
            reasons.append(Reason(rule="words", found=word, points=min(worth, left)))
            left -= worth
    return reasons


def _matched(rule: str, given: Sequence[str], matches: Callable[[str], bool], points: int) -> list[Reason]:
    return [Reason(rule=rule, found=one, points=points) for one in given if matches(one)]


@lru_cache(maxsize=4096)
def _needle(phrase: str) -> str:
    return f" {' '.join(_words(phrase))} "


def _holds(text: str, phrase: str) -> bool:
    return _needle(phrase) in f" {text} "


def _words(text: str) -> list[str]:
    return [word.strip("'-") for word in _WORD.findall(text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"))]


def _prose(body: str) -> str:
    """What a person wrote: code, logs, HTML and hidden comments say what happened, not what is meant."""
    return _TAG.sub(" ", _COMMENT.sub(" ", _FENCED.sub(" ", body.replace("\r\n", "\n"))))


def _paths(text: str) -> list[str]:
    found = (one.strip("./-") if one.endswith((".", "/")) else one for one in _TOKEN.findall(text))
    return [one for one in found if "." in one or "/" in one or one == "Dockerfile"]


def _is(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or fnmatchcase(path.rsplit("/", 1)[-1], pattern)
