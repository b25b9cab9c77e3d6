"""The GraphQL documents by which a pull request is looked at; each names only what is read.

https://docs.github.com/graphql/reference/objects#pullrequest
"""

from __future__ import annotations

import json
from collections.abc import Sequence

PAGE = "pageInfo { hasNextPage endCursor }"

WHO = (
    "fragment Who on Actor { __typename login ... on User { databaseId name } ... on Bot { databaseId }"
    " ... on Organization { databaseId name } ... on Mannequin { databaseId } }"
)
_COMMENT = "fullDatabaseId body createdAt viewerDidAuthor author { ...Who }"
NODES = {
    "commits": "commit { oid message authoredDate author { email user { login } } }",
    "reviews": (
        "fullDatabaseId state body submittedAt viewerDidAuthor author { ...Who } commit { oid } comments(first: 1) { totalCount }"
    ),
    "reviewThreads": (f"id isResolved isOutdated path line comments(first: 50) {{ nodes {{ {_COMMENT} }} {PAGE} }}"),
    "comments": _COMMENT,
    "contexts": (
        "__typename"
        " ... on CheckRun { name status conclusion isRequired(pullRequestNumber: $number) detailsUrl title summary"
        " startedAt completedAt steps(first: 50) { nodes { name } }"
        " checkSuite { app { slug } workflowRun { workflow { name } } } }"
        " ... on StatusContext { context state isRequired(pullRequestNumber: $number) description targetUrl createdAt }"
    ),
    "closingIssuesReferences": "...Item",
}
"""What is read of each item of a connection, by the connection's name."""

MOST_PARENTS = 7
"""GitHub nests sub-issues eight deep: https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/adding-sub-issues"""

_ENTRIES = "entries { name type oid }"
_TEMPLATES = (
    f"tree {{ {_ENTRIES} }}"
    f' github: file(path: ".github") {{ object {{ ... on Tree {{ {_ENTRIES} }} }} }}'
    f' docs: file(path: "docs") {{ object {{ ... on Tree {{ {_ENTRIES} }} }} }}'
)
_RULES = (
    "refUpdateRule { requiredStatusCheckContexts } rules(first: 100) { nodes { type parameters {"
    " ... on RequiredStatusChecksParameters { requiredStatusChecks { context } } } } pageInfo { hasNextPage } }"
)
"""What a branch requires, told to whoever may read it: https://docs.github.com/graphql/reference/objects#refupdaterule"""
_ISSUE = "number title state body url labels(first: 50) { nodes { name } } repository { nameWithOwner }"


def item(*, above: bool) -> str:
    """The fragment of an issue. ``above`` asks for its type and what it is part of, which old servers do not know."""
    core = f"{_ISSUE} issueType {{ name }}" if above else _ISSUE
    parents = ""
    for _ in range(MOST_PARENTS if above else 0):
        parents = f" parent {{ {core}{parents} }}"
    said = "comments(last: 100) { nodes { body author { __typename login } } }"
    return f"fragment Item on Issue {{ {core} {said}{parents} }}"


LONG, SHORT = 100, 20
"""Items of a page: as many as GitHub gives, and few enough for it to answer in time about a crowded pull request."""


def connection(name: str, first: int, *, after: bool = False) -> str:
    """One page of a connection."""
    since = ", after: $after" if after else ""
    return f"{name}(first: {first}{since}) {{ totalCount nodes {{ {NODES[name]} }} {PAGE} }}"


def _target(*, modern: bool, files: Sequence[str]) -> str:
    """The target branch: its templates, what it requires, and ``files`` of it under ``f0``, ``f1`` and so on."""
    wanted = " ".join(
        f"f{n}: file(path: {json.dumps(name, ensure_ascii=False)})"
        " { mode object { ... on Blob { text isBinary isTruncated } } }"
        for n, name in enumerate(files)
    )
    rules = f" {_RULES}" if modern else ""
    return f"baseRef {{ target {{ oid ... on Commit {{ {_TEMPLATES} {wanted} }} }}{rules} }}"


def look(*, modern: bool, page: int = LONG, files: Sequence[str] = ()) -> str:
    """The one query about a pull request, and ``files`` of its target branch.

    ``modern`` asks for what old servers do not know: rules of a branch, types of issues and what they are part of.
    """
    lists = " ".join(connection(name, page) for name in ("commits", "reviews", "reviewThreads", "comments"))
    return (
        "query Look($owner: String!, $name: String!, $number: Int!) {"
        " viewer { login databaseId name }"
        " repository(owner: $owner, name: $name) { nameWithOwner pullRequest(number: $number) {"
        " number title body url state isDraft createdAt updatedAt author { ...Who }"
        " headRefName headRefOid baseRefName baseRefOid isCrossRepository mergeable"
        " mergeCommit { oid } potentialMergeCommit { oid } autoMergeRequest { enabledAt }"
        f" {_target(modern=modern, files=files)} labels(first: 100) {{ nodes {{ name }} }} {lists}"
        f" {connection('closingIssuesReferences', 25)}"
        f" statusCheckRollup {{ {connection('contexts', page)} }} }} }} }} {WHO} {item(above=modern)}"
    )


def more(name: str, *, above: bool, page: int = LONG) -> str:
    """A further page of one connection of a pull request."""
    asked = connection(name, 25 if name == "closingIssuesReferences" else page, after=True)
    asked = f"statusCheckRollup {{ {asked} }}" if name == "contexts" else asked
    used = {"contexts": "", "commits": "", "closingIssuesReferences": item(above=above)}.get(name, WHO)
    return (
        "query More($owner: String!, $name: String!, $number: Int!, $after: String!) {"
        f" repository(owner: $owner, name: $name) {{ pullRequest(number: $number) {{ {asked} }} }} }} {used}"
    )


MORE_OF_THREAD = (
    "query Thread($id: ID!, $after: String!) { node(id: $id) { ... on PullRequestReviewThread {"
    f" comments(first: 100, after: $after) {{ nodes {{ {_COMMENT} }} {PAGE} }} }} }} }} {WHO}"
)


def _words(operation: str, further: str = "", declared: str = "") -> str:
    return (
        f"query {operation}($owner: String!, $name: String!, $number: Int!, $said: String, $threads: String{declared}) {{"
        " viewer { login databaseId name } repository(owner: $owner, name: $name) { pullRequest(number: $number) {"
        f"{further} comments(first: 100, after: $said) {{"
        f" nodes {{ id isMinimized {_COMMENT} }} {PAGE} }}"
        " reviewThreads(first: 100, after: $threads) { nodes { id isResolved path line originalLine"
        f" comments(first: 100) {{ nodes {{ id {_COMMENT} }} }} }} {PAGE} }} }} }} }} {WHO}"
    )


OWN = _words("Own")
"""A page of what was said on a pull request."""

_HEAD = " state headRefOid commits(last: 1) {{ nodes {{ commit {{ oid {check} }} }} }}"

STAND = _words(
    "Stand",
    _HEAD.format(check="status { context(name: $check) { context state description targetUrl } }"),
    ", $check: String!",
)
"""The same, with how the pull request and the status of one name on its head stand."""

STAND_OF_APP = _words(
    "StandOfApp",
    _HEAD.format(
        check="checkSuites(first: 10, filterBy: {appId: $app, checkName: $check}) { nodes {"
        " checkRuns(first: 10, filterBy: {appId: $app, checkName: $check, checkType: LATEST}) {"
        " nodes { databaseId url annotations(first: 1) { totalCount } } } } }"
    ),
    ", $check: String!, $app: Int!",
)
"""The same for an App, which writes check runs."""
