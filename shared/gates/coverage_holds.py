"""Tests cover enough: of all code, by layer, of critical modules, of the lines a change adds, and no less than before.

Reports are told apart by the flag they were uploaded with: ``unit``, ``integration``, ``critical``; those without one, or
flagged ``overall``, are about all tests. Where no report is about all, those there are are put together.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from shared.domain.change import ChangedFile, ChangeEvidence, Reported, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import Coverage
from shared.domain.globs import fits
from shared.domain.review import Effort, Judgement, Remark
from shared.domain.threshold import Threshold, Unit
from shared.evidence.changes.coverage import NewLines, Share, new_lines, share_of, together
from shared.evidence.changes.kinds import FileKind
from shared.evidence.changes.lines import added, gained
from shared.evidence.covered import ranges
from shared.gates import Asked, Gate
from shared.gates._concerns import aside, named, of_kind
from shared.gates._figures import asked_or, at_least, at_most, judged, keeps

_USUAL = {
    "overall": at_least(85),
    "new_code": at_least(90),
    "decrease": at_most(0, Unit.POINTS),
}
_OVERALL = frozenset({"", "overall", "all", "total"})
_FLAGS = {
    "unit": frozenset({"unit", "units", "unittest", "unittests", "unit-tests", "unit_tests"}),
    "integration": frozenset({"integration", "integration-tests", "integration_tests"}),
    "critical": frozenset({"critical"}),
}
CRITICAL = (
    "**/auth/**", "**/auth*.*", "**/authentication/**", "**/authorization/**", "**/permissions/**", "**/permission*.*",
    "**/security/**", "**/crypto/**", "**/payment*/**", "**/payment*.*", "**/billing/**",
)  # fmt: skip
"""Modules that are critical by their path where no report is flagged ``critical``."""

_MEASURED = frozenset([".py", ".js", ".jsx", ".mjs", ".cjs", ".ts", ".tsx", ".java", ".kt", ".cs", ".go", ".rs", ".rb", ".php", ".swift", ".scala", ".vue", ".svelte"])  # fmt: skip
"""Languages whose tools measure coverage line by line."""


@dataclass
class _Seen:
    """What was measured so far, or why it could not be."""

    reports: tuple[Reported, ...]
    """With coverage."""
    figures: dict[str, float] = field(default_factory=dict)
    gaps: dict[str, str] = field(default_factory=dict)
    remarks: list[Remark] = field(default_factory=list)
    digests: list[str] = field(default_factory=list)

    def about_all(self, name: str) -> tuple[Reported, ...]:
        """Reports about all tests; where there is none, all there are."""
        chosen = _about_all(self.reports)
        if not chosen:
            self.gaps[name] = "no coverage report was uploaded about the commit"
        return self.used(chosen)

    def used(self, chosen: tuple[Reported, ...]) -> tuple[Reported, ...]:
        """``chosen``, whose digests the judgement rests on."""
        self.digests += [one.record.digest for one in chosen]
        return chosen

    def put(self, name: str, share: Share) -> None:
        """A share; of nothing there is none."""
        if share.percent is None:
            self.gaps[name] = f"the coverage reports tell of no line ({name})"
        else:
            self.figures[name] = share.percent


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether each share that is asked for is reached.

    ``unit``, ``integration`` and ``critical`` are read from the reports uploaded with that flag, ``overall`` from those without
    one or flagged ``overall``; where there is none, all reports are put together, file by file and line by line. Without
    a report flagged ``critical``, modules are critical that lie in folders or files named after auth, permissions, security,
    crypto, payment or billing. ``new_code`` is the share of the added lines that can be run; a file that no report tells
    of line by line leaves it open. ``decrease`` compares ``overall`` with the newest target branch that has a report.
    """
    if (answer := aside(evidence, "coverage", FileKind.DOCUMENTATION)) is not None:
        return answer
    thresholds = asked_or(asked, _USUAL)
    if isinstance(evidence.reports, Unknown):
        return Judgement.unseen("the uploaded reports", evidence.reports)
    change = evidence.change
    seen = _Seen(_with_coverage(evidence.reports, change.head, change.merge_commit))
    for name, threshold in thresholds.items():
        answer = None
        if name == "new_code":
            answer = _new_code(evidence, seen, threshold)
        elif name == "decrease":
            _decrease(evidence, seen)
        elif name == "overall":
            if chosen := seen.about_all(name):
                seen.put(name, share_of(_coverages(chosen)))
        else:
            answer = _flagged(name, seen)
        if answer is not None and len(thresholds) == 1:
            return answer
    held = {name: one for name, one in thresholds.items() if name in seen.figures or name in seen.gaps}
    if not held:
        return Judgement.not_applicable("coverage: none of the shares that are asked for has anything to cover")
    count = len(set(seen.digests))
    return judged(
        held,
        seen.figures,
        seen.gaps,
        of=f"by {count} report{'s'[: count != 1]}",
        remarks=seen.remarks,
        evidence=seen.digests,
    )


def _flagged(name: str, seen: _Seen) -> Judgement | None:
    """The share of the reports that carry the flag; of critical modules also without one, by their paths."""
    flags = _FLAGS.get(name, frozenset({name}))
    chosen = seen.used(tuple(one for one in seen.reports if _flag(one) in flags))
    if chosen:
        seen.put(name, share_of(_coverages(chosen)))
    elif name == "critical":
        return _critical(seen)
    else:
        seen.gaps[name] = f"no coverage report about the commit is flagged {name!r}"
    return None


def _critical(seen: _Seen) -> Judgement | None:
    chosen = seen.about_all("critical")
    if chosen and not any(one.files for one in _coverages(chosen)):
        seen.gaps["critical"] = "the coverage reports do not tell of files"
    elif chosen:
        files = [one for path, one in together(_coverages(chosen)).items() if _is_critical(path)]
        if not files:
            return Judgement.not_applicable(
                "coverage of critical modules: none is critical by its path, and no report is flagged critical"
            )
        seen.put("critical", Share(sum(one.lines_covered for one in files), sum(one.lines_valid for one in files)))
    return None


def _is_critical(path: str) -> bool:
    return fits(path, CRITICAL)


def _decrease(evidence: ChangeEvidence, seen: _Seen) -> None:
    base, change = evidence.base_reports, evidence.change
    if isinstance(base, Unknown):
        seen.gaps["decrease"] = f"the reports about the target branch could not be had: {base.reason}"
        return
    now, then = seen.about_all("decrease"), seen.used(_about_all(_with_coverage(base, change.base, change.merge_base)))
    if now and not then:
        seen.gaps["decrease"] = "no coverage report was uploaded about the target branch"
    elif now:
        after, before = share_of(_coverages(now)).percent, share_of(_coverages(then)).percent
        if after is None or before is None:
            seen.gaps["decrease"] = "the coverage reports tell of no line"
        else:
            seen.figures["decrease"] = max(0.0, before - after)


def _new_code(evidence: ChangeEvidence, seen: _Seen, threshold: Threshold) -> Judgement | None:
    """The share of the added lines that can be run; a file that no report tells of can only be the better half of it."""
    files = _measured_files(evidence)
    if not files:
        return Judgement.not_applicable("coverage of new code: the change adds no line that tests could run")
    chosen = seen.about_all("new_code")
    if not chosen:
        return None
    covered = together(_coverages(chosen))
    looked = {file.path: new_lines(file, covered[file.path]) for file in files if file.path in covered}
    known = [one for one in looked.values() if one is not None]
    unseen = [file for file in files if looked.get(file.path) is None]
    hit, missed = sum(len(one.hit) for one in known), sum(len(one.missed) for one in known)
    seen.remarks += [remark for one in known for remark in _missed(one)]
    at_best = hit + sum(len(gained(file) or ()) or file.additions for file in unseen)
    if not unseen:
        # Comments and blank lines: nothing that a test could run, and nothing left out.
        seen.figures["new_code"] = 100 * hit / (hit + missed) if hit + missed else 100.0
    elif missed and not keeps(threshold, 100 * at_best / (at_best + missed)):
        seen.figures["new_code"] = 100 * hit / (hit + missed)
    else:
        seen.gaps["new_code"] = f"no coverage report tells the lines of {named(unseen)}"
    return None


def _measured_files(evidence: ChangeEvidence) -> list[ChangedFile]:
    """Code that gains lines and that coverage tools read; type declarations hold nothing that runs."""
    return [
        file
        for file in of_kind(evidence, FileKind.CODE)
        if PurePosixPath(file.path).suffix.lower() in _MEASURED
        and not file.path.endswith(".d.ts")
        and (file.patch is None or any(line.text.strip() for line in added(file)))
    ]


def _missed(lines: NewLines) -> Iterator[Remark]:
    """One remark for each run of lines that no test ran."""
    for part in filter(None, ranges(lines.missed).split(",")):
        start, _, last = part.partition("-")
        where = f"lines {start} to {last} are" if last else f"line {start} is"
        yield Remark(
            message=f"No test runs what is new here: {where} not covered.",
            path=lines.path,
            line=int(start),
            end_line=int(last or start),
            severity=Harm.MEDIUM,
            rule="uncovered_lines",
        )


def _with_coverage(reports: tuple[Reported, ...], *commits: str) -> tuple[Reported, ...]:
    """Reports with coverage; of one flag those about the first of ``commits`` that has any.

    Lines of two commits have other numbers, so reports about them cannot be put together.
    """
    every = tuple(one for one in reports if one.report.coverage is not None)
    chosen: dict[str, str] = {}
    for commit in (*commits, *(one.record.commit for one in every)):
        for one in every:
            if one.record.commit == commit:
                chosen.setdefault(_flag(one), commit)
    return tuple(one for one in every if one.record.commit == chosen[_flag(one)])


def _about_all(reports: tuple[Reported, ...]) -> tuple[Reported, ...]:
    """Reports about all tests; where there is none, all there are."""
    return tuple(one for one in reports if _flag(one) in _OVERALL) or reports


def _flag(one: Reported) -> str:
    flag = one.record.flag or (one.report.coverage.flag if one.report.coverage else "")
    return flag.strip().lower()


def _coverages(reports: Iterable[Reported]) -> list[Coverage]:
    return [one.report.coverage for one in reports if one.report.coverage is not None]


GATE = Gate(
    id=GateId.COVERAGE_HOLDS,
    motivation="A line that no test runs can break without anybody hearing of it.",
    reads=("files", "reports", "base_reports"),
    effort=Effort.HOURS,
    remedy="Test the lines that are named, and let the pipeline upload Cobertura or LCOV with the flag of its layer.",
    evaluate=evaluate,
    takes=("overall", "unit", "integration", "critical", "new_code", "decrease"),
)
