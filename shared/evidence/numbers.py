"""Reads the numbers that reports write as text; what is no number, or none a report can mean, is refused."""

from __future__ import annotations

import math
import re

from shared.domain.evidence import LARGEST_COUNT
from shared.errors import RefusedError

_DIGITS = re.compile(r"[0-9]{1,16}", re.ASCII)
_LONGEST = 40
_REMEDY = "Send the report as the tool wrote it."


def seconds(text: str) -> float:
    """A duration in seconds, which some tools write with a comma for thousands. Raises ``RefusedError``."""
    try:
        value = float(text)
        if 0.0 <= value <= LARGEST_COUNT:
            return value
    except ValueError:
        value = number(text.replace(",", ""))
    if 0.0 <= value <= LARGEST_COUNT:
        return value
    if -1 < value < 0:
        return 0.0  # a clock was set back while the test ran
    raise RefusedError(f"{text[:_LONGEST]!r} is no duration", _REMEDY)


def number(text: str) -> float:
    """A finite number. Raises ``RefusedError``."""
    try:
        value = float(text) if len(text) <= _LONGEST else math.inf
    except ValueError:
        value = math.inf
    if not math.isfinite(value):
        raise RefusedError(f"{text[:_LONGEST]!r} is no number", _REMEDY)
    return value


def count(text: str) -> int:
    """A whole number from nought to 2⁵³ - 1. Raises ``RefusedError``."""
    stripped = text.strip()
    if not _DIGITS.fullmatch(stripped) or int(stripped) > LARGEST_COUNT:
        raise RefusedError(f"{text[:_LONGEST]!r} is no whole number", _REMEDY)
    return int(stripped)
