"""Answers for commit statuses, one by one and combined."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.checks import REPO, named_commit
from local.sandbox.github.errors import ApiError, invalid
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Record, node_id, now
from local.sandbox.github.routing import Answer, Call, route

STATES = {"error", "failure", "pending", "success"}


def _status(call: Call, repo: Record, sha: str, record: Record) -> Record:
    creator = present.account(call.hub, call.hub.user(record["creator"]))
    return {
        "url": f"{present.repository_url(call.hub, repo)}/statuses/{sha}",
        "avatar_url": creator["avatar_url"],
        "node_id": node_id("StatusContext", record["id"]),
        **{name: record[name] for name in ("id", "state", "description", "target_url", "context", "created_at")},
        "updated_at": record["created_at"],
        "creator": creator,
    }


@route("POST", REPO + "/statuses/{sha}")
def create_status(call: Call) -> Answer:
    """Set a status on a commit; at most 1,000 for each commit and context."""
    repo = call.repo("write", "statuses")
    sha = named_commit(call, repo, "sha")
    state = call.need("state", str)
    if state not in STATES:
        raise invalid("Status", "state", "custom", f"state is not included in the list: {sorted(STATES)}")
    description = call.get("description", str)
    if description and len(description) > 140:
        raise invalid("Status", "description", "custom", "description is too long (maximum is 140 characters)")
    record = {
        "id": call.hub.next_id("status", 1_400_001),
        "state": state,
        "description": description,
        "target_url": call.get("target_url", str),
        "context": call.get("context", str, "default"),
        "creator": call.signed_in()["login"],
        "created_at": now(),
    }
    entries = repo["statuses"].setdefault(sha, [])
    if sum(e["context"] == record["context"] for e in entries) >= 1000:
        message = "This SHA and context has reached the maximum number of statuses."
        raise ApiError(422, "Validation Failed", [{"resource": "Status", "code": "custom", "message": message}])
    entries.append(record)
    call.hub.changed()
    body = _status(call, repo, sha, record)
    emit(
        call.hub,
        "status",
        {"sha": sha, "name": f"{repo['owner']}/{repo['name']}", **body},
        sender=call.signed_in(),
        repo=repo,
    )
    return Answer(201, body, {"Location": body["url"]})


@route("GET", REPO + "/commits/{ref}/statuses")
@route("GET", REPO + "/statuses/{ref}")
def statuses(call: Call) -> Answer:
    """Statuses of a commit, the newest first."""
    repo = call.repo("read", "statuses")
    sha = named_commit(call, repo, "ref")
    return call.page_of(repo["statuses"].get(sha, [])[::-1], lambda record: _status(call, repo, sha, record))


@route("GET", REPO + "/commits/{ref}/status")
def combined(call: Call) -> Record:
    """The latest status of each context, and one word for all."""
    repo = call.repo("read", "statuses")
    sha = named_commit(call, repo, "ref")
    latest = {record["context"]: record for record in repo["statuses"].get(sha, [])}
    states = {record["state"] for record in latest.values()}
    word = "failure" if states & {"error", "failure"} else "pending" if "pending" in states or not states else "success"
    url = present.repository_url(call.hub, repo)
    return {
        "state": word,
        "statuses": [_status(call, repo, sha, record) for record in latest.values()],
        "sha": sha,
        "total_count": len(latest),
        "repository": present.repository(call.hub, repo),
        "commit_url": f"{url}/commits/{sha}",
        "url": f"{url}/commits/{sha}/status",
    }
