"""Answers for what people say on issues: comments, labels and reactions."""

from __future__ import annotations

from local.sandbox.github.auth import LEVELS, level_of
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.issue_changes import MAX_BODY
from local.sandbox.github.issues import issue_of
from local.sandbox.github.present_work import REACTIONS, comment, reaction
from local.sandbox.github.present_work import issue as render_issue
from local.sandbox.github.routing import Answer, Call, route

REPO = "/repos/{owner}/{repo}"
ISSUE = REPO + "/issues/{issue_number}"
COMMENT = REPO + "/issues/comments/{comment_id}"


def _checked(body: object) -> str:
    if not isinstance(body, str) or not body.strip():
        raise ApiError(
            422, "Validation Failed", [{"resource": "IssueComment", "code": "missing_field", "field": "body"}]
        )
    if len(body) > MAX_BODY:
        raise invalid("IssueComment", "body", "custom", f"body is too long (maximum is {MAX_BODY} characters)")
    return body


def add_comment(hub: Hub, repo: Record, issue: Record, actor: Record, body: str) -> Record:
    """Comment as `actor`; raises ApiError 422."""
    moment = now()
    record: Record = {
        "id": hub.next_id("comment", 1_000_001),
        "issue": issue["number"],
        "user": actor["login"],
        "body": _checked(body),
        "created_at": moment,
        "updated_at": moment,
        "reactions": [],
    }
    issue["comments"][str(record["id"])] = record
    issue["updated_at"] = moment
    hub.changed()
    _tell(hub, repo, record, "created", actor)
    return record


def _tell(hub: Hub, repo: Record, record: Record, action: str, actor: Record, extra: Record | None = None) -> None:
    issue = repo["issues"][str(record["issue"])]
    payload = {"issue": render_issue(hub, repo, issue), "comment": comment(hub, repo, record), **(extra or {})}
    emit(hub, "issue_comment", payload, sender=actor, repo=repo, action=action)


@route("GET", ISSUE + "/comments")
def comments(call: Call) -> Answer:
    """Comments of an issue, oldest first."""
    repo = call.repo("read", "issues")
    since = call.query.get("since", "")
    found = [c for c in issue_of(call, repo)["comments"].values() if c["updated_at"] >= since]
    return call.page_of(found, lambda record: comment(call.hub, repo, record))


@route("GET", REPO + "/issues/comments")
def comments_of_repo(call: Call) -> Answer:
    """Comments of all issues."""
    repo = call.repo("read", "issues")
    since = call.query.get("since", "")
    found = [c for issue in repo["issues"].values() for c in issue["comments"].values() if c["updated_at"] >= since]
    found.sort(key=lambda c: c["id"], reverse=call.query.get("direction") == "desc")
    return call.page_of(found, lambda record: comment(call.hub, repo, record))


@route("POST", ISSUE + "/comments")
def create_comment(call: Call) -> Answer:
    """Comment; a locked conversation takes collaborators' only."""
    repo = call.repo("read", "issues")
    actor = call.signed_in()
    if call.caller.permissions is not None and "write" not in {
        call.caller.permissions.get(n) for n in ("issues", "pull_requests")
    }:
        who = "integration" if call.caller.kind == "installation" else "personal access token"
        raise ApiError(403, f"Resource not accessible by {who}")
    issue = issue_of(call, repo)
    writer = call.caller.kind == "installation" or LEVELS.index(
        level_of(call.hub, actor["login"], repo)
    ) >= LEVELS.index("triage")
    if issue["locked"] and not writer:
        raise ApiError(403, "Unable to create comment because issue is locked.")
    record = add_comment(call.hub, repo, issue, actor, call.body.get("body", ""))
    body = comment(call.hub, repo, record)
    return Answer(201, body, {"Location": body["url"]})


def _comment(call: Call, repo: Record) -> Record:
    key = str(call.number("comment_id"))
    for issue in repo["issues"].values():
        if key in issue["comments"]:
            found: Record = issue["comments"][key]
            return found
    raise not_found()


@route("GET", COMMENT)
def one_comment(call: Call) -> Record:
    """One comment."""
    repo = call.repo("read", "issues")
    return comment(call.hub, repo, _comment(call, repo))


def _own_or_write(call: Call, record: Record) -> Record:
    actor = call.signed_in()
    if record["user"] != actor["login"]:
        call.repo("write", "issues")
    return actor


@route("PATCH", COMMENT)
def edit_comment(call: Call) -> Record:
    """Change a comment."""
    repo = call.repo("read", "issues")
    record = _comment(call, repo)
    actor = _own_or_write(call, record)
    before = record["body"]
    record |= {"body": _checked(call.body.get("body")), "updated_at": now()}
    call.hub.changed()
    _tell(call.hub, repo, record, "edited", actor, {"changes": {"body": {"from": before}}})
    return comment(call.hub, repo, record)


@route("DELETE", COMMENT)
def delete_comment(call: Call) -> Answer:
    """Delete a comment."""
    repo = call.repo("read", "issues")
    record = _comment(call, repo)
    actor = _own_or_write(call, record)
    _tell(call.hub, repo, record, "deleted", actor)
    del repo["issues"][str(record["issue"])]["comments"][str(record["id"])]
    call.hub.changed()
    return Answer(204)


def _target(call: Call) -> Record:
    repo = call.repo("read", "issues")
    return _comment(call, repo) if "comment_id" in call.params else issue_of(call, repo)


@route("GET", ISSUE + "/reactions")
@route("GET", COMMENT + "/reactions")
def reactions(call: Call) -> Answer:
    """Reactions, of one kind when asked."""
    kind = call.query.get("content")
    found = [r for r in _target(call)["reactions"] if kind in {None, r["content"]}]
    return call.page_of(found, lambda record: reaction(call.hub, record))


@route("POST", ISSUE + "/reactions")
@route("POST", COMMENT + "/reactions")
def react(call: Call) -> Answer:
    """React; 200 with the old reaction when it was there already."""
    target = _target(call)
    content, login = call.need("content", str), call.signed_in()["login"]
    if content not in REACTIONS:
        raise invalid("Reaction", "content")
    for record in target["reactions"]:
        if record["user"] == login and record["content"] == content:
            return Answer(200, reaction(call.hub, record))
    record = {"id": call.hub.next_id("reaction", 70_001), "user": login, "content": content, "created_at": now()}
    target["reactions"].append(record)
    call.hub.changed()
    return Answer(201, reaction(call.hub, record))


@route("DELETE", ISSUE + "/reactions/{reaction_id}")
@route("DELETE", COMMENT + "/reactions/{reaction_id}")
def unreact(call: Call) -> Answer:
    """Take a reaction back."""
    target, number = _target(call), call.number("reaction_id")
    kept = [r for r in target["reactions"] if r["id"] != number]
    if len(kept) == len(target["reactions"]):
        raise not_found()
    target["reactions"] = kept
    call.hub.changed()
    return Answer(204)
