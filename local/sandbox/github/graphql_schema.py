"""Names the GraphQL types in use, each field with its type and its resolver."""

from __future__ import annotations

from local.sandbox.github import present
from local.sandbox.github.graphql_resolvers import (
    Resolver,
    any_node,
    author_of,
    decision,
    field_of,
    first_comment,
    issue_field,
    linked_issues,
    pull_field,
    repository,
    set_draft,
    set_resolved,
    state_of,
    thread_comments,
    threads,
    viewer,
    work_item,
)
from local.sandbox.github.hub import node_id

_ACTOR: dict[str, tuple[str, Resolver]] = {
    "login": ("String", field_of("login")),
    "url": ("URI", field_of("html_url")),
    "avatarUrl": ("URI", field_of("avatar_url")),
}
_WORK: dict[str, tuple[str, Resolver]] = {
    "id": ("ID", issue_field("node_id")),
    "databaseId": ("Int", issue_field("id")),
    "number": ("Int", issue_field("number")),
    "title": ("String", issue_field("title")),
    "body": ("String", lambda _, value, __: value[1]["body"] or ""),
    "url": ("URI", issue_field("html_url")),
    "state": ("String", state_of),
    "closed": ("Boolean", lambda _, value, __: value[1]["state"] == "closed"),
    "createdAt": ("DateTime", issue_field("created_at")),
    "updatedAt": ("DateTime", issue_field("updated_at")),
    "author": ("Actor", author_of),
    "repository": ("Repository", lambda _, value, __: value[0]),
}


def _connection(node: str) -> dict[str, tuple[str, Resolver]]:
    return {
        "nodes": (node, field_of("nodes")),
        "edges": (f"{node}Edge", field_of("edges")),
        "totalCount": ("Int", field_of("totalCount")),
        "pageInfo": ("PageInfo", field_of("pageInfo")),
    }


def _edge(node: str) -> dict[str, tuple[str, Resolver]]:
    return {"node": (node, field_of("node")), "cursor": ("String", field_of("cursor"))}


_PULL: dict[str, Resolver] = {
    "isDraft": pull_field("draft"),
    "headRefName": pull_field("head_ref"),
    "headRefOid": pull_field("head_sha"),
    "baseRefName": pull_field("base_ref"),
    "mergedAt": pull_field("merged_at"),
}

SCHEMA: dict[str, dict[str, tuple[str, Resolver]]] = {
    "Query": {
        "viewer": ("User", viewer),
        "repository": ("Repository", repository),
        "node": ("Node", any_node),
    },
    "Mutation": {
        "resolveReviewThread": ("ResolveReviewThreadPayload", set_resolved(True)),
        "unresolveReviewThread": ("UnresolveReviewThreadPayload", set_resolved(False)),
        "convertPullRequestToDraft": ("ConvertPullRequestToDraftPayload", set_draft(True)),
        "markPullRequestReadyForReview": ("MarkPullRequestReadyForReviewPayload", set_draft(False)),
    },
    "User": {
        **_ACTOR,
        "id": ("ID", field_of("node_id")),
        "databaseId": ("Int", field_of("id")),
        "name": ("String", field_of("name")),
        "email": ("String", lambda _, value, __: value["email"] or ""),
    },
    "Actor": _ACTOR,
    "Repository": {
        "id": ("ID", lambda _, value, __: node_id("Repository", value["id"])),
        "databaseId": ("Int", field_of("id")),
        "name": ("String", field_of("name")),
        "nameWithOwner": ("String", lambda _, value, __: f"{value['owner']}/{value['name']}"),
        "isPrivate": ("Boolean", field_of("private")),
        "url": ("URI", lambda context, value, __: present.html_url(context.hub, value)),
        "issue": ("Issue", work_item("Issue")),
        "pullRequest": ("PullRequest", work_item("PullRequest")),
    },
    "Issue": {
        **_WORK,
        "stateReason": ("String", lambda _, value, __: (value[1].get("state_reason") or "").upper() or None),
    },
    "PullRequest": {
        **_WORK,
        **{name: ("String" if "is" not in name[:2] else "Boolean", resolver) for name, resolver in _PULL.items()},
        "merged": ("Boolean", lambda _, value, __: value[1]["pull"]["merged_at"] is not None),
        "reviewDecision": ("String", decision),
        "reviewThreads": ("PullRequestReviewThreadConnection", threads),
        "closingIssuesReferences": ("IssueConnection", linked_issues),
    },
    "PullRequestReviewThread": {
        "id": ("ID", lambda _, value, __: node_id("PullRequestReviewThread", value[2]["id"])),
        "isResolved": ("Boolean", lambda _, value, __: value[2]["resolved"]),
        "isOutdated": (
            "Boolean",
            lambda _, value, __: first_comment(value)["commit_id"] != value[1]["pull"]["head_sha"],
        ),
        "isCollapsed": ("Boolean", lambda _, value, __: value[2]["resolved"]),
        "path": ("String", lambda _, value, __: first_comment(value)["path"]),
        "line": ("Int", lambda _, value, __: first_comment(value)["line"]),
        "resolvedBy": (
            "User",
            lambda context, value, __: (
                present.full_user(context.hub, user) if (user := context.hub.user(value[2]["resolved_by"])) else None
            ),
        ),
        "comments": ("PullRequestReviewCommentConnection", thread_comments),
        "pullRequest": ("PullRequest", lambda _, value, __: value[:2]),
    },
    "PullRequestReviewComment": {
        "id": ("ID", field_of("node_id")),
        "databaseId": ("Int", field_of("id")),
        "body": ("String", field_of("body")),
        "path": ("String", field_of("path")),
        "url": ("URI", field_of("html_url")),
        "createdAt": ("DateTime", field_of("created_at")),
        "author": ("Actor", field_of("user")),
    },
    "PageInfo": {
        name: ("String", field_of(name)) for name in ("hasNextPage", "hasPreviousPage", "startCursor", "endCursor")
    },
    "ResolveReviewThreadPayload": {
        "thread": ("PullRequestReviewThread", field_of("thread")),
        "clientMutationId": ("String", field_of("clientMutationId")),
    },
    "UnresolveReviewThreadPayload": {
        "thread": ("PullRequestReviewThread", field_of("thread")),
        "clientMutationId": ("String", field_of("clientMutationId")),
    },
    **{
        f"{name}Payload": {
            "pullRequest": ("PullRequest", field_of("pullRequest")),
            "clientMutationId": ("String", field_of("clientMutationId")),
        }
        for name in ("ConvertPullRequestToDraft", "MarkPullRequestReadyForReview")
    },
    **{
        f"{node}Connection": _connection(node)
        for node in ("Issue", "PullRequestReviewThread", "PullRequestReviewComment")
    },
    **{f"{node}Edge": _edge(node) for node in ("Issue", "PullRequestReviewThread", "PullRequestReviewComment")},
}
