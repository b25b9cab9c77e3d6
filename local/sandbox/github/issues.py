"""Answers for issues; each change sends the events GitHub sends, one `labeled` for each label at creation too."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.auth import LEVELS, level_of
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.present_work import issue as render
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"
MAX_BODY = 65_536


def issue_of(call: Call, repo: Record, name: str = "issue_number") -> Record:
    """The issue of the path; raises ApiError 404, or 410 where issues are switched off."""
    found: Record | None = repo["issues"].get(str(call.number(name)))
    if found is None:
        raise not_found()
    return found


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


@route("POST", REPO + "/issues")
def create(call: Call) -> Answer:
    """Open an issue; only those who may triage set labels and assignees, others' are dropped without a word."""
    repo = call.repo("read", "issues")
    actor = call.signed_in()
    if not repo["has_issues"]:
        raise ApiError(410, "Issues has been disabled in this repository.")
    if call.caller.permissions is not None and call.caller.permissions.get("issues") != "write":
        who = "integration" if call.caller.kind == "installation" else "personal access token"
        raise ApiError(403, f"Resource not accessible by {who}")
    title = call.body.get("title")
    if title is None:
        call.need("title", str)
    labels: list[object] = call.get("labels", list, [])
    assignees: list[str] = call.get("assignees", list, [])
    if call.get("assignee", str):
        assignees = [*assignees, call.body["assignee"]]
    trusted = call.caller.kind == "installation" or LEVELS.index(
        level_of(call.hub, actor["login"], repo)
    ) >= LEVELS.index("triage")
    issue = open_issue(
        call.hub,
        repo,
        actor,
        str(title),
        call.get("body", str),
        labels if trusted else [],
        assignees if trusted else [],
    )
    body = render(call.hub, repo, issue)
    return Answer(201, body, {"Location": body["url"]})


@route("GET", REPO + "/issues")
def issues(call: Call) -> Answer:
    """Issues and pull requests, filtered and sorted."""
    repo = call.repo("read", "issues")
    query = call.query
    state = query.get("state", "open")
    wanted = [name.strip().lower() for name in query.get("labels", "").split(",") if name.strip()]
    since = query.get("since", "")
    found = [
        issue
        for issue in repo["issues"].values()
        if state in {"all", issue["state"]}
        and set(wanted) <= set(issue["labels"])
        and issue["updated_at"] >= since
        and query.get("creator", issue["user"]).lower() == issue["user"].lower()
        and _assigned(issue, query.get("assignee", "*any"))
    ]
    order = query.get("sort", "created")
    key = {
        "created": lambda i: i["number"],
        "updated": lambda i: (i["updated_at"], i["number"]),
        "comments": lambda i: len(i["comments"]),
    }
    found.sort(key=key.get(order, key["created"]), reverse=query.get("direction", "desc") != "asc")
    return call.page_of(found, lambda issue: render(call.hub, repo, issue))


def _assigned(issue: Record, wanted: str) -> bool:
    if wanted == "*any":
        return True
    if wanted in {"*", "none"}:
        return bool(issue["assignees"]) == (wanted == "*")
    return wanted in issue["assignees"]


@route("GET", REPO + "/issues/{issue_number}")
def issue(call: Call) -> Record:
    """One issue."""
    repo = call.repo("read", "issues")
    return render(call.hub, repo, issue_of(call, repo))


@route("PATCH", REPO + "/issues/{issue_number}")
def edit(call: Call) -> Record:
    """Change an issue; its author may change title, body and state."""
    repo = call.repo("read", "issues")
    found = issue_of(call, repo)
    author = found["user"] == call.signed_in()["login"]
    if not author or {"labels", "assignees", "assignee", "milestone"} & set(call.body):
        call.repo("triage", "issues")
    apply_edit(call, repo, found)
    return render(call.hub, repo, found)


def apply_edit(call: Call, repo: Record, found: Record) -> None:
    """Apply title, body, labels, assignees and state from the request body; raises ApiError 422."""
    actor = call.signed_in()
    state = call.get("state", str)
    if state not in {None, "open", "closed"}:
        raise invalid("Issue", "state")
    reason = call.get("state_reason", str)
    if reason not in {None, "completed", "not_planned", "duplicate", "reopened"}:
        raise invalid("Issue", "state_reason")
    changed: Record = {}
    for field in ("title", "body"):
        if field in call.body and call.body[field] != found[field]:
            changed[field] = {"from": found[field] or ""}
            found[field] = call.get(field, str)
    if changed:
        found["updated_at"] = now()
        call.hub.changed()
        tell(call.hub, repo, found, "edited", actor, {"changes": changed})
    if "labels" in call.body:
        set_labels(call.hub, repo, found, label_names(call.hub, repo, call.get("labels", list, [])), actor)
    if "assignees" in call.body or "assignee" in call.body:
        one = call.get("assignee", str)
        set_assignees(call.hub, repo, found, call.get("assignees", list, [one] if one else []), actor)
    if state:
        change_state(call.hub, repo, found, state, actor, reason)


@route("PUT", REPO + "/issues/{issue_number}/lock")
@route("DELETE", REPO + "/issues/{issue_number}/lock")
def lock(call: Call) -> Answer:
    """Lock or unlock the conversation."""
    repo = call.repo("triage", "issues")
    issue_of(call, repo)["locked"] = call.request.method == "PUT"
    call.hub.changed()
    return Answer(204)


@route("POST", REPO + "/issues/{issue_number}/assignees")
@route("DELETE", REPO + "/issues/{issue_number}/assignees")
def assign(call: Call) -> Answer:
    """Add or remove assignees."""
    repo = call.repo("triage", "issues")
    found = issue_of(call, repo)
    given = call.get("assignees", list, [])
    adding = call.request.method == "POST"
    logins = [*found["assignees"], *given] if adding else [name for name in found["assignees"] if name not in given]
    set_assignees(call.hub, repo, found, logins, call.signed_in())
    return Answer(201 if adding else 200, render(call.hub, repo, found))


@route("GET", REPO + "/issues/{issue_number}/events")
@route("GET", REPO + "/issues/{issue_number}/timeline")
def events(call: Call) -> Answer:
    """What happened to an issue."""
    repo = call.repo("read", "issues")
    url = f"{present.repository_url(call.hub, repo)}/issues/events"

    def shown(event: Record) -> Record:
        actor = present.account(call.hub, call.hub.user(event["actor"]))
        extra = {"assignee": present.account(call.hub, call.hub.user(event["assignee"]))} if "assignee" in event else {}
        return {
            **event,
            "actor": actor,
            "url": f"{url}/{event['id']}",
            "node_id": f"IE_{event['id']}",
            "commit_id": None,
            "commit_url": None,
            "performed_via_github_app": None,
            **extra,
        }

    return call.page_of(issue_of(call, repo)["events"], shown)
