"""Answers for reviews of pull requests: requests, verdicts, comments on lines and the threads they form."""

from __future__ import annotations

from typing import Any

from local.sandbox.github import present
from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Record, now
from local.sandbox.github.issue_changes import tell
from local.sandbox.github.present_work import pull, review, review_comment
from local.sandbox.github.pulls import PULL, REPO, pull_of
from local.sandbox.github.review_lines import checked_body, hunk_at, refuse_other_commit
from local.sandbox.github.routing import Answer, Call, route

EVENTS = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}


@route("GET", PULL + "/requested_reviewers")
def requested(call: Call) -> Record:
    """Who was asked to review."""
    repo = call.repo("read", "pull_requests")
    body = pull(call.hub, repo, pull_of(call, repo), full=False)
    return {"users": body["requested_reviewers"], "teams": body["requested_teams"]}


@route("POST", PULL + "/requested_reviewers")
@route("DELETE", PULL + "/requested_reviewers")
def request_reviewers(call: Call) -> Answer:
    """Ask people and teams to review, or no longer."""
    repo = call.repo("write", "pull_requests")
    issue = pull_of(call, repo)
    request, adding = issue["pull"], call.request.method == "POST"
    users, teams = call.get("reviewers", list, []), call.get("team_reviewers", list, [])
    if adding and issue["user"] in users:
        raise ApiError(422, "Review cannot be requested from pull request author.")
    if adding and any(call.hub.user(name) is None for name in users):
        raise ApiError(
            422,
            "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the repository.",
        )
    for key, names in (("reviewers", users), ("team_reviewers", teams)):
        kept = [name for name in request[key] if adding or name not in names]
        request[key] = list(dict.fromkeys([*kept, *names])) if adding else kept
    call.hub.changed()
    for name in users:
        who = {"requested_reviewer": present.account(call.hub, call.hub.user(name))}
        tell(call.hub, repo, issue, "review_requested" if adding else "review_request_removed", call.signed_in(), who)
    return Answer(201 if adding else 200, pull(call.hub, repo, issue, full=False))


@route("GET", PULL + "/reviews")
def reviews(call: Call) -> Answer:
    """All reviews, oldest first; a pending one shows to its author only."""
    repo = call.repo("read", "pull_requests")
    issue = pull_of(call, repo)
    login = call.caller.login
    found = [r for r in issue["pull"]["reviews"].values() if r["state"] != "PENDING" or r["user"] == login]
    return call.page_of(found, lambda entry: review(call.hub, repo, issue, entry))


@route("POST", PULL + "/reviews")
def create(call: Call) -> Answer:
    """Review; without an event it stays pending."""
    repo = call.repo("read", "pull_requests")
    issue = pull_of(call, repo)
    event = call.get("event", str)
    if event is not None and event not in EVENTS:
        raise ApiError(
            422,
            f"Unprocessable Entity: Variable $event of type PullRequestReviewEvent was provided invalid value {event}",
        )
    entry: Record = {
        "id": call.hub.next_id("review", 1_100_001),
        "user": call.signed_in()["login"],
        "body": call.get("body", str, ""),
        "state": "PENDING",
        "commit_id": call.get("commit_id", str, issue["pull"]["head_sha"]),
        "submitted_at": None,
    }
    drafts = call.get("comments", list, [])
    refuse_other_commit(call.hub, issue, entry["commit_id"], "review")
    for draft in drafts:
        hunk_at(call.hub, repo, issue, draft, "review")
    if event:
        _check_verdict(entry, issue, event)
    issue["pull"]["reviews"][str(entry["id"])] = entry
    for draft in drafts:
        add_line_comment(call, repo, issue, draft, entry)
    if event:
        _submit(call, repo, issue, entry, event)
    call.hub.changed()
    return Answer(200, review(call.hub, repo, issue, entry))


def _check_verdict(entry: Record, issue: Record, event: str) -> None:
    if event != "COMMENT" and entry["user"] == issue["user"]:
        verb = "approve" if event == "APPROVE" else "request changes on"
        raise ApiError(422, "Unprocessable Entity", [f"Can not {verb} your own pull request"])
    if event != "APPROVE" and not entry["body"].strip():
        raise ApiError(422, "Unprocessable Entity", ["Could not submit review: body can't be blank"])


def _submit(call: Call, repo: Record, issue: Record, entry: Record, event: str) -> None:
    entry |= {"state": EVENTS[event], "submitted_at": now()}
    request = issue["pull"]
    request["reviewers"] = [name for name in request["reviewers"] if name != entry["user"]]
    issue["updated_at"] = now()
    call.hub.changed()
    _tell(call, repo, issue, entry, "submitted")


def _tell(call: Call, repo: Record, issue: Record, entry: Record, action: str) -> None:
    shown = review(call.hub, repo, issue, entry)
    payload = {
        "review": {**shown, "state": shown["state"].lower()},
        "pull_request": pull(call.hub, repo, issue, full=False),
    }
    emit(call.hub, "pull_request_review", payload, sender=call.signed_in(), repo=repo, action=action)


def _review(call: Call, issue: Record) -> Record:
    found: Record | None = issue["pull"]["reviews"].get(call.params["review_id"])
    if found is None:
        raise not_found()
    return found


@route("GET", PULL + "/reviews/{review_id}")
def one(call: Call) -> Record:
    """One review."""
    repo = call.repo("read", "pull_requests")
    issue = pull_of(call, repo)
    return review(call.hub, repo, issue, _review(call, issue))


@route("POST", PULL + "/reviews/{review_id}/events")
def submit(call: Call) -> Record:
    """Submit a pending review."""
    repo = call.repo("read", "pull_requests")
    issue = pull_of(call, repo)
    entry, event = _review(call, issue), call.need("event", str)
    if event not in EVENTS:
        raise ApiError(422, "Unprocessable Entity")
    entry["body"] = call.get("body", str, entry["body"])
    _check_verdict(entry, issue, event)
    _submit(call, repo, issue, entry, event)
    return review(call.hub, repo, issue, entry)


@route("PUT", PULL + "/reviews/{review_id}/dismissals")
def dismiss(call: Call) -> Record:
    """Dismiss a verdict."""
    repo = call.repo("write", "pull_requests")
    issue = pull_of(call, repo)
    entry = _review(call, issue)
    call.need("message", str)
    if entry["state"] not in {"APPROVED", "CHANGES_REQUESTED"}:
        raise ApiError(422, "Can not dismiss a commented pull request review")
    entry["state"] = "DISMISSED"
    call.hub.changed()
    _tell(call, repo, issue, entry, "dismissed")
    return review(call.hub, repo, issue, entry)


@route("GET", PULL + "/reviews/{review_id}/comments")
def comments_of_review(call: Call) -> Answer:
    """Line comments of one review."""
    repo = call.repo("read", "pull_requests")
    issue = pull_of(call, repo)
    number = _review(call, issue)["id"]
    found = [c for c in issue["pull"]["review_comments"].values() if c["review_id"] == number]
    return call.page_of(found, lambda entry: review_comment(call.hub, repo, issue, entry))


def add_line_comment(
    call: Call, repo: Record, issue: Record, draft: Record, entry: Record | None, reply: Record | None = None
) -> Record:
    """Store a comment on a line; the first of a thread opens it."""
    hub, request = call.hub, issue["pull"]
    hunk = reply["diff_hunk"] if reply else hunk_at(hub, repo, issue, draft, "review" if entry else "comment")
    record: Record = {
        "id": hub.next_id("review_comment", 1_200_001),
        "review_id": entry["id"] if entry else None,
        "user": call.signed_in()["login"],
        "path": reply["path"] if reply else draft["path"],
        "line": reply["line"] if reply else draft.get("line", draft.get("position")),
        "start_line": reply["start_line"] if reply else draft.get("start_line"),
        "side": draft.get("side", "RIGHT"),
        "body": draft["body"],
        "commit_id": reply["commit_id"] if reply else request["head_sha"],
        "diff_hunk": "\n".join(hunk.splitlines()[:10]),
        "created_at": now(),
        "in_reply_to": reply["id"] if reply else None,
    }
    request["review_comments"][str(record["id"])] = record
    if reply:
        thread = next(t for t in request["threads"].values() if reply["id"] in t["comments"])
        thread["comments"].append(record["id"])
    else:
        number = hub.next_id("thread", 1_300_001)
        request["threads"][str(number)] = {
            "id": number,
            "comments": [record["id"]],
            "resolved": False,
            "resolved_by": None,
        }
    hub.changed()
    _tell_comment(call, repo, issue, record, "created")
    return record


def _tell_comment(
    call: Call, repo: Record, issue: Record, record: Record, action: str, extra: Record | None = None
) -> None:
    payload: dict[str, Any] = {
        "comment": review_comment(call.hub, repo, issue, record),
        "pull_request": pull(call.hub, repo, issue, full=False),
        **(extra or {}),
    }
    emit(call.hub, "pull_request_review_comment", payload, sender=call.signed_in(), repo=repo, action=action)


@route("GET", PULL + "/comments")
def line_comments(call: Call) -> Answer:
    """All line comments."""
    repo = call.repo("read", "pull_requests")
    issue = pull_of(call, repo)
    return call.page_of(
        list(issue["pull"]["review_comments"].values()), lambda c: review_comment(call.hub, repo, issue, c)
    )


@route("POST", PULL + "/comments")
@route("POST", PULL + "/comments/{comment_id}/replies")
def comment_line(call: Call) -> Answer:
    """Comment on a line, or reply to such a comment."""
    repo = call.repo("read", "pull_requests")
    issue = pull_of(call, repo)
    target = call.params.get("comment_id") or call.get("in_reply_to", int)
    reply = issue["pull"]["review_comments"].get(str(target)) if target else None
    if target and reply is None:
        raise not_found()
    if not isinstance(call.body.get("body"), str):
        raise ApiError(
            422,
            "Validation Failed",
            [{"resource": "PullRequestReviewComment", "code": "missing_field", "field": "body"}],
        )
    if reply and reply["in_reply_to"]:
        raise not_found()
    commit = call.get("commit_id", str)
    if reply is None and commit is not None:
        refuse_other_commit(call.hub, issue, commit, "comment")
    record = add_line_comment(call, repo, issue, call.body, None, reply)
    return Answer(201, review_comment(call.hub, repo, issue, record))


def _line_comment(call: Call, repo: Record) -> tuple[Record, Record]:
    """The pull request and comment of the path; raises ApiError 404."""
    for issue in repo["issues"].values():
        found = (issue.get("pull") or {"review_comments": {}})["review_comments"].get(call.params["comment_id"])
        if found:
            return issue, found
    raise not_found()


@route("GET", REPO + "/pulls/comments/{comment_id}")
def one_line_comment(call: Call) -> Record:
    """One line comment."""
    repo = call.repo("read", "pull_requests")
    return review_comment(call.hub, repo, *_line_comment(call, repo))


def _own_or_write(call: Call, record: Record) -> None:
    if record["user"] != call.signed_in()["login"]:
        call.repo("write", "pull_requests")


@route("PATCH", REPO + "/pulls/comments/{comment_id}")
def edit_line_comment(call: Call) -> Record:
    """Change a line comment."""
    repo = call.repo("read", "pull_requests")
    issue, record = _line_comment(call, repo)
    _own_or_write(call, record)
    before, record["body"] = record["body"], checked_body(call.need("body", str))
    call.hub.changed()
    _tell_comment(call, repo, issue, record, "edited", {"changes": {"body": {"from": before}}})
    return review_comment(call.hub, repo, issue, record)


@route("DELETE", REPO + "/pulls/comments/{comment_id}")
def delete_line_comment(call: Call) -> Answer:
    """Delete a line comment; a thread ends with its last."""
    repo = call.repo("read", "pull_requests")
    issue, record = _line_comment(call, repo)
    _own_or_write(call, record)
    request = issue["pull"]
    _tell_comment(call, repo, issue, record, "deleted")
    del request["review_comments"][str(record["id"])]
    for number, thread in list(request["threads"].items()):
        thread["comments"] = [one for one in thread["comments"] if one != record["id"]]
        if not thread["comments"]:
            del request["threads"][number]
    call.hub.changed()
    return Answer(204)
