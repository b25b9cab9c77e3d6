"""Turns what GraphQL tells of a pull request into the change, its commits, reviews, discussions and checks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.adapters.github.reviews.marks import is_marked
from shared.adapters.github.reviews.people import moment, person
from shared.domain.change import (
    Change,
    ChangeCommit,
    ChangeRef,
    Check,
    CheckState,
    PersonReview,
    ReviewState,
    Thread,
    ThreadComment,
)
from shared.domain.pull_request import PullRequestState

OURS = "doneright/"
"""What the names of our checks begin with."""

type Node = Mapping[str, Any]

_MERGEABLE = {"MERGEABLE": False, "CONFLICTING": True}
_CONCLUSIONS = {
    "SUCCESS": CheckState.PASSED,
    "NEUTRAL": CheckState.NEUTRAL,
    "SKIPPED": CheckState.SKIPPED,
}
_STATES = {
    "SUCCESS": CheckState.PASSED,
    "PENDING": CheckState.PENDING,
    "EXPECTED": CheckState.PENDING,
}


def change_of(ref: ChangeRef, pull: Node, *, behind: int | None, merge_base: str, base: str) -> Change:
    """The change itself; ``base``, ``merge_base`` and ``behind`` come from the comparison."""
    merged = pull["state"] == "MERGED"
    commit = pull.get("mergeCommit") if merged else pull.get("potentialMergeCommit")
    return Change(
        ref=ref,
        title=pull["title"],
        body=pull.get("body") or "",
        url=pull["url"],
        state=PullRequestState(pull["state"].lower()),
        draft=pull["isDraft"],
        author=person(pull.get("author")),
        source=pull["headRefName"],
        target=pull["baseRefName"],
        head=pull["headRefOid"],
        base=base,
        merge_base=merge_base,
        behind=behind,
        conflicts=_MERGEABLE.get(pull["mergeable"]),
        fork=pull["isCrossRepository"],
        labels=tuple(label["name"] for label in (pull.get("labels") or {}).get("nodes") or ()),
        created_at=pull["createdAt"],
        updated_at=moment(pull.get("updatedAt")),
        merge_commit=(commit or {}).get("oid") or "",
        auto_merge=pull.get("autoMergeRequest") is not None,
    )


def commits_of(nodes: Iterable[Node]) -> tuple[ChangeCommit, ...]:
    """The commits, oldest first."""
    return tuple(_commit(node["commit"]) for node in nodes)


def _commit(node: Node) -> ChangeCommit:
    author = node.get("author") or {}
    login = (author.get("user") or {}).get("login")
    return ChangeCommit(
        id=node["oid"],
        message=node["message"],
        author=login or author.get("email") or "",
        at=moment(node.get("authoredDate")),
    )


def reviews_of(nodes: Iterable[Node]) -> tuple[PersonReview, ...]:
    """What reviewers said; a review nobody submitted yet is none."""
    return tuple(
        PersonReview(
            reviewer=person(node.get("author")),
            state=ReviewState(node["state"].lower()),
            body=node.get("body") or "",
            commit=(node.get("commit") or {}).get("oid") or "",
            at=moment(node.get("submittedAt")),
            remarks=node["comments"]["totalCount"],
        )
        for node in nodes
        if node["state"] != "PENDING"
    )


def thread_of(node: Node, comments: Iterable[Node]) -> Thread:
    """A discussion in the code; ``comments`` are all of it."""
    return Thread(
        id=node["id"],
        path=node["path"],
        line=node.get("line"),
        resolved=node["isResolved"],
        outdated=node["isOutdated"],
        comments=tuple(_said(comment) for comment in comments),
    )


def plain_threads(nodes: Iterable[Node]) -> tuple[Thread, ...]:
    """Comments about the change as a whole, each a thread that cannot be resolved."""
    return tuple(Thread(id=str(node["fullDatabaseId"]), resolvable=False, comments=(_said(node),)) for node in nodes)


def _said(node: Node) -> ThreadComment:
    who, body = person(node.get("author")), node.get("body") or ""
    return ThreadComment(
        id=str(node["fullDatabaseId"]),
        # What carries a mark of ours was written by a program, whosever token it used.
        author=who.model_copy(update={"bot": True}) if is_marked(body) else who,
        body=body,
        at=moment(node.get("createdAt")),
    )


def checks_of(nodes: Iterable[Node], head: str) -> tuple[Check, ...]:
    """The latest of each check on the head.

    Two workflows may each have a job of one name; both are told, since the later of them says nothing of the other.
    """
    latest: dict[tuple[str, str, str], Check] = {}
    for node in nodes:
        run = node["__typename"] == "CheckRun"
        check = _run(node, head) if run else _status(node, head)
        suite = (node.get("checkSuite") or {}) if run else {}
        workflow = ((suite.get("workflowRun") or {}).get("workflow") or {}).get("name") or ""
        key = (check.name, (suite.get("app") or {}).get("slug") or "", workflow)
        before = latest.get(key)
        if before is None or _later(check, before):
            latest[key] = check
    return tuple(latest.values())


def required_by_protection(base: Node) -> frozenset[str] | None:
    """Names of the checks that a branch's protection requires; ``None`` where this does not tell.

    GitHub tells what is enforced on whoever asks, hence nothing to an administrator who may pass it by.
    """
    rule = base.get("refUpdateRule")
    return None if rule is None else frozenset(rule.get("requiredStatusCheckContexts") or ())


def required_by_rules(base: Node) -> frozenset[str] | None:
    """Names of the checks that rulesets require of a branch; ``None`` where this does not tell all of them."""
    rules = base.get("rules")
    if rules is None or rules["pageInfo"]["hasNextPage"]:
        return None
    asked = ((rule.get("parameters") or {}).get("requiredStatusChecks") or () for rule in rules["nodes"] if rule)
    return frozenset(str(check["context"]) for checks in asked for check in checks)


def with_unreported(checks: Iterable[Check], required: frozenset[str], head: str) -> tuple[Check, ...]:
    """``checks``, and each required one that nobody reported yet: a merge waits for it, so it is pending."""
    told = tuple(check.model_copy(update={"required": True}) if check.name in required else check for check in checks)
    missing = sorted(required - {check.name for check in told})
    return told + tuple(
        Check(
            name=name,
            state=CheckState.PENDING,
            required=True,
            commit=head,
            summary="required, and nobody reported it yet",
            ours=name.startswith(OURS),
        )
        for name in missing
    )


def _later(check: Check, other: Check) -> bool:
    """Of two, one that has not begun is the newer; of two that have, the one that began last."""
    if check.started_at is None or other.started_at is None:
        return check.started_at is None
    return check.started_at >= other.started_at


def _run(node: Node, head: str) -> Check:
    done = node["status"] == "COMPLETED"
    state = _CONCLUSIONS.get(node.get("conclusion") or "", CheckState.FAILED) if done else CheckState.PENDING
    return Check(
        name=node["name"],
        state=state,
        required=node["isRequired"],
        commit=head,
        url=node.get("detailsUrl") or "",
        summary=(node.get("title") or node.get("summary") or "")[:500],
        started_at=moment(node.get("startedAt")),
        ended_at=moment(node.get("completedAt")),
        stages=tuple(step["name"] for step in (node.get("steps") or {}).get("nodes") or ()),
        ours=node["name"].startswith(OURS),
    )


def _status(node: Node, head: str) -> Check:
    at = moment(node.get("createdAt"))
    state = _STATES.get(node["state"], CheckState.FAILED)
    return Check(
        name=node["context"],
        state=state,
        required=node["isRequired"],
        commit=head,
        url=node.get("targetUrl") or "",
        summary=node.get("description") or "",
        started_at=at,
        ended_at=None if state is CheckState.PENDING else at,
        ours=node["context"].startswith(OURS),
    )
