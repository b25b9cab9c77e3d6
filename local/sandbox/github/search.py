"""Answers issue and repository searches for the qualifiers in use; an unknown qualifier is refused, not ignored."""

from __future__ import annotations

import shlex

from local.sandbox.github import present
from local.sandbox.github.auth import sees
from local.sandbox.github.errors import ApiError
from local.sandbox.github.hub import Record
from local.sandbox.github.present_work import issue as render
from local.sandbox.github.routing import Answer, Call, route

KNOWN = {"repo", "org", "user", "is", "type", "state", "label", "author", "assignee", "in", "no", "created", "updated"}


def _terms(call: Call) -> list[tuple[bool, str, str]]:
    """(negated, qualifier or "", value) of each term; raises ApiError 422."""
    query = call.query.get("q", "")
    if not query.strip():
        error = {"resource": "Search", "field": "q", "code": "missing"}
        raise ApiError(422, "Validation Failed", [error])
    try:
        words = shlex.split(query)
    except ValueError:  # a quote that is never closed
        words = query.replace('"', " ").replace("'", " ").split()
    terms = []
    for word in words:
        negated, bare = word.startswith("-"), word.removeprefix("-")
        name, colon, value = bare.partition(":")
        if colon and name.isalpha() and not value.startswith("//"):
            if name.lower() not in KNOWN:
                raise ApiError(
                    422,
                    "Validation Failed",
                    [
                        {
                            "resource": "Search",
                            "field": "q",
                            "code": "invalid",
                            "message": f"The sandbox does not know the qualifier {name}",
                        }
                    ],
                )
            terms.append((negated, name.lower(), value))
        else:
            terms.append((negated, "", bare))
    return terms


def _compare(moment: str, bound: str) -> bool:
    for sign, test in (
        (">=", moment >= bound[2:]),
        ("<=", moment[: len(bound) - 2] <= bound[2:]),
        (">", moment > bound[1:]),
        ("<", moment < bound[1:]),
    ):
        if bound.startswith(sign):
            return test
    first, dots, last = bound.partition("..")
    if dots:
        return (first == "*" or moment >= first) and (last == "*" or moment[: len(last)] <= last)
    return moment.startswith(bound)


def _hit(repo: Record, issue: Record, name: str, value: str, texts: str) -> bool:
    low = value.lower()
    request = issue.get("pull")
    flags = {
        "issue": not request,
        "pr": bool(request),
        "open": issue["state"] == "open",
        "closed": issue["state"] == "closed",
        "merged": bool(request and request["merged_at"]),
        "public": not repo["private"],
        "private": bool(repo["private"]),
        "locked": issue["locked"],
        "draft": bool(request and request["draft"]),
    }
    tests = {
        "": lambda: low in texts,
        "repo": lambda: low == f"{repo['owner']}/{repo['name']}".lower(),
        "org": lambda: low == repo["owner"].lower(),
        "user": lambda: low == repo["owner"].lower(),
        "is": lambda: flags.get(low, False),
        "type": lambda: flags.get(low, False),
        "state": lambda: flags.get(low, False),
        "label": lambda: any(one.strip().lower() in issue["labels"] for one in value.split(",")),
        "author": lambda: low in {issue["user"].lower(), f"app/{issue['user'].lower().removesuffix('[bot]')}"},
        "assignee": lambda: low in {a.lower() for a in issue["assignees"]},
        "no": lambda: not issue["labels"] if low == "label" else not issue["assignees"],
        "in": lambda: True,
        "created": lambda: _compare(issue["created_at"], value),
        "updated": lambda: _compare(issue["updated_at"], value),
    }
    return tests[name]()


@route("GET", "/search/issues")
def search_issues(call: Call) -> Answer:
    """Issues and pull requests the caller may see."""
    terms = _terms(call)
    places = {value.lower() for _, name, value in terms if name == "in"} or {"title", "body", "comments"}
    found = []
    for repo in call.hub.table("repos").values():
        if not sees(call.hub, call.caller, repo):
            continue
        for issue in repo["issues"].values():
            parts = [issue["title"]] if "title" in places else []
            parts += [issue["body"] or ""] if "body" in places else []
            parts += [c["body"] for c in issue["comments"].values()] if "comments" in places else []
            texts = "\n".join(parts).lower()
            if all(_hit(repo, issue, name, value, texts) != negated for negated, name, value in terms):
                found.append((repo, issue))
    key = {"updated": "updated_at", "created": "created_at"}.get(call.query.get("sort", ""), "id")
    found.sort(key=lambda pair: pair[1][key], reverse=call.query.get("order", "desc") == "desc")
    answer = call.page_of(found, lambda pair: _scored(call, *pair), "items")
    answer.body.update(incomplete_results=False, search_type="lexical")
    return answer


def _scored(call: Call, repo: Record, issue: Record) -> Record:
    body = render(call.hub, repo, issue)
    return {**body, "body": body["body"] or "", "score": 1.0}


@route("GET", "/search/repositories")
def search_repositories(call: Call) -> Answer:
    """Repositories the caller may see."""
    terms = _terms(call)
    found = []
    for repo in call.hub.table("repos").values():
        texts = f"{repo['name']} {repo['description'] or ''} {' '.join(repo['topics'])}".lower()
        tests = {
            "": lambda v, t=texts: v in t,
            "org": lambda v, r=repo: v == r["owner"].lower(),
            "user": lambda v, r=repo: v == r["owner"].lower(),
        }
        tests["repo"] = lambda v, r=repo: v == f"{r['owner']}/{r['name']}".lower()
        matches = all(tests.get(name, lambda _: True)(value.lower()) != negated for negated, name, value in terms)
        if matches and sees(call.hub, call.caller, repo):
            found.append(repo)
    answer = call.page_of(
        found, lambda repo: {**present.repository(call.hub, repo, call.caller), "score": 1.0}, "items"
    )
    answer.body.update(incomplete_results=False, search_type="lexical")
    return answer
