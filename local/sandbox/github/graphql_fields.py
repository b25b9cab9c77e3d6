"""Finds what GraphQL tells of a pull request's commits, reviews, words, checks and issues, and of files in Git."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from local.sandbox.github import present, present_work
from local.sandbox.github.auth import granted
from local.sandbox.github.checks import check_run
from local.sandbox.github.commits import range_of
from local.sandbox.github.diffs import differences
from local.sandbox.github.graphql_resolvers import Context, GraphError, Resolver, Typed, page_of
from local.sandbox.github.hub import Hub, Record, node_id
from local.sandbox.github.pulls import MOST_COMMITS, start_of
from local.sandbox.github.pushes import CLOSING
from local.sandbox.github.review_lines import line_now
from local.sandbox.github.rulesets import active_rules
from local.sandbox.github.sub_issues import parent

MOST_TEXT = 512 * 1024
"""Bytes after which GitHub cuts the text of a blob."""
CLOSING_ELSEWHERE = re.compile(
    r"\b(?:close[sd]?|fix(?:e[sd])?|resolve[sd]?):?\s+([\w.-]+)/([\w.-]+)#(\d+)", re.IGNORECASE
)

type Item = tuple[Record, Record]
"""A repository and an issue or pull request of it."""


def needing(permission: str, resolve: Resolver) -> Resolver:
    """`resolve`, for callers that hold `permission` on the repository at least for reading; others are refused."""

    def resolved(context: Context, value: Any, given: Record) -> Any:
        repo, held = value[0], context.caller.permissions
        if held is not None and repo["private"] and not granted(held, permission, "read"):
            who = "integration" if context.caller.kind == "installation" else "personal access token"
            raise GraphError("FORBIDDEN", f"Resource not accessible by {who}")
        return resolve(context, value, given)

    return resolved


def actor(hub: Hub, login: str | None) -> Typed | None:
    """Somebody as an Actor; a bot goes without the "[bot]" that REST writes."""
    user = hub.user(login)
    if user is None:
        return None
    shown = present.full_user(hub, user)
    if user["type"] == "Bot":
        shown["login"] = shown["login"].removesuffix("[bot]")
    return Typed(user["type"], shown)


def actor_of(key: str) -> Resolver:
    return lambda context, value, _: actor(context.hub, value[2][key])


def connection_of(find: Callable[[Context, Any], Iterable[Any]]) -> Resolver:
    """A connection over what `find` finds."""
    return lambda context, value, given: page_of(list(find(context, value)), given)


def commits(context: Context, value: Item, given: Record) -> Record:
    """The commits; as many as REST lists, while the count is of all."""
    repo, issue = value
    start = start_of(context.hub, issue)
    shas = range_of(context.hub, start, issue["pull"]["head_sha"]) if start else []
    return {**page_of([(repo, sha) for sha in shas[:MOST_COMMITS]], given), "totalCount": len(shas)}


def reviews(context: Context, value: Item) -> list[Any]:
    entries = value[1]["pull"]["reviews"].values()
    return [(*value, e) for e in entries if e["state"] != "PENDING" or e["user"] == context.caller.login]


def comments_of_review(_: Context, value: Any) -> list[Any]:
    repo, issue, entry = value
    found = issue["pull"]["review_comments"].values()
    return [(repo, issue, one) for one in found if one["review_id"] == entry["id"]]


def comments_of_thread(_: Context, value: Any) -> list[Any]:
    repo, issue, thread = value
    return [(repo, issue, issue["pull"]["review_comments"][str(number)]) for number in thread["comments"]]


def comments(_: Context, value: Item) -> list[Any]:
    return [(*value, one) for one in value[1]["comments"].values()]


def labels(_: Context, value: Item) -> list[Any]:
    repo, issue = value
    return [repo["labels"][name] for name in issue["labels"] if name in repo["labels"]]


def did_author(context: Context, value: Any, _: Record) -> bool:
    return bool(value[2]["user"].lower() == context.caller.login.lower())


def thread_line(context: Context, value: Any, _: Record) -> int | None:
    _, issue, thread = value
    return line_now(context.hub, issue, issue["pull"]["review_comments"][str(thread["comments"][0])])


def is_outdated(context: Context, value: Any, given: Record) -> bool:
    first = value[1]["pull"]["review_comments"][str(value[2]["comments"][0])]
    return first["line"] is not None and thread_line(context, value, given) is None


def closing_issues(context: Context, value: Item) -> list[Item]:
    """Issues that merging into the default branch would close."""
    repo, issue = value
    text = issue["body"] or ""
    if issue["pull"]["base_ref"] != repo["default_branch"]:
        return []
    found = [(repo, repo["issues"].get(number)) for number in dict.fromkeys(CLOSING.findall(text))]
    for owner, name, number in dict.fromkeys(CLOSING_ELSEWHERE.findall(text)):
        other = context.hub.repo(owner, name)
        if other is not None:
            found.append((other, other["issues"].get(number)))
    return [(home, other) for home, other in found if other and not other.get("pull")]


def above(context: Context, value: Item, _: Record) -> Item | None:
    """The issue that an issue is part of."""
    return parent(context.hub, value[1])


def issue_type(_: Context, value: Item, __: Record) -> Record | None:
    name = value[1].get("type")
    return {"name": name} if name else None


def issue_or_pull(_: Context, repo: Record, given: Record) -> Typed:
    found = repo["issues"].get(str(given.get("number")))
    if found is None:
        message = f"Could not resolve to an issue or pull request with the number of {given.get('number')}."
        raise GraphError("NOT_FOUND", message)
    return Typed("PullRequest" if found.get("pull") else "Issue", (repo, found))


def mergeable(context: Context, value: Item, _: Record) -> str:
    can = present_work.mergeable(context.hub, value[1])
    return "UNKNOWN" if can is None else "MERGEABLE" if can else "CONFLICTING"


def merge_commit(_: Context, value: Item, __: Record) -> Any:
    sha = value[1]["pull"].get("merge_commit_sha")
    return (value[0], sha) if sha else None


def changed(context: Context, value: Item, _: Record) -> int:
    return len(differences(context.hub, start_of(context.hub, value[1]), value[1]["pull"]["head_sha"]))


def base_ref(_: Context, value: Item, __: Record) -> Any:
    repo, issue = value
    sha = repo["refs"].get(f"refs/heads/{issue['pull']['base_ref']}")
    name = issue["pull"]["base_ref"]
    return {"repo": repo, "name": name, "target": Typed("Commit", (repo, sha))} if sha else None


def is_cross(_: Context, value: Item, __: Record) -> bool:
    return bool(value[1]["pull"].get("head_repo"))


def rollup(_: Context, value: Item, __: Record) -> Any:
    repo, issue = value
    sha = issue["pull"]["head_sha"]
    runs = {(r["suite_id"], r["name"]): r for r in repo["check_runs"].values() if r["head_sha"] == sha}
    statuses = {s["context"]: s for s in repo["statuses"].get(sha, [])}
    found = [Typed("CheckRun", (repo, issue, run)) for run in runs.values()]
    found += [Typed("StatusContext", (repo, issue, status)) for status in statuses.values()]
    return {"contexts": found} if found else None


def required_names(hub: Hub, repo: Record, branch: str) -> set[str]:
    """Checks that protection or an active ruleset asks for on a branch."""
    asked = (repo["protection"].get(branch) or {}).get("required_status_checks") or {}
    names = {check["context"] for check in asked.get("checks") or ()} | set(asked.get("contexts") or ())
    for rule in active_rules(hub, repo, branch):
        parameters = rule.get("parameters") or {}
        names |= {check["context"] for check in parameters.get("required_status_checks") or ()}
    return names


def is_required(context: Context, value: Any, given: Record) -> bool:
    repo, issue, one = value
    if given.get("pullRequestNumber") is None and given.get("pullRequestId") is None:
        raise GraphError("UNPROCESSABLE", "Either pullRequestId or pullRequestNumber must be given.")
    return (one.get("name") or one.get("context")) in required_names(context.hub, repo, issue["pull"]["base_ref"])


def run_field(name: str) -> Resolver:
    def resolve(context: Context, value: Any, _: Record) -> Any:
        shown = check_run(context.hub, value[0], value[2])
        return {**shown, **shown["output"]}.get(name)

    return resolve


def upper(name: str) -> Resolver:
    return lambda _, value, __: value[2][name].upper() if value[2][name] else None


def suite(context: Context, value: Any, _: Record) -> Record:
    repo, run = value[0], value[2]
    return suite_of(
        context.hub, repo, [one for one in repo["check_runs"].values() if one["suite_id"] == run["suite_id"]]
    )


def suite_of(hub: Hub, repo: Record, runs: list[Record]) -> Record:
    """A check suite, by its runs; there is none without any."""
    app, workflow = hub.table("apps").get(str(runs[-1]["app_id"])), runs[-1].get("workflow")
    return {
        "repo": repo,
        "runs": runs,
        "app": app,
        "workflowRun": {"workflow": {"name": workflow}} if workflow else None,
    }


def steps(_: Context, value: Any) -> list[Record]:
    return [{"name": name} for name in value[2].get("steps", [])]


def minimise(context: Context, _: Any, given: Record) -> Record:
    asked = given.get("input")
    if not isinstance(asked, dict):
        raise GraphError("UNPROCESSABLE", "Argument 'input' has an invalid value. Expected an input object.")
    if asked.get("classifier") not in {"SPAM", "ABUSE", "OFF_TOPIC", "OUTDATED", "DUPLICATE", "RESOLVED"}:
        raise GraphError("UNPROCESSABLE", f"Argument 'classifier' has an invalid value ({asked.get('classifier')}).")
    repo, issue, comment = _comment(context, asked.get("subjectId"))
    if not context.may_write(repo) and comment["user"] != context.caller.login:
        name = context.caller.login
        raise GraphError("FORBIDDEN", f"{name} does not have the correct permissions to execute `MinimizeComment`")
    comment["minimized"] = asked["classifier"].lower()
    context.hub.changed()
    return {
        "minimizedComment": Typed("IssueComment", (repo, issue, comment)),
        "clientMutationId": asked.get("clientMutationId"),
    }


def _comment(context: Context, identifier: object) -> tuple[Record, Record, Record]:
    for repo in context.visible():
        for issue in repo["issues"].values():
            for comment in issue["comments"].values():
                if node_id("IssueComment", comment["id"]) == identifier:
                    return repo, issue, comment
    raise GraphError("NOT_FOUND", f"Could not resolve to a node with the global id of '{identifier}'")
