"""Gathers what scanners of one concern found, and separately which of them could not answer.

A finding belongs to one concern, so that one gate tells it and no other tells it again: by what its rule says, else by the
tool that reports it. Suppressed findings do not count. The same finding told by two sources counts once.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from shared.domain.change import ChangedFile, ChangeEvidence, Reported, Unknown
from shared.domain.definition import Severity as Harm
from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.domain.review import Remark


class Concern(StrEnum):
    """What a finding is about; each has a gate of its own."""

    CODE = "code"
    SECRET = "secret"  # noqa: S105 - a word
    DEPENDENCY = "dependency"
    CONTAINER = "container"
    INFRASTRUCTURE = "infrastructure"
    LICENCE = "licence"
    COMPLEXITY = "complexity"
    LINT = "lint"
    FORMAT = "format"
    TYPES = "types"


C = Concern
_TOOLS: tuple[tuple[str, tuple[Concern, ...]], ...] = (
    (r"detect-?secrets|gitleaks|trufflehog|secret.?scanning|git-?guardian|ggshield|noseyparker", (C.SECRET,)),
    (
        r"^osv|dependabot|pip-?audit|npm.?audit|dependency.?(?:check|scanning|track)|cargo-?audit|govulncheck|safety",
        (C.DEPENDENCY,),
    ),
    (r"trivy|aquasecurity", (C.DEPENDENCY, C.CONTAINER, C.INFRASTRUCTURE, C.SECRET)),
    (r"grype|docker.?scout|clair|anchore", (C.CONTAINER, C.DEPENDENCY)),
    (r"hadolint|dockle|dockerfile", (C.CONTAINER,)),
    (
        r"checkov|tfsec|kics|terrascan|tflint|^infrastructure$|psrule|bicep|cfn|kube|template.?analyzer",
        (C.INFRASTRUCTURE, C.CONTAINER),
    ),
    (r"licen[cs]e", (C.LICENCE,)),
    (r"lizard|radon", (C.COMPLEXITY,)),
    (r"mypy|pyright|pytype|pyre|typescript|\btsc\b", (C.TYPES,)),
    (r"ruff.?format|\bblack\b|prettier|isort|clang-format|gofmt|yapf", (C.FORMAT,)),
    (
        r"ruff|eslint|flake8|pylint|pycodestyle|golangci|stylelint|rubocop|checkstyle|biome|oxlint|shellcheck|yamllint|markdownlint",
        (C.LINT,),
    ),
    (r"snyk", (C.CODE, C.DEPENDENCY, C.CONTAINER, C.INFRASTRUCTURE)),
    (r"defender|msdo|microsoft security devops", (C.CODE, C.DEPENDENCY, C.CONTAINER, C.INFRASTRUCTURE, C.SECRET)),
)
"""Tool's name → what it can speak of, the first of them what its findings are about where their rules do not tell."""

_RULES: tuple[tuple[str, Concern], ...] = (
    (r"^(?:CVE|GHSA|PYSEC|OSV|RUSTSEC|GO|MAL|SNYK|DSA|ELSA|ALAS|RHSA|USN|DLA)-|^dependabot", C.DEPENDENCY),
    (r"^CKV2?_DOCKER_|^(?:AVD-)?DS-?\d|^DL\d{4}$|^CIS-DI-|^dockerfile", C.CONTAINER),
    (r"^CKV_SECRET_|^(?:secret|gitleaks|generic-api-key)|[-_ ]secret$|^secret-scanning", C.SECRET),
    (r"^CKV2?_|^(?:AVD-)?(?:AWS|AZU|AZURE|GCP|KSV|GEN|DIG|OCI)-?\d|^Azure\.|^infrastructure[./:]", C.INFRASTRUCTURE),
)

_SPOKEN = frozenset({EvidenceFormat.SARIF, EvidenceFormat.SONARQUBE, EvidenceFormat.ZAP, EvidenceFormat.CYCLONEDX})
"""Formats whose silence says that the tool found nothing."""

_HARM = {
    Severity.CRITICAL: Harm.CRITICAL, Severity.HIGH: Harm.HIGH, Severity.MEDIUM: Harm.MEDIUM,
    Severity.LOW: Harm.LOW, Severity.INFO: Harm.LOW,
}  # fmt: skip
_RANK = {severity: rank for rank, severity in enumerate(Severity)}


class Told(NamedTuple):
    """A finding and who reported it."""

    finding: Finding
    tool: str


class Gathered(NamedTuple):
    """What is known of one concern."""

    told: tuple[Told, ...]
    """Without those that are suppressed, the worst first."""
    gaps: tuple[str, ...]
    """Why a source could not answer."""
    sources: tuple[str, ...]
    """Tools that looked, whether they found something or not."""
    digests: tuple[str, ...]
    """Of the reports among them."""
    suppressed: int

    def count(self, severity: Severity) -> int:
        """How many are of ``severity``."""
        return sum(one.finding.severity is severity for one in self.told)

    @property
    def gap(self) -> str:
        """All gaps as one text; empty: there is none."""
        return "; ".join(self.gaps)


def gathered(evidence: ChangeEvidence, *concerns: Concern) -> Gathered:
    """What scans, uploaded reports and the forge's alerts say of ``concerns``.

    Scans, reports and the forge's code scanning are about the head: all they found counts, also in files that the change
    leaves alone. The forge's other alerts are about the repository, whichever branch it is: those in files that the
    change leaves alone do not count.
    """
    asked = frozenset(concerns)
    found: list[Told] = []
    gaps: list[str] = []
    sources: list[str] = []
    digests: list[str] = []
    for scan in evidence.scans:
        if not asked & set(concerns_of(scan.scanner)):
            continue
        if isinstance(scan.findings, Unknown):
            gaps.append(f"{scan.scanner} could not answer: {scan.findings.reason}")
        else:
            sources.append(scan.scanner)
            found += [Told(one, scan.scanner) for one in scan.findings if concern_of(one, scan.scanner) in asked]
    if isinstance(evidence.reports, Unknown):
        if evidence.reports.supported:
            gaps.append(f"the uploaded reports could not be had: {evidence.reports.reason}")
    else:
        for one in evidence.reports:
            mine = [Told(each, tool_of(one)) for each in one.report.findings if concern_of(each, tool_of(one)) in asked]
            if mine or _speaks(one, asked):
                digests.append(one.record.digest)
                sources.append(tool_of(one))
                found += mine
                if one.report.incomplete:
                    gaps.append(one.report.incomplete)
    alerts = list(_alerts(evidence, asked, gaps))
    found += alerts
    sources += [one.tool for one in alerts]
    kept = _once(one for one in found if not one.finding.suppressed)
    return Gathered(
        tuple(
            sorted(kept, key=lambda one: (_RANK[one.finding.severity], one.finding.path or "", one.finding.line or 0))
        ),
        tuple(dict.fromkeys(gaps)),
        tuple(dict.fromkeys(sources)),
        tuple(dict.fromkeys(digests)),
        sum(one.finding.suppressed for one in found),
    )


def unlooked(
    evidence: ChangeEvidence, files: Iterable[ChangedFile], seen: Gathered, concern: Concern
) -> tuple[ChangedFile, ...]:
    """Those of ``files`` that nobody looked at with ``concern`` in mind.

    A scanner of the change names what it looked at. A report is about the whole commit, by whichever tool.
    """
    own = [scan for scan in evidence.scans if concern in concerns_of(scan.scanner)]
    if set(seen.sources) - {scan.scanner for scan in own}:
        return ()
    looked = {path for scan in own if not isinstance(scan.findings, Unknown) for path in scan.components}
    return tuple(file for file in files if file.path not in looked)


@lru_cache(maxsize=1_000)
def concerns_of(tool: str) -> tuple[Concern, ...]:
    """What ``tool`` can speak of; one that nobody has heard of speaks of code."""
    for pattern, concerns in _TOOLS:
        if re.search(pattern, tool, re.IGNORECASE):
            return concerns
    return (Concern.CODE,)


def concern_of(finding: Finding, tool: str) -> Concern:
    """What ``finding`` is about."""
    return _of_rule(finding.rule) or concerns_of(tool)[0]


@lru_cache(maxsize=10_000)
def _of_rule(rule: str) -> Concern | None:
    return next((concern for pattern, concern in _RULES if re.search(pattern, rule, re.IGNORECASE)), None)


def tool_of(reported: Reported) -> str:
    """The name of the tool that made a report; of formats that one tool alone writes, the format's."""
    return reported.report.tool or reported.report.format


def remark_of(told: Told) -> Remark:
    """As a remark on the change."""
    one = told.finding
    return Remark(
        message=(one.message or f"{told.tool} reports {one.rule or 'something without a name'}.")[:2_000],
        path=one.path or "",
        line=one.line,
        end_line=one.end_line if one.line and one.end_line and one.end_line >= one.line else None,
        severity=_HARM[one.severity],
        rule=one.rule,
        help_url=one.help_url,
        fingerprint=one.fingerprint,
    )


def remarks_on(evidence: ChangeEvidence, told: Iterable[Told], *counted: Severity) -> tuple[Remark, ...]:
    """Remarks of what counts, wherever it lies, and of whatever else lies in the files of the change."""
    paths = {file.path for file in evidence.known_files}
    return tuple(
        remark_of(one)
        for one in told
        if one.finding.severity in counted or one.finding.path in paths or not one.finding.path
    )


def _speaks(reported: Reported, asked: frozenset[Concern]) -> bool:
    """Whether a report without findings of ``asked`` says that there are none. A bill of materials alone does not."""
    report = reported.report
    if report.format not in _SPOKEN or (report.format is EvidenceFormat.CYCLONEDX and not report.findings):
        return False
    if report.format is EvidenceFormat.SARIF and not report.tool:
        return False  # no run at all: nobody looked
    concerns = (
        {Concern.DEPENDENCY} if report.format is EvidenceFormat.CYCLONEDX else set(concerns_of(tool_of(reported)))
    )
    return bool(asked & concerns)


def _alerts(evidence: ChangeEvidence, asked: frozenset[Concern], gaps: list[str]) -> Iterator[Told]:
    alerts = evidence.alerts
    if isinstance(alerts, Unknown):
        if alerts.supported and (gap := _alert_gap(alerts.reason, asked)):
            gaps.append(f"the forge's alerts could not be had: {gap}")
        return
    paths = {file.path for file in evidence.known_files}
    for one in alerts:
        scanner = next((name for name in _SCANNERS if one.fingerprint.startswith(name.lower().replace(" ", "-"))), "")
        about_head = scanner == "code scanning"
        if _alert_concern(one, scanner) in asked and (about_head or one.path is None or one.path in paths):
            yield Told(one, scanner or "the forge")


_SCANNERS = {
    "code scanning": (Concern.CODE, Concern.CONTAINER, Concern.INFRASTRUCTURE),
    "Dependabot": (Concern.DEPENDENCY,),
    "secret scanning": (Concern.SECRET,),
}
"""The forge's own scanners and what their silence leaves open."""
_SECTION = re.compile(r"(?:^|; )(code scanning|Dependabot|secret scanning): ")
_OFF = re.compile(r"disabled|not enabled|must be enabled|not available|archived", re.IGNORECASE)


def _alert_concern(finding: Finding, scanner: str) -> Concern:
    if scanner in {"Dependabot", "secret scanning"}:
        return _SCANNERS[scanner][0]
    return concern_of(finding, "the forge")


def _alert_gap(reason: str, asked: frozenset[Concern]) -> str:
    """The part of ``reason`` that is about scanners of ``asked`` which are on; all of it where it names no scanner."""
    parts = _SECTION.split(reason)
    if len(parts) == 1:
        return reason
    told = zip(parts[1::2], parts[2::2], strict=True)
    return "; ".join(f"{name}: {why}" for name, why in told if asked & set(_SCANNERS[name]) and not _OFF.search(why))


def _once(told: Iterable[Told]) -> list[Told]:
    seen: set[tuple[object, ...]] = set()
    kept = []
    for one in told:
        finding = one.finding
        # Two scanners rarely agree on a fingerprint, and one may tell two findings of the same place apart by it.
        place = (
            finding.rule,
            finding.path,
            finding.line,
            finding.message if finding.line is None else finding.fingerprint,
        )
        if place not in seen:
            seen.add(place)
            kept.append(one)
    return kept
