"""Decides which policies apply to a branch, and whether a pull request fulfils them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.service import Tree

if TYPE_CHECKING:
    from local.sandbox.azure_devops.call import Call

MINIMUM_REVIEWERS = "fa4e907d-c16b-4a4c-9dfa-4906e5d171dd"
REQUIRED_REVIEWERS = "fd2167ab-b0be-447a-8ec8-39368250530e"
COMMENTS = "c6a1889d-b943-4856-b76f-9e46bb6b0df2"
WORK_ITEMS = "40e92b44-2fe1-4dd6-b3d8-74a9c21d0c6e"
BUILD = "0609b952-1397-4640-95ec-e00a01b2c241"
STATUS = "cbdc66da-9728-4af8-aada-9a5a32e4a226"
MERGE_STRATEGY = "fa4e907d-c16b-4a4c-9dfa-4916e5d171ab"

TYPES = {
    MINIMUM_REVIEWERS: "Minimum number of reviewers",
    REQUIRED_REVIEWERS: "Required reviewers",
    COMMENTS: "Comment requirements",
    WORK_ITEMS: "Work item linking",
    BUILD: "Build",
    STATUS: "Status",
    MERGE_STRATEGY: "Require a merge strategy",
    "2e26e725-8201-4edd-8bf5-978563c34a80": "File size restriction",
    "001a79cf-fda1-4c4e-9e7c-bac40ee5ead8": "Path Length restriction",
    "db2b9b4c-180d-4529-9701-01541d19f36b": "Reserved names restriction",
    "51c78909-e838-41a2-9496-c647091e3c61": "File name restriction",
    "77ed4bd3-b063-4689-934a-175e4d0a78d7": "Commit author email validation",
    "7ed39669-655c-494e-b4a0-a08b4da0fcce": "Git repository settings",
}
"""Policy types by id."""

BRANCH_TYPES = frozenset({MINIMUM_REVIEWERS, REQUIRED_REVIEWERS, COMMENTS, WORK_ITEMS, BUILD, STATUS, MERGE_STRATEGY})
"""Those that make a branch one that only pull requests may change."""

type Status = str
APPROVED, REJECTED, QUEUED, RUNNING = "approved", "rejected", "queued", "running"


def in_scope(policy: Tree, repository: Tree, ref: str) -> bool:
    """Whether a policy covers a branch of a repository."""
    for scope in policy["settings"].get("scope") or []:
        wanted = scope.get("repositoryId")
        if wanted and str(wanted).lower() != repository["id"]:
            continue
        kind = str(scope.get("matchKind") or "Exact").lower()
        name = scope.get("refName")
        if kind == "defaultbranch":
            if ref == repository["default_branch"]:
                return True
        elif (
            not name
            or ref == name
            or (kind == "prefix" and ref.startswith(name.rstrip("/") + "/"))
            or (kind == "prefix" and ref.startswith(name) and name.endswith("/"))
        ):
            return True
    return False


def applying(project: Tree, repository: Tree, ref: str, types: frozenset[str] = BRANCH_TYPES) -> list[Tree]:
    """The enabled policies of those types on a branch."""
    return [
        p
        for p in project["policies"].values()
        if p["enabled"] and not p["deleted"] and p["type"] in types and in_scope(p, repository, ref)
    ]


def push_refusal(call: Call, project: Tree, repository: Tree, ref: str) -> errors.ServiceError | None:
    """TF402455 when a policy keeps direct pushes off an existing branch."""
    if ref not in repository["refs"]:
        return None
    if not any(p["blocking"] for p in applying(project, repository, ref)):
        return None
    message = "TF402455: Pushes to this branch are not permitted; you must use a pull request to update this branch."
    return errors.ServiceError(403, message, "GitRefUpdateRejectedByPolicyException", namespace=errors.GIT)


def evaluate(org: Tree, project: Tree, repository: Tree, pull: Tree, policy: Tree) -> Status:
    """Where a policy stands for a pull request."""
    settings = policy["settings"]
    deciders: dict[str, Callable[[], Status]] = {
        MINIMUM_REVIEWERS: lambda: _reviewers(settings, pull),
        REQUIRED_REVIEWERS: lambda: _required(org, settings, pull),
        COMMENTS: lambda: _comments(pull),
        WORK_ITEMS: lambda: APPROVED if any(n in org["work_items"] for n in pull["work_items"]) else QUEUED,
        BUILD: lambda: _build(project, settings, pull),
        STATUS: lambda: _status(settings, pull),
    }
    decider = deciders.get(policy["type"])
    return decider() if decider else APPROVED


def _comments(pull: Tree) -> Status:
    unresolved = [t for t in pull["threads"] if not t["deleted"] and t["status"] in {"active", "pending"}]
    return QUEUED if unresolved else APPROVED


def _reviewers(settings: Tree, pull: Tree) -> Status:
    votes = [
        (reviewer, entry["vote"])
        for reviewer, entry in pull["reviewers"].items()
        if settings.get("creatorVoteCounts") or reviewer != pull["by"]
    ]
    if any(vote == -10 for _, vote in votes) and not settings.get("allowDownvotes"):
        return REJECTED
    approvals = sum(vote >= 5 for _, vote in votes)
    return APPROVED if approvals >= int(settings.get("minimumApproverCount") or 1) else RUNNING


def _required(org: Tree, settings: Tree, pull: Tree) -> Status:
    from local.sandbox.azure_devops.identities import find_subject

    for wanted in settings.get("requiredReviewerIds") or []:
        subject = find_subject(org, str(wanted))
        people = {str(wanted), *(subject or {}).get("members", [])}
        votes = [entry["vote"] for reviewer, entry in pull["reviewers"].items() if reviewer in people]
        if any(vote == -10 for vote in votes):
            return REJECTED
        if not any(vote >= 5 for vote in votes):
            return RUNNING
    return APPROVED


def current_build(project: Tree, settings: Tree, pull: Tree) -> Tree | None:
    """The latest build that a build policy asked for, of the newest push."""
    wanted = int(settings.get("buildDefinitionId") or 0)
    tip = pull["iterations"][-1]["source"] if pull["iterations"] else ""
    runs: list[Tree] = [
        b
        for b in project["builds"].values()
        if b["definition"] == wanted and b["trigger"].get("pr.number") == str(pull["id"])
    ]
    return next((b for b in reversed(runs) if b["trigger"].get("pr.sourceSha") == tip), None)


def _build(project: Tree, settings: Tree, pull: Tree) -> Status:
    last = current_build(project, settings, pull)
    if last is None:
        return QUEUED
    if last["status"] != "completed":
        return RUNNING
    return APPROVED if last["result"] in {"succeeded", "partiallySucceeded"} else REJECTED


def _status(settings: Tree, pull: Tree) -> Status:
    wanted = (settings.get("statusGenre") or None, settings.get("statusName"))
    found = [s for s in pull["statuses"] if (s["context"]["genre"] or None, s["context"]["name"]) == wanted]
    if settings.get("authorId"):
        # A status by anybody else counts for nothing.
        author = str(settings["authorId"]).lower()
        found = [s for s in found if str(s["createdBy"]["id"]).lower() == author]
    if settings.get("invalidateOnSourceUpdate"):
        current = len(pull["iterations"])
        found = [s for s in found if s.get("iterationId") in {None, current}]
    if not found:
        return QUEUED
    state = str(found[-1]["state"]).lower()
    if state in {"succeeded", "notapplicable"}:
        return APPROVED
    return REJECTED if state in {"failed", "error"} else QUEUED


def unfulfilled(org: Tree, project: Tree, repository: Tree, pull: Tree) -> list[Tree]:
    """The blocking policies that keep a pull request from completing."""
    return [
        p
        for p in applying(project, repository, pull["target"])
        if p["blocking"] and evaluate(org, project, repository, pull, p) != APPROVED
    ]


def strategy_refused(project: Tree, repository: Tree, ref: str, strategy: str) -> bool:
    """Whether a merge strategy is not among those a policy allows."""
    allowed = {
        "noFastForward": "allowNoFastForward",
        "squash": "allowSquash",
        "rebase": "allowRebase",
        "rebaseMerge": "allowRebaseMerge",
    }
    for policy in applying(project, repository, ref, frozenset({MERGE_STRATEGY})):
        settings: dict[str, Any] = policy["settings"]
        if settings.get("useSquashMerge") and strategy != "squash":
            return True
        named = [k for k in allowed.values() if k in settings]
        if policy["blocking"] and named and not settings.get(allowed.get(strategy, "")):
            return True
    return False
