"""Decides where a review comment may stand, and words refusals as GitHub does: one way for reviews, another for comments."""

from __future__ import annotations

from typing import Any, NoReturn

from local.sandbox.github import objects
from local.sandbox.github.commits import range_of
from local.sandbox.github.diffs import Difference, differences, shown_lines
from local.sandbox.github.errors import ApiError, invalid
from local.sandbox.github.hub import Hub, Record
from local.sandbox.github.issue_changes import MAX_BODY
from local.sandbox.github.pulls import start_of

THREAD = "pull_request_review_thread"
_IN_REVIEW = {
    "path": "Path could not be resolved",
    "line": "Line could not be resolved",
    "start_line": "Start line could not be resolved",
    "body": "Body can't be blank",
    "commit_id": "Commit could not be resolved",
}


def _refuse(where: str, field: str, message: str) -> NoReturn:
    if where == "review":
        raise ApiError(422, "Unprocessable Entity", [_IN_REVIEW[field]])
    code = "invalid" if field in {"path", "body"} else "custom"
    name = field if field in {"body", "commit_id"} else f"{THREAD}.{field}"
    error: dict[str, Any] = {"resource": "PullRequestReviewComment", "code": code, "field": name}
    raise ApiError(422, "Validation Failed", [{**error, "message": f"{name} {message}"}])


def checked_body(body: object) -> str:
    """The text of a comment; raises ApiError 422 for one that is blank or too long."""
    if not isinstance(body, str) or not body.strip():
        raise ApiError(
            422,
            "Validation Failed",
            [{"resource": "PullRequestReviewComment", "code": "missing_field", "field": "body"}],
        )
    if len(body) > MAX_BODY:
        message = f"body is too long (maximum is {MAX_BODY} characters)"
        raise invalid("PullRequestReviewComment", "body", "custom", message)
    return body


def refuse_other_commit(hub: Hub, issue: Record, commit: str, where: str) -> None:
    """Raise ApiError 422 for a commit that the pull request does not bring."""
    start = start_of(hub, issue)
    brought = range_of(hub, start, issue["pull"]["head_sha"]) if start else []
    if commit not in brought:
        _refuse(where, "commit_id", "is not part of the pull request")


def hunk_at(hub: Hub, repo: Record, issue: Record, draft: Record, where: str) -> str:
    """The patch of the file commented on; raises ApiError 422 for a place that the diff does not show."""
    if not isinstance(draft.get("body"), str) or not draft["body"].strip():
        _refuse(where, "body", "can't be blank")
    changed = differences(hub, start_of(hub, issue), issue["pull"]["head_sha"])
    found = next((one for one in changed if one.path == draft.get("path")), None)
    if found is None:
        _refuse(where, "path", "is not part of the diff")
    if draft.get("line") is not None:
        _refuse_line(found, draft, where)
    elif draft.get("position") is None and draft.get("subject_type") != "file":
        _refuse(where, "line", "must be part of the diff")
    return found.patch or ""


def _refuse_line(found: Difference, draft: Record, where: str) -> None:
    shown = shown_lines(found.patch or "", draft.get("side", "RIGHT"))
    hunk = next((lines for lines in shown if draft["line"] in lines), None)
    if hunk is None:
        _refuse(where, "line", "must be part of the diff")
    start = draft.get("start_line")
    if start is not None and start >= draft["line"]:
        _refuse(where, "start_line", "must precede the end line.")
    if start is not None and start not in hunk:
        _refuse(where, "start_line", "must be part of the same hunk as the line.")


def line_now(hub: Hub, issue: Record, comment: Record) -> int | None:
    """Where a comment's line stands at the head: the same line, or the one it moved to; None when it is outdated."""
    line, head = comment["line"], issue["pull"]["head_sha"]
    if comment["commit_id"] == head or line is None:
        return line
    before, after = (_lines(hub, sha, comment["path"]) for sha in (comment["commit_id"], head))
    if before is None or after is None or not 1 <= line <= len(before):
        return None
    text = before[line - 1]
    if line <= len(after) and after[line - 1] == text:
        return line
    same = [number for number, other in enumerate(after, 1) if other == text and text.strip()]
    return same[0] if len(same) == 1 else None


def _lines(hub: Hub, commit: str, path: str) -> list[str] | None:
    tree = hub.table("commits").get(commit, {}).get("tree")
    entry = objects.entry_at(hub, tree, path) if tree else None
    if entry is None or entry[0] == "040000":
        return None
    return objects.blob(hub, entry[1]).decode(errors="replace").split("\n")
