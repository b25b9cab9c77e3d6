"""Answers for comments in the code of a pull request, and the threads they form."""

from __future__ import annotations

from typing import Any

from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Record, now
from local.sandbox.github.present_work import pull, review_comment
from local.sandbox.github.pulls import PULL, REPO, pull_of
from local.sandbox.github.review_lines import checked_body, hunk_at, refuse_other_commit
from local.sandbox.github.routing import Answer, Call, route


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
