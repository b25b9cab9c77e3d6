"""Answers for issues: open, list, edit, lock, assign, and what happened to them."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.auth import LEVELS, level_of
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.hub import Record, now
from local.sandbox.github.issue_changes import change_state, label_names, open_issue, set_assignees, set_labels, tell
from local.sandbox.github.present_work import issue as render
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"


def issue_of(call: Call, repo: Record, name: str = "issue_number") -> Record:
    """The issue of the path; raises ApiError 404, or 410 where issues are switched off."""
    found: Record | None = repo["issues"].get(str(call.number(name)))
    if found is None:
        raise not_found()
    return found


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
    title = call.get("title", (str, int))
    if title is not None and not str(title).strip():
        raise ApiError(422, "Validation Failed", [{"resource": "Issue", "code": "missing_field", "field": "title"}])
    for field in ("title", "body"):
        if field in call.body and call.body[field] != found[field] and (field == "body" or title is not None):
            changed[field] = {"from": found[field] or ""}
            found[field] = str(title) if field == "title" else call.get(field, str)
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
