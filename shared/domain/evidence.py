"""What a report of a tool says, in one vocabulary whatever the tool, and what is kept about each report."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import ConfigDict, Field, NonNegativeFloat
from pydantic.dataclasses import dataclass

from shared.domain.forge import Frozen

LARGEST_COUNT = 2**53 - 1
"""The largest whole number that every JSON reader reads exactly (RFC 8259, section 6)."""


class EvidenceFormat(StrEnum):
    """The formats of reports that are read. Each is a file in ``shared/evidence/formats``."""

    AXE = "axe"
    COBERTURA = "cobertura"
    CYCLONEDX = "cyclonedx"
    JMETER = "jmeter"
    JUNIT = "junit"
    K6 = "k6"
    LCOV = "lcov"
    LIGHTHOUSE = "lighthouse"
    LOCUST = "locust"
    PLAYWRIGHT = "playwright"
    SARIF = "sarif"
    SONARQUBE = "sonarqube"
    SPDX = "spdx"
    ZAP = "zap"


class Severity(StrEnum):
    """How bad a finding is, whatever its tool calls it.

    A set of its own beside the severities of criteria: tools report remarks that do no harm, which are ``info`` here and
    told as ``low`` where a gate remarks on them, and nobody may give a criterion that severity.
    """

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    INFO = "info"


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERRORED = "errored"
    SKIPPED = "skipped"


class _Read(Frozen):
    """Base of what parsers make: immutable, and finite wherever it is a number."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Finding(_Read):
    """One thing a scanner reports."""

    rule: str
    severity: Severity
    source_severity: str = Field(default="", description="In the tool's own words: level, score or risk.")
    message: str = ""
    path: str | None = Field(default=None, description="Relative to the repository, with slashes.")
    line: int | None = Field(default=None, ge=1, le=LARGEST_COUNT)
    end_line: int | None = Field(default=None, ge=1, le=LARGEST_COUNT)
    fingerprint: str = Field(default="", description="Equal for the same finding in another run of the tool.")
    help_url: str = ""
    suppressed: bool = False


@dataclass(frozen=True, slots=True, config=ConfigDict(extra="forbid", allow_inf_nan=False))
class CaseResult:
    """One test that ran, or was left out. Reports hold 100,000 of them, so they have slots and no dictionary each."""

    suite: str = ""
    name: str = ""
    outcome: Outcome = Outcome.PASSED
    seconds: NonNegativeFloat = 0.0
    message: str = ""
    path: str | None = None
    retries: int = Field(default=0, ge=0, le=LARGEST_COUNT)
    flaky: bool = Field(default=False, description="It failed and passed within the one run.")


class Counts(_Read):
    """How much of something was run. A report that says nothing of branches has none."""

    lines_valid: int = Field(default=0, ge=0, le=LARGEST_COUNT)
    lines_covered: int = Field(default=0, ge=0, le=LARGEST_COUNT)
    branches_valid: int = Field(default=0, ge=0, le=LARGEST_COUNT)
    branches_covered: int = Field(default=0, ge=0, le=LARGEST_COUNT)

    @property
    def line_rate(self) -> float | None:
        """Percentage of the lines that were run; none where there is no line."""
        return 100 * self.lines_covered / self.lines_valid if self.lines_valid else None


class FileCoverage(Counts):
    """The coverage of one file; its lines where the report tells of each, and not of their number alone."""

    path: str
    hit: str | None = Field(default=None, description="Numbers of the lines that were run, as `1-4,9`; None: not told.")
    missed: str | None = Field(default=None, description="Numbers of those that could be run and were not, likewise.")


class Coverage(Counts):
    """What the tests ran of the code."""

    flag: str = Field(default="", description="Which tests were measured: unit, integration …; empty for all.")
    files: tuple[FileCoverage, ...] = ()


class Component(_Read):
    """One part of the software, from a bill of materials."""

    name: str
    version: str = ""
    purl: str = ""
    licences: tuple[str, ...] = Field(default=(), description="SPDX ids or expressions, or names where it has none.")


class Measure(_Read):
    """One number, with the threshold it was held against where the report has one."""

    metric: str
    statistic: str = Field(default="", description="mean, p95, max, rate …; empty where the metric is one number.")
    value: float
    unit: str = ""
    threshold: str = Field(default="", description="As the report words it.")
    passed: bool | None = Field(default=None, description="None where there is no threshold.")


class AccessibilityFault(_Read):
    """One rule of accessibility that a page breaks."""

    rule: str
    impact: str = Field(default="", description="minor, moderate, serious or critical, as axe-core has it.")
    nodes: int = Field(default=1, ge=0, le=LARGEST_COUNT, description="How many elements break it.")
    wcag: tuple[str, ...] = Field(default=(), description="Success criteria and levels, such as wcag2aa and wcag143.")
    message: str = ""
    page: str = ""
    help_url: str = ""


class EvidenceReport(_Read):
    """One report, read."""

    format: EvidenceFormat
    tool: str = ""
    tool_version: str = ""
    incomplete: str = Field(default="", description="Why the tool did not look at everything, by its own word.")
    findings: tuple[Finding, ...] = ()
    tests: tuple[CaseResult, ...] = ()
    coverage: Coverage | None = None
    components: tuple[Component, ...] = ()
    measures: tuple[Measure, ...] = ()
    accessibility: tuple[AccessibilityFault, ...] = ()


class EvidenceSummary(_Read):
    """A report in numbers; small however large the report is."""

    findings: dict[Severity, int] = Field(default_factory=dict, description="By severity, without the suppressed.")
    suppressed: int = 0
    tests: dict[Outcome, int] = Field(default_factory=dict)
    flaky: int = 0
    coverage: Counts | None = None
    components: int = 0
    measures: int = 0
    thresholds_missed: int = 0
    accessibility: int = 0


class EvidenceRecord(Frozen):
    """That a report is kept, about which commit of which project."""

    project: str
    commit: str
    digest: str = Field(description="Of the report's bytes as the tool wrote them, unpacked.")
    format: EvidenceFormat
    tool: str
    tool_version: str
    media_type: str
    size: int = Field(description="Bytes.")
    flag: str = ""
    root: str = Field(default="", description="The checkout's folder on the machine that wrote the report.")
    actor: str = Field(description="Pseudonym of whoever sent it.")
    received_at: datetime
    summary: EvidenceSummary


class EvidenceListing(Frozen):
    """All there is about a commit."""

    project: str
    commit: str
    evidence: tuple[EvidenceRecord, ...]


class EvidenceReceipt(EvidenceListing):
    """What came of sending reports."""

    repeated: tuple[str, ...] = Field(default=(), description="Digests of those that had been sent before.")
