"""The GraphQL in use: review threads, linked issues, and refusals in GitHub's own shape."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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


_WORDS = ["{", "}", "(", ")", "[", "]", ":", "$", "!", "...", "on", "query", "mutation", "fragment", "viewer", "login"]
_WORDS += ["repository", "node", "id", "F", "first", "1", "-1.5e3", '"x"', '"""', "true", "null", ",", "#", "@", "Node"]


@settings(max_examples=150, deadline=None)
@given(text=st.text() | st.lists(st.sampled_from(_WORDS), max_size=25).map(" ".join))
def test_garbage_is_a_parse_error_or_a_document(text):
    try:
        parsed = parse(text)
    except ParseError as error:
        assert str(error)
    else:
        assert parsed.operation in {"query", "mutation"}


@settings(max_examples=60, deadline=None)
@given(
    query=st.lists(st.sampled_from(_WORDS), max_size=18).map(lambda words: "{ " + " ".join(words) + " }"),
    variables=st.none() | st.integers() | st.lists(st.text()) | st.dictionaries(st.text(), st.integers()),
)
def test_garbage_is_refused_in_githubs_shape(sandbox, query, variables):
    with sandbox.http() as http:
        answer = http.post("/graphql", json={"query": query, "variables": variables})
    assert answer.status_code == 200
    body = answer.json()
    assert "data" in body or all(error["message"] for error in body["errors"])


def _errors(sandbox, query, **variables):
    return [(e.get("type"), e["message"]) for e in _ask(sandbox, query, **variables)["errors"]]


def test_what_cannot_be_answered_is_said(sandbox, pull):
    nested = "{" + "a{" * 5000
    assert "nested too deeply" in _errors(sandbox, nested)[0][1]
    loop = "{ viewer { ...A } } fragment A on User { ...B } fragment B on User { ...A }"
    assert _errors(sandbox, loop) == [(None, "Fragment A contains an infinite loop")]
    assert _errors(sandbox, "{ viewer { ...Gone } }") == [(None, "Fragment Gone was used, but not defined")]
    assert _ask(sandbox, "{ viewer { ... { ... { login } } } }")["data"] == {"viewer": {"login": "ada"}}
    kinds = [
        ({"first": -1}, "INVALID_PAGINATION"),
        ({"first": 101}, "EXCESSIVE_PAGINATION"),
        ({"first": "many"}, "UNPROCESSABLE"),
        ({"first": 1, "after": "###"}, "INVALID_CURSOR_ARGUMENTS"),
        ({"first": None}, "MISSING_PAGINATION_BOUNDARIES"),
    ]
    for given_, kind in kinds:
        assert [k for k, _ in _errors(sandbox, THREADS, **pull, **given_)] == [kind]
    wrong = [
        ("{ node(id: 1) { id } }", "NOT_FOUND"),
        ('{ repository(owner: "octo", name: "intake") { issue(number: 999) { id } } }', "NOT_FOUND"),
        ('{ repository(owner: "octo", name: "intake") { pullRequest(number: 999) { id } } }', "NOT_FOUND"),
        ("mutation { resolveReviewThread(input: 3) { thread { id } } }", "UNPROCESSABLE"),
    ]
    for text, kind in wrong:
        assert [k for k, _ in _errors(sandbox, text)] == [kind]
    with sandbox.http() as http:
        assert http.post("/graphql", content=b"{").json()["message"] == "Problems parsing JSON"
        assert http.post("/graphql", json={"query": 1}).status_code == 400
        assert http.post("/graphql", json={"query": "{ viewer { login } }", "variables": [1]}).json() == {
            "errors": [{"message": "Variables must be an object."}]
        }
    with sandbox.http(None) as http:
        assert http.post("/graphql", json={"query": "{ viewer { login } }"}).status_code == 403


LAST = """query($owner: String!, $name: String!, $number: Int!) {
  repository(owner: $owner, name: $name) { pullRequest(number: $number) {
    state author { login } reviewDecision
    reviewThreads(last: 1) { totalCount nodes { line isOutdated resolvedBy { login } pullRequest { number } } }
  } } }"""


def test_the_last_thread_and_who_may_resolve(sandbox, pull):
    shown = _ask(sandbox, LAST, **{k: v for k, v in pull.items() if k in {"owner", "name", "number"}})
    request = shown["data"]["repository"]["pullRequest"]
    assert (request["state"], request["author"]["login"], request["reviewDecision"]) == ("OPEN", "ada", None)
    assert request["reviewThreads"]["totalCount"] == 2
    assert [n["line"] for n in request["reviewThreads"]["nodes"]] == [2]
    threads = _ask(sandbox, THREADS, **pull, first=1)["data"]["repository"]["pullRequest"]["reviewThreads"]
    resolve = "mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { isResolved } } }"
    refused = _ask(sandbox, resolve, "eve-token", id=threads["nodes"][0]["id"])
    assert refused["errors"][0]["type"] == "FORBIDDEN"


def test_drafts_and_who_may_change_them(sandbox, pull):
    address = f"/repos/octo/{pull['name']}/pulls/{pull['number']}"
    draft = "mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { isDraft } } }"
    ready = draft.replace("convertPullRequestToDraft", "markPullRequestReadyForReview")
    with sandbox.http("ada-token") as http:
        node = http.get(address).json()["node_id"]
        assert _ask(sandbox, draft, "eve-token", id=node)["errors"][0]["type"] == "FORBIDDEN"
        for mutation, expected in ((draft, True), (ready, False)):
            ((_, answer),) = _ask(sandbox, mutation, id=node)["data"].items()
            assert answer["pullRequest"]["isDraft"] is expected
            assert http.get(address).json()["draft"] is expected
        assert _ask(sandbox, draft, id="PR_none")["errors"][0]["type"] == "NOT_FOUND"
        literal = draft.replace("{pullRequestId: $id}", "7").replace("($id: ID!)", "")
        assert _ask(sandbox, literal)["errors"]
        assert http.patch(address, json={"state": "closed"}).status_code == 200
        assert "closed" in _ask(sandbox, draft, id=node)["errors"][0]["message"]
