"""Writes all findings and opinions of a review as SARIF 2.1.0: for the record in full, for code scanning what it takes.

Source of all rules: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from shared.domain.definition import GateId, Severity
from shared.domain.forge import ForgeName
from shared.domain.review import UNDECIDED, AgentReport, Finding, Opinion, Outcome, Reviewed, Waiver
from shared.reviews.saying import Voiced, wanting

MEDIA_TYPE = "application/sarif+json"
MOST_SCANNED = 5_000
"""Results that GitHub shows of one upload:
https://docs.github.com/en/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning"""

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note"}
_SCORES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.0"}
"""Within the bands by which GitHub names a score critical, high, medium or low."""
_SECURITY = frozenset(
    {
        GateId.NO_SECRETS, GateId.NO_CRITICAL_FINDINGS, GateId.DEPENDENCIES_ARE_SAFE, GateId.CONTAINERS_ARE_SECURE,
        GateId.INFRASTRUCTURE_IS_SECURE, GateId.THREAT_MODEL_IS_COMPLETE, GateId.SECURITY_TESTS_COVER_CONTROLS,
    }
)  # fmt: skip


def log(reviewed: Reviewed, every: Sequence[Voiced]) -> dict[str, Any]:
    """The SARIF log of everything that was found or thought, with what was let go as suppressed."""
    findings = [one for one in reviewed.findings if wanting(one)]
    rules = [_rule(one) for one in findings] + _agent_rules(reviewed.agents)
    places = {rule["id"]: place for place, rule in enumerate(rules)}
    results = [result for one in every for result in _of_voiced(one, reviewed)]
    results += [_of_finding(one) for one in findings if not one.remarks]
    results += [_of_opinion(one) for report in reviewed.agents for one in report.opinions if not one.path]
    for result in results:
        result["ruleIndex"] = places[result["ruleId"]]
    run: dict[str, Any] = {
        "tool": {"driver": {"name": "Doneright", "rules": rules}},
        "automationDetails": {"id": "doneright/review/"},
        "columnKind": "utf16CodeUnits",
        "results": results,
        "properties": {
            "review": reviewed.review,
            "ruling": reviewed.ruling.value,
            "definition": f"{reviewed.definition.name} {reviewed.definition.version}",
        },
    }
    if repository := _repository(reviewed):
        run["versionControlProvenance"] = [{"repositoryUri": repository, "revisionId": reviewed.head}]
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def for_code_scanning(full: dict[str, Any]) -> dict[str, Any]:
    """What code scanning takes of ``log``: failures with a place. The rest is in the summary and on record."""
    run = full["runs"][0]
    kept = [_with_line(one) for one in run["results"] if one.get("locations") and one["kind"] == "fail"]
    return full | {"runs": [run | {"results": kept[:MOST_SCANNED]}]}


def written(value: dict[str, Any]) -> bytes:
    """The bytes of a log; equal logs have equal bytes."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _rule(one: Finding) -> dict[str, Any]:
    properties: dict[str, Any] = {
        "tags": [one.stage.value, one.enforcement.value],
        "problem.severity": {"error": "error", "warning": "warning", "note": "recommendation"}[_LEVELS[one.severity]],
    }
    if one.gate in _SECURITY:
        properties["tags"] = ["security", *properties["tags"]]
        properties["security-severity"] = _SCORES[one.severity]
    remedy = one.remedy or f"Ask the {one.owner.replace('_', ' ')}."
    return {
        "id": one.criterion,
        "name": "".join(part.capitalize() for part in one.criterion.split("_")),
        "shortDescription": {"text": one.statement},
        "fullDescription": {"text": one.statement},
        "help": {"text": f"{remedy} In a comment: /doneright explain {one.criterion}"},
        "defaultConfiguration": {"level": _LEVELS[one.severity]},
        "properties": properties,
    }


def _agent_rules(agents: Sequence[AgentReport]) -> list[dict[str, Any]]:
    kinds = dict.fromkeys((report.agent, opinion.kind) for report in agents for opinion in report.opinions)
    return [
        {
            "id": f"{agent}/{kind}",
            "name": f"{agent.capitalize()}{kind.capitalize()}",
            "shortDescription": {"text": f"What the {agent} agent offers: {kind}."},
            "help": {"text": "An opinion. It blocks nothing; take it over, or leave it."},
            "defaultConfiguration": {"level": "note"},
            "properties": {"tags": ["opinion", agent.value]},
        }
        for agent, kind in kinds
    ]


def _of_voiced(one: Voiced, reviewed: Reviewed) -> list[dict[str, Any]]:
    remark = one.remark
    found = []
    for name in one.criteria or (remark.rule,):
        finding = reviewed.of(name) if one.criteria else None
        undecided = finding is not None and finding.outcome in UNDECIDED
        result: dict[str, Any] = {
            "ruleId": name,
            **_weight(remark.severity if one.criteria else Severity.LOW, undecided),
            "message": {"text": f"{one.title}: {remark.message}" if one.title else remark.message},
            "partialFingerprints": _prints(one.fingerprint),
            "properties": {"severity": remark.severity.value},
        }
        if one.criteria and remark.rule:
            result["properties"]["rule"] = remark.rule
        if location := _location(remark.path, remark.line, remark.end_line):
            result["locations"] = [location]
            if remark.suggestion is not None and remark.line:
                result["fixes"] = [_fix(location, remark.suggestion)]
        if finding and finding.waiver:
            result["suppressions"] = [_suppression(finding.waiver)]
        found.append(result)
    return found


def _of_finding(one: Finding) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": one.criterion,
        **_weight(one.severity, one.outcome is not Outcome.UNMET),
        "message": {"text": one.reason},
        "partialFingerprints": _prints(_digest("criterion", one.criterion)),
        "properties": {"severity": one.severity.value},
    }
    if one.waiver:
        result["suppressions"] = [_suppression(one.waiver)]
    return result


def _of_opinion(one: Opinion) -> dict[str, Any]:
    return {
        "ruleId": f"{one.agent}/{one.kind}",
        **_weight(Severity.LOW, undecided=False),
        "message": {"text": f"{one.title}: {one.message}"},
        "partialFingerprints": _prints(_digest(one.agent, one.kind, one.title)),
        "properties": {"severity": one.severity.value, "confidence": one.confidence, "source": one.source},
    }


def _weight(severity: Severity, undecided: bool) -> dict[str, str]:
    # Section 3.27.10: a result that is not a failure has no level.
    return {"kind": "open", "level": "none"} if undecided else {"kind": "fail", "level": _LEVELS[severity]}


def _prints(fingerprint: str) -> dict[str, str]:
    # The second is the only one that GitHub reads.
    return {"doneright/v1": fingerprint, "primaryLocationLineHash": fingerprint}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


def _location(path: str, line: int | None, end_line: int | None) -> dict[str, Any]:
    if not path:
        return {}
    place: dict[str, Any] = {"artifactLocation": {"uri": quote(path, safe="/"), "uriBaseId": "%SRCROOT%"}}
    if line is not None:
        place["region"] = {"startLine": line, "endLine": max(end_line or line, line)}
    return {"physicalLocation": place}


def _fix(location: dict[str, Any], suggestion: str) -> dict[str, Any]:
    place = location["physicalLocation"]
    text = suggestion + "\n" if suggestion else ""
    replacement = {"deletedRegion": place["region"], "insertedContent": {"text": text}}
    change = {"artifactLocation": place["artifactLocation"], "replacements": [replacement]}
    return {"description": {"text": "The lines as they are suggested."}, "artifactChanges": [change]}


def _suppression(waiver: Waiver) -> dict[str, Any]:
    return {
        "kind": "external",
        "status": "accepted",
        "justification": waiver.because,
        "properties": {"by": waiver.actor, "until": waiver.until.isoformat()},
    }


def _with_line(result: dict[str, Any]) -> dict[str, Any]:
    """``result`` with a line, which code scanning insists on; the first stands for the file."""
    place = result["locations"][0]["physicalLocation"]
    if "region" in place:
        return result
    return result | {"locations": [{"physicalLocation": place | {"region": {"startLine": 1}}}]}


def _repository(reviewed: Reviewed) -> str:
    mark = "/pull/" if reviewed.ref.forge is ForgeName.GITHUB else "/pullrequest/"
    base, found, _ = reviewed.url.partition(mark)
    return base if found and base.startswith(("https://", "http://")) else ""
