"""Each control of the threat model names a test, and that test ran on the commit and passed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import PurePosixPath
from typing import NamedTuple

from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import CaseResult, Outcome
from shared.domain.globs import fits
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.tests import all_touched
from shared.evidence.prose.threats import Threat, threat_model
from shared.evidence.prose.tickets import texts
from shared.gates import Asked, Gate
from shared.gates.threat_model_is_complete import MODELS

_PROSE = frozenset({".md", ".markdown", ".txt", ".rst", ".adoc", ""})
_NAMES = re.compile(
    r"[\w./-]+\.(?:py|feature|[jt]sx?|java|cs|go)(?:::[\w:.\[\] -]+)?|\b[Tt]est_\w+|\b[A-Z]\w+Tests?\b(?:[.#:]+\w+)?"
)
_LONGEST = 2_000
"""Characters that a threat model says of one test."""
_SHORTEST = 2


class _Stand(StrEnum):
    HOLDS = "holds"
    FAILED = "failed"
    SKIPPED = "skipped"
    ABSENT = "absent"
    UNNAMED = "unnamed"
    WRITTEN = "written"
    """In the change, and in no report yet."""


class _Looked(NamedTuple):
    threat: Threat
    stand: _Stand


_WHY = {
    _Stand.FAILED: "the test of its control failed",
    _Stand.SKIPPED: "the test of its control was skipped",
    _Stand.ABSENT: "the test it names is in no report of the commit",
    _Stand.UNNAMED: "its control names no test",
}


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether every control that tickets and documents of the change name has a test that passed on the commit."""
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    if isinstance(evidence.items, Unknown) and evidence.items.supported:
        return Judgement.unseen("the tickets, where threat models stand,", evidence.items)
    documents = [file for file in evidence.files if _is_model(file)]
    items = () if isinstance(evidence.items, Unknown) else evidence.items
    written = [text for item in items for one in (item, *item.parents) for text in texts(one)]
    model = threat_model([*written, *(file.content or "" for file in documents)])
    controlled = [one for one in model.threats if one.controlled]
    lost = next((f"the threat model {file.path} could not be read" for file in documents if file.content is None), "")
    if controlled:
        return _of_controls(controlled, documents, evidence, lost)
    if lost:
        return Judgement.not_available(lost)
    return Judgement.not_applicable("security tests: no threat model with a control is linked to the change")


def _of_controls(
    controlled: Iterable[Threat], documents: list[ChangedFile], evidence: ChangeEvidence, lost: str
) -> Judgement:
    results, digests, gap = _results(evidence)
    ran = [_Ran.of(one.name, one.suite, one.path or "", one.outcome) for one in results]
    cases, _ = all_touched(evidence.known_files)
    ran += [_Ran.of(one.name, "", one.path, None) for one in cases if one.shows]
    looked = [_Looked(one, _stand(one.test if one.tested else "", ran)) for one in controlled]
    rest = {
        "measured": {"controls": len(looked), "tested": sum(one.stand is _Stand.HOLDS for one in looked)},
        "evidence": digests,
    }
    # Without results of tests, that one is absent from them says nothing.
    undecided = {_Stand.WRITTEN} | ({_Stand.ABSENT} if gap else set())
    broken = [one for one in looked if one.stand not in undecided | {_Stand.HOLDS}]
    if broken:
        first = broken[0]
        more = f" and {len(broken) - 1} more controls" if len(broken) > 1 else ""
        reason = f"{first.threat.name[:100]!r}: {_WHY[first.stand]}{more}"
        return Judgement.unmet(reason, remarks=tuple(_remarks(broken, documents)), **rest)
    if waiting := [one for one in looked if one.stand in undecided]:
        why = gap or "its test is new, and in no report yet"
        return Judgement.not_available(f"{waiting[0].threat.name[:100]!r}: {why}", **rest)
    if lost:
        return Judgement.not_available(lost, **rest)
    return Judgement.met(f"{len(looked)} controls, each with a test that passed", **rest)


def _is_model(file: ChangedFile) -> bool:
    path = file.path.casefold()
    return file.status is not FileStatus.REMOVED and PurePosixPath(path).suffix in _PROSE and fits(path, MODELS)


def _results(evidence: ChangeEvidence) -> tuple[list[CaseResult], tuple[str, ...], str]:
    if isinstance(evidence.reports, Unknown):
        return [], (), f"the uploaded reports could not be had: {evidence.reports.reason}"
    told = [one for one in evidence.reports if one.report.tests]
    if not told:
        return [], (), "no results of tests were uploaded about the commit"
    return (
        [case for one in told for case in one.report.tests],
        tuple(dict.fromkeys(one.record.digest for one in told)),
        "",
    )


class _Ran(NamedTuple):
    """A test of a report or of the change, by all it can be called."""

    name: str
    """Without its suite and parameters."""
    suite: str
    """The last part of it: a class, or a module."""
    places: tuple[str, ...]
    """Its file, and its suite as a path."""
    words: str
    outcome: Outcome | None
    """None: it is in the change, and in no report yet."""

    @classmethod
    def of(cls, name: str, suite: str, path: str, outcome: Outcome | None) -> _Ran:
        own = name.rsplit("::", 1)[-1].split("[", 1)[0].strip()
        places = tuple(filter(None, (path, suite.replace(".", "/"))))
        return cls(own, suite.rsplit(".", 1)[-1], places, _plain(own), outcome)


def _stand(test: str, ran: Iterable[_Ran]) -> _Stand:
    """Where the tests that ``test`` names stand: one that failed outweighs all, one that ran and passed outweighs the rest."""
    if not test:
        return _Stand.UNNAMED
    called = _NAMES.findall(test[:_LONGEST])
    words = f" {_plain(test[:_LONGEST])} "
    outcomes = {one.outcome for one in ran if _means(called, words, one)}
    if outcomes & {Outcome.FAILED, Outcome.ERRORED}:
        return _Stand.FAILED
    if Outcome.PASSED in outcomes:
        return _Stand.HOLDS
    if Outcome.SKIPPED in outcomes:
        return _Stand.SKIPPED
    return _Stand.WRITTEN if outcomes else _Stand.ABSENT


def _means(called: Iterable[str], words: str, one: _Ran) -> bool:
    """Whether what a threat model says of a test means this one: by name, by file, or by the same words."""
    for text in called:
        file, _, inner = text.partition("::")
        if "/" not in file and "." not in file:
            if text in {one.name, one.suite}:
                return True
            continue
        if (not inner or inner.rsplit("::", 1)[-1].split("[", 1)[0] == one.name) and _lies_in(one, file):
            return True
        whole, _, last = text.rpartition(".")
        if last == one.name and whole == one.suite:
            return True
    enough = one.words.count(" ") >= _SHORTEST and words.strip().count(" ") >= _SHORTEST
    return enough and (f" {one.words} " in words or words in f" {one.words} ")


def _lies_in(one: _Ran, file: str) -> bool:
    bare = file.rsplit(".", 1)[0]
    return any(f"/{place}".endswith((f"/{file}", f"/{bare}")) for place in one.places)


def _plain(text: str) -> str:
    return " ".join(one.lower() for one in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+", text)).removeprefix("test ")


def _remarks(broken: Iterable[_Looked], documents: Iterable[ChangedFile]) -> Iterator[Remark]:
    places = {
        threat.name: (file.path, threat.line)
        for file in documents
        for threat in threat_model([file.content or ""]).threats
    }
    for one in broken:
        path, line = places.get(one.threat.name, ("", None))
        yield Remark(
            message=f"{one.threat.name[:500]}: {_WHY[one.stand]}. Control: {one.threat.control[:500]}",
            path=path,
            line=line,
            severity=Harm.CRITICAL,
            rule="untested_control",
        )


GATE = Gate(
    id=GateId.SECURITY_TESTS_COVER_CONTROLS,
    motivation="A control that nobody tried is a hope; a test shows that it holds, and that it still does after the next change.",
    reads=("files", "items", "reports"),
    effort=Effort.HOURS,
    remedy="Write a test for each control, name it beside the control in the threat model, and let the pipeline upload its result.",
    evaluate=evaluate,
)
