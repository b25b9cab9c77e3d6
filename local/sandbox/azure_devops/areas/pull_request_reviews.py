"""Serves what people and tools add to a pull request: votes, threads, statuses, labels, work items, iterations."""

from __future__ import annotations

from local.sandbox.azure_devops import errors, git_store
from local.sandbox.azure_devops.areas.git_commits import add_status, change_json, commit_json
from local.sandbox.azure_devops.areas.pull_requests import (
    add_reviewer,
    announce,
    complete_when_ready,
    label_json,
    pull_commits,
    pull_of,
    pull_url,
    reviewer_json,
)
from local.sandbox.azure_devops.call import Call, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree, new_id

_PULL = "git/repositories/{repositoryId}/pullRequests/{pullRequestId}"
_VOTES = {-10, -5, 0, 5, 10}


@serves("GET", _PULL + "/reviewers/{reviewerId}")
def get_reviewers(call: Call) -> object:
    """One reviewer or all."""
    repository, pull = pull_of(call)
    if "reviewerId" in call.values:
        return reviewer_json(call, repository, pull, _reviewer_of(call, pull))
    return [reviewer_json(call, repository, pull, r) for r in pull["reviewers"]]


def _reviewer_of(call: Call, pull: Tree) -> str:
    reviewer = call.value("reviewerId").lower()
    if reviewer not in pull["reviewers"]:
        message = f"TF401187: The reviewer with ID {reviewer} is not a reviewer of pull request {pull['id']}."
        raise errors.not_found(message, "GitPullRequestReviewerNotFoundException", errors.GIT)
    return reviewer


@serves("POST", _PULL + "/reviewers/{reviewerId}")
def add_reviewers(call: Call) -> list[Tree]:
    """Add several reviewers."""
    repository, pull = pull_of(call)
    added = [add_reviewer(call, pull, str(r.get("id", "")), bool(r.get("isRequired"))) for r in call.json(list)]
    announce(call, "git.pullrequest.updated", repository, pull, reason="ReviewersUpdateNotification")
    return [reviewer_json(call, repository, pull, r) for r in added]


@serves("PUT", _PULL + "/reviewers/{reviewerId}")
def vote(call: Call) -> Tree:
    """Add a reviewer, or cast the caller's own vote."""
    repository, pull = pull_of(call)
    body = call.json()
    given = int(body.get("vote") or 0)
    reviewer = call.value("reviewerId").lower()
    if given not in _VOTES:
        raise errors.invalid(f"The value '{given}' is not valid for vote: use 10, 5, 0, -5 or -10.")
    if given and reviewer != call.user["id"]:
        message = "TF401186: The vote of a reviewer can only be changed by that reviewer."
        raise errors.ServiceError(403, message, "GitPullRequestVoteNotAllowedException", namespace=errors.GIT)
    known = add_reviewer(call, pull, reviewer, bool(body.get("isRequired")))
    if "vote" in body:
        pull["reviewers"][known]["vote"] = given
        announce(call, "git.pullrequest.updated", repository, pull, reason="ReviewerVoteNotification")
    complete_when_ready(call, repository, pull)
    return reviewer_json(call, repository, pull, known)


@serves("DELETE", _PULL + "/reviewers/{reviewerId}")
def remove_reviewer(call: Call) -> Reply:
    """Remove a reviewer."""
    _, pull = pull_of(call)
    del pull["reviewers"][_reviewer_of(call, pull)]
    return Reply(b"", 200, media_type="application/json")


def comment_json(call: Call, repository: Tree, pull: Tree, thread: Tree, comment: Tree) -> Tree:
    """A comment of a thread as answered."""
    url = f"{pull_url(call, repository, pull)}/threads/{thread['id']}"
    return {
        "id": comment["id"],
        "parentCommentId": comment["parent"],
        "author": identity_ref(call.service, call.org, call.org["users"].get(comment["by"], call.user)),
        "content": "" if comment["deleted"] else comment["content"],
        "publishedDate": comment["published"],
        "lastUpdatedDate": comment["updated"],
        "lastContentUpdatedDate": comment["updated"],
        "isDeleted": comment["deleted"],
        "commentType": comment["type"],
        "usersLiked": [],
        "_links": {
            "self": {"href": f"{url}/comments/{comment['id']}"},
            "repository": {"href": call.url(repository["project"], "_apis/git/repositories", repository["id"])},
            "threads": {"href": url},
        },
    }


def thread_json(call: Call, repository: Tree, pull: Tree, thread: Tree) -> Tree:
    """A thread as answered."""
    url = f"{pull_url(call, repository, pull)}/threads/{thread['id']}"
    return {
        "pullRequestThreadContext": thread["pull_context"],
        "id": thread["id"],
        "publishedDate": thread["published"],
        "lastUpdatedDate": thread["updated"],
        "comments": [comment_json(call, repository, pull, thread, c) for c in thread["comments"]],
        "status": thread["status"],
        "threadContext": thread["context"],
        "properties": thread["properties"],
        "identities": None,
        "isDeleted": thread["deleted"],
        "_links": {"self": {"href": url}},
    }


def _thread_of(call: Call, pull: Tree) -> Tree:
    wanted = call.value("threadId")
    found = next((t for t in pull["threads"] if str(t["id"]) == wanted), None)
    if found is None:
        message = f"TF401191: The comment thread {wanted} of pull request {pull['id']} does not exist."
        raise errors.not_found(message, "DiscussionThreadNotFoundException", errors.GIT)
    return found  # type: ignore[no-any-return]


def _comment(call: Call, thread: Tree, body: Tree) -> Tree:
    content = body.get("content")
    if not isinstance(content, str) or not content.strip():
        raise errors.missing_value("comment.content")
    stamp = call.stamp()
    kind = body.get("commentType")
    comment = {
        "id": len(thread["comments"]) + 1,
        "parent": int(body.get("parentCommentId") or 0),
        "content": content,
        "by": call.user["id"],
        "published": stamp,
        "updated": stamp,
        "deleted": False,
        "type": kind if kind in {"text", "codeChange", "system"} else "text",
    }
    thread["comments"].append(comment)
    thread["updated"] = stamp
    return comment


def _announce_comment(call: Call, repository: Tree, pull: Tree, thread: Tree, comment: Tree, action: str) -> None:
    project = call.org["projects"][repository["project"]]
    facts = {
        "project": project,
        "repository": repository,
        "pull": pull,
        "user": call.user,
        "thread": thread,
        "comment": comment,
        "action": action,
    }
    call.service.emit(call.org, "ms.vss-code.git-pullrequest-comment-event", facts)


@serves("GET", _PULL + "/threads/{threadId}")
def get_threads(call: Call) -> object:
    """One thread or all."""
    repository, pull = pull_of(call)
    if "threadId" in call.values:
        return thread_json(call, repository, pull, _thread_of(call, pull))
    return [thread_json(call, repository, pull, t) for t in pull["threads"]]


@serves("POST", _PULL + "/threads/{threadId}")
def create_thread(call: Call) -> Tree:
    """Start a thread with its first comments."""
    repository, pull = pull_of(call)
    body = call.json()
    if not body.get("comments"):
        raise errors.missing_value("comments")
    stamp = call.stamp()
    thread: Tree = {
        "id": call.service.number(call.org, "thread"),
        "published": stamp,
        "updated": stamp,
        "comments": [],
        "status": _status(body.get("status")),
        "context": body.get("threadContext"),
        "pull_context": body.get("pullRequestThreadContext"),
        "properties": body.get("properties") or {},
        "deleted": False,
    }
    made = [_comment(call, thread, c) for c in body["comments"]]
    pull["threads"].append(thread)
    for comment in made:
        _announce_comment(call, repository, pull, thread, comment, "commented on")
    return thread_json(call, repository, pull, thread)


def _status(given: object) -> str | None:
    numbered = {1: "active", 2: "fixed", 3: "wontFix", 4: "closed", 5: "byDesign", 6: "pending"}
    if given is None:
        return None
    status = numbered.get(given, given) if isinstance(given, int) else given
    if status not in {*numbered.values(), "unknown"}:
        raise errors.invalid(f"The value '{given}' is not valid for status.")
    return str(status)


@serves("PATCH", _PULL + "/threads/{threadId}")
def update_thread(call: Call) -> Tree:
    """Resolve or reopen a thread."""
    repository, pull = pull_of(call)
    thread = _thread_of(call, pull)
    thread["status"] = _status(call.json().get("status")) or thread["status"]
    thread["updated"] = call.stamp()
    complete_when_ready(call, repository, pull)
    return thread_json(call, repository, pull, thread)


_COMMENTS = _PULL + "/threads/{threadId}/comments/{commentId}"


def _comment_of(call: Call, thread: Tree) -> Tree:
    wanted = call.value("commentId")
    found = next((c for c in thread["comments"] if str(c["id"]) == wanted), None)
    if found is None:
        message = f"TF401191: The comment {wanted} of thread {thread['id']} does not exist."
        raise errors.not_found(message, "DiscussionCommentNotFoundException", errors.GIT)
    return found  # type: ignore[no-any-return]


@serves("GET", _COMMENTS)
def get_comments(call: Call) -> object:
    """One comment or all of a thread."""
    repository, pull = pull_of(call)
    thread = _thread_of(call, pull)
    if "commentId" in call.values:
        return comment_json(call, repository, pull, thread, _comment_of(call, thread))
    return [comment_json(call, repository, pull, thread, c) for c in thread["comments"]]


@serves("POST", _COMMENTS)
def create_comment(call: Call) -> Tree:
    """Reply in a thread."""
    repository, pull = pull_of(call)
    thread = _thread_of(call, pull)
    comment = _comment(call, thread, call.json())
    _announce_comment(call, repository, pull, thread, comment, "commented on")
    return comment_json(call, repository, pull, thread, comment)


@serves("PATCH", _COMMENTS)
def update_comment(call: Call) -> Tree:
    """Edit a comment; only its author may."""
    repository, pull = pull_of(call)
    thread = _thread_of(call, pull)
    comment = _comment_of(call, thread)
    if comment["by"] != call.user["id"]:
        raise errors.unauthorized(call.user["id"])
    comment["content"], comment["updated"] = str(call.json().get("content") or comment["content"]), call.stamp()
    _announce_comment(call, repository, pull, thread, comment, "edited")
    return comment_json(call, repository, pull, thread, comment)


@serves("DELETE", _COMMENTS)
def delete_comment(call: Call) -> Reply:
    """Delete a comment; its place stays."""
    repository, pull = pull_of(call)
    thread = _thread_of(call, pull)
    comment = _comment_of(call, thread)
    comment["deleted"] = True
    thread["deleted"] = all(c["deleted"] for c in thread["comments"])
    _announce_comment(call, repository, pull, thread, comment, "deleted")
    return Reply(b"", 200, media_type="application/json")


@serves("GET", _PULL + "/statuses/{statusId}")
def get_statuses(call: Call) -> object:
    """One status or all."""
    _, pull = pull_of(call)
    if "statusId" not in call.values:
        return pull["statuses"]
    found = next((s for s in pull["statuses"] if str(s["id"]) == call.values["statusId"]), None)
    if found is None:
        message = f"TF401193: The status {call.values['statusId']} of pull request {pull['id']} does not exist."
        raise errors.not_found(message, "GitPullRequestStatusNotFoundException", errors.GIT)
    return found


@serves("POST", _PULL + "/statuses/{statusId}")
def create_status(call: Call) -> Tree:
    """Post a status, of the whole pull request or one iteration."""
    repository, pull = pull_of(call)
    body = call.json()
    status = add_status(call, pull["statuses"], body)
    if body.get("iterationId"):
        status["iterationId"] = int(body["iterationId"])
    announce(call, "git.pullrequest.updated", repository, pull, reason="StatusesUpdateNotification")
    complete_when_ready(call, repository, pull)
    return status


@serves("GET", _PULL + "/labels/{labelIdOrName}")
def get_labels(call: Call) -> object:
    """One label or all."""
    repository, pull = pull_of(call)
    if "labelIdOrName" in call.values:
        return label_json(call, repository, pull, _label_of(call, pull))
    return [label_json(call, repository, pull, label) for label in pull["labels"]]


def _label_of(call: Call, pull: Tree) -> Tree:
    wanted = call.value("labelIdOrName").lower()
    found = next((x for x in pull["labels"] if wanted in {x["id"], x["name"].lower()}), None)
    if found is None:
        raise errors.not_found(f"The label {wanted} does not exist.", "TagNotFoundException", errors.GIT)
    return found  # type: ignore[no-any-return]


@serves("POST", _PULL + "/labels/{labelIdOrName}")
def create_label(call: Call) -> Tree:
    """Add a label; the same name twice is one."""
    repository, pull = pull_of(call)
    name = str(call.json().get("name") or "")
    if not name:
        raise errors.missing_value("name")
    label = next((x for x in pull["labels"] if x["name"].lower() == name.lower()), None)
    if label is None:
        label = {"id": new_id(), "name": name}
        pull["labels"].append(label)
    return label_json(call, repository, pull, label)


@serves("DELETE", _PULL + "/labels/{labelIdOrName}")
def delete_label(call: Call) -> Reply:
    """Remove a label."""
    _, pull = pull_of(call)
    pull["labels"].remove(_label_of(call, pull))
    return Reply(None, 204)


@serves("GET", _PULL + "/workitems")
def get_work_items(call: Call) -> list[Tree]:
    """The linked work items."""
    _, pull = pull_of(call)
    return [{"id": n, "url": call.url("_apis/wit/workItems", n)} for n in pull["work_items"]]


@serves("GET", _PULL + "/commits")
def get_commits(call: Call) -> list[Tree]:
    """The commits the pull request brings."""
    repository, pull = pull_of(call)
    return [commit_json(call, repository, c) for c in page_of(pull_commits(repository, pull), call, "top")]


def iteration_json(call: Call, repository: Tree, pull: Tree, iteration: Tree) -> Tree:
    """An iteration as answered."""
    by = identity_ref(call.service, call.org, call.org["users"].get(iteration["by"], call.user))
    return {
        "id": iteration["id"],
        "description": pull["title"] if iteration["id"] == 1 else "",
        "author": by,
        "createdDate": iteration["date"],
        "updatedDate": iteration["date"],
        "sourceRefCommit": {"commitId": iteration["source"]},
        "targetRefCommit": {"commitId": iteration["target"]},
        "commonRefCommit": {"commitId": iteration["common"]},
        "hasMoreCommits": False,
        "reason": "create" if iteration["id"] == 1 else "push",
    }


def _iteration_of(call: Call, pull: Tree) -> Tree:
    wanted = call.value("iterationId")
    found = next((i for i in pull["iterations"] if str(i["id"]) == wanted), None)
    if found is None:
        message = f"TF401190: The iteration {wanted} of pull request {pull['id']} does not exist."
        raise errors.not_found(message, "GitPullRequestIterationNotFoundException", errors.GIT)
    return found  # type: ignore[no-any-return]


@serves("GET", _PULL + "/iterations/{iterationId}")
def get_iterations(call: Call) -> object:
    """One iteration or all."""
    repository, pull = pull_of(call)
    if "iterationId" in call.values:
        return iteration_json(call, repository, pull, _iteration_of(call, pull))
    return [iteration_json(call, repository, pull, i) for i in pull["iterations"]]


@serves("GET", _PULL + "/iterations/{iterationId}/commits")
def get_iteration_commits(call: Call) -> list[Tree]:
    """The commits of an iteration."""
    repository, pull = pull_of(call)
    iteration = _iteration_of(call, pull)
    known = set(git_store.history(repository, iteration["common"]))
    found = [c for c in git_store.history(repository, iteration["source"]) if c not in known]
    return [commit_json(call, repository, c) for c in page_of(found, call, "top", "skip")]


@serves("GET", _PULL + "/iterations/{iterationId}/changes")
def get_iteration_changes(call: Call) -> Tree:
    """What an iteration changed against the common commit, or an earlier iteration."""
    repository, pull = pull_of(call)
    iteration = _iteration_of(call, pull)
    base = iteration["common"]
    compared = call.integer("$compareTo")
    if compared:
        earlier = next((i for i in pull["iterations"] if i["id"] == compared), None)
        base = earlier["source"] if earlier else base
    found = git_store.changes(git_store.files_of(repository, base), git_store.files_of(repository, iteration["source"]))
    listed = page_of(found, call, limit=100)
    entries = []
    for number, change in enumerate(listed, call.integer("$skip") + 1):
        entry = change_json(call, repository, change, iteration["source"])
        item = entry["item"]
        for name in ("gitObjectType", "commitId", "url"):
            del item[name]
        entries.append({"changeTrackingId": number, "changeId": number, **entry, "item": item})
    rest = len(found) - call.integer("$skip") - len(listed)
    following = (
        {"nextSkip": call.integer("$skip") + len(listed), "nextTop": rest}
        if rest > 0
        else {"nextSkip": 0, "nextTop": 0}
    )
    return {"changeEntries": entries, **following}


@serves("GET", _PULL + "/properties")
def get_properties(call: Call) -> Tree:
    """The properties tools keep on a pull request."""
    _, pull = pull_of(call)
    return {
        "count": len(pull["properties"]),
        "value": {k: {"$type": "System.String", "$value": v} for k, v in pull["properties"].items()},
    }


@serves("PATCH", _PULL + "/properties")
def set_properties(call: Call) -> Tree:
    """Set or remove properties by JSON patch."""
    _, pull = pull_of(call)
    for change in call.json(list):
        name = str(change.get("path", "")).lstrip("/")
        if change.get("op") == "remove":
            pull["properties"].pop(name, None)
        else:
            pull["properties"][name] = str(change.get("value"))
    return get_properties(call)
