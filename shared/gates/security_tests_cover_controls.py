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
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.cases import Case
from shared.evidence.changes.tests import all_touched
from shared.evidence.prose.threats import Threat, threat_model
from shared.evidence.prose.tickets import texts
from shared.gates import Asked, Gate
from shared.gates.threat_model_is_complete import MODELS

_PROSE = frozenset({".md", ".markdown", ".txt", ".rst", ".adoc", ""})
_NAMES = re.compile(
    r"[\w./-]+\.(?:py|feature|[jt]sx?|java|cs|go)(?:::[\w:.\[\] -]+)?|\b[Tt]est_\w+|\b[A-Z]\w+Tests?\b(?:[.#:]+\w+)?"
)
_RAN = frozenset({Outcome.PASSED, Outcome.FAILED, Outcome.ERRORED})
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
    cases, _ = all_touched(evidence.known_files)
    looked = [_Looked(one, _stand(one.test if one.tested else "", results, cases)) for one in controlled]
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
    path = PurePosixPath(file.path.casefold())
    return (
        file.status is not FileStatus.REMOVED and path.suffix in _PROSE and any(path.full_match(one) for one in MODELS)
    )


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


def _stand(test: str, results: Iterable[CaseResult], cases: Iterable[Case]) -> _Stand:
    """Where the tests that ``test`` names stand: one that failed outweighs all, one that ran and passed outweighs the rest."""
    if not test:
        return _Stand.UNNAMED
    outcomes = {one.outcome for one in results if _names(test, one.name, one.suite, one.path or "")}
    if outcomes & {Outcome.FAILED, Outcome.ERRORED}:
        return _Stand.FAILED
    if outcomes & _RAN:
        return _Stand.HOLDS
    if outcomes:
        return _Stand.SKIPPED
    if any(one.shows and _names(test, one.name, "", one.path) for one in cases):
        return _Stand.WRITTEN
    return _Stand.ABSENT


def _names(test: str, name: str, suite: str, path: str) -> bool:
    """Whether what a threat model says of a test means this one: by name, by file, or by the same words."""
    own = re.split(r"\[", name.rsplit("::", 1)[-1], maxsplit=1)[0].strip()
    for found in _NAMES.findall(test):
        file, _, inner = found.partition("::")
        if "/" in file or "." in file.strip("."):
            here = path.endswith(file) or suite.replace(".", "/").endswith(file.rsplit(".", 1)[0])
            if here and (not inner or inner.rsplit("::", 1)[-1].split("[")[0] == own):
                return True
            whole, _, last = found.partition(".")
            if last == own and suite.rsplit(".", 1)[-1] == whole:
                return True
        elif found in {own, suite.rsplit(".", 1)[-1]}:
            return True
    mine, said = _plain(own), _plain(test)
    return mine.count(" ") >= _SHORTEST and (mine in said or said in mine) and said.count(" ") >= _SHORTEST


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
