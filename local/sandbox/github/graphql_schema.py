"""Names the GraphQL types in use, each field with its type and its resolver."""

from __future__ import annotations

from local.sandbox.github import graphql_fields as fields
from local.sandbox.github import graphql_git as git
from local.sandbox.github import graphql_rules as rules
from local.sandbox.github import objects, present, present_work
from local.sandbox.github.graphql_resolvers import (
    Resolver,
    any_node,
    decision,
    field_of,
    first_comment,
    issue_field,
    pull_field,
    repository,
    set_draft,
    set_resolved,
    state_of,
    threads,
    viewer,
    work_item,
)
from local.sandbox.github.hub import node_id

type Fields = dict[str, tuple[str, Resolver]]

ABSTRACT: dict[str, frozenset[str]] = {
    "Node": frozenset({"Repository", "Issue", "PullRequest", "PullRequestReviewThread", "IssueComment"}),
    "Actor": frozenset({"User", "Bot", "Organization", "Mannequin"}),
    "GitObject": frozenset({"Blob", "Commit", "Tree"}),
    "StatusCheckRollupContext": frozenset({"CheckRun", "StatusContext"}),
    "IssueOrPullRequest": frozenset({"Issue", "PullRequest"}),
    "Minimizable": frozenset({"IssueComment"}),
    "RuleParameters": frozenset({"RequiredStatusChecksParameters", "UpdateParameters"}),
}
"""Interfaces and unions, each with the types it may turn out to be."""

_ACTOR: Fields = {
    "login": ("String", field_of("login")),
    "url": ("URI", field_of("html_url")),
    "avatarUrl": ("URI", field_of("avatar_url")),
}
_ACCOUNT: Fields = {
    **_ACTOR,
    "id": ("ID", field_of("node_id")),
    "databaseId": ("Int", field_of("id")),
}
_WORK: Fields = {
    "id": ("ID", issue_field("node_id")),
    "databaseId": ("Int", issue_field("id")),
    "fullDatabaseId": ("BigInt", lambda _, value, __: str(value[1]["id"])),
    "number": ("Int", issue_field("number")),
    "title": ("String", issue_field("title")),
    "body": ("String", lambda _, value, __: value[1]["body"] or ""),
    "url": ("URI", issue_field("html_url")),
    "state": ("String", state_of),
    "closed": ("Boolean", lambda _, value, __: value[1]["state"] == "closed"),
    "createdAt": ("DateTime", issue_field("created_at")),
    "updatedAt": ("DateTime", issue_field("updated_at")),
    "author": ("Actor", lambda context, value, _: fields.actor(context.hub, value[1]["user"])),
    "repository": ("Repository", lambda _, value, __: value[0]),
    "labels": ("LabelConnection", fields.connection_of(fields.labels)),
    "comments": ("IssueCommentConnection", fields.connection_of(fields.comments)),
}
_SAID: Fields = {
    "databaseId": ("Int", lambda _, value, __: value[2]["id"]),
    "fullDatabaseId": ("BigInt", lambda _, value, __: str(value[2]["id"])),
    "body": ("String", lambda _, value, __: value[2]["body"]),
    "author": ("Actor", fields.actor_of("user")),
    "viewerDidAuthor": ("Boolean", fields.did_author),
}
_COMMENT: Fields = {
    **_SAID,
    "createdAt": ("DateTime", lambda _, value, __: value[2]["created_at"]),
    "isMinimized": ("Boolean", lambda _, value, __: bool(value[2].get("minimized"))),
    "minimizedReason": ("String", lambda _, value, __: value[2].get("minimized")),
}
_CONNECTED = (
    "Issue",
    "IssueComment",
    "Label",
    "CheckAnnotation",
    "CheckRun",
    "CheckStep",
    "CheckSuite",
    "PullRequestCommit",
    "PullRequestReview",
    "PullRequestReviewThread",
    "PullRequestReviewComment",
    "RepositoryRule",
    "StatusCheckRollupContext",
)


def _connection(node: str) -> Fields:
    return {
        "nodes": (node, field_of("nodes")),
        "edges": (f"{node}Edge", field_of("edges")),
        "totalCount": ("Int", field_of("totalCount")),
        "pageInfo": ("PageInfo", field_of("pageInfo")),
    }


def _edge(node: str) -> Fields:
    return {"node": (node, field_of("node")), "cursor": ("String", field_of("cursor"))}


_PULL: dict[str, Resolver] = {
    "isCrossRepository": fields.is_cross,
    "isDraft": pull_field("draft"),
    "headRefName": pull_field("head_ref"),
    "headRefOid": pull_field("head_sha"),
    "baseRefName": pull_field("base_ref"),
    "baseRefOid": pull_field("base_sha"),
    "mergedAt": pull_field("merged_at"),
}

SCHEMA: dict[str, Fields] = {
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
        "minimizeComment": ("MinimizeCommentPayload", fields.minimise),
    },
    **dict.fromkeys(("Bot", "Mannequin"), _ACCOUNT),
    "Organization": {**_ACCOUNT, "name": ("String", field_of("name"))},
    "User": {
        **_ACCOUNT,
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
        "issueOrPullRequest": ("IssueOrPullRequest", fields.issue_or_pull),
        "object": ("GitObject", git.git_object),
    },
    "IssueOrPullRequest": {},
    "Minimizable": {"isMinimized": _COMMENT["isMinimized"], "minimizedReason": _COMMENT["minimizedReason"]},
    "StatusCheckRollupContext": {},
    "GitObject": {"oid": ("GitObjectID", lambda _, value, __: value[1])},
    "Issue": {
        **_WORK,
        "parent": ("Issue", fields.needing("issues", fields.above)),
        "issueType": ("IssueType", fields.issue_type),
        "stateReason": ("String", lambda _, value, __: (value[1].get("state_reason") or "").upper() or None),
    },
    "PullRequest": {
        **_WORK,
        **{name: ("String" if "is" not in name[:2] else "Boolean", resolver) for name, resolver in _PULL.items()},
        "merged": ("Boolean", lambda _, value, __: value[1]["pull"]["merged_at"] is not None),
        "reviewDecision": ("String", decision),
        "reviewThreads": ("PullRequestReviewThreadConnection", threads),
        "closingIssuesReferences": (
            "IssueConnection",
            fields.needing("issues", fields.connection_of(fields.closing_issues)),
        ),
        "commits": ("PullRequestCommitConnection", fields.commits),
        "reviews": ("PullRequestReviewConnection", fields.connection_of(fields.reviews)),
        "statusCheckRollup": ("StatusCheckRollup", fields.needing("checks", fields.rollup)),
        "baseRef": ("Ref", fields.base_ref),
        "changedFiles": ("Int", fields.changed),
        "mergeable": ("String", fields.mergeable),
        "mergeCommit": ("Commit", fields.merge_commit),
        # Trial merges are made by GitHub in its own time; here there is none.
        "potentialMergeCommit": ("Commit", lambda _, __, ___: None),
        "autoMergeRequest": ("AutoMergeRequest", lambda _, __, ___: None),
    },
    "PullRequestReviewThread": {
        "id": ("ID", lambda _, value, __: node_id("PullRequestReviewThread", value[2]["id"])),
        "isResolved": ("Boolean", lambda _, value, __: value[2]["resolved"]),
        "isOutdated": ("Boolean", fields.is_outdated),
        "isCollapsed": ("Boolean", lambda _, value, __: value[2]["resolved"]),
        "path": ("String", lambda _, value, __: first_comment(value)["path"]),
        "line": ("Int", fields.thread_line),
        "originalLine": ("Int", lambda _, value, __: first_comment(value)["line"]),
        "resolvedBy": (
            "User",
            lambda context, value, __: (
                present.full_user(context.hub, user) if (user := context.hub.user(value[2]["resolved_by"])) else None
            ),
        ),
        "comments": ("PullRequestReviewCommentConnection", fields.connection_of(fields.comments_of_thread)),
        "pullRequest": ("PullRequest", lambda _, value, __: value[:2]),
    },
    "PullRequestReviewComment": {
        **_COMMENT,
        "id": ("ID", lambda _, value, __: node_id("PullRequestReviewComment", value[2]["id"])),
        "path": ("String", lambda _, value, __: value[2]["path"]),
        "url": ("URI", lambda context, value, __: present_work.review_comment(context.hub, *value)["html_url"]),
    },
    "IssueComment": {
        **_COMMENT,
        "id": ("ID", lambda _, value, __: node_id("IssueComment", value[2]["id"])),
        "url": ("URI", lambda context, value, __: present_work.comment(context.hub, value[0], value[2])["html_url"]),
    },
    "PullRequestReview": {
        **_SAID,
        "id": ("ID", lambda _, value, __: node_id("PullRequestReview", value[2]["id"])),
        "state": ("String", lambda _, value, __: value[2]["state"]),
        "submittedAt": ("DateTime", lambda _, value, __: value[2]["submitted_at"]),
        "commit": ("Commit", lambda _, value, __: (value[0], value[2]["commit_id"])),
        "comments": ("PullRequestReviewCommentConnection", fields.connection_of(fields.comments_of_review)),
    },
    "PullRequestCommit": {"commit": ("Commit", lambda _, value, __: value)},
    "Commit": {
        "oid": ("GitObjectID", lambda _, value, __: value[1]),
        "message": ("String", git.commit_field("message")),
        "authoredDate": (
            "DateTime",
            lambda context, value, _: git.commit_field("author")(context, value, {})["date"],
        ),
        "author": ("GitActor", git.git_actor("author")),
        "committer": ("GitActor", git.git_actor("committer")),
        "tree": ("Tree", git.tree_of),
        "file": ("TreeEntry", git.file_of),
        "status": ("Status", rules.status),
        "checkSuites": ("CheckSuiteConnection", rules.suites),
    },
    "Status": {
        "context": ("StatusContext", rules.status_context),
        "contexts": ("StatusContext", rules.status_contexts),
    },
    "GitActor": {
        "name": ("String", field_of("name")),
        "email": ("String", field_of("email")),
        "user": ("User", field_of("user")),
    },
    "Ref": {
        "name": ("String", field_of("name")),
        "target": ("GitObject", field_of("target")),
        "refUpdateRule": ("RefUpdateRule", rules.update_rule),
        "rules": ("RepositoryRuleConnection", fields.connection_of(rules.branch_rules)),
    },
    "RefUpdateRule": {"requiredStatusCheckContexts": ("String", field_of("contexts"))},
    "RepositoryRule": {"type": ("String", field_of("type")), "parameters": ("RuleParameters", field_of("parameters"))},
    "RuleParameters": {},
    "RequiredStatusChecksParameters": {
        "requiredStatusChecks": ("StatusCheckConfiguration", field_of("required_status_checks"))
    },
    "UpdateParameters": {"updateAllowsFetchAndMerge": ("Boolean", field_of("update_allows_fetch_and_merge"))},
    "StatusCheckConfiguration": {"context": ("String", field_of("context"))},
    "Tree": {
        "oid": ("GitObjectID", lambda _, value, __: value[1]),
        "entries": ("TreeEntry", git.entries),
    },
    "TreeEntry": {
        "name": ("String", lambda _, value, __: value[1][0]),
        "oid": ("GitObjectID", lambda _, value, __: value[1][2]),
        "type": ("String", lambda _, value, __: objects.MODES[value[1][1]]),
        "mode": ("Int", lambda _, value, __: int(value[1][1], 8)),
        "object": ("GitObject", git.entry_object),
    },
    "Blob": {
        "oid": ("GitObjectID", lambda _, value, __: value[1]),
        **{
            name: (kind, git.blob_field(name))
            for name, kind in (
                ("text", "String"),
                ("byteSize", "Int"),
                ("isBinary", "Boolean"),
                ("isTruncated", "Boolean"),
            )
        },
    },
    "Label": {"name": ("String", field_of("name")), "color": ("String", field_of("color"))},
    "IssueType": {"name": ("String", field_of("name"))},
    "AutoMergeRequest": {"enabledAt": ("DateTime", field_of("enabledAt"))},
    "StatusCheckRollup": {
        "contexts": ("StatusCheckRollupContextConnection", fields.connection_of(lambda _, value: value["contexts"])),
    },
    "CheckRun": {
        "databaseId": ("Int", fields.run_field("id")),
        "url": ("URI", fields.run_field("html_url")),
        "annotations": ("CheckAnnotationConnection", fields.connection_of(lambda _, value: value[2]["annotations"])),
        "name": ("String", fields.run_field("name")),
        "status": ("String", fields.upper("status")),
        "conclusion": ("String", fields.upper("conclusion")),
        "isRequired": ("Boolean", fields.is_required),
        "detailsUrl": ("URI", fields.run_field("details_url")),
        "title": ("String", fields.run_field("title")),
        "summary": ("String", fields.run_field("summary")),
        "startedAt": ("DateTime", fields.run_field("started_at")),
        "completedAt": ("DateTime", fields.run_field("completed_at")),
        "steps": ("CheckStepConnection", fields.connection_of(fields.steps)),
        "checkSuite": ("CheckSuite", fields.suite),
    },
    "CheckStep": {"name": ("String", field_of("name"))},
    "CheckSuite": {
        "app": ("App", field_of("app")),
        "workflowRun": ("WorkflowRun", field_of("workflowRun")),
        "checkRuns": ("CheckRunConnection", rules.runs),
    },
    "CheckAnnotation": {"message": ("String", field_of("message"))},
    "App": {"slug": ("String", field_of("slug")), "databaseId": ("Int", field_of("id"))},
    "WorkflowRun": {"workflow": ("Workflow", field_of("workflow"))},
    "Workflow": {"name": ("String", field_of("name"))},
    "StatusContext": {
        "context": ("String", lambda _, value, __: value[2]["context"]),
        "state": ("String", fields.upper("state")),
        "isRequired": ("Boolean", fields.is_required),
        "description": ("String", lambda _, value, __: value[2]["description"]),
        "targetUrl": ("URI", lambda _, value, __: value[2]["target_url"]),
        "createdAt": ("DateTime", lambda _, value, __: value[2]["created_at"]),
        "creator": ("Actor", fields.actor_of("creator")),
    },
    "MinimizeCommentPayload": {
        "minimizedComment": ("Minimizable", field_of("minimizedComment")),
        "clientMutationId": ("String", field_of("clientMutationId")),
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
    **{f"{node}Connection": _connection(node) for node in _CONNECTED},
    **{f"{node}Edge": _edge(node) for node in _CONNECTED},
}
