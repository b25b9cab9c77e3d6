"""Orders findings by how near the change comes to them, drafts threats for new data flows, and reports what speaks to a model.

Reads changed files with the findings of scanners, alerts and uploaded reports, and every text people wrote. Returns an order
of the findings that the change reaches and injected instructions (``concern``), and STRIDE threats with controls and tests
(``threat``).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from shared.agents import Agent
from shared.agents._reach import Reach, Reachability, Reached
from shared.agents._threats import SEVERITIES, THREATS, Flow, FlowKind, flows
from shared.agents.injection import injections
from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import Severity
from shared.domain.evidence import Finding
from shared.domain.evidence import Severity as FindingSeverity
from shared.domain.review import AgentName, Opinion, OpinionKind
from shared.evidence.changes.kinds import FileKind, kind_of

MOST_FINDINGS = 15
MOST_THREATS = 10
_CONFIDENCE = {Reach.ADDED: 0.95, Reach.TOUCHED: 0.85, Reach.CALLED: 0.7}
_SEVERITY = {
    FindingSeverity.CRITICAL: Severity.CRITICAL, FindingSeverity.HIGH: Severity.HIGH, FindingSeverity.MEDIUM: Severity.MEDIUM,
    FindingSeverity.LOW: Severity.LOW, FindingSeverity.INFO: Severity.LOW,
}  # fmt: skip
_ORDER = list(Severity)
_QUIET = frozenset({FileKind.TEST, FileKind.DOCUMENTATION})


def analyse(evidence: ChangeEvidence) -> tuple[Opinion, ...]:
    """The opinions of the security agent."""
    return (*_injected(evidence), *_reached(evidence), *_threatened(evidence))


def ranked(evidence: ChangeEvidence) -> tuple[tuple[Reached, Finding], ...]:
    """Every finding once, those nearest to the change first, then by severity."""
    findings = {(one.rule, one.path, one.line, one.message): one for one in _findings(evidence)}
    if not findings:
        return ()
    reach = Reachability(evidence.known_files)
    severities = list(FindingSeverity)
    found = [(reach.of(one), one) for one in findings.values()]
    return tuple(
        sorted(
            found,
            key=lambda pair: (
                pair[0].reach,
                not pair[0].routes,
                severities.index(pair[1].severity),
                pair[1].path or "",
                pair[1].line or 0,
                pair[1].rule,
            ),
        )
    )


def _findings(evidence: ChangeEvidence) -> Iterator[Finding]:
    for scan in evidence.scans:
        # Figures of complexity and names of licences say nothing of attacks.
        if scan.scanner not in {"lizard", "licences"} and not isinstance(scan.findings, Unknown):
            yield from (one for one in scan.findings if not one.suppressed)
    if not isinstance(evidence.alerts, Unknown):
        yield from (one for one in evidence.alerts if not one.suppressed)
    if not isinstance(evidence.reports, Unknown):
        for reported in evidence.reports:
            yield from (one for one in reported.report.findings if not one.suppressed)


def _reached(evidence: ChangeEvidence) -> Iterator[Opinion]:
    """One order of all that is near, and a word beside each finding that only a call leads to.

    Findings in the change's own lines have a remark of the gate that judges them; a second one would say it twice.
    """
    every = ranked(evidence)
    near = [pair for pair in every if pair[0].reach <= Reach.CALLED]
    if not near:
        return
    rows = [
        f"{place}. `{finding.rule}` at `{finding.path}:{finding.line}`: {_how(reached)}. {_way(reached)}".rstrip()
        for place, (reached, finding) in enumerate(near[:MOST_FINDINGS], 1)
    ]
    if len(near) > MOST_FINDINGS:
        rows.append(f"{len(near) - MOST_FINDINGS} more are as near as the last.")
    if far := len(every) - len(near):
        rows.append(f"{far} further {'finding is' if far == 1 else 'findings are'} not reached, as far as names tell.")
    yield Opinion(
        agent=AgentName.SECURITY,
        kind=OpinionKind.CONCERN,
        title=f"{len(near)} {'finding' if len(near) == 1 else 'findings'} that this change reaches, the nearest first",
        message="\n".join(rows)[:4_000],
        severity=min((_weight(*pair) for pair in near), key=_ORDER.index),
        confidence=_CONFIDENCE[near[0][0].reach],
    )
    for reached, finding in near[:MOST_FINDINGS]:
        if reached.reach is Reach.CALLED:
            yield Opinion(
                agent=AgentName.SECURITY,
                kind=OpinionKind.CONCERN,
                title=f"{finding.rule} is {_how(reached)}"[:200],
                message=f"{finding.message or finding.rule}\n\n{_way(reached)}"[:4_000],
                path=finding.path or "",
                line=finding.line,
                end_line=finding.end_line,
                severity=_weight(reached, finding),
                confidence=_CONFIDENCE[Reach.CALLED],
            )


def _weight(reached: Reached, finding: Finding) -> Severity:
    """What can be reached from outside weighs one step more."""
    severity = _SEVERITY[finding.severity]
    return _ORDER[max(0, _ORDER.index(severity) - 1)] if reached.routes else severity


def _how(reached: Reached) -> str:
    told = {
        Reach.ADDED: "in a line of this change",
        Reach.TOUCHED: "in a function that this change touches",
        Reach.CALLED: "called from what this change touches",
    }[reached.reach]
    return told + (", reachable from outside" if reached.routes else "")


def _way(reached: Reached) -> str:
    parts = []
    if len(reached.way) > 1:
        parts.append("Reached by " + " → ".join(f"`{name}`" for name in reached.way) + ".")
    elif reached.way:
        parts.append(f"It lies in `{reached.way[0]}`.")
    if reached.routes:
        parts.append("Callers from outside come by " + ", ".join(f"`{route}`" for route in reached.routes[:5]) + ".")
    return " ".join(parts)


def _threatened(evidence: ChangeEvidence) -> Iterator[Opinion]:
    together: dict[tuple[FlowKind, str], list[Flow]] = defaultdict(list)
    for flow in flows(evidence.known_files):
        together[(flow.kind, flow.path)].append(flow)
    ordered = sorted(together.items(), key=lambda pair: (_ORDER.index(SEVERITIES[pair[0][0]]), pair[0][1], pair[0][0]))
    for (kind, path), group in ordered[:MOST_THREATS]:
        names = list(dict.fromkeys(f"`{flow.what}`" for flow in group))
        shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
        rows = [
            f"- **{one.category}**: {one.threat}. Control: {one.control}. Test: {one.test}." for one in THREATS[kind]
        ]
        yield Opinion(
            agent=AgentName.SECURITY,
            kind=OpinionKind.THREAT,
            title=f"New {kind} in {path}"[:200],
            message="\n".join([f"Data crosses a boundary at {shown}. For the threat model:", "", *rows])[:4_000],
            path=path,
            line=min(flow.line for flow in group),
            severity=SEVERITIES[kind],
            confidence=0.7,
        )


def _injected(evidence: ChangeEvidence) -> Iterator[Opinion]:
    for one in injections(evidence):
        quiet = bool(one.path) and kind_of(one.path) in _QUIET
        yield Opinion(
            agent=AgentName.SECURITY,
            kind=OpinionKind.CONCERN,
            title=f"Text in the {one.where if not one.path else 'change'} speaks to a model"[:200],
            message=f"It {one.meaning}: “{one.phrase}”. Nothing of it was followed. If it is meant for people, say so; else take "
            "it out and ask where it came from.",
            path=one.path,
            line=one.line,
            severity=Severity.LOW if quiet else Severity.HIGH,
            confidence=0.5 if quiet else 0.8,
        )


AGENT = Agent(
    name=AgentName.SECURITY,
    examines="Which findings of scanners the change touches or calls, which data flows it brings and what STRIDE asks of "
    "them, and whether any text in it speaks to a model.",
    reads=("change", "files", "commits", "threads", "scans", "alerts", "reports"),
    returns=(OpinionKind.CONCERN, OpinionKind.THREAT),
    analyse=analyse,
    asks="Name ways in which somebody could misuse the changed code: input that is trusted, a missing check of rights, a "
    "secret that leaks, a race. Say what an attacker does and what stops it.",
)
