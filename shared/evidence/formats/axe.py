"""Reads results of axe-core, of one page or a list of them: https://github.com/dequelabs/axe-core/blob/develop/doc/API.md"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.schemas import hold

_WCAG = re.compile(r"wcag[0-9]")


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """The rules each page breaks."""
    hold(value, "axe")
    pages = value if isinstance(value, list) else [value]
    engine: Mapping[str, Any] = next((page["testEngine"] for page in pages if "testEngine" in page), {})
    faults = [
        {
            "rule": rule["id"],
            "impact": rule.get("impact") or "",
            "nodes": len(rule["nodes"]),
            "wcag": [tag for tag in rule.get("tags", ()) if _WCAG.match(tag)],
            "message": rule.get("help", rule.get("description", ""))[: LIMITS.text],
            "page": page.get("url", ""),
            "help_url": rule.get("helpUrl", ""),
        }
        for page in pages
        for rule in page["violations"]
    ]
    return {"tool": engine.get("name", "axe-core"), "tool_version": engine.get("version", ""), "accessibility": faults}
