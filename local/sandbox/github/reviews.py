"""Answers for reviews of pull requests: requests, verdicts, comments on lines and the threads they form."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Record, now
from local.sandbox.github.issue_changes import tell
from local.sandbox.github.present_work import pull, review, review_comment
from local.sandbox.github.pulls import PULL, pull_of
from local.sandbox.github.review_comments import add_line_comment
from local.sandbox.github.review_lines import hunk_at, refuse_other_commit
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
