"""No test passes and fails on the same code; one that was found to is mended, not skipped.

A test is flaky when its report says so, when it passed only after it was tried again, or when reports about one commit, under
one flag, tell different ends of it. Reports under different flags are runs of different things: another system, another layer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from shared.domain.change import ChangeEvidence, Reported, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import CaseResult, Outcome
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.changes.kinds import FileKind
from shared.gates import Asked, Gate
from shared.gates._concerns import aside
from shared.gates._figures import asked_or, at_most, judged

_USUAL = {"flaky": at_most(0)}
_FAILED = frozenset({Outcome.FAILED, Outcome.ERRORED})

type _Name = tuple[str, str, str]
"""Suite, name, path."""


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether at most ``flaky`` tests were seen to pass and fail on the head, or were skipped after they had on an earlier one.

    A test is flaky when its report says so, when it passed only after it was tried again, or when two reports about one commit
    under the same flag tell that it passed and that it failed. One that was flaky on an earlier head and passes now is told,
    and does not count.
    """
    if (answer := aside(evidence, "flaky tests", FileKind.DOCUMENTATION)) is not None:
        return answer
    if isinstance(evidence.reports, Unknown):
        return Judgement.unseen("the uploaded reports", evidence.reports)
    told = [one for one in evidence.reports if one.report.tests]
    gap = "" if told else "no results of tests were uploaded about the commit"
    flaky = _flaky(told)
    remarks = [_remark(name, why, Harm.MEDIUM) for name, why in flaky.items()]
    counted = len(flaky)
    digests = [one.record.digest for one in told]
    if isinstance(evidence.earlier_reports, Unknown):
        if evidence.earlier_reports.supported:
            gap = gap or f"reports about earlier heads could not be had: {evidence.earlier_reports.reason}"
    else:
        before = _flaky(one for one in evidence.earlier_reports if one.report.tests)
        skipped = _skipped(told)
        for name in before:
            if name in skipped and name not in flaky:
                counted += 1
                remarks.append(_remark(name, "was flaky on an earlier head and is skipped now", Harm.MEDIUM))
            elif name not in flaky:
                remarks.append(
                    _remark(name, "was flaky on an earlier head; that it passed once does not show it mended", Harm.LOW)
                )
    return judged(
        asked_or(asked, _USUAL),
        {"flaky": counted},
        {"flaky": gap} if gap else {},
        of=f"by {len(told)} reports of tests",
        remarks=remarks,
        evidence=digests,
    )


def _flaky(reports: Iterable[Reported]) -> dict[_Name, str]:
    """Flaky tests and how they were seen to be."""
    found: dict[_Name, str] = {}
    ends: dict[tuple[str, str, _Name], set[bool]] = defaultdict(set)
    for one in reports:
        for case in one.report.tests:
            name = _name(case)
            if case.flaky:
                found[name] = "failed and passed in one run"
            elif case.retries and case.outcome is Outcome.PASSED:
                found.setdefault(
                    name, f"passed only after {case.retries} more {'try' if case.retries == 1 else 'tries'}"
                )
            if case.outcome is not Outcome.SKIPPED:
                ends[(one.record.commit, one.record.flag, name)].add(case.outcome in _FAILED)
    for (commit, _, name), each in ends.items():
        if len(each) > 1:
            found.setdefault(name, f"passed and failed on {commit[:8]}")
    return found


def _skipped(reports: Iterable[Reported]) -> set[_Name]:
    every = [case for one in reports for case in one.report.tests]
    ran = {_name(case) for case in every if case.outcome is not Outcome.SKIPPED}
    return {_name(case) for case in every if case.outcome is Outcome.SKIPPED} - ran


def _name(case: CaseResult) -> _Name:
    return case.suite, case.name, case.path or ""


def _remark(name: _Name, why: str, harm: Harm) -> Remark:
    suite, test, path = name
    whole = f"{suite}: {test}" if suite else test
    return Remark(message=f"{whole} {why}."[:2_000], path=path, severity=harm, rule="flaky_test")


GATE = Gate(
    id=GateId.NO_FLAKY_TESTS,
    motivation="A test that fails now and then teaches everybody to run it again, also on the day it is right.",
    reads=("files", "reports", "earlier_reports"),
    effort=Effort.HOURS,
    remedy="Find what the test waits for or shares (time, order, a port, the network) and take that away; do not skip it.",
    evaluate=evaluate,
    takes=("flaky",),
)
