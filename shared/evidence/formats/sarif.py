"""Reads SARIF 2.1.0, which CodeQL, Semgrep, Trivy, checkov and most other scanners write.

Source of all rules: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.domain.evidence import Severity
from shared.errors import RefusedError
from shared.evidence.given import Given
from shared.evidence.limits import LIMITS
from shared.evidence.schemas import hold
from shared.evidence.severities import of_score, of_word

_NO_FINDING = frozenset({"pass", "notApplicable"})
_HELD_BACK = frozenset({"underReview", "rejected"})
_PLACEHOLDER = re.compile(r"\{([0-9]{1,2})\}")
_MOST_BASES = 10
_NO_RULE: Mapping[str, Any] = {}


def from_json(value: Any, given: Given) -> dict[str, Any]:
    """Findings of every run. Raises ``RefusedError`` for what the official schema refuses."""
    version = value.get("version")
    if version != "2.1.0":
        raise RefusedError(f"SARIF {str(version)[:20]!r} is not read", "Let the tool write SARIF 2.1.0.")
    hold(value, "sarif")
    findings: list[dict[str, Any]] = []
    tools: dict[str, str] = {}
    broken: list[str] = []
    for run in value["runs"] or ():
        driver = run["tool"]["driver"]
        tools[driver["name"]] = driver.get("semanticVersion") or driver.get("version") or ""
        _Run(run, given, findings).read()
        # Section 3.20.14: a run that did not succeed tells what it found until then.
        if any(each.get("executionSuccessful") is False for each in run.get("invocations") or ()):
            broken.append(driver["name"])
    return {
        "incomplete": f"{', '.join(broken)} says that its run did not succeed" if broken else "",
        "tool": ", ".join(tools),
        "tool_version": ", ".join(dict.fromkeys(filter(None, tools.values()))),
        "findings": findings,
    }


class _Run:
    """One run of one tool, with what its results refer to."""

    def __init__(self, run: Mapping[str, Any], given: Given, findings: list[dict[str, Any]]) -> None:
        tool = run["tool"]
        self._run = run
        self._findings = findings
        self._paths = given.paths
        self._rules = [component.get("rules", ()) for component in (tool["driver"], *tool.get("extensions", ()))]
        self._by_id: dict[str, Mapping[str, Any]] = {
            rule["id"]: rule for rules in reversed(self._rules) for rule in rules
        }
        self._artifacts = run.get("artifacts", ())
        self._bases = run.get("originalUriBaseIds", {})
        self._files: dict[tuple[str, str], str | None] = {}
        self._weighed: dict[tuple[int, str], tuple[Severity, str]] = {}

    def read(self) -> None:
        """Add what this run found."""
        for result in self._run.get("results") or ():
            if result.get("kind") in _NO_FINDING or result.get("baselineState") == "absent":
                continue
            self._findings.append(self._finding(result))

    def _finding(self, result: Mapping[str, Any]) -> dict[str, Any]:
        rule, name = self._rule(result)
        level = result.get("level") or _level(rule)
        weight = (id(rule), level)  # a rule is the same object for all its results
        if weight not in self._weighed:
            self._weighed[weight] = _severity(rule, level)
        severity, told = self._weighed[weight]
        text = result["message"].get("text")
        finding: dict[str, Any] = {
            "rule": name,
            "severity": severity,
            "source_severity": told,
            "message": (text if text is not None else _worded(result["message"], rule))[: LIMITS.text],
        }
        if url := rule.get("helpUri"):
            finding["help_url"] = url
        if locations := result.get("locations"):
            self._place(locations[0], finding)
        if prints := result.get("partialFingerprints") or result.get("fingerprints"):
            finding["fingerprint"] = prints.get("primaryLocationLineHash") or prints[min(prints)]
        if suppressions := result.get("suppressions"):
            finding["suppressed"] = not any(each.get("status") in _HELD_BACK for each in suppressions)
        return finding

    def _rule(self, result: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
        reference = result.get("rule") or {}
        index = result.get("ruleIndex", reference.get("index", -1))
        name = result.get("ruleId") or reference.get("id") or ""
        component = reference.get("toolComponent", {}).get("index", -1) + 1
        rules = self._rules[component] if component < len(self._rules) else ()
        if 0 <= index < len(rules):
            found = rules[index]
            return found, name or found["id"]
        # Section 3.52.4: an id may go on below its rule's, after a slash.
        return self._by_id.get(name) or self._by_id.get(name.rpartition("/")[0]) or _NO_RULE, name

    def _place(self, location: Mapping[str, Any], finding: dict[str, Any]) -> None:
        physical = location.get("physicalLocation")
        if physical is None:
            return
        if region := physical.get("region"):
            if (line := region.get("startLine")) is not None:
                finding["line"] = line
            if (end := region.get("endLine")) is not None:
                finding["end_line"] = end
        if artifact := physical.get("artifactLocation"):
            finding["path"] = self._path(artifact)

    def _path(self, artifact: Mapping[str, Any]) -> str | None:
        uri, index = artifact.get("uri"), artifact.get("index", -1)
        if uri is None and 0 <= index < len(self._artifacts):
            artifact = self._artifacts[index].get("location", {})
            uri = artifact.get("uri")
        if not uri:
            return None
        key = (uri, artifact.get("uriBaseId", ""))
        if key not in self._files:
            self._files[key] = self._paths.below(uri, [base] if (base := self._base(key[1])) else [])
        return self._files[key]

    def _base(self, name: str) -> str:
        """The folder a ``uriBaseId`` stands for; bases may lean on one another (section 3.14.14)."""
        uri = ""
        for _ in range(_MOST_BASES):
            base = self._bases.get(name)
            if base is None:
                return uri
            uri = base.get("uri", "") + uri
            name = base.get("uriBaseId", "")
        raise RefusedError(
            f"more than {_MOST_BASES} bases of addresses lean on one another", "Let none lead back to itself."
        )


def _level(rule: Mapping[str, Any]) -> str:
    level: str = rule.get("defaultConfiguration", {}).get("level", "warning")
    return level


def _severity(rule: Mapping[str, Any], level: str) -> tuple[Severity, str]:
    """By the rule's CVSS score where a tool gives one, as GitHub code scanning does, else by the level."""
    score = rule.get("properties", {}).get("security-severity")
    if score is None:
        return of_word(level), level
    try:
        return of_score(float(score)), f"{level}, security-severity {str(score)[:20]}"
    except (TypeError, ValueError):
        return of_word(level), level


def _worded(message: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    """A message by its id, with its arguments (section 3.11)."""
    strings = rule.get("messageStrings", {})
    text: str = strings.get(message.get("id", ""), {}).get("text", "") or message.get("markdown", "")
    arguments = message.get("arguments", ())
    return _PLACEHOLDER.sub(lambda m: arguments[int(m[1])] if int(m[1]) < len(arguments) else m[0], text[: LIMITS.text])
