"""The GraphQL documents by which a pull request is looked at; each names only what is read.

https://docs.github.com/graphql/reference/objects#pullrequest
"""

from __future__ import annotations

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
    f"target {{ oid ... on Commit {{ tree {{ {_ENTRIES} }}"
    f' github: file(path: ".github") {{ object {{ ... on Tree {{ {_ENTRIES} }} }} }}'
    f' docs: file(path: "docs") {{ object {{ ... on Tree {{ {_ENTRIES} }} }} }} }} }}'
)
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


def look(*, above: bool, page: int = LONG) -> str:
    """The one query about a pull request."""
    lists = " ".join(connection(name, page) for name in ("commits", "reviews", "reviewThreads", "comments"))
    return (
        "query Look($owner: String!, $name: String!, $number: Int!) {"
        " viewer { login databaseId name }"
        " repository(owner: $owner, name: $name) { nameWithOwner pullRequest(number: $number) {"
        " number title body url state isDraft createdAt updatedAt author { ...Who }"
        " headRefName headRefOid baseRefName baseRefOid isCrossRepository mergeable"
        " mergeCommit { oid } potentialMergeCommit { oid } autoMergeRequest { enabledAt }"
        f" baseRef {{ {_TEMPLATES} }} labels(first: 100) {{ nodes {{ name }} }} {lists}"
        f" {connection('closingIssuesReferences', 25)}"
        f" statusCheckRollup {{ {connection('contexts', page)} }} }} }} }} {WHO} {item(above=above)}"
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

OWN = (
    "query Own($owner: String!, $name: String!, $number: Int!, $said: String, $threads: String) {"
    " viewer { login databaseId name } repository(owner: $owner, name: $name) { pullRequest(number: $number) {"
    " comments(first: 100, after: $said) {"
    f" nodes {{ id isMinimized {_COMMENT} }} {PAGE} }}"
    " reviewThreads(first: 100, after: $threads) { nodes { id isResolved path line originalLine"
    f" comments(first: 100) {{ nodes {{ id {_COMMENT} }} }} }} {PAGE} }} }} }} }} {WHO}"
)
