"""Answers for alerts that GitHub raises by itself: vulnerable dependencies, and secrets in the repository."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.errors import ApiError
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"


def add_dependabot_alert(
    hub: Hub, repo: Record, *, package: str, ecosystem: str, manifest: str, ghsa: str, severity: str, summary: str
) -> Record:
    """Let Dependabot, which it switches on, have found a vulnerable dependency."""
    repo["vulnerability_alerts"] = True
    alerts = repo.setdefault("dependabot_alerts", [])
    record: Record = {
        "number": len(alerts) + 1,
        "state": "open",
        "package": {"ecosystem": ecosystem, "name": package},
        "manifest": manifest,
        "ghsa": ghsa,
        "severity": severity,
        "summary": summary,
        "created_at": now(),
    }
    alerts.append(record)
    hub.changed()
    return record


def add_secret_alert(hub: Hub, repo: Record, *, kind: str, name: str, path: str, line: int, commit: str) -> Record:
    """Let secret scanning, which it switches on, have found a secret."""
    repo["security_and_analysis"] |= {"secret_scanning": "enabled"}
    alerts = repo.setdefault("secret_alerts", [])
    record: Record = {
        "number": len(alerts) + 1,
        "state": "open",
        "kind": kind,
        "name": name,
        "path": path,
        "line": line,
        "commit": commit,
        "created_at": now(),
    }
    alerts.append(record)
    hub.changed()
    return record


def _for_writers(call: Call, permission: str) -> Record:
    return call.repo("write" if call.caller.kind == "user" else "read", permission)


@route("GET", REPO + "/dependabot/alerts")
def dependabot(call: Call) -> Answer:
    """Alerts of Dependabot, the newest first; 403 in these words where it is off. Pages go by a cursor."""
    repo = _for_writers(call, "vulnerability_alerts")
    if not repo.get("vulnerability_alerts"):
        raise ApiError(403, "Dependabot alerts are disabled for this repository.")
    state = call.query.get("state", "")
    found = [one for one in repo.get("dependabot_alerts", [])[::-1] if not state or one["state"] in state.split(",")]
    given, after = call.query.get("per_page", "30"), call.query.get("after", "")
    size = min(int(given) if given.isdecimal() else 30, 100)
    if after:
        found = [one for one in found if one["number"] < int(after)]
    shown = found[:size]
    headers = {}
    if len(found) > size:
        query = f"per_page={size}&state={state}&after={shown[-1]['number']}"
        headers["Link"] = f'<{call.hub.base_url}{call.request.scope["path"]}?{query}>; rel="next"'
    return Answer(200, [_dependabot_alert(call.hub, repo, one) for one in shown], headers)


def _dependabot_alert(hub: Hub, repo: Record, one: Record) -> Record:
    url = f"{present.repository_url(hub, repo)}/dependabot/alerts/{one['number']}"
    vulnerability = {
        "package": one["package"],
        "severity": one["severity"],
        "vulnerable_version_range": "< 99",
        "first_patched_version": None,
    }
    return {
        "number": one["number"],
        "state": one["state"],
        "dependency": {"package": one["package"], "manifest_path": one["manifest"], "scope": "runtime"},
        "security_advisory": {
            "ghsa_id": one["ghsa"],
            "cve_id": None,
            "summary": one["summary"],
            "description": one["summary"],
            "vulnerabilities": [vulnerability],
            "severity": one["severity"],
            "cvss": {"score": 0.0, "vector_string": None},
            "cwes": [],
            "identifiers": [{"type": "GHSA", "value": one["ghsa"]}],
            "references": [],
            "published_at": one["created_at"],
            "updated_at": one["created_at"],
            "withdrawn_at": None,
        },
        "security_vulnerability": vulnerability,
        "url": url,
        "html_url": f"{present.html_url(hub, repo)}/security/dependabot/{one['number']}",
        "created_at": one["created_at"],
        "updated_at": one["created_at"],
        "dismissed_at": None,
        "dismissed_by": None,
        "dismissed_reason": None,
        "dismissed_comment": None,
        "fixed_at": None,
        "auto_dismissed_at": None,
    }


@route("GET", REPO + "/secret-scanning/alerts")
def secrets(call: Call) -> Answer:
    """Secrets found, the newest first; 404 in these words where scanning is off."""
    repo = _for_writers(call, "secret_scanning_alerts")
    if present.security(call.hub, repo).get("secret_scanning", {}).get("status") != "enabled":
        raise ApiError(404, "Secret scanning is disabled on this repository.")
    state = call.query.get("state", "")
    found = [one for one in repo.get("secret_alerts", [])[::-1] if not state or one["state"] == state]
    hidden = call.query.get("hide_secret") == "true"
    return call.page_of(found, lambda one: _secret_alert(call.hub, repo, one, hidden=hidden))


def _secret_alert(hub: Hub, repo: Record, one: Record, *, hidden: bool) -> Record:
    url = f"{present.repository_url(hub, repo)}/secret-scanning/alerts/{one['number']}"
    api = present.repository_url(hub, repo)
    return {
        "number": one["number"],
        "created_at": one["created_at"],
        "updated_at": one["created_at"],
        "url": url,
        "html_url": f"{present.html_url(hub, repo)}/security/secret-scanning/{one['number']}",
        "locations_url": f"{url}/locations",
        "state": one["state"],
        "resolution": None,
        "resolved_at": None,
        "resolved_by": None,
        "resolution_comment": None,
        "secret_type": one["kind"],
        "secret_type_display_name": one["name"],
        **({} if hidden else {"secret": "example-secret-of-the-simulator"}),
        "push_protection_bypassed": False,
        "validity": "unknown",
        "first_location_detected": {
            "path": one["path"],
            "start_line": one["line"],
            "end_line": one["line"],
            "start_column": 1,
            "end_column": 1,
            "blob_sha": one["commit"],
            "blob_url": f"{api}/git/blobs/{one['commit']}",
            "commit_sha": one["commit"],
            "commit_url": f"{api}/git/commits/{one['commit']}",
        },
        "has_more_locations": False,
    }
