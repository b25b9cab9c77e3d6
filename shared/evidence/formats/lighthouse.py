"""Reads Lighthouse results: https://github.com/GoogleChrome/lighthouse/blob/main/docs/understanding-results.md"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.schemas import hold
from shared.evidence.statistics import measure

_UNITS = {"millisecond": "ms", "second": "s", "byte": "bytes", "unitless": ""}


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """Scores from 0 to 1, numbers of the page's speed, and what keeps people out of it."""
    hold(value, "lighthouse")
    audits, categories = value["audits"], value.get("categories", {})
    page = value.get("finalDisplayedUrl") or value.get("finalUrl") or value.get("requestedUrl") or ""
    accessible = {reference["id"] for reference in categories.get("accessibility", {}).get("auditRefs", ())}
    return {
        "tool": "Lighthouse",
        "tool_version": value["lighthouseVersion"],
        "measures": list(_measures(audits, categories)),
        "accessibility": [
            _fault(audit, page) for name, audit in audits.items() if name in accessible and audit.get("score") == 0
        ],
    }


def _measures(audits: Mapping[str, Any], categories: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    for name, category in categories.items():
        if (score := category.get("score")) is not None:
            yield measure(name, "score", score)
    for name, audit in audits.items():
        if (number := audit.get("numericValue")) is not None:
            unit = audit.get("numericUnit", "")
            yield measure(name, "", number, _UNITS.get(unit, unit))


def _fault(audit: Mapping[str, Any], page: str) -> dict[str, Any]:
    items = audit.get("details", {}).get("items")
    return {
        "rule": audit["id"],
        "nodes": len(items) if isinstance(items, list) and items else 1,
        "message": audit.get("title", "")[: LIMITS.text],
        "page": page,
    }
