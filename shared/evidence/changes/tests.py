"""Which test cases a change adds or changes, in pytest, Gherkin and JavaScript, each with its layer and what it shows."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from itertools import accumulate, islice
from pathlib import PurePosixPath

from shared.domain.change import ChangedFile, FileStatus, Part, Unknown
from shared.evidence.changes.cases import Case, CaseClass, classed
from shared.evidence.changes.declared import Language
from shared.evidence.changes.functions import language_of
from shared.evidence.changes.gherkin import Scenario, scenarios
from shared.evidence.changes.javascript import LARGEST, MOST, Brackets, without_comments
from shared.evidence.changes.kinds import FileKind, TestLayer, kind_of, layer_of
from shared.evidence.changes.lines import changed
from shared.evidence.changes.pytest_cases import Found
from shared.evidence.changes.pytest_cases import cases as pytest_cases
from shared.evidence.changes.remembered import remembered
from shared.evidence.changes.versions import after, before

__all__ = ["Case", "CaseClass", "all_touched", "cases_of", "is_readable", "touched_cases"]

_IT = re.compile(
    r"(?<![\w.$])(?P<word>x?it|x?test|fit)(?P<how>(?:\.(?:each|only|skip|todo|concurrent|failing|fails))*)"
    r"(?P<table>\s{0,9}(?:\((?:[^()]|\([^()]{0,999}\)){0,9999}\)|`[^`]{0,9999}`)(?=\s{0,9}\())?\s{0,99}\(\s{0,99}(?P<quote>[\"'`])(?P<title>(?:\\.|(?!(?P=quote)).){0,500})(?P=quote)",
    re.DOTALL,
)
_THROWS = re.compile(r"\.toThrow\w*\(|\.rejects\b|assert\.(?:throws|rejects)\(")
_STATUS = re.compile(r"status\w*[^\n;]{1,30}?\b([45]\d\d)\b", re.IGNORECASE)
_AT_LIMIT = re.compile(r"[(,:]\s*(null|undefined|0|-1|\"\"|''|``|\[\]|\{\}|NaN|Infinity|Number\.MAX_\w+)\s*[),}]")
_PROPERTY = re.compile(r"\bfc\.(?:assert|property)\(")
_CLAIM = re.compile(r"\b(?:expect|assert|should)\b")
_LONGEST = 4_000
"""Characters of a test that are looked at."""
_SKIPPING = frozenset({"skip", "skipped", "ignore", "ignored", "wip", "todo", "disabled"})


def is_readable(path: str) -> bool:
    """Whether cases of the test file at ``path`` can be read at all."""
    return language_of(path) is not None or PurePosixPath(path).suffix.lower() == ".feature"


def cases_of(path: str, source: str) -> Part[tuple[Found, ...]]:
    """Every case of ``source``. ``Unknown`` where it does not parse, or nobody here reads its language."""
    suffix = PurePosixPath(path).suffix.lower()
    if suffix == ".feature":
        told, lines = scenarios(source), source.split("\n")
        if len(told) > MOST:
            return Unknown(reason=f"{path} holds more than {MOST} scenarios")
        return tuple(_of_scenario(one, lines) for one in told)
    language = language_of(path)
    if language is Language.PYTHON:
        return pytest_cases(path, source)
    if language is not None:
        if len(source) > LARGEST:
            return Unknown(reason=f"{path} has {len(source)} characters; {LARGEST} are the most that is read")
        found = tuple(islice(_javascript(source), MOST + 1))
        return found if len(found) <= MOST else Unknown(reason=f"{path} holds more than {MOST} tests")
    return Unknown(reason=f"test cases of {suffix or path} files are not read", supported=False)


@remembered
def touched_cases(file: ChangedFile) -> Part[tuple[Case, ...]]:
    """The cases that the change of ``file`` adds or changes; none for a file that holds no tests.

    A case is changed when a line of it was added or removed. ``Unknown`` where the file could not be had or read.
    """
    if kind_of(file.path) is not FileKind.TEST or file.status is FileStatus.REMOVED:
        return ()
    text = after(file)
    if isinstance(text, Unknown):
        return text
    found = cases_of(file.path, text)
    if isinstance(found, Unknown):
        return found
    if file.patch is None and file.status is not FileStatus.ADDED:
        return Unknown(reason=f"the changed lines of {file.path} could not be had")
    numbers = _changed_lines(file, text)
    known = _names_before(file)
    layer = layer_of(file.path)
    if layer is TestLayer.UNIT and file.path.endswith(".feature"):
        # A scenario tells what a user meets, wherever it lies.
        layer = TestLayer.FUNCTIONAL
    return tuple(
        Case(
            path=file.path,
            name=one.name,
            line=one.line,
            end=one.end,
            layer=layer,
            kind=one.kind,
            because=one.because,
            added=one.name not in known,
            skipped=one.skipped,
            asserts=one.asserts,
            text=one.text,
        )
        for one in found
        if one.lines & numbers
    )


def _changed_lines(file: ChangedFile, text: str) -> frozenset[int]:
    if file.patch is None:
        return frozenset(range(1, text.count("\n") + 2))
    return changed(file)


def _names_before(file: ChangedFile) -> frozenset[str]:
    text = before(file)
    found: Part[tuple[Found, ...]] = cases_of(file.path, text) if isinstance(text, str) and text else ()
    return frozenset() if isinstance(found, Unknown) else frozenset(one.name for one in found)


def _of_scenario(one: Scenario, lines: list[str]) -> Found:
    outcome = " ".join(step for step in one.steps if step.startswith("Then"))
    kind, because = classed(f"{' '.join(one.tags)} {one.title}")
    if kind is CaseClass.POSITIVE:
        # A title may say what is done; then what comes of it tells. A limit in a result is an ordinary result.
        ending, why = classed(outcome)
        if ending is CaseClass.NEGATIVE:
            kind, because = ending, f"its outcome is {why}"
    return Found(
        one.title,
        frozenset(range(one.line, one.end + 1)),
        one.line,
        one.end,
        kind,
        because,
        bool({tag.lower() for tag in one.tags} & _SKIPPING),
        one.whole,
        "\n".join(lines[one.line - 1 : one.end]),
    )


def _javascript(source: str) -> Iterator[Found]:
    plain = without_comments(source)
    lines = plain.split("\n")
    brackets = Brackets(lines)
    starts = list(accumulate((len(line) + 1 for line in lines), initial=0))
    for found in _IT.finditer(plain):
        start, opened = bisect_right(starts, found.start()), bisect_right(starts, found.end())
        end = max(opened, brackets.closing(start))
        body = plain[found.start() : min(starts[end] - 1, found.start() + _LONGEST)]
        status = _STATUS.search(body)
        refusal = _first(_THROWS, body) or (f"status {status[1]}" if status else "")
        at = _AT_LIMIT.search(body)
        limit = "generated values" if _PROPERTY.search(body) else at[1] if at else ""
        kind, because = classed(found["title"], refusal=refusal, limit=limit)
        yield Found(
            found["title"],
            frozenset(range(start, end + 1)),
            start,
            end,
            kind,
            because,
            found["word"].startswith("x") or bool({"skip", "todo"} & set(found["how"].split("."))),
            bool(_CLAIM.search(body)),
            body,
        )


def _first(pattern: re.Pattern[str], text: str) -> str:
    found = pattern.search(text)
    return found[0].strip(".(") if found else ""


def all_touched(files: Iterable[ChangedFile]) -> tuple[tuple[Case, ...], tuple[Unknown, ...]]:
    """The cases of every file that could be read, and why others could not."""
    cases: list[Case] = []
    unread: list[Unknown] = []
    for file in files:
        found = touched_cases(file)
        if isinstance(found, Unknown):
            unread.append(found)
        else:
            cases += found
    return tuple(cases), tuple(unread)
