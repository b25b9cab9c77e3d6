"""Reads ZAP's traditional reports, JSON and XML: https://www.zaproxy.org/docs/desktop/addons/report-generation/"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Mapping
from typing import Any

from shared.domain.evidence import Severity
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.schemas import hold
from shared.evidence.trees import tree

_RISKS = {"3": Severity.HIGH, "2": Severity.MEDIUM, "1": Severity.LOW, "0": Severity.INFO}
_FALSE_POSITIVE = "0"
_MARKUP = re.compile(r"<[^<>]{0,200}>")


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """The alerts of every site."""
    hold(value, "zap")
    sites = value["site"] if isinstance(value["site"], list) else [value["site"]]
    findings = [_finding(alert, site.get("@name", "")) for site in sites for alert in site.get("alerts", ())]
    return {"tool": "ZAP", "tool_version": value.get("@version", ""), "findings": findings}


def from_xml(content: bytes, given: Given) -> dict[str, Any]:
    """The same from XML."""
    root = tree(content)
    findings = [
        _finding({each.name: each.text.strip() for each in alert.children}, site.attributes.get("name", ""))
        for site in root.all("site")
        for held in site.all("alerts")
        for alert in held.all("alertitem")
    ]
    return {"tool": "ZAP", "tool_version": root.attributes.get("version", ""), "findings": findings}


def _finding(alert: Mapping[str, Any], site: str) -> dict[str, Any]:
    risk = alert.get("riskcode", "")
    rule = alert.get("alertRef") or alert.get("pluginid") or alert.get("alert") or "alert"
    return {
        "rule": rule,
        "severity": _RISKS.get(risk, Severity.MEDIUM),
        "source_severity": alert.get("riskdesc") or risk,
        "message": ": ".join(filter(None, _told(alert, site)))[: LIMITS.text],
        # The same alert on the same site is the same finding; its instances come and go with each crawl.
        "fingerprint": f"{rule}@{site}",
        "help_url": f"https://www.zaproxy.org/docs/alerts/{rule}/" if rule[:1].isdigit() else "",
        "suppressed": alert.get("confidence") == _FALSE_POSITIVE,
    }


def _told(alert: Mapping[str, Any], site: str) -> Iterable[str]:
    yield site
    yield alert.get("name") or alert.get("alert") or ""
    yield html.unescape(_MARKUP.sub("", alert.get("desc", "")[: LIMITS.text])).strip()
