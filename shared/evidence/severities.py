"""Puts the tools' many words and scores for how bad a finding is on one scale."""

from __future__ import annotations

from shared.domain.evidence import Severity

WORDS = {
    "blocker": Severity.CRITICAL,
    "critical": Severity.CRITICAL,
    "error": Severity.HIGH,
    "high": Severity.HIGH,
    "major": Severity.HIGH,
    "important": Severity.HIGH,
    "serious": Severity.HIGH,
    "warning": Severity.MEDIUM,
    "medium": Severity.MEDIUM,
    "moderate": Severity.MEDIUM,
    "note": Severity.LOW,
    "low": Severity.LOW,
    "minor": Severity.LOW,
    "recommendation": Severity.LOW,
    "none": Severity.INFO,
    "info": Severity.INFO,
    "informational": Severity.INFO,
}


def of_word(word: str) -> Severity:
    """The severity a tool's ``word`` stands for; medium for one nobody has heard of, so that it is not overlooked."""
    return WORDS.get(word.lower(), Severity.MEDIUM)


def of_score(score: float) -> Severity:
    """The severity of a CVSS base score of 0 to 10: https://www.first.org/cvss/v3.1/specification-document section 5."""
    for least, severity in (
        (9.0, Severity.CRITICAL),
        (7.0, Severity.HIGH),
        (4.0, Severity.MEDIUM),
        (0.1, Severity.LOW),
    ):
        if score >= least:
            return severity
    return Severity.INFO
