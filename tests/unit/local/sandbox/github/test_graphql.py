"""The GraphQL in use: review threads, linked issues, and refusals in GitHub's own shape."""

from __future__ import annotations

import pytest

from local.sandbox.github.graphql_parse import ParseError, Variable, parse

THREADS = """
query($owner: String!, $name: String!, $number: Int!, $first: Int = 10, $after: String) {
  repository(owner: $owner, name: $name) {
    pullRequest(number: $number) {
      closingIssuesReferences(first: 5) { nodes { number title } }
      reviewThreads(first: $first, after: $after) {
        totalCount
        pageInfo { hasNextPage endCursor }
        nodes { ...thread }
      }
    }
  }
}
fragment thread on PullRequestReviewThread {
  id isResolved path line
  resolvedBy { login }
  comments(first: 1) { nodes { body author { login } } }
}
"""


def _ask(sandbox, query, token=None, **variables):
    with sandbox.http(token or "ada-token") as http:
        return http.post("/graphql", json={"query": query, "variables": variables}).json()


@pytest.fixture
def pull(sandbox):
    repo = sandbox.repo()
    repo.create_issue("Linked")
    repo.create_git_ref("refs/heads/f", repo.get_branch("main").commit.sha)
    repo.create_file("a.txt", "Add", "one\ntwo\n", branch="f")
    made = repo.create_pull(base="main", head="f", title="T", body="Closes #1")
    made.create_review(
        body="See", event="COMMENT", comments=[{"path": "a.txt", "line": n, "body": f"on {n}"} for n in (1, 2)]
    )
    return {"owner": "octo", "name": repo.name, "number": made.number}


def test_threads_and_their_resolution(sandbox, pull):
    found = _ask(sandbox, THREADS, **pull)["data"]["repository"]["pullRequest"]
    assert found["closingIssuesReferences"]["nodes"] == [{"number": 1, "title": "Linked"}]
    threads = found["reviewThreads"]
    assert (threads["totalCount"], [t["isResolved"] for t in threads["nodes"]]) == (2, [False, False])
    assert threads["nodes"][0]["comments"]["nodes"] == [{"body": "on 1", "author": {"login": "ada"}}]
    resolve = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved resolvedBy { login } } } }"
    first = threads["nodes"][0]["id"]
    refused = _ask(sandbox, resolve, "eve-token", id=first)
    assert (refused["errors"][0]["type"], refused["data"]) == ("FORBIDDEN", {"resolveReviewThread": None})
    done = _ask(sandbox, resolve, id=first)["data"]["resolveReviewThread"]["thread"]
    assert done == {"isResolved": True, "resolvedBy": {"login": "ada"}}
    node = _ask(
        sandbox, "query($id: ID!) { node(id: $id) { id ... on PullRequestReviewThread { isResolved } } }", id=first
    )
    assert node["data"]["node"] == {"id": first, "isResolved": True}
    undone = resolve.replace("resolveReviewThread", "unresolveReviewThread")
    assert _ask(sandbox, undone, id=first)["data"]["unresolveReviewThread"]["thread"]["isResolved"] is False


def test_pages_follow_each_other(sandbox, pull):
    first = _ask(sandbox, THREADS, **pull, first=1)["data"]["repository"]["pullRequest"]["reviewThreads"]
    assert first["pageInfo"]["hasNextPage"] is True
    second = _ask(sandbox, THREADS, **pull, first=1, after=first["pageInfo"]["endCursor"])
    threads = second["data"]["repository"]["pullRequest"]["reviewThreads"]
    assert (threads["pageInfo"]["hasNextPage"], threads["nodes"][0]["line"]) == (False, 2)


def test_refusals(sandbox):
    wrong = _ask(sandbox, "{ viewer { login wombat } }")
    assert "data" not in wrong
    assert wrong["errors"] == [
        {
            "path": ["query", "viewer", "wombat"],
            "extensions": {"code": "undefinedField", "typeName": "User", "fieldName": "wombat"},
            "locations": [{"line": 1, "column": 18}],
            "message": "Field 'wombat' doesn't exist on type 'User'",
        }
    ]
    gone = _ask(sandbox, '{ repository(owner: "octo", name: "none") { id } }')
    assert gone["data"] == {"repository": None}
    assert gone["errors"][0]["type"] == "NOT_FOUND"
    assert "must have selections" in _ask(sandbox, "{ viewer }")["errors"][0]["message"]
    assert "Parse error" in _ask(sandbox, "{ viewer { login ")["errors"][0]["message"]
    assert "invalid value" in _ask(sandbox, THREADS)["errors"][0]["message"]
    assert _ask(sandbox, "{ viewer { login } }", "bad")["message"] == "Bad credentials"
    assert _ask(sandbox, "{ me: viewer { login __typename } }")["data"] == {
        "me": {"login": "ada", "__typename": "User"}
    }


def test_parsing_values():
    parsed = parse('query Q($a: [Int!]! = [1]) { f(x: {a: [1, 2.5, "s\\n", true, null, ENUM], b: $a}) { g } }', "Q")
    assert parsed.defaults == {"a": [1]}
    assert parsed.selections[0].arguments == {"x": {"a": [1, 2.5, "s\n", True, None, "ENUM"], "b": Variable("a")}}
    for text in ("", "{}", "subscription { x }", "{ a ? }", "query A { a } query B { b }", "{ a(b: ) }"):
        with pytest.raises(ParseError):
            parse(text)
