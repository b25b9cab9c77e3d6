"""Answers for sub-issues: which issue is part of which, kept a forest as GitHub keeps it."""

from __future__ import annotations

from local.sandbox.github.errors import ApiError, not_found
from local.sandbox.github.hub import Hub, Record, now
from local.sandbox.github.issues import REPO, issue_of
from local.sandbox.github.present_work import issue as render
from local.sandbox.github.routing import Answer, Call, route

MOST_CHILDREN = 100
DEEPEST = 8
"""https://docs.github.com/issues/tracking-your-work-with-issues/using-issues/adding-sub-issues"""


def children(hub: Hub, repo: Record, issue: Record) -> list[tuple[Record, Record]]:
    """The repositories and issues that are parts of an issue, in the order they were added."""
    mine = [_key(repo), issue["number"]]
    found = [
        (other, one)
        for other in hub.repos_of(repo["owner"])
        for one in other["issues"].values()
        if one.get("parent") == mine
    ]
    return sorted(found, key=lambda pair: pair[1]["parent_since"])


def parent(hub: Hub, issue: Record) -> tuple[Record, Record] | None:
    """The repository and issue that an issue is part of."""
    held = issue.get("parent")
    repo = hub.table("repos").get(held[0]) if held else None
    found = repo["issues"].get(str(held[1])) if repo and held else None
    return (repo, found) if repo and found else None


def _key(repo: Record) -> str:
    return f"{repo['owner']}/{repo['name']}".lower()


def _refusal(message: str) -> ApiError:
    return ApiError(422, message)


@route("GET", REPO + "/issues/{issue_number}/sub_issues")
def listed(call: Call) -> Answer:
    """The sub-issues of an issue."""
    repo = call.repo("read", "issues")
    found = children(call.hub, repo, issue_of(call, repo))
    return call.page_of(found, lambda pair: render(call.hub, *pair))


@route("GET", REPO + "/issues/{issue_number}/parent")
def shown(call: Call) -> Record:
    """The issue that an issue is part of."""
    repo = call.repo("read", "issues")
    above = parent(call.hub, issue_of(call, repo))
    if above is None:
        raise not_found()
    return render(call.hub, *above)


def _child(call: Call, repo: Record) -> tuple[Record, Record]:
    wanted = call.need("sub_issue_id", int)
    for other in call.hub.repos_of(repo["owner"]):
        for one in other["issues"].values():
            if one["id"] == wanted and not one.get("pull"):
                return other, one
    raise not_found()


@route("POST", REPO + "/issues/{issue_number}/sub_issues")
def add(call: Call) -> Answer:
    """Make an issue part of another; raises ApiError for a second parent, a circle, or too deep or wide a tree."""
    repo = call.repo("triage", "issues")
    above = issue_of(call, repo)
    other, child = _child(call, repo)
    before = parent(call.hub, child)
    if before and before[1] is above:
        raise _refusal("An error occurred while adding the sub-issue to the parent issue. Issue may not contain duplicate sub-issues")  # fmt: skip
    if before and not call.get("replace_parent", bool, False):
        raise _refusal("An error occurred while adding the sub-issue to the parent issue. Sub issue may only have one parent")  # fmt: skip
    line: list[Record] = [above]
    while found := parent(call.hub, line[-1]):
        line.append(found[1])
    if child in line:
        raise _refusal("An error occurred while adding the sub-issue to the parent issue. Sub issue may not be its own ancestor")  # fmt: skip
    if len(line) + _height(call.hub, other, child) > DEEPEST:
        raise _refusal("An error occurred while adding the sub-issue to the parent issue. Parent issue is too deep")
    if len(children(call.hub, repo, above)) >= MOST_CHILDREN:
        raise _refusal("An error occurred while adding the sub-issue to the parent issue. Parent cannot have more than 100 sub-issues")  # fmt: skip
    child["parent"], child["parent_since"] = [_key(repo), above["number"]], call.hub.next_id("sub-issue")
    _touched(call, above, child)
    return Answer(201, render(call.hub, repo, above))


def _height(hub: Hub, repo: Record, issue: Record) -> int:
    return 1 + max((_height(hub, *pair) for pair in children(hub, repo, issue)), default=0)


def _touched(call: Call, *issues: Record) -> None:
    for one in issues:
        one["updated_at"] = now()
    call.hub.changed()


@route("DELETE", REPO + "/issues/{issue_number}/sub_issue")
def remove(call: Call) -> Record:
    """Take an issue off the one it is part of."""
    repo = call.repo("triage", "issues")
    above = issue_of(call, repo)
    _, child = _child(call, repo)
    before = parent(call.hub, child)
    if before is None or before[1] is not above:
        raise not_found()
    child["parent"] = None
    _touched(call, above, child)
    return render(call.hub, repo, above)
