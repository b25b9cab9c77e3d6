"""Finds in the state what each GraphQL field asks for, and resolves review threads for those who may."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.sandbox.github import present, present_work
from local.sandbox.github.auth import LEVELS, Caller, level_of, sees
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Hub, Record, node_id
from local.sandbox.github.pull_merges import blockers


@dataclass(frozen=True)
class Context:
    """Whose request runs on which state."""

    hub: Hub
    caller: Caller

    def visible(self) -> list[Record]:
        """Every repository the caller may see."""
        return [repo for repo in self.hub.table("repos").values() if sees(self.hub, self.caller, repo)]

    def may_write(self, repo: Record) -> bool:
        """Whether the caller may push, or as an App write pull requests."""
        if self.caller.kind == "installation":
            return (self.caller.permissions or {}).get("pull_requests") == "write"
        return LEVELS.index(level_of(self.hub, self.caller.login, repo)) >= LEVELS.index("write")


class GraphError(Exception):
    """A field that cannot be resolved; `kind` is GitHub's error type."""

    def __init__(self, kind: str, message: str) -> None:
        """`kind` is NOT_FOUND, FORBIDDEN or UNPROCESSABLE."""
        super().__init__(message)
        self.kind = kind


MOST_A_PAGE = 100
Resolver = Callable[[Context, Any, Record], Any]


def field_of(name: str) -> Resolver:
    return lambda _, value, __: value[name]


def viewer(context: Context, _: Any, __: Record) -> Record:
    user = context.hub.user(context.caller.login)
    if user is None:
        user = context.hub.add_user(context.caller.login, kind="Bot")
    return present.full_user(context.hub, user)


def repository(context: Context, _: Any, given: Record) -> Record:
    name = f"{given.get('owner')}/{given.get('name')}"
    repo = context.hub.repo(str(given.get("owner")), str(given.get("name")))
    if repo is None or not sees(context.hub, context.caller, repo):
        raise GraphError("NOT_FOUND", f"Could not resolve to a Repository with the name '{name}'.")
    return repo


def work_item(kind: str) -> Resolver:
    def resolve(_: Context, repo: Record, given: Record) -> tuple[Record, Record]:
        found = repo["issues"].get(str(given.get("number")))
        if found is None or bool(found.get("pull")) != (kind == "PullRequest"):
            raise GraphError(
                "NOT_FOUND",
                f"Could not resolve to {'a' if kind[0] == 'P' else 'an'} {kind} with the number of {given.get('number')}.",
            )
        return repo, found

    return resolve


def issue_field(name: str) -> Resolver:
    return lambda context, value, _: present_work.issue(context.hub, *value)[name]


def page_of(items: list[Any], given: Record) -> Record:
    """A connection: `first` after the cursor, or `last`; GitHub demands one of them."""
    if given.get("first") is None and given.get("last") is None:
        raise GraphError(
            "MISSING_PAGINATION_BOUNDARIES",
            "You must provide a `first` or `last` value to properly paginate the connection.",
        )
    first, last = _size(given, "first"), _size(given, "last")
    begin = _after(given.get("after")) if first is not None else max(0, len(items) - (last or 0))
    shown = items[begin : begin + first] if first is not None else items[begin:]
    cursors = [base64.b64encode(str(begin + n + 1).encode()).decode() for n in range(len(shown))]
    info = {
        "hasNextPage": begin + len(shown) < len(items),
        "hasPreviousPage": begin > 0,
        "startCursor": cursors[0] if cursors else None,
        "endCursor": cursors[-1] if cursors else None,
    }
    edges = [{"node": node, "cursor": cursor} for node, cursor in zip(shown, cursors, strict=True)]
    return {"nodes": shown, "edges": edges, "totalCount": len(items), "pageInfo": info}


def _size(given: Record, name: str) -> int | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        raise GraphError("UNPROCESSABLE", f"Argument '{name}' has an invalid value ({value}). Expected type 'Int'.")
    if value < 0:
        raise GraphError("INVALID_PAGINATION", f"`{name}` cannot be less than zero.")
    if value > MOST_A_PAGE:
        message = f"Requesting {value} records exceeds the `{name}` limit of {MOST_A_PAGE} records."
        raise GraphError("EXCESSIVE_PAGINATION", message)
    return value


def _after(cursor: object) -> int:
    if cursor is None:
        return 0
    try:
        place = int(base64.b64decode(str(cursor), validate=True).decode("ascii"))
    except ValueError as error:
        raise GraphError("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.") from error
    return max(0, place)


def threads(_: Context, value: tuple[Record, Record], given: Record) -> Record:
    repo, issue = value
    return page_of([(repo, issue, thread) for thread in issue["pull"]["threads"].values()], given)


def first_comment(value: tuple[Record, Record, Record]) -> Record:
    _, issue, thread = value
    first: Record = issue["pull"]["review_comments"][str(thread["comments"][0])]
    return first


def decision(_: Context, value: tuple[Record, Record], __: Record) -> str | None:
    repo, issue = value
    rules = repo["protection"].get(issue["pull"]["base_ref"], {})
    if rules.get("required_pull_request_reviews") is None:
        return None
    waiting = blockers(repo, issue)
    if any(text.startswith("Changes") for text in waiting):
        return "CHANGES_REQUESTED"
    return "REVIEW_REQUIRED" if any("approving review" in text for text in waiting) else "APPROVED"


def state_of(_: Context, value: tuple[Record, Record], __: Record) -> str:
    issue = value[1]
    merged = issue.get("pull") and issue["pull"]["merged_at"]
    return "MERGED" if merged else str(issue["state"]).upper()


def thread_of(context: Context, identifier: object) -> tuple[Record, Record, Record]:
    """The thread with a global id, when the caller may see it; raises GraphError."""
    for repo in context.hub.table("repos").values():
        for issue in repo["issues"].values():
            for thread in (issue.get("pull") or {"threads": {}})["threads"].values():
                if node_id("PullRequestReviewThread", thread["id"]) == identifier and sees(
                    context.hub, context.caller, repo
                ):
                    return repo, issue, thread
    raise GraphError("NOT_FOUND", f"Could not resolve to a node with the global id of '{identifier}'")


def set_resolved(resolved: bool) -> Resolver:
    def resolve(context: Context, _: Any, given: Record) -> Record:
        asked = given.get("input")
        if not isinstance(asked, dict):
            raise GraphError("UNPROCESSABLE", "Argument 'input' has an invalid value. Expected an input object.")
        repo, issue, thread = thread_of(context, asked.get("threadId"))
        if not context.may_write(repo) and context.caller.login != issue["user"]:
            raise GraphError(
                "FORBIDDEN",
                f"{context.caller.login} does not have the correct permissions to execute `{'Resolve' if resolved else 'Unresolve'}ReviewThread`",
            )
        if thread["resolved"] != resolved:
            thread |= {"resolved": resolved, "resolved_by": context.caller.login if resolved else None}
            context.hub.changed()
            _tell(context, repo, issue, thread, "resolved" if resolved else "unresolved")
        return {"thread": (repo, issue, thread), "clientMutationId": asked.get("clientMutationId")}

    return resolve


def _tell(context: Context, repo: Record, issue: Record, thread: Record, action: str) -> None:
    hub = context.hub
    comments = [issue["pull"]["review_comments"][str(number)] for number in thread["comments"]]
    payload = {
        "thread": {
            "node_id": node_id("PullRequestReviewThread", thread["id"]),
            "comments": [present_work.review_comment(hub, repo, issue, one) for one in comments],
        },
        "pull_request": present_work.pull(hub, repo, issue, full=False),
    }
    sender = hub.user(context.caller.login) or hub.add_user(context.caller.login, kind="Bot")
    emit(hub, "pull_request_review_thread", payload, sender=sender, repo=repo, action=action)


def set_draft(draft: bool) -> Resolver:
    def resolve(context: Context, _: Any, given: Record) -> Record:
        asked = given.get("input")
        if not isinstance(asked, dict):
            raise GraphError("UNPROCESSABLE", "Argument 'input' has an invalid value. Expected an input object.")
        repo, issue = pull_of(context, asked.get("pullRequestId"))
        if not context.may_write(repo) and context.caller.login != issue["user"]:
            mutation = "ConvertPullRequestToDraft" if draft else "MarkPullRequestReadyForReview"
            message = f"{context.caller.login} does not have the correct permissions to execute `{mutation}`"
            raise GraphError("FORBIDDEN", message)
        if issue["state"] != "open":
            raise GraphError("UNPROCESSABLE", "Pull request is closed")
        issue["pull"]["draft"] = draft
        context.hub.changed()
        return {"pullRequest": (repo, issue), "clientMutationId": asked.get("clientMutationId")}

    return resolve


def pull_of(context: Context, identifier: object) -> tuple[Record, Record]:
    """The pull request with a global id, when the caller may see it; raises GraphError."""
    for repo in context.hub.table("repos").values():
        for issue in repo["issues"].values():
            found = issue.get("pull") and node_id("PullRequest", issue["id"]) == identifier
            if found and sees(context.hub, context.caller, repo):
                return repo, issue
    raise GraphError("NOT_FOUND", f"Could not resolve to a node with the global id of '{identifier}'")


def any_node(context: Context, _: Any, given: Record) -> Any:
    identifier = given.get("id")
    for repo in context.hub.table("repos").values():
        if not sees(context.hub, context.caller, repo):
            continue
        if node_id("Repository", repo["id"]) == identifier:
            return Typed("Repository", repo)
        for issue in repo["issues"].values():
            kind = "PullRequest" if issue.get("pull") else "Issue"
            if node_id(kind, issue["id"]) == identifier:
                return Typed(kind, (repo, issue))
    return Typed("PullRequestReviewThread", thread_of(context, identifier))


class Typed(dict[str, Any]):
    """A node with the type found; resolvers of that type read `value`."""

    def __init__(self, kind: str, value: Any) -> None:
        super().__init__({"__type": kind, "value": value})


def pull_field(key: str) -> Resolver:
    return lambda _, value, __: value[1]["pull"][key]
