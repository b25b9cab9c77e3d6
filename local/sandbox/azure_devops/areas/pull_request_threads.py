"""Serves the threads of a pull request and the comments in them."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.pull_request_json import pull_of, pull_url
from local.sandbox.azure_devops.areas.pull_request_merge import complete_when_ready
from local.sandbox.azure_devops.areas.pull_request_reviews import PULL_ROUTE
from local.sandbox.azure_devops.areas.thread_positions import check_position
from local.sandbox.azure_devops.call import Call, Reply, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree


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
        "identities": {
            key: identity_ref(call.service, call.org, call.org["users"][user])
            for key, user in thread.get("identities", {}).items()
        }
        or None,
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


@serves("GET", PULL_ROUTE + "/threads/{threadId}")
def get_threads(call: Call) -> object:
    """One thread or all."""
    repository, pull = pull_of(call)
    if "threadId" in call.values:
        return thread_json(call, repository, pull, _thread_of(call, pull))
    return [thread_json(call, repository, pull, t) for t in pull["threads"]]


@serves("POST", PULL_ROUTE + "/threads/{threadId}")
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
    check_position(call, repository, pull, thread)
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


@serves("PATCH", PULL_ROUTE + "/threads/{threadId}")
def update_thread(call: Call) -> Tree:
    """Resolve or reopen a thread."""
    repository, pull = pull_of(call)
    thread = _thread_of(call, pull)
    thread["status"] = _status(call.json().get("status")) or thread["status"]
    thread["updated"] = call.stamp()
    complete_when_ready(call, repository, pull)
    return thread_json(call, repository, pull, thread)


_COMMENTS = PULL_ROUTE + "/threads/{threadId}/comments/{commentId}"


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
