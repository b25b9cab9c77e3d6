"""Computes the figures that the ``threshold`` gate is asked for, from scans, commits, checks, tests and reports.

A figure that is not told by anything is a gap with its reason; one that has no meaning for the change is not asked.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple

from shared.domain.change import ChangeCommit, ChangeEvidence, CheckState, Reported, Unknown
from shared.domain.definition import EvidenceKind
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import CaseResult, Measure, Outcome
from shared.domain.pull_request import PullRequestState
from shared.domain.review import Remark
from shared.domain.threshold import Direction, Threshold, Unit
from shared.evidence.changes.declared import Language
from shared.evidence.changes.functions import Move, language_of, touched
from shared.evidence.changes.kinds import FileKind, TestLayer, kind_of, layer_of
from shared.gates._concerns import of_kind
from shared.gates._findings import Told, remarks_on


class Figure(NamedTuple):
    """A figure, or why there is none."""

    value: float | None = None
    """In the unit of its threshold."""
    gap: str = ""
    """Why it could not be had, or not in full."""
    beside: str = ""
    """Why the change is not asked for it."""
    remarks: tuple[Remark, ...] = ()
    digests: tuple[str, ...] = ()


type Compute = Callable[[ChangeEvidence, Threshold], Figure]

_SECONDS = {
    Unit.MILLISECONDS: 0.001, Unit.SECONDS: 1.0, Unit.MINUTES: 60.0, Unit.HOURS: 3600.0, Unit.DAYS: 86_400.0,
}  # fmt: skip
_OF_TIME = {"ms": 0.001, "us": 0.000001, "s": 1.0, "millisecond": 0.001, "second": 1.0}
_MOST_REMARKS = 50


def figure(kind: EvidenceKind | None, name: str, threshold: Threshold, evidence: ChangeEvidence) -> Figure:
    """The figure ``name`` that evidence of ``kind`` tells."""
    own = _OWN.get((kind, name)) if kind else None
    if own is not None:
        return own(evidence, threshold)
    return _told(kind, name, threshold, evidence)


def _told(kind: EvidenceKind | None, name: str, threshold: Threshold, evidence: ChangeEvidence) -> Figure:
    """What a scanner measured, or a report tells, under that name; the worst where several do."""
    values: list[float] = []
    digests: list[str] = []
    silent: list[str] = []
    for scan in evidence.scans:
        if name in scan.figures:
            values.append(scan.figures[name])
            if isinstance(scan.findings, Unknown):
                silent.append(f"{scan.scanner} could not answer: {scan.findings.reason}")
    if isinstance(evidence.reports, Unknown):
        silent.append(f"the uploaded reports could not be had: {evidence.reports.reason}")
    else:
        for one in evidence.reports:
            found = [value for each in one.report.measures if (value := _of_measure(each, name, threshold)) is not None]
            values += found
            digests += [one.record.digest] if found else []
    gap = "; ".join(silent)
    if not values:
        return Figure(
            gap=gap or f"no evidence of the kind {(kind or 'any').replace('_', ' ')} tells {name.replace('_', ' ')}"
        )
    return Figure(_worst(values, threshold), gap, digests=tuple(digests))


def _of_measure(one: Measure, name: str, threshold: Threshold) -> float | None:
    plain = one.metric.replace("-", "_").lower()
    if name not in {plain, f"{plain}_{one.statistic}".lower()} or not math.isfinite(one.value):
        return None
    if threshold.unit in _SECONDS and one.unit in _OF_TIME:
        return one.value * _OF_TIME[one.unit] / _SECONDS[threshold.unit]
    if threshold.unit is Unit.PERCENT and one.statistic in {"rate", "score"}:
        return one.value * 100
    return one.value


def _worst(values: Iterable[float], threshold: Threshold) -> float:
    return (min if threshold.direction is Direction.AT_LEAST else max)(values)


def _complexity(evidence: ChangeEvidence, threshold: Threshold) -> Figure:
    if isinstance(evidence.files, Unknown):
        return Figure(gap=f"the changed files are not known: {evidence.files.reason}")
    scans = [one for one in evidence.scans if one.scanner == "lizard"]
    known = [one for one in scans if not isinstance(one.findings, Unknown)]
    code = of_kind(evidence, FileKind.CODE)
    if not scans:
        return Figure(gap="nobody measured complexity") if code else Figure(beside="the change touches no code")
    told = [one.figures["cyclomatic_complexity"] for one in known if "cyclomatic_complexity" in one.figures]
    gaps = [one.findings.reason for one in scans if isinstance(one.findings, Unknown)]
    if not told and not gaps:
        gaps.append("lizard tells no figure")
    remarks = remarks_on(
        evidence,
        [Told(each, one.scanner) for one in known if not isinstance(one.findings, Unknown) for each in one.findings],
    )
    return Figure(max(told, default=None), "; ".join(gaps), remarks=remarks)


def _documented(evidence: ChangeEvidence, threshold: Threshold) -> Figure:
    """The share of public functions and classes in Python that the change adds or changes and that have a docstring."""
    if isinstance(evidence.files, Unknown):
        return Figure(gap=f"the changed files are not known: {evidence.files.reason}")
    gaps: list[str] = []
    remarks: list[Remark] = []
    documented = 0
    for file in of_kind(evidence, FileKind.CODE):
        if language_of(file.path) is not Language.PYTHON:
            continue
        found = touched(file)
        if isinstance(found, Unknown):
            gaps.append(found.reason)
            continue
        for one in found.touched:
            now = one.after
            if (
                now is None
                or one.move is Move.REMOVED
                or not now.public
                or now.name.rsplit(".", 1)[-1].startswith("__")
            ):
                continue
            if now.docstring.strip():
                documented += 1
            else:
                remarks.append(
                    Remark(
                        message=f"{now.name} has no docstring.",
                        path=file.path,
                        line=now.line,
                        severity=Harm.LOW,
                        rule="undocumented_function",
                    )
                )
    if not documented and not remarks:
        return Figure(gap="; ".join(gaps)) if gaps else Figure(beside="the change touches no public function in Python")
    share = 100 * documented / (documented + len(remarks))
    return Figure(share, "; ".join(gaps), remarks=tuple(remarks[:_MOST_REMARKS]))


def _commits_with_tests(evidence: ChangeEvidence, threshold: Threshold) -> Figure:
    """The share of commits with code that bring tests as well, or that a commit with tests came ahead of."""
    if isinstance(evidence.commits, Unknown):
        return Figure(gap=f"the commits are not known: {evidence.commits.reason}")
    told = [one for one in evidence.commits if not one.message.startswith("Merge ")]
    if lost := next((one for one in told if one.paths is None), None):
        return Figure(gap=f"what commit {lost.id[:8]} changes is not known")
    tested = with_code = 0
    ahead = False
    for one in told:
        kinds = _kinds(one)
        ahead = ahead or FileKind.TEST in kinds
        if FileKind.CODE in kinds:
            with_code += 1
            tested += ahead
    if with_code:
        return Figure(100 * tested / with_code)
    if isinstance(evidence.files, Unknown) or of_kind(evidence, FileKind.CODE, removed=True):
        return Figure(gap="the change may bring code, and none of its known commits does")
    return Figure(beside="no commit of the change holds code")


def _kinds(commit: ChangeCommit) -> set[FileKind]:
    return {kind_of(path) for path in commit.paths or ()}


def _duration(evidence: ChangeEvidence, threshold: Threshold) -> Figure:
    """From the start of the first check of the head to the end of the last."""
    if isinstance(evidence.checks, Unknown):
        return Figure(gap=f"the checks are not known: {evidence.checks.reason}")
    ran = [one for one in evidence.checks if not one.ours and one.state is not CheckState.SKIPPED]
    if pending := next((one for one in ran if one.state is CheckState.PENDING), None):
        return Figure(gap=f"{pending.name} has not finished")
    times = [(one.started_at, one.ended_at) for one in ran]
    starts = [start for start, end in times if start and end]
    ends = [end for start, end in times if start and end]
    if not starts:
        return Figure(gap="no check of the head tells when it began and ended")
    unit = _SECONDS[threshold.unit or Unit.MINUTES]
    return Figure((max(ends) - min(starts)).total_seconds() / unit)


def _hours_to_review(evidence: ChangeEvidence, threshold: Threshold) -> Figure:
    """How long what went out unreviewed stayed so; before it went out there is nothing to wait for."""
    if isinstance(evidence.reviews, Unknown):
        return Figure(gap=f"the reviews are not known: {evidence.reviews.reason}")
    if evidence.change.state is PullRequestState.OPEN:
        return Figure(beside="the change has not gone out before its review")
    return Figure(gap="no forge tells when a change that went out was reviewed afterwards")


def _results(evidence: ChangeEvidence) -> tuple[list[tuple[TestLayer, CaseResult]], tuple[str, ...], str]:
    """Tests that ran, with their layers, the digests of their reports, and why there are none."""
    if isinstance(evidence.reports, Unknown):
        return [], (), f"the uploaded reports could not be had: {evidence.reports.reason}"
    told = [one for one in evidence.reports if one.report.tests]
    found = {
        (one.record.flag, case.suite, case.name, case.path): (_layer(one, case), case)
        for one in told
        for case in one.report.tests
        if case.outcome is not Outcome.SKIPPED
    }
    gap = "" if found else "no results of tests were uploaded about the commit"
    return list(found.values()), tuple(one.record.digest for one in told), gap


_FLAGS = {layer.value: layer for layer in TestLayer} | {"e2e": TestLayer.END_TO_END, "bdd": TestLayer.FUNCTIONAL}


def _layer(reported: Reported, case: CaseResult) -> TestLayer:
    """By the flag of its report, else the folders of its file, else those its suite is named after."""
    flag = reported.record.flag.strip().lower().replace("-", "_")
    if flag in _FLAGS:
        return _FLAGS[flag]
    return layer_of(case.path or "/".join(PurePosixPath(case.suite.replace(".", "/")).parts) or "unknown")


def _share(*layers: TestLayer) -> Compute:
    def compute(evidence: ChangeEvidence, threshold: Threshold) -> Figure:
        cases, digests, gap = _results(evidence)
        if gap:
            return Figure(gap=gap)
        return Figure(100 * sum(layer in layers for layer, _ in cases) / len(cases), digests=digests)

    return compute


def _took(layer: TestLayer) -> Compute:
    def compute(evidence: ChangeEvidence, threshold: Threshold) -> Figure:
        cases, digests, gap = _results(evidence)
        if gap:
            return Figure(gap=gap)
        mine = [case.seconds for each, case in cases if each is layer]
        if not mine:
            return Figure(beside=f"no {layer.replace('_', ' ')} test ran")
        return Figure(sum(mine) / _SECONDS[threshold.unit or Unit.SECONDS], digests=digests)

    return compute


_OWN: Mapping[tuple[EvidenceKind, str], Compute] = {
    (EvidenceKind.SCAN_RESULTS, "cyclomatic_complexity"): _complexity,
    (EvidenceKind.SCAN_RESULTS, "documented_functions"): _documented,
    (EvidenceKind.COMMIT_HISTORY, "commits_with_tests"): _commits_with_tests,
    (EvidenceKind.PIPELINE_RUN, "duration"): _duration,
    (EvidenceKind.CHANGE, "hours_to_review"): _hours_to_review,
    (EvidenceKind.TEST_RESULTS, "unit_share"): _share(TestLayer.UNIT),
    (EvidenceKind.TEST_RESULTS, "unit_and_smoke_share"): _share(TestLayer.UNIT, TestLayer.SMOKE),
    (EvidenceKind.TEST_RESULTS, "integration_share"): _share(TestLayer.INTEGRATION),
    (EvidenceKind.TEST_RESULTS, "end_to_end_share"): _share(TestLayer.END_TO_END),
    (EvidenceKind.TEST_RESULTS, "unit_duration"): _took(TestLayer.UNIT),
    (EvidenceKind.TEST_RESULTS, "smoke_duration"): _took(TestLayer.SMOKE),
    (EvidenceKind.TEST_RESULTS, "integration_duration"): _took(TestLayer.INTEGRATION),
    (EvidenceKind.TEST_RESULTS, "end_to_end_duration"): _took(TestLayer.END_TO_END),
}
"""Figures with a computation of their own; any other is looked up by its name."""
