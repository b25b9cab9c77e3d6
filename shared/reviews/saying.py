"""Decides which remarks of a review are said, what makes two of them one, and which stand beside the code first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pydantic import Field

from shared.domain.change import ChangedFile, FileStatus, Part, Unknown
from shared.domain.definition import Severity
from shared.domain.forge import Frozen
from shared.domain.policy import Enforcement
from shared.domain.review import UNDECIDED, AgentName, Finding, Opinion, Outcome, Remark, Reviewed, Waiver
from shared.evidence.changes.lines import Hunk, hunks
from shared.reviews.fingerprints import fingerprints

MOST_BESIDE_THE_CODE = 30
"""More drown the discussion; the rest is listed in the summary."""

_WORST_FIRST = list(Severity)
_LONGEST = 2_000


class Voiced(Frozen):
    """A remark that is to be said, with all that said it."""

    fingerprint: str
    remark: Remark
    criteria: tuple[str, ...] = ()
    blocks: bool = False
    undecided: bool = False
    waiver: Waiver | None = Field(default=None, description="In force for every criterion it was said under.")
    agent: AgentName | None = None
    title: str = ""
    source: str = ""


def heard(reviewed: Reviewed, files: Part[tuple[ChangedFile, ...]]) -> tuple[Voiced, ...]:
    """Every remark of what is not met or not determined, and every opinion about a file; what blocks first, then the worst.

    The same thing found under two criteria is one remark that names both.
    """
    said: dict[tuple[object, ...], list[tuple[Finding, Remark]]] = {}
    for finding in reviewed.findings:
        if wanting(finding):
            for remark in finding.remarks:
                said.setdefault(_identity(remark), []).append((finding, remark))
    opinions = [
        (opinion, as_remark(opinion)) for report in reviewed.agents for opinion in report.opinions if opinion.path
    ]
    every = [rows[0][1] for rows in said.values()] + [remark for _, remark in opinions]
    prints = iter(fingerprints(every, files))
    found = [_of_findings(next(prints), rows) for rows in said.values()]
    found += [_of_opinion(next(prints), opinion, remark) for opinion, remark in opinions]
    return tuple(sorted(found, key=_rank))


def voiced(every: Sequence[Voiced]) -> tuple[Voiced, ...]:
    """Those that are said: what somebody let go, for now, is not."""
    return tuple(one for one in every if one.waiver is None)


def wanting(finding: Finding) -> bool:
    """Whether it is not met, or nobody can tell."""
    return (
        finding.outcome is Outcome.UNMET or finding.outcome in UNDECIDED
    ) and finding.enforcement is not Enforcement.OFF


def beside(found: Sequence[Voiced], files: Part[tuple[ChangedFile, ...]]) -> tuple[Voiced, ...]:
    """Those whose lines the change shows, so that they can stand beside the code."""
    if isinstance(files, Unknown):
        return tuple(one for one in found if one.remark.path and one.remark.line is not None)
    known = {file.path: file for file in files if file.status is not FileStatus.REMOVED}
    shown: dict[str, tuple[Hunk, ...] | None] = {}
    reachable: list[Voiced] = []
    for one in found:
        path, line = one.remark.path, one.remark.end_line or one.remark.line
        if path not in known or line is None or one.remark.line is None:
            continue
        if path not in shown:
            # Hunks that could not be had may show the line: the forge is asked, and says no where they do not.
            shown[path] = None if known[path].patch is None else hunks(known[path])
        parts = shown[path]
        if parts is None or any(part.start <= line < part.start + part.length for part in parts):
            reachable.append(one)
    return tuple(reachable)


def chosen(placeable: Sequence[Voiced], standing: Iterable[str]) -> tuple[Voiced, ...]:
    """At most 30 of ``placeable``: those that stand there already, then the first of the others."""
    there = set(standing)
    kept = [one for one in placeable if one.fingerprint in there]
    new = [one for one in placeable if one.fingerprint not in there]
    wanted = {one.fingerprint for one in [*kept, *new[: max(0, MOST_BESIDE_THE_CODE - len(kept))]]}
    return tuple(one for one in placeable if one.fingerprint in wanted)


def as_remark(opinion: Opinion) -> Remark:
    """An opinion as what it says of a place."""
    message = opinion.message if len(opinion.message) <= _LONGEST else opinion.message[: _LONGEST - 1] + "…"
    return Remark(
        message=message,
        path=opinion.path,
        line=opinion.line,
        end_line=opinion.end_line,
        severity=opinion.severity,
        rule=f"{opinion.agent}/{opinion.kind}",
        suggestion=opinion.suggestion,
    )


def _identity(remark: Remark) -> tuple[object, ...]:
    return (remark.path, remark.line, remark.end_line, remark.rule, remark.message, remark.fingerprint)


def _of_findings(fingerprint: str, rows: Sequence[tuple[Finding, Remark]]) -> Voiced:
    remarks = [remark for _, remark in rows]
    worst = min((remark.severity for remark in remarks), key=_WORST_FIRST.index)
    suggestion = next((remark.suggestion for remark in remarks if remark.suggestion is not None), None)
    return Voiced(
        fingerprint=fingerprint,
        remark=remarks[0].model_copy(update={"severity": worst, "suggestion": suggestion}),
        criteria=tuple(dict.fromkeys(finding.criterion for finding, _ in rows)),
        blocks=any(finding.blocks for finding, _ in rows),
        undecided=any(finding.undecided for finding, _ in rows),
        waiver=rows[0][0].waiver if all(finding.waiver for finding, _ in rows) else None,
    )


def _of_opinion(fingerprint: str, opinion: Opinion, remark: Remark) -> Voiced:
    return Voiced(
        fingerprint=fingerprint, remark=remark, agent=opinion.agent, title=opinion.title, source=opinion.source
    )


def _rank(one: Voiced) -> tuple[object, ...]:
    remark = one.remark
    return (
        not one.blocks, not one.undecided, one.agent is not None, _WORST_FIRST.index(remark.severity),
        remark.path, remark.line or 0, remark.rule, remark.message, one.fingerprint,
    )  # fmt: skip
