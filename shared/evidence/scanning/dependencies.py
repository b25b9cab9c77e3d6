"""Asks advisories about every package that changed manifests, lock files and bills of materials name in an exact version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from shared.domain.advisory import Advisory
from shared.domain.change import ChangedFile, FileStatus, Reported, Scan
from shared.domain.evidence import EvidenceFormat, Finding, Severity
from shared.evidence.scanning.answers import answered, fingerprint, shortened, unanswered
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.manifests import Kind, Package, UnreadableError, kind_of_manifest, read
from shared.evidence.scanning.placing import Unseen
from shared.evidence.severities import of_score, of_word

NAME = "osv"
BILLS = frozenset({EvidenceFormat.CYCLONEDX, EvidenceFormat.SPDX})
ASKED_ABOUT = frozenset(
    {
        "pypi",
        "npm",
        "maven",
        "golang",
        "cargo",
        "nuget",
        "gem",
        "composer",
        "hex",
        "pub",
        "deb",
        "apk",
        "hackage",
        "cran",
    }
)
"""Types of package URLs for which there are advisories: https://ossf.github.io/osv-schema/#defined-ecosystems"""
_NOT_SET = "DONERIGHT_OSV_URL is not set, so nobody can be asked for advisories"
_SET_IT = "Set it to the address of an OSV API, such as your mirror's, or let the pipeline upload a scanner's SARIF."
_LOCK_IT = "it leaves versions open: commit its lock file with it, or upload a bill of materials"
_UPLOAD = "upload a bill of materials (CycloneDX or SPDX) from the pipeline"


@dataclass
class Named:
    """What a change names."""

    packages: dict[str, tuple[Package, str]] = field(default_factory=dict)
    """By package URL: the package and the file that names it first; empty for a bill of materials."""
    unseen: list[Unseen] = field(default_factory=list)
    unasked: int = 0
    """Components of a bill without a version, or of a kind that no advisory is about."""


def scan(job: Job) -> tuple[Scan, ...]:
    """What is known of the packages; nothing when no file or bill names any."""
    manifests = changed_manifests(job.known_files)
    bills = [one for one in job.reports if one.report.format in BILLS]
    if not manifests and not bills:
        return ()
    named = _named(manifests, bills)
    if len(named.packages) > job.ports.limits.packages:
        told = f"{len(named.packages)} packages are named; {job.ports.limits.packages} are the most"
        return (unanswered(NAME, told, "Split the repository's bill of materials."),)
    advisories: Mapping[str, tuple[Advisory, ...]] = {}
    if named.packages:
        if job.ports.advisories is None:
            return (unanswered(NAME, _NOT_SET, _SET_IT),)
        patience = min(job.ports.limits.scanner_seconds, job.deadline.left)
        advisories = job.ports.advisories.about(sorted(named.packages), patience)
    findings = [
        _finding(package, path, advisory, job.ports.key)
        for purl, (package, path) in sorted(named.packages.items())
        for advisory in merged(advisories.get(purl, ()))
    ]
    return answered(
        NAME,
        "",
        findings,
        job.ports.limits,
        seen=sorted(named.packages),
        unseen=named.unseen,
        figures={"packages": len(named.packages), "unasked": named.unasked},
    )


def changed_manifests(files: Iterable[ChangedFile]) -> list[tuple[ChangedFile, Kind]]:
    """The changed files that name dependencies, with what each is; removed ones as well."""
    return [(file, kind) for file in files if (kind := kind_of_manifest(file.path))]


def ecosystems_of(bills: Iterable[Reported]) -> frozenset[str]:
    """The types of package URLs that bills of materials hold."""
    purls = (component.purl for bill in bills for component in bill.report.components)
    return frozenset(purl[4:].partition("/")[0].lower() for purl in purls if purl.startswith("pkg:"))


def merged(advisories: Sequence[Advisory]) -> list[Advisory]:
    """``advisories`` with those that are one under several names told once: GitHub's first, which has a score."""
    kept: list[Advisory] = []
    for one in sorted(advisories, key=lambda each: (not each.id.startswith("GHSA-"), each.id)):
        names = {one.id, *one.aliases}
        if not any(names & {other.id, *other.aliases} for other in kept):
            kept.append(one)
    return kept


def _named(manifests: Sequence[tuple[ChangedFile, Kind]], bills: Sequence[Reported]) -> Named:
    named = Named()
    billed = ecosystems_of(bills)
    locks = [
        (PurePosixPath(file.path).parent, kind.ecosystem)
        for file, kind in manifests
        if kind.lock and file.status is not FileStatus.REMOVED
    ]
    for file, kind in manifests:
        if file.status is FileStatus.REMOVED:
            continue
        fault = _add(named, file, kind)
        # A bill of materials, or a lock file beside or above, says what this file leaves open.
        folders = PurePosixPath(file.path).parents
        locked = not kind.lock and any(of == kind.ecosystem and folder in folders for folder, of in locks)
        if fault and kind.ecosystem not in billed and not locked:
            named.unseen.append(Unseen(file.path, fault))
    for bill in bills:
        for component in bill.report.components:
            purl = _plain(component.purl)
            if purl is None:
                named.unasked += 1
            else:
                package = Package(purl, component.name, component.version)
                named.packages.setdefault(purl, (package, ""))
    return named


def _add(named: Named, file: ChangedFile, kind: Kind) -> str:
    """Add what the file names; returns why that is not all, or nothing."""
    if file.content is None:
        return "its text could not be had"
    try:
        manifest = read(kind, file.content)
        if file.before is not None and not kind.lock and read(kind, file.before).said == manifest.said:
            return ""  # something else in it changed
    except UnreadableError as error:
        return f"{error.reason}; {_UPLOAD}"
    for package in manifest.packages:
        named.packages.setdefault(package.purl, (package, file.path))
    return _LOCK_IT if manifest.open else ""


def _plain(purl: str) -> str | None:
    """The package URL without what advisories do not know; ``None`` for one that nobody can be asked about."""
    from packageurl import PackageURL  # noqa: PLC0415 - cold start

    try:
        one = PackageURL.from_string(purl)
    except ValueError:
        return None
    if not one.version or one.type not in ASKED_ABOUT:
        return None
    return PackageURL(one.type, one.namespace, one.name, one.version).to_string()


def severity_of(advisory: Advisory) -> tuple[Severity, str]:
    """How bad, and by whose word. What nobody weighed counts as high and malware as critical, so that neither passes
    because somebody was silent about it.
    """
    if advisory.id.startswith("MAL-"):
        return Severity.CRITICAL, "malicious package"
    if advisory.score is not None:
        return of_score(advisory.score), f"{advisory.scale} {advisory.score:g}".strip()
    return (of_word(advisory.word), advisory.word.lower()) if advisory.word else (Severity.HIGH, "not scored")


def _finding(package: Package, path: str, advisory: Advisory, key: bytes) -> Finding:
    mended = f" Mended in {', '.join(advisory.fixed[:5])}." if advisory.fixed else " No version mends it yet."
    others = f" ({', '.join(advisory.aliases[:3])})" if advisory.aliases else ""
    summary = advisory.summary or "It has a known vulnerability."
    severity, words = severity_of(advisory)
    return Finding(
        rule=advisory.id,
        severity=severity,
        source_severity=words,
        message=shortened(f"{package.name} {package.version}: {summary.rstrip('.')}{others}.{mended}"),
        path=path or None,
        line=package.line if path else None,
        fingerprint=fingerprint(key, NAME, advisory.id, package.purl, path),
        help_url=advisory.url,
    )
