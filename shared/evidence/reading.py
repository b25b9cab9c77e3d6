"""Reads a report of any format that is known; bytes that are no such report end in a refusal and in nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from pydantic import ValidationError

from shared.domain.evidence import Counts, EvidenceReport, EvidenceSummary
from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.recognising import Recognised, recognised

_LISTS = ("findings", "tests", "components", "measures", "accessibility")


def read(content: bytes, *, flag: str = "", root: str = "") -> EvidenceReport:
    """The report in ``content``.

    Args:
        content: what the tool wrote, unpacked.
        flag: which tests were measured, for coverage.
        root: the folder of the checkout on the machine that wrote it.

    Raises:
        RefusedError: it is in no format that is known, or breaks its format or a limit; says where.
    """
    return read_recognised(recognised(content), Given(flag=flag, root=root))


def read_recognised(report: Recognised, given: Given) -> EvidenceReport:
    """The report, whose format is known. Raises as ``read`` does."""
    # Only the module of the format at hand is loaded: a worker rarely sees them all.
    module = import_module(f"shared.evidence.formats.{report.format}")
    reader = getattr(module, f"from_{report.shape}", None)
    if reader is None:
        raise RefusedError(
            f"{report.format} is not read as {report.shape}", "Send it as the tool writes it by default."
        )
    try:
        fields: dict[str, Any] = reader(report.content, given)
        _count(fields)
        return EvidenceReport.model_validate({"format": report.format, **fields})
    except OverflowError as error:
        # Whole numbers know no bound in Python until something is computed of them.
        raise RefusedError("the report holds a number too large to be one", "Correct it, or the tool.") from error
    except ValidationError as error:
        detail = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in detail["loc"])
        raise RefusedError(
            f"the report says something impossible: {place}: {detail['msg']}", "Correct it, or the tool that wrote it."
        ) from error


def _count(fields: Mapping[str, Any]) -> None:
    coverage = fields.get("coverage")
    counts = {name: len(fields.get(name, ())) for name in _LISTS}
    counts["files"] = len(coverage.get("files", ())) if coverage else 0
    for name, count in counts.items():
        if count > LIMITS.items:
            raise RefusedError(f"the report holds {count} {name}; {LIMITS.items} are the most", "Send it in parts.")


def summarised(report: EvidenceReport) -> EvidenceSummary:
    """``report`` in numbers."""
    coverage = report.coverage
    counts = Counts(**{name: getattr(coverage, name) for name in Counts.model_fields}) if coverage else None
    return EvidenceSummary(
        findings=dict(sorted(Counter(f.severity for f in report.findings if not f.suppressed).items())),
        suppressed=sum(f.suppressed for f in report.findings),
        tests=dict(sorted(Counter(test.outcome for test in report.tests).items())),
        flaky=sum(test.flaky for test in report.tests),
        coverage=counts,
        components=len(report.components),
        measures=len(report.measures),
        thresholds_missed=sum(measure.passed is False for measure in report.measures),
        accessibility=len(report.accessibility),
    )
