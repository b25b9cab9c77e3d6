"""Says which files of a change describe infrastructure, and whether a scanner that knows their format has looked at them.

No library reads these formats' rules offline and in a worker's memory, so nothing is looked at here: an uploaded report
of a scanner answers, and without one the answer is that nobody can tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum

from shared.domain.change import ChangedFile, FileStatus, Reported, Scan
from shared.domain.evidence import EvidenceFormat
from shared.evidence.changes.kinds import FileKind, kind_of
from shared.evidence.scanning.answers import answered
from shared.evidence.scanning.job import Job
from shared.evidence.scanning.placing import Unseen, suffix_of

NAME = "infrastructure"


class Format(StrEnum):
    """How infrastructure is described."""

    TERRAFORM = "Terraform"
    BICEP = "Bicep"
    ARM = "ARM"
    CLOUDFORMATION = "CloudFormation"
    HELM = "Helm"
    KUBERNETES = "Kubernetes"
    COMPOSE = "Compose"
    OTHER = "an unknown format"


_ALL = frozenset(Format)
_KUBERNETES = frozenset({Format.KUBERNETES, Format.HELM})
TOOLS: tuple[tuple[re.Pattern[str], frozenset[Format]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), formats)
    for pattern, formats in (
        (r"checkov|kics|bridgecrew|prisma", _ALL),
        (r"trivy|aqua", _ALL - {Format.COMPOSE, Format.BICEP}),
        (r"snyk", _ALL - {Format.COMPOSE}),
        (r"tfsec", frozenset({Format.TERRAFORM})),
        (r"terrascan", frozenset({Format.TERRAFORM, Format.CLOUDFORMATION, Format.ARM}) | _KUBERNETES),
        (r"kubesec|kube-?linter|kube-?score|polaris|kubescape|datree", _KUBERNETES),
        (r"bicep|psrule|template.?analyzer", frozenset({Format.BICEP, Format.ARM})),
        (r"cfn[-_]?(?:lint|nag|guard)", frozenset({Format.CLOUDFORMATION})),
    )
)
"""Scanners whose SARIF answers for a format, by a tool's name."""

_PROSE = frozenset({".md", ".rst", ".adoc", ".txt"})
_BY_SUFFIX = {
    ".tf": Format.TERRAFORM, ".tfvars": Format.TERRAFORM, ".hcl": Format.TERRAFORM, ".bicep": Format.BICEP,
    ".bicepparam": Format.BICEP,
}  # fmt: skip
_STRUCTURED = frozenset({".yml", ".yaml", ".json", ".tpl"})
_BY_PATH = (
    (Format.COMPOSE, re.compile(r"(?:.*/)?(?:docker-)?compose(?:[._-][^/]*)?\.ya?ml", re.IGNORECASE)),
    (Format.HELM, re.compile(r"(?:.*/)?(?:charts|helm)/.*|(?:.*/)?Chart\.ya?ml", re.IGNORECASE)),
)
_BY_TEXT = (
    (Format.KUBERNETES, (re.compile(r"^apiVersion:\s*\S", re.MULTILINE), re.compile(r"^kind:\s*\S", re.MULTILINE))),
    (
        Format.ARM,
        (re.compile(r"schema\.management\.azure\.com/schemas/[^\"]*deployment(?:Template|Parameters)", re.IGNORECASE),),
    ),
    (Format.CLOUDFORMATION, (re.compile(r"AWSTemplateFormatVersion|\bType[\"']?:\s*[\"']?AWS::"),)),
)


def scan(job: Job) -> tuple[Scan, ...]:
    """Which files were answered for by an uploaded report; nothing when the change has no such file."""
    described = [(file, format_of(file)) for file in job.known_files if is_concerned(file)]
    if not described:
        return ()
    answering = _answering(job.reports)
    seen = [file.path for file, found in described if found is None or found in answering]
    unseen = [
        Unseen(file.path, f"no scanner of {found} works here without a network: upload the SARIF of {_advised(found)}")
        for file, found in described
        if found is not None and found not in answering
    ]
    return answered(NAME, "", (), job.ports.limits, seen=seen, unseen=unseen, figures={"files": len(seen)})


def is_concerned(file: ChangedFile) -> bool:
    """Whether the file lies where infrastructure is described, or is written in a format of it."""
    if file.status is FileStatus.REMOVED or suffix_of(file.path) in _PROSE:
        return False
    return kind_of(file.path) is FileKind.INFRASTRUCTURE or format_of(file) not in {None, Format.OTHER}


def format_of(file: ChangedFile) -> Format | None:
    """How the file describes infrastructure; ``None`` for a program or anything else that describes none."""
    end = suffix_of(file.path)
    if end in _BY_SUFFIX or file.path.lower().endswith(".tf.json"):
        return _BY_SUFFIX.get(end, Format.TERRAFORM)
    if end not in _STRUCTURED:
        return None
    if by_path := next((found for found, pattern in _BY_PATH if pattern.fullmatch(file.path)), None):
        return by_path
    text = file.content or ""
    return next((found for found, marks in _BY_TEXT if all(mark.search(text) for mark in marks)), Format.OTHER)


def _answering(reports: Iterable[Reported]) -> frozenset[Format]:
    tools = [one.report.tool for one in reports if one.report.format is EvidenceFormat.SARIF]
    return frozenset(each for tool in tools for pattern, formats in TOOLS if pattern.search(tool) for each in formats)


def _advised(of: Format) -> str:
    return "checkov or KICS" if of in {Format.COMPOSE, Format.BICEP} else "checkov or Trivy"
