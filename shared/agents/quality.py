"""Proposes the positive, negative and edge cases that changed functions lack, as tests that run, and names flaky tests.

Reads changed files, tests among them, and reports of the head and earlier heads. Returns cases (``test``) with a pytest file
as patch where one can be written by reading, and flaky tests (``concern``). It runs nothing.
"""

from __future__ import annotations

import hashlib
import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

from shared.agents import Agent
from shared.agents._calling import Source
from shared.agents._cases import Proposal, ProposedCase, propose
from shared.agents._flakiness import flaky
from shared.agents._pytest_files import pytest_file, test_path
from shared.domain.change import ChangedFile, ChangeEvidence, FileStatus, Unknown
from shared.domain.definition import Severity
from shared.domain.review import AgentName, Opinion, OpinionKind
from shared.domain.test_case import CaseNature, CaseStep, PlannedCase
from shared.evidence.changes.declared import Declaration, Language
from shared.evidence.changes.functions import Move, Touched, touched
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.changes.pytest_cases import Found
from shared.evidence.changes.tests import cases_of
from shared.evidence.changes.versions import after

__all__ = ["AGENT", "analyse", "planned_cases", "proposals"]

MOST_FUNCTIONS = 12
_MOST_FLAKY = 10
_ALL = frozenset(CaseNature)
_WORD = re.compile(r"\w+")


def analyse(evidence: ChangeEvidence) -> tuple[Opinion, ...]:
    """The opinions of the quality agent."""
    return (
        *_flaky(evidence),
        *(_opinion(path, one) for path, one in itertools.islice(_proposed(evidence), MOST_FUNCTIONS)),
    )


def proposals(evidence: ChangeEvidence) -> tuple[tuple[str, Proposal], ...]:
    """Path and proposal for each function that the change adds or changes and whose tests in the change lack a nature.

    Those with the most branches come first: there is the most to get wrong.
    """
    return tuple(_proposed(evidence))


def _proposed(evidence: ChangeEvidence) -> Iterator[tuple[str, Proposal]]:
    """The same one by one, since working out cases takes longest."""
    shown = _natures(_tests(evidence.known_files))
    wanted: list[tuple[str, Source, Declaration, frozenset[CaseNature]]] = []
    for file in evidence.known_files:
        if kind_of(file.path) is not FileKind.CODE or file.status is FileStatus.REMOVED:
            continue
        what = touched(file)
        text = after(file)
        if isinstance(what, Unknown) or isinstance(text, Unknown) or what.language is not Language.PYTHON:
            continue
        source = Source.read(text)
        for one in what.touched if source else ():
            missing = _ALL - shown.get(one.name.rpartition(".")[2], frozenset())
            if source and missing and _worth_testing(one):
                wanted.append((file.path, source, one.declaration, missing))
    wanted.sort(key=lambda one: (-len(one[2].branches), one[0], one[2].line))
    for path, source, declaration, missing in wanted:
        proposal = propose(source, declaration, missing)
        if proposal.cases or proposal.words:
            yield path, proposal


def planned_cases(evidence: ChangeEvidence, requirement: int | None = None) -> tuple[PlannedCase, ...]:
    """The proposed cases as people plan and run them, for a test plan. Their keys stay when lines move."""
    return tuple(
        _planned(path, proposal, case, requirement) for path, proposal in proposals(evidence) for case in proposal.cases
    )


def _worth_testing(one: Touched) -> bool:
    declaration = one.declaration
    last = declaration.name.rpartition(".")[2]
    return (
        one.move is not Move.REMOVED
        and declaration.callable
        and declaration.public
        and not (last.startswith("__") and last.endswith("__"))
        and not any(name.endswith(("overload", "property", "setter", "fixture")) for name in declaration.decorators)
    )


def _tests(files: Iterable[ChangedFile]) -> Iterator[Found]:
    for file in files:
        if kind_of(file.path) is FileKind.TEST and file.status is not FileStatus.REMOVED:
            text = after(file)
            cases = () if isinstance(text, Unknown) else cases_of(file.path, text)
            yield from () if isinstance(cases, Unknown) else cases


def _natures(tests: Iterable[Found]) -> dict[str, frozenset[CaseNature]]:
    """What the tests in the change show of each name that they say."""
    found: dict[str, set[CaseNature]] = defaultdict(set)
    for one in tests:
        if one.asserts and not one.skipped:
            for name in set(_WORD.findall(one.text)):
                found[name].add(CaseNature(one.kind.value))
    return {name: frozenset(natures) for name, natures in found.items()}


def _opinion(path: str, proposal: Proposal) -> Opinion:
    declaration = proposal.declaration
    text = pytest_file(path, proposal)
    cases = [f"- {one.nature}: {one.says}" + (f" raises {one.error}" if one.error else "") for one in proposal.cases]
    words = [f"- {nature}: {says}" for nature, says in proposal.words]
    lines = [
        f"Of `{declaration.name}{declaration.signature}` the tests in this change do not show:",
        "",
        *cases,
        *words,
    ]
    if not text and proposal.blocked:
        lines += ["", f"No test is written for you, since {proposal.blocked}."]
    natures = sorted(
        {one.nature for one in proposal.cases} | {nature for nature, _ in proposal.words}, key=list(CaseNature).index
    )
    return Opinion(
        agent=AgentName.QUALITY,
        kind=OpinionKind.TEST,
        title=f"{declaration.name} lacks {' and '.join(natures)} cases"[:200],
        message="\n".join(lines)[:4_000],
        path=path,
        line=declaration.line,
        severity=Severity.MEDIUM if declaration.branches or declaration.raises else Severity.LOW,
        confidence=_sureness(declaration) if text else 0.5,
        patch={test_path(path, proposal): text} if text else {},
    )


def _sureness(declaration: Declaration) -> float:
    # Without annotations, what a parameter may be is a guess from its default and its comparisons.
    return 0.8 if all(one.annotation for one in declaration.parameters) else 0.6


def _planned(path: str, proposal: Proposal, case: ProposedCase, requirement: int | None) -> PlannedCase:
    name = proposal.declaration.name
    given = ", ".join(f"{key} = {one.code}" for key, one in case.arguments.items()) or "nothing"
    expected = (
        f"It is refused with {case.error.removeprefix('module.')}"
        if case.error
        else "It answers, and what it answers is right"
    )
    if case.nature is CaseNature.EDGE:
        expected = "It answers rightly, or refuses and says what is wrong"
    return PlannedCase(
        key=hashlib.sha256(f"{path}\n{name}\n{case.nature}\n{case.says}".encode()).hexdigest()[:16],
        title=f"{name}: {case.says}"[:200],
        nature=case.nature,
        steps=(CaseStep(action=f"Call {name} with {given}"[:2_000], expected=expected),),
        requirement=requirement,
        automated_by=test_path(path, proposal) if pytest_file(path, proposal) else "",
    )


def _flaky(evidence: ChangeEvidence) -> Iterator[Opinion]:
    latest = () if isinstance(evidence.reports, Unknown) else evidence.reports
    earlier = () if isinstance(evidence.earlier_reports, Unknown) else evidence.earlier_reports
    for one in flaky(latest, earlier)[:_MOST_FLAKY]:
        yield Opinion(
            agent=AgentName.QUALITY,
            kind=OpinionKind.CONCERN,
            title=f"{one.name} is flaky"[:200],
            message=f"`{one.suite}::{one.name}`{f' of `{one.path}`' if one.path else ''}: {one.why}. Find what it shares with other tests or waits for, or set it apart "
            "with a ticket until somebody has."[:4_000],
            severity=Severity.MEDIUM,
            confidence=one.confidence,
        )


AGENT = Agent(
    name=AgentName.QUALITY,
    examines="Whether the tests in the change show what works, what is refused and what happens at the limits of each "
    "function it adds or changes, and which tests are flaky.",
    reads=("change", "files", "reports", "earlier_reports"),
    returns=(OpinionKind.TEST, OpinionKind.CONCERN),
    analyse=analyse,
    asks="Name behaviour of the changed code that no test in the change would notice if it broke: wrong results, refusals, "
    "limits, order of effects. Give for each the data of a case and what must come of it.",
)
