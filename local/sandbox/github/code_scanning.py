"""Answers for code scanning: SARIF that is uploaded becomes an analysis of a ref, and its results become alerts."""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import re
import uuid
import zlib
from typing import Any

from local.sandbox.github import objects, present
from local.sandbox.github.errors import ApiError, bad_request, not_found
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.routing import Answer, Call, route

SCANNING = "/repos/{owner}/{repo}/code-scanning"
MOST_SARIF = 10 * 1024 * 1024
"""Bytes as sent: https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning"""
NOT_IN_PLAN = "Advanced Security must be enabled for this repository to use code scanning."
_REF = re.compile(r"refs/(?:heads/.+|tags/.+|pull/(\d+)/(?:merge|head))")
_LEVELS = {"error": "error", "warning": "warning", "note": "note", "none": "none"}


def _scanned(call: Call, level: str) -> tuple[Record, Record]:
    """The repository and what code scanning keeps of it; raises ApiError where the plan has none."""
    repo = call.repo("read", "metadata")
    if repo["private"] and not call.hub.plan_has(repo["owner"], "security"):
        raise ApiError(403, NOT_IN_PLAN)
    repo = call.repo(level, "security_events")
    if call.caller.kind == "user":
        # Alerts are for those who may write, even where everybody may read the code.
        repo = call.repo("write", "security_events")
    return repo, repo.setdefault("code_scanning", {"analyses": [], "alerts": {}, "uploads": {}})


def _sarif(text: str) -> Record:
    try:
        packed = base64.b64decode("".join(text.split()), validate=True)
        if len(packed) > MOST_SARIF:
            raise ApiError(413, "The SARIF ZIP upload was too large.")
        found = json.loads(gzip.decompress(packed))
    except (binascii.Error, OSError, EOFError, zlib.error, ValueError) as error:
        raise ApiError(400, "Invalid SARIF. The SARIF is not a valid gzip and base64 encoded JSON document.") from error
    if not isinstance(found, dict) or found.get("version") != "2.1.0" or not isinstance(found.get("runs"), list):
        raise ApiError(400, "Invalid SARIF. Only SARIF version 2.1.0 is supported.")
    return found


@route("POST", SCANNING + "/sarifs")
def upload(call: Call) -> Answer:
    """Take an analysis; here it is read at once."""
    repo, kept = _scanned(call, "write")
    commit, ref = call.need("commit_sha", str), call.need("ref", str)
    if not re.fullmatch(r"[0-9a-f]{40}", commit):
        raise bad_request(f"For 'properties/commit_sha', {commit} does not match the pattern.")
    if not objects.has(call.hub, repo, "commits", commit):
        raise ApiError(404, "commit not found")
    if not _REF.fullmatch(ref):
        raise bad_request(f"{ref} is not a valid ref.")
    report = _sarif(call.need("sarif", str))
    identifier = str(uuid.uuid4())
    for run in report["runs"]:
        _take(call.hub, kept, run, identifier, ref, commit)
    kept["uploads"][identifier] = now()
    call.hub.changed()
    url = f"{present.repository_url(call.hub, repo)}/code-scanning/sarifs/{identifier}"
    return Answer(202, {"id": identifier, "url": url})


def _take(hub: Hub, kept: Record, run: Record, identifier: str, ref: str, commit: str) -> None:
    driver = (run.get("tool") or {}).get("driver") or {}
    name = str(driver.get("name") or "API")
    tool = {"name": name, "guid": driver.get("guid"), "version": driver.get("version")}
    category = str((run.get("automationDetails") or {}).get("id") or "").rstrip("/")
    rules = {rule.get("id"): rule for rule in driver.get("rules") or ()}
    results = run.get("results") or []
    seen = set()
    for result in results:
        key, made = _result(rules, name, result)
        seen.add(key)
        alert = next((one for one in kept["alerts"].values() if one["key"] == key), None)
        if alert is None:
            number = len(kept["alerts"]) + 1
            alert = {"number": number, "key": key, "tool": tool, "created_at": now(), "instances": {}, **made["alert"]}
            kept["alerts"][str(number)] = alert
        alert["instances"][ref] = {"state": "open", "commit": commit, "category": category, **made["instance"]}
    for alert in kept["alerts"].values():
        held = alert["instances"].get(ref)
        if held and alert["tool"]["name"] == name and held["category"] == category and alert["key"] not in seen:
            held["state"] = "fixed"
    kept["analyses"].append(
        {
            "id": hub.next_id("analysis", 1_700_001),
            "ref": ref,
            "commit_sha": commit,
            "category": category,
            "tool": tool,
            "results_count": len(results),
            "rules_count": len(rules),
            "sarif_id": identifier,
            "created_at": now(),
        }
    )


def _result(rules: Record, tool: str, result: Record) -> tuple[str, Record]:
    name = str(result.get("ruleId") or (result.get("rule") or {}).get("id") or "unknown")
    rule = rules.get(name) or {}
    properties = rule.get("properties") or {}
    message = str((result.get("message") or {}).get("text") or "")
    level = result.get("level") or (rule.get("defaultConfiguration") or {}).get("level") or "warning"
    physical = ((result.get("locations") or [{}])[0]).get("physicalLocation") or {}
    region = physical.get("region") or {}
    path = str((physical.get("artifactLocation") or {}).get("uri") or "")
    prints = result.get("partialFingerprints") or {}
    mark = prints.get("primaryLocationLineHash") or f"{message}:{region.get('startLine')}"
    start = region.get("startLine", 1)
    described = (rule.get("shortDescription") or {}).get("text") or name
    return f"{tool}:{name}:{path}:{mark}", {
        "alert": {
            "rule": {
                "id": name,
                "name": rule.get("name") or name,
                "severity": _LEVELS.get(level, "warning"),
                "description": described,
                "tags": properties.get("tags") or [],
                "security_severity_level": _security_level(properties.get("security-severity")),
            }
        },
        "instance": {
            "message": message,
            "path": path,
            "start_line": start,
            "end_line": region.get("endLine", start),
            "start_column": region.get("startColumn", 1),
            "end_column": region.get("endColumn", 1),
        },
    }


def _security_level(score: object) -> str | None:
    """https://docs.github.com/code-security/code-scanning/managing-code-scanning-alerts/about-code-scanning-alerts"""
    try:
        value = float(str(score))
    except ValueError:
        return None
    return "critical" if value > 9 else "high" if value >= 7 else "medium" if value >= 4 else "low"


@route("GET", SCANNING + "/sarifs/{sarif_id}")
def uploaded(call: Call) -> Record:
    """How far an upload was read."""
    repo, kept = _scanned(call, "read")
    if call.params["sarif_id"] not in kept["uploads"]:
        raise not_found()
    url = f"{present.repository_url(call.hub, repo)}/code-scanning/analyses?sarif_id={call.params['sarif_id']}"
    return {"processing_status": "complete", "analyses_url": url}


@route("GET", SCANNING + "/analyses")
def analyses(call: Call) -> Answer:
    """Analyses, the newest first; 404 in these words where there never was one."""
    repo, kept = _scanned(call, "read")
    if not kept["analyses"]:
        raise ApiError(404, "no analysis found")
    query = call.query
    pull = f"refs/pull/{query['pr']}/" if "pr" in query else ""
    found = [
        one
        for one in kept["analyses"][::-1]
        if query.get("ref", one["ref"]) == one["ref"]
        and query.get("tool_name", one["tool"]["name"]) == one["tool"]["name"]
        and query.get("sarif_id", one["sarif_id"]) == one["sarif_id"]
        and one["ref"].startswith(pull)
    ]
    url = f"{present.repository_url(call.hub, repo)}/code-scanning/analyses"
    return call.page_of(
        found,
        lambda one: {
            **one,
            "analysis_key": "(default)",
            "environment": "{}",
            "error": "",
            "warning": "",
            "url": f"{url}/{one['id']}",
            "deletable": True,
        },
    )


@route("GET", SCANNING + "/alerts")
def alerts(call: Call) -> Answer:
    """Alerts on a ref (the default branch's), of one state and tool where asked."""
    repo, kept = _scanned(call, "read")
    if not kept["analyses"]:
        raise ApiError(404, "no analysis found")
    ref = call.query.get("ref") or f"refs/heads/{repo['default_branch']}"
    ref = ref if ref.startswith("refs/") else f"refs/heads/{ref}"
    found = [
        alert
        for alert in kept["alerts"].values()
        if (held := alert["instances"].get(ref))
        and call.query.get("state", held["state"]) == held["state"]
        and call.query.get("tool_name", alert["tool"]["name"]) == alert["tool"]["name"]
    ]
    return call.page_of(found[::-1], lambda alert: _alert(call.hub, repo, alert, ref))


def _alert(hub: Hub, repo: Record, alert: Record, ref: str) -> Record:
    held: Record = alert["instances"][ref]
    url = f"{present.repository_url(hub, repo)}/code-scanning/alerts/{alert['number']}"
    page = f"{present.html_url(hub, repo)}/security/code-scanning/{alert['number']}"
    location: dict[str, Any] = {
        name: held[name] for name in ("path", "start_line", "end_line", "start_column", "end_column")
    }
    return {
        "number": alert["number"],
        "created_at": alert["created_at"],
        "updated_at": alert["created_at"],
        "url": url,
        "html_url": page,
        "state": held["state"],
        "fixed_at": None,
        "dismissed_by": None,
        "dismissed_at": None,
        "dismissed_reason": None,
        "dismissed_comment": None,
        "rule": alert["rule"],
        "tool": alert["tool"],
        "most_recent_instance": {
            "ref": ref,
            "analysis_key": "(default)",
            "environment": "{}",
            "category": held["category"],
            "state": held["state"],
            "commit_sha": held["commit"],
            "message": {"text": held["message"]},
            "location": location,
            "classifications": [],
        },
        "instances_url": f"{url}/instances",
    }
