"""Changes issues for everyone who may, and sends the events GitHub sends for each change."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.auth import level_of
from local.sandbox.github.errors import ApiError, invalid
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.present_work import issue as render

MAX_BODY = 65_536


def tell(hub: Hub, repo: Record, issue: Record, action: str, actor: Record, extra: Record | None = None) -> None:
    """Send an issues event (a pull request's under its own name)."""
    if issue.get("pull"):
        from local.sandbox.github.present_work import pull

        payload = {"number": issue["number"], "pull_request": pull(hub, repo, issue), **(extra or {})}
        emit(hub, "pull_request", payload, sender=actor, repo=repo, action=action)
        return
    emit(hub, "issues", {"issue": render(hub, repo, issue), **(extra or {})}, sender=actor, repo=repo, action=action)


def label_names(hub: Hub, repo: Record, given: list[object]) -> list[str]:
    """Keys of labels, made where they do not exist yet, as GitHub makes them."""
    keys = []
    for item in given:
        name = item.get("name") if isinstance(item, dict) else item
        if not isinstance(name, str) or not name.strip() or len(name) > 50:
            raise invalid("Label", "name")
        if name.lower() not in repo["labels"]:
            hub.add_label(repo, name)
        keys.append(name.lower())
    return list(dict.fromkeys(keys))


def new_record(hub: Hub, repo: Record, title: str, body: str | None, user: str) -> Record:
    """Store an issue without telling anyone."""
    number = repo["next_number"]
    repo["next_number"] = number + 1
    moment = now()
    record: Record = {
        "id": hub.next_id("issue", 800_001),
        "number": number,
        "title": title,
        "body": body,
        "user": user,
        "state": "open",
        "state_reason": None,
        "locked": False,
        "labels": [],
        "assignees": [],
        "comments": {},
        "reactions": [],
        "events": [],
        "created_at": moment,
        "updated_at": moment,
        "closed_at": None,
        "closed_by": None,
    }
    repo["issues"][str(number)] = record
    hub.changed()
    return record


def note(hub: Hub, issue: Record, event: str, actor: Record, **detail: object) -> None:
    """Append to the issue's own events."""
    issue["events"].append(
        {"id": hub.next_id("event", 900_001), "event": event, "actor": actor["login"], "created_at": now(), **detail}
    )


def set_labels(hub: Hub, repo: Record, issue: Record, keys: list[str], actor: Record) -> None:
    """Replace an issue's labels, one event for each that comes or goes."""
    before = issue["labels"]
    issue["labels"] = keys
    issue["updated_at"] = now()
    hub.changed()
    for action, names in (
        ("labeled", [k for k in keys if k not in before]),
        ("unlabeled", [k for k in before if k not in keys]),
    ):
        for key in names:
            label = present.label(hub, repo, repo["labels"][key])
            note(hub, issue, action, actor, label={"name": label["name"], "color": label["color"]})
            tell(hub, repo, issue, action, actor, {"label": label})


def set_assignees(hub: Hub, repo: Record, issue: Record, logins: list[str], actor: Record) -> None:
    """Replace the assignees; whoever may not be assigned is left out, as GitHub does."""
    allowed = [
        u["login"]
        for name in logins
        if (u := hub.user(name)) and (level_of(hub, name, {**repo, "private": True}) != "none")
    ]
    before = issue["assignees"]
    issue["assignees"] = list(dict.fromkeys(allowed))[:10]
    issue["updated_at"] = now()
    hub.changed()
    for action, names in (
        ("assigned", [n for n in issue["assignees"] if n not in before]),
        ("unassigned", [n for n in before if n not in issue["assignees"]]),
    ):
        for name in names:
            note(hub, issue, action, actor, assignee=name)
            tell(hub, repo, issue, action, actor, {"assignee": present.account(hub, hub.user(name))})


def change_state(hub: Hub, repo: Record, issue: Record, state: str, actor: Record, reason: str | None = None) -> None:
    """Close or reopen."""
    if issue["state"] == state:
        if state == "closed" and reason:
            issue["state_reason"] = reason
        return
    closing = state == "closed"
    issue |= {
        "state": state,
        "state_reason": (reason or "completed") if closing else "reopened",
        "closed_at": now() if closing else None,
        "closed_by": actor["login"] if closing else None,
        "updated_at": now(),
    }
    hub.changed()
    note(hub, issue, "closed" if closing else "reopened", actor)
    tell(hub, repo, issue, "closed" if closing else "reopened", actor)


def open_issue(
    hub: Hub, repo: Record, actor: Record, title: str, body: str | None, labels: list[object], assignees: list[str]
) -> Record:
    """Open an issue as `actor`, sending `opened` and one `labeled` a label; raises ApiError."""
    if not title.strip():
        raise ApiError(422, "Validation Failed", [{"resource": "Issue", "code": "missing_field", "field": "title"}])
    if len(title) > 256 or len(body or "") > MAX_BODY:
        field = "title" if len(title) > 256 else "body"
        limit = 256 if field == "title" else MAX_BODY
        raise invalid("Issue", field, "custom", f"{field} is too long (maximum is {limit} characters)")
    keys = label_names(hub, repo, labels)
    issue = new_record(hub, repo, title, body, actor["login"])
    # GitHub's `opened` already shows every label, and a `labeled` for each follows.
    issue["labels"] = keys
    tell(hub, repo, issue, "opened", actor)
    for key in keys:
        label = present.label(hub, repo, repo["labels"][key])
        note(hub, issue, "labeled", actor, label={"name": label["name"], "color": label["color"]})
        tell(hub, repo, issue, "labeled", actor, {"label": label})
    set_assignees(hub, repo, issue, assignees, actor)
    return issue
