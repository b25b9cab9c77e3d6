"""People with disabilities can use the interface, as far as a machine can tell: it breaks few enough rules of WCAG."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shared.domain.change import ChangeEvidence, Reported, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import AccessibilityFault, EvidenceFormat, Outcome
from shared.domain.review import Effort, Judgement, Remark
from shared.gates import Asked, Gate
from shared.gates._concerns import USER_INTERFACE, matching, named
from shared.gates._figures import asked_or, at_most, judged

_USUAL = {"critical": at_most(0), "serious": at_most(0)}
_IMPACTS = ("critical", "serious", "moderate", "minor")
_UNTOLD = "serious"
"""What a fault counts as whose tool does not say how bad it is: Lighthouse tells no impact."""
_HARM = {"critical": Harm.CRITICAL, "serious": Harm.HIGH, "moderate": Harm.MEDIUM, "minor": Harm.LOW}
_NAMED = re.compile(r"accessib|\ba11y\b|\baxe\b|\bwcag\b|screen reader", re.IGNORECASE)
_FAILED = frozenset({Outcome.FAILED, Outcome.ERRORED})


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether rules that pages break stay within the bounds of their impact; each rule counts once a page.

    Reports of axe-core and Lighthouse are read, and Playwright's tests that are named after accessibility.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    if isinstance(evidence.reports, Unknown):
        return Judgement.unseen("the uploaded reports", evidence.reports)
    looked = [one for one in evidence.reports if _looks(one)]
    if not looked:
        pages = matching(evidence, USER_INTERFACE)
        if not pages:
            return Judgement.not_applicable("accessibility: the change touches nothing that people see")
        return Judgement.not_available(
            f"the change touches {named(pages)}, and no results of axe-core or Lighthouse were uploaded about the commit"
        )
    faults = {(one.rule, one.page): one for each in looked for one in _faults(each)}
    thresholds = asked_or(asked, _USUAL)
    counts = {name: sum(_impact(one) == name for one in faults.values()) for name in _IMPACTS}
    return judged(
        thresholds,
        {name: counts[name] for name in thresholds if name in counts},
        {},
        of=f"by {len(looked)} reports",
        remarks=[_remark(one) for one in sorted(faults.values(), key=lambda one: _IMPACTS.index(_impact(one)))],
        evidence=[one.record.digest for one in looked],
    )


def _looks(one: Reported) -> bool:
    """Whether a report is about accessibility: Lighthouse can be run without that part."""
    report = one.report
    if report.format is EvidenceFormat.LIGHTHOUSE:
        return bool(report.accessibility) or any(
            each.metric == "accessibility" and each.statistic == "score" for each in report.measures
        )
    if report.format is EvidenceFormat.PLAYWRIGHT:
        return any(
            _NAMED.search(f"{case.suite} {case.name}") and case.outcome is not Outcome.SKIPPED for case in report.tests
        )
    return report.format is EvidenceFormat.AXE


def _faults(one: Reported) -> Iterator[AccessibilityFault]:
    yield from one.report.accessibility
    if one.report.format is EvidenceFormat.PLAYWRIGHT:
        for case in one.report.tests:
            if case.outcome in _FAILED and _NAMED.search(f"{case.suite} {case.name}"):
                yield AccessibilityFault(rule=case.name, message=case.message, page=case.suite)


def _impact(fault: AccessibilityFault) -> str:
    return fault.impact if fault.impact in _IMPACTS else _UNTOLD


def _remark(fault: AccessibilityFault) -> Remark:
    where = f" on {fault.page[:200]}" if fault.page else ""
    return Remark(
        message=f"{(fault.message or fault.rule)[:1_500]} ({_impact(fault)}{where}, {fault.nodes} elements).",
        severity=_HARM[_impact(fault)],
        rule=fault.rule,
        help_url=fault.help_url,
    )


GATE = Gate(
    id=GateId.ACCESSIBILITY_HOLDS,
    motivation="One person in six lives with a disability; what they cannot use is not done.",
    reads=("files", "reports"),
    effort=Effort.HOURS,
    remedy="Mend the elements that the rules name, and let the pipeline upload the results of axe-core again.",
    evaluate=evaluate,
    takes=_IMPACTS,
)
