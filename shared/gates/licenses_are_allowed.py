"""Every dependency is under a licence that the organisation allows; one whose licence nobody tells is not."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import Any

from shared.domain.change import ChangeEvidence, Unknown
from shared.domain.definition import GateId
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import Component, EvidenceFormat
from shared.domain.review import Effort, Judgement, Remark
from shared.evidence.scanning.licences import spdx
from shared.gates import Asked, Gate
from shared.gates._concerns import MANIFESTS, matching, named

_BILLS = frozenset({EvidenceFormat.CYCLONEDX, EvidenceFormat.SPDX})
_NOBODY = frozenset({"", "noassertion", "none", "unknown", "unlicensed", "see license in license", "other"})
_TOGETHER = 30


def evaluate(evidence: ChangeEvidence, asked: Asked) -> Judgement:
    """Whether every component of the bills of materials is under one of ``licenses``.

    Of ``A OR B`` one has to be allowed, of ``A AND B`` both; an exception (``WITH``) only allows more, so its licence decides.
    A component that tells several licences without a word between them is under all of them.
    """
    if isinstance(evidence.files, Unknown):
        return Judgement.unseen("the changed files", evidence.files)
    allowed = frozenset(asked.entries("licenses"))
    told, gaps, digests = _told(evidence)
    manifests = matching(evidence, MANIFESTS)
    if not told and not gaps and not digests:
        if not manifests:
            return Judgement.not_applicable("licences: the change touches no file that names dependencies")
        return Judgement.not_available(
            f"the change touches {named(manifests)}, and no bill of materials tells the licences",
            remedy="Let the pipeline upload a CycloneDX or SPDX bill of materials.",
        )
    offending: dict[str, list[str]] = defaultdict(list)
    for component, licences in told.items():
        for why in _offences(licences, allowed):
            offending[why].append(component)
    measured = {"components": len(told), "not_allowed": len({one for each in offending.values() for one in each})}
    if offending:
        return Judgement.unmet(
            _reason(offending, measured["not_allowed"], gaps),
            remarks=tuple(_remarks(offending)),
            measured=measured,
            evidence=digests,
        )
    if gaps:
        return Judgement.not_available("; ".join(gaps)[:2_000], measured=measured, evidence=digests)
    return Judgement.met(f"{len(told)} components, each under an allowed licence", measured=measured, evidence=digests)


def _told(evidence: ChangeEvidence) -> tuple[dict[str, tuple[str, ...]], list[str], tuple[str, ...]]:
    """Component → licences, why somebody could not tell, and the digests of the bills."""
    told: dict[str, tuple[str, ...]] = {}
    gaps: list[str] = []
    digests: list[str] = []
    if isinstance(evidence.reports, Unknown):
        gaps.append(f"the uploaded reports could not be had: {evidence.reports.reason}")
    else:
        for one in evidence.reports:
            if one.report.format in _BILLS:
                digests.append(one.record.digest)
                for component in one.report.components:
                    name = _name(component)
                    told[name] = told.get(name, ()) + component.licences
    for scan in evidence.scans:
        if scan.scanner != "licences":
            continue
        if isinstance(scan.findings, Unknown):
            gaps.append(f"licences could not be read: {scan.findings.reason}")
        elif not digests:
            # What the scanner tells is drawn from bills, which are read here themselves where they are there.
            for finding in scan.findings:
                name = finding.path or finding.message or "a component without a name"
                told[name] = (*told.get(name, ()), finding.rule)
    return told, gaps, tuple(dict.fromkeys(digests))


def _name(component: Component) -> str:
    return f"{component.name} {component.version}".strip() or component.purl or "a component without a name"


def _offences(licences: Iterable[str], allowed: frozenset[str]) -> Iterator[str]:
    """Why the licences of one component do not do; nothing where they do."""
    given = tuple(dict.fromkeys(one.strip() for one in licences if one.strip().lower() not in _NOBODY))
    if not given:
        yield "tells no licence"
    for one in given:
        if why := _offence(one, allowed):
            yield why


@cache
def _offence(text: str, allowed: frozenset[str]) -> str:
    # Loaded when first needed: it brings 2,000 licences with it.
    library = import_module("license_expression")
    plain = spdx(text)
    if plain.lower() in {one.lower() for one in allowed}:
        return ""
    licensing = library.get_spdx_licensing()
    try:
        parsed = licensing.parse(plain)
        unknown = licensing.unknown_license_keys(parsed)
    except library.ExpressionError:
        return f"is under {text[:100]!r}, which is no SPDX expression"
    if parsed is None:
        return "tells no licence"
    if _holds(licensing, parsed, allowed):
        return ""
    if unknown:
        return f"is under {text[:100]!r}, of which SPDX does not know {', '.join(unknown)[:100]}"
    return f"is under {text[:100]}, which is not allowed"


def _holds(licensing: Any, parsed: Any, allowed: frozenset[str]) -> bool:
    if isinstance(parsed, licensing.OR):
        return any(_holds(licensing, part, allowed) for part in parsed.args)
    if isinstance(parsed, licensing.AND):
        return all(_holds(licensing, part, allowed) for part in parsed.args)
    if str(parsed) in allowed:
        return True
    base = getattr(parsed, "license_symbol", parsed)
    return str(base.key) in allowed


def _reason(offending: Mapping[str, list[str]], count: int, gaps: list[str]) -> str:
    why, first = next(iter(offending.items()))
    more = f"; {count} components in all" if count > 1 else ""
    also = f"; {gaps[0]}" if gaps else ""
    return f"{first[0]} {why}{more}{also}"[:2_000]


def _remarks(offending: Mapping[str, list[str]]) -> Iterator[Remark]:
    for why, components in offending.items():
        every = sorted(dict.fromkeys(components))
        for start in range(0, len(every), _TOGETHER):
            names = ", ".join(name[:60] for name in every[start : start + _TOGETHER])
            verb = why if len(every) == 1 else f"each {why}"
            yield Remark(message=f"{names} {verb}."[:2_000], severity=Harm.HIGH, rule="license")


GATE = Gate(
    id=GateId.LICENSES_ARE_ALLOWED,
    motivation="A dependency's licence binds whoever ships it; finding that out after the release means taking it out in haste.",
    reads=("files", "scans", "reports"),
    effort=Effort.HOURS,
    remedy="Replace the dependency by one under an allowed licence, or have the licence examined and put on the list.",
    evaluate=evaluate,
    takes=("licenses",),
)
