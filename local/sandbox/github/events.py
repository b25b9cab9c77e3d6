"""Sends each event to every hook that wants it: the repository's, the organisation's and the apps'."""

from __future__ import annotations

import hashlib
import hmac
import json
import uuid
from typing import Any

import httpx

from local.sandbox.github import present
from local.sandbox.github.hub import Hub, Record, node_id, now

KEPT_DELIVERIES = 250
# What an app must hold to be sent an event (docs.github.com, "Webhook events and payloads", Availability).
PERMISSION_OF_EVENT = {
    "issues": "issues",
    "issue_comment": "issues",
    "label": "issues",
    "push": "contents",
    "create": "contents",
    "delete": "contents",
    "pull_request": "pull_requests",
    "pull_request_review": "pull_requests",
    "pull_request_review_comment": "pull_requests",
    "pull_request_review_thread": "pull_requests",
    "check_run": "checks",
    "status": "statuses",
    "repository": "metadata",
}


def emit(
    hub: Hub,
    event: str,
    payload: Record,
    *,
    sender: Record,
    repo: Record | None = None,
    org: Record | None = None,
    action: str | None = None,
) -> None:
    """Deliver `payload` (action, repository, organization, installation and sender are added) to all subscribed hooks."""
    if hub.sender is None:
        return
    body: Record = {"action": action, **payload} if action else dict(payload)
    owner = org
    if repo is not None:
        body["repository"] = present.repository(hub, repo)
        owner = hub.org(repo["owner"])
    if owner is not None:
        body["organization"] = present.organization(hub, owner)
    body["sender"] = present.account(hub, sender)
    for hook in repo["hooks"].values() if repo else ():
        if wants(hook, event):
            deliver(hub, hook, event, body, repo=repo, org=owner)
    for hook in owner["hooks"].values() if owner else ():
        if wants(hook, event):
            deliver(hub, hook, event, body, repo=repo, org=owner)
    account = repo["owner"] if repo else (owner or {}).get("login", "")
    for installation in hub.table("installations").values():
        _to_app(hub, installation, account, event, body, repo, owner)


def _to_app(
    hub: Hub, installation: Record, account: str, event: str, body: Record, repo: Record | None, org: Record | None
) -> None:
    app = hub.table("apps").get(str(installation["app_id"]))
    if app is None or not app["hook"]["config"].get("url") or installation.get("suspended_at"):
        return
    if installation["account"].lower() != account.lower() or not wants({**app["hook"], "events": app["events"]}, event):
        return
    chosen = installation["repository_selection"] == "selected"
    if repo and chosen and repo["id"] not in installation["repository_ids"]:
        return
    if PERMISSION_OF_EVENT.get(event, "metadata") not in {"metadata", *installation["permissions"]}:
        return
    short = {"id": installation["id"], "node_id": node_id("IntegrationInstallation", installation["id"])}
    deliver(
        hub, app["hook"], event, {**body, "installation": short}, repo=repo, org=org, app=app, installation=installation
    )


def wants(hook: Record, event: str) -> bool:
    """Whether an active hook subscribes to `event`; everyone gets ping and, as an app, installation."""
    always = {"ping"} if hook["type"] != "App" else {"ping", "installation", "installation_repositories"}
    return bool(hook["active"]) and (event in hook["events"] or "*" in hook["events"] or event in always)


def deliver(
    hub: Hub,
    hook: Record,
    event: str,
    payload: Record,
    *,
    repo: Record | None = None,
    org: Record | None = None,
    app: Record | None = None,
    installation: Record | None = None,
    guid: str | None = None,
) -> None:
    """Sign and queue one delivery to one hook; a given `guid` marks it as redelivered."""
    if hub.sender is None:
        return
    target, target_id = ("repository", (repo or {}).get("id"))
    if hook["type"] == "Organization":
        target, target_id = "organization", (org or {}).get("id")
    elif hook["type"] == "App":
        target, target_id = "integration", (app or {}).get("id")
    delivery_guid = guid or str(uuid.uuid4())
    content = json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
    form = hook["config"].get("content_type", "form") == "form"
    sent = httpx.QueryParams({"payload": content.decode()}).__str__().encode() if form else content
    headers = {
        "Accept": "*/*",
        "Content-Type": "application/x-www-form-urlencoded" if form else "application/json",
        "User-Agent": "GitHub-Hookshot/sandbox",
        "X-GitHub-Delivery": delivery_guid,
        "X-GitHub-Event": event,
        "X-GitHub-Hook-ID": str(hook["id"]),
        "X-GitHub-Hook-Installation-Target-ID": str(target_id),
        "X-GitHub-Hook-Installation-Target-Type": target,
    }
    secret = hook["config"].get("secret")
    if secret:
        headers["X-Hub-Signature"] = "sha1=" + hmac.new(secret.encode(), sent, hashlib.sha1).hexdigest()
        headers["X-Hub-Signature-256"] = "sha256=" + hmac.new(secret.encode(), sent, hashlib.sha256).hexdigest()
    base: Record = {
        "guid": delivery_guid,
        "redelivery": guid is not None,
        "event": event,
        "action": payload.get("action"),
        "installation_id": installation["id"] if installation else None,
        "repository_id": repo["id"] if repo else None,
        "throttled_at": None,
        "url": hook["config"]["url"],
        "request": {"headers": headers, "payload": payload},
    }
    answers: list[httpx.Response] = []

    def record(status: int | None, error: str | None, duration_ms: int) -> None:
        answer = answers.pop() if answers else None
        response: Record = {"headers": {}, "payload": None}
        if answer is not None:
            response = {"headers": dict(answer.headers), "payload": answer.text[:10_000]}
        keep(hub, hook, {**base, "response": response}, status, error, duration_ms)

    hub.sender.enqueue(
        event=event, url=hook["config"]["url"], headers=headers, body=sent, record=record, answered=answers.append
    )


def keep(hub: Hub, hook: Record, delivery: Record, status: int | None, error: str | None, duration_ms: int) -> None:
    """Store an attempt where the deliveries API finds it, the newest first."""
    delivered = {
        "id": hub.next_id("delivery", 10_000_001),
        **delivery,
        "delivered_at": now(),
        "duration": round(duration_ms / 1000, 3),
        "status": _status_text(status, error),
        "status_code": status or 0,
    }
    deliveries: list[Record] = hook.setdefault("deliveries", [])
    deliveries.insert(0, delivered)
    del deliveries[KEPT_DELIVERIES:]
    hook["last_response"] = {
        "code": status,
        "status": "active" if status and status < 400 else "error",
        "message": error or _status_text(status, error),
    }
    hub.changed()


def _status_text(status: int | None, error: str | None) -> str:
    if status is None:
        return error or "failed to connect to host"
    if 200 <= status < 400:
        return "OK"
    return f"Invalid HTTP Response: {status}"


def ping(
    hub: Hub, hook: Record, rendered: Any, *, sender: Record, repo: Record | None = None, org: Record | None = None
) -> None:
    """Send a hook its ping."""
    payload: Record = {"zen": ZEN[hook["id"] % len(ZEN)], "hook_id": hook["id"], "hook": rendered}
    if repo is not None:
        payload["repository"] = present.repository(hub, repo)
        org = hub.org(repo["owner"])
    if org is not None:
        payload["organization"] = present.organization(hub, org)
    payload["sender"] = present.account(hub, sender)
    deliver(hub, hook, "ping", payload, repo=repo, org=org)


ZEN = [
    "Keep it logically awesome.",
    "Speak like a human.",
    "Design for failure.",
    "Practicality beats purity.",
    "Anything added dilutes everything else.",
    "Approachable is better than simple.",
]
