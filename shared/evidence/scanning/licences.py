"""Tells the licences of components in uploaded bills of materials, in the words of SPDX, for a gate to hold to a list."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from shared.domain.change import FileStatus, Scan
from shared.domain.evidence import Component, Finding, Severity
from shared.evidence.scanning.answers import answered, fingerprint, shortened
from shared.evidence.scanning.dependencies import BILLS, changed_manifests, ecosystems_of
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.manifests import Kind, UnreadableError, read
from shared.evidence.scanning.placing import Unseen

NAME = "licences"
NONE = "NOASSERTION"
"""What SPDX says of a component whose licence nobody named."""
_REMEDY = "manifests name no licences: upload a bill of materials (CycloneDX or SPDX) from the pipeline"
_LONGEST = 500

NAMES = {
    "mit license": "MIT",
    "the mit license": "MIT",
    "apache 2.0": "Apache-2.0",
    "apache-2": "Apache-2.0",
    "apache 2": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "apache license, version 2.0": "Apache-2.0",
    "apache license version 2.0": "Apache-2.0",
    "the apache license, version 2.0": "Apache-2.0",
    "the apache software license, version 2.0": "Apache-2.0",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "new bsd license": "BSD-3-Clause",
    "isc license": "ISC",
    "isc license (iscl)": "ISC",
    "mozilla public license 2.0 (mpl 2.0)": "MPL-2.0",
    "mozilla public license 2.0": "MPL-2.0",
    "python software foundation license": "PSF-2.0",
    "the unlicense (unlicense)": "Unlicense",
    "gnu general public license v3 (gplv3)": "GPL-3.0-only",
    "gnu general public license v3 or later (gplv3+)": "GPL-3.0-or-later",
    "gnu general public license v2 (gplv2)": "GPL-2.0-only",
    "gnu lesser general public license v3 (lgplv3)": "LGPL-3.0-only",
    "gnu affero general public license v3": "AGPL-3.0-only",
}
"""Names that tools write where SPDX has an identifier. One that could mean several, such as "BSD", stays as it is."""


def scan(job: Job) -> tuple[Scan, ...]:
    """A finding for each licence of each component; nothing when no file or bill names any."""
    manifests = [
        (file, kind) for file, kind in changed_manifests(job.known_files) if file.status is not FileStatus.REMOVED
    ]
    bills = [one for one in job.reports if one.report.format in BILLS]
    if not manifests and not bills:
        return ()
    billed = ecosystems_of(bills)
    unseen = [
        Unseen(file.path, _REMEDY)
        for file, kind in manifests
        if kind.ecosystem not in billed and not _is_same(file.before, file.content, kind)
    ]
    components: dict[tuple[str, str, str], Component] = {}
    for bill in bills:
        for one in bill.report.components:
            components.setdefault((one.purl, one.name, one.version), one)
    findings = [
        _finding(one, licence, job.ports.key)
        for _, one in sorted(components.items())
        for licence in dict.fromkeys(spdx(text) for text in one.licences or (NONE,))
    ]
    return answered(
        NAME,
        "",
        findings,
        job.ports.limits,
        seen=(one.purl or f"{one.name} {one.version}".strip() for one in components.values()),
        unseen=unseen,
        most=job.ports.limits.packages,
    )


def spdx(text: str) -> str:
    """A licence as SPDX writes it where that can be told, else as it was."""
    library: Any = import_module("license_expression")
    told = " ".join(text.split())[:_LONGEST]
    if known := NAMES.get(told.lower()):
        return known
    try:
        parsed = library.get_spdx_licensing().parse(told)
        if parsed is None:
            return NONE
        return str(parsed.render())
    except library.ExpressionError:
        return told


def _is_same(before: str | None, after: str | None, kind: Kind) -> bool:
    if before is None or after is None:
        return False
    try:
        return read(kind, before).said == read(kind, after).said
    except UnreadableError:
        return False


def _finding(component: Component, licence: str, key: bytes) -> Finding:
    name = f"{component.name} {component.version}".strip()
    return Finding(
        rule=licence,
        severity=Severity.INFO,
        message=shortened(f"{name} is under {licence}." if licence != NONE else f"{name} names no licence."),
        path=None,
        fingerprint=fingerprint(key, NAME, licence, component.purl or name),
    )
