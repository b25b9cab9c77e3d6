"""Serves pull requests: opened, searched, edited, and kept up to date with their branches."""

from __future__ import annotations

from local.sandbox.azure_devops import branch_policies, errors, git_store
from local.sandbox.azure_devops.areas.forks import find_anywhere, from_forks
from local.sandbox.azure_devops.areas.git_commits import commit_json
from local.sandbox.azure_devops.areas.git_repositories import (
    find_repository,
    owner,
    repository_of,
)
from local.sandbox.azure_devops.areas.pull_request_json import pull_json, pull_of
from local.sandbox.azure_devops.areas.pull_request_merge import (
    STRATEGIES,
    announce,
    complete,
    complete_when_ready,
    refresh_merge,
)
from local.sandbox.azure_devops.areas.system_threads import tell_reset
from local.sandbox.azure_devops.call import Call, Reply, page_of, serves
from local.sandbox.azure_devops.identities import find_subject
from local.sandbox.azure_devops.service import Tree, new_id

_ROUTE = "git/repositories/{repositoryId}/pullRequests/{pullRequestId}"


def source_moved(call: Call, project: Tree, repository: Tree, name: str) -> None:
    """Bring the active pull requests of a branch up to date after a push."""
    for target, pull in from_forks(call, repository):
        if pull["status"] == "active" and pull["source"] == name:
            _follow(call, owner(call.org, target), target, pull)
    for pull in repository["pulls"].values():
        own = {pull["target"]} if pull.get("fork") else {pull["source"], pull["target"]}
        if pull["status"] != "active" or name not in own:
            continue
        if name == pull["source"]:
            _follow(call, project, repository, pull)
        else:
            refresh_merge(call, repository, pull)


def _follow(call: Call, project: Tree, repository: Tree, pull: Tree) -> None:
    """The source moved: a new iteration, votes taken back where a policy says so, builds that policies want."""
    refresh_merge(call, repository, pull)
    if _votes_reset(project, repository, pull):
        tell_reset(call, pull)
    announce(call, "git.pullrequest.updated", repository, pull, reason="PushNotification")
    queue_policy_builds(call, project, repository, pull)


def _votes_reset(project: Tree, repository: Tree, pull: Tree) -> bool:
    policies = branch_policies.applying(
        project, repository, pull["target"], frozenset({branch_policies.MINIMUM_REVIEWERS})
    )
    return any(p["settings"].get("resetOnSourcePush") for p in policies)


def queue_policy_builds(call: Call, project: Tree, repository: Tree, pull: Tree) -> None:
    """Queue the builds that build policies ask for."""
    from local.sandbox.azure_devops.areas.builds import start_for_pull

    for policy in branch_policies.applying(project, repository, pull["target"], frozenset({branch_policies.BUILD})):
        if not policy["settings"].get("manualQueueOnly"):
            start_for_pull(call, project, repository, pull, policy)


def _check_branch(repository: Tree, ref: str) -> None:
    if ref not in repository["refs"]:
        message = f"TF401398: The pull request cannot be activated because the source and/or the target branch no longer exists: {ref}."
        raise errors.invalid(message, "GitPullRequestCannotBeActivatedException", errors.GIT)


def _check_options(body: Tree) -> None:
    strategy = (body.get("completionOptions") or {}).get("mergeStrategy")
    if strategy and strategy not in STRATEGIES:
        raise errors.invalid(f"The value '{strategy}' is not valid for mergeStrategy: use {', '.join(STRATEGIES)}.")


@serves("POST", _ROUTE)
def create(call: Call) -> Reply:
    """Open a pull request."""
    repository = repository_of(call)
    body = call.json()
    for name in ("sourceRefName", "targetRefName", "title"):
        if not body.get(name):
            raise errors.missing_value(name)
    source, target = body["sourceRefName"], body["targetRefName"]
    fork = str(((body.get("forkSource") or {}).get("repository") or {}).get("id") or "").lower()
    _check_branch(find_anywhere(call, fork) if fork else repository, source)
    _check_branch(repository, target)
    _check_options(body)
    if source == target and not fork:
        message = "TF401181: The source and the target branch of a pull request must differ."
        raise errors.invalid(message, "InvalidArgumentValueException", errors.GIT)
    if any(
        p["status"] == "active" and (p["source"], p["target"], p.get("fork", "")) == (source, target, fork)
        for p in repository["pulls"].values()
    ):
        message = "TF401179: An active pull request for the source and target branch already exists."
        raise errors.ServiceError(409, message, "GitPullRequestExistsException", namespace=errors.GIT)
    pull: Tree = {
        "id": call.service.number(call.org, "pull-request"),
        "title": str(body["title"])[:400],
        "description": str(body.get("description") or ""),
        "source": source,
        "fork": fork,
        "target": target,
        "status": "active",
        "draft": bool(body.get("isDraft")),
        "by": call.user["id"],
        "created": call.stamp(),
        "closed": None,
        "closed_by": None,
        "merge_status": "queued",
        "merge_id": new_id(),
        "merge_commit": None,
        "last_source": None,
        "last_target": None,
        "conflicts": [],
        "completion": body.get("completionOptions"),
        "auto_by": None,
        "reviewers": {},
        "threads": [],
        "iterations": [],
        "statuses": [],
        "labels": [{"id": new_id(), "name": label["name"]} for label in body.get("labels") or []],
        "work_items": [],
        "properties": {},
    }
    repository["pulls"][str(pull["id"])] = pull
    for reviewer in body.get("reviewers") or []:
        add_reviewer(call, pull, str(reviewer.get("id", "")), bool(reviewer.get("isRequired")))
    project = owner(call.org, repository)
    for policy in branch_policies.applying(
        project, repository, target, frozenset({branch_policies.REQUIRED_REVIEWERS})
    ):
        for wanted in policy["settings"].get("requiredReviewerIds") or []:
            if find_subject(call.org, str(wanted)):
                add_reviewer(call, pull, str(wanted), required=policy["blocking"])
    refresh_merge(call, repository, pull)
    for reference in body.get("workItemRefs") or []:
        link_work_item(call, repository, pull, str(reference.get("id")))
    announce(call, "git.pullrequest.created", repository, pull)
    announce(call, "git.pullrequest.merged", repository, pull)
    queue_policy_builds(call, project, repository, pull)
    return Reply(pull_json(call, repository, pull), 201)


def add_reviewer(call: Call, pull: Tree, reviewer: str, required: bool = False, vote: int = 0) -> str:
    """Add a reviewer; raises TF400813-like refusals for unknown people."""
    subject = find_subject(call.org, reviewer)
    if subject is None:
        message = f"TF401186: The reviewer with ID {reviewer} could not be found."
        raise errors.invalid(message, "GitIdentityNotFoundException", errors.GIT)
    entry = pull["reviewers"].setdefault(subject["id"], {"vote": 0, "required": False, "declined": False})
    entry["required"] = entry["required"] or required
    if vote:
        entry["vote"] = vote
    return str(subject["id"])


def link_work_item(call: Call, repository: Tree, pull: Tree, number: str) -> None:
    """Link a work item with the pull request, both ways."""
    item = call.org["work_items"].get(number)
    if item is None or number in pull["work_items"]:
        return
    pull["work_items"].append(number)
    url = f"vstfs:///Git/PullRequestId/{repository['project']}%2F{repository['id']}%2F{pull['id']}"
    if not any(link.get("url") == url for link in item["links"]):
        item["links"].append({"rel": "ArtifactLink", "url": url, "attributes": {"name": "Pull Request"}})


def _listed(call: Call, repositories: list[Tree]) -> list[Tree]:
    status = call.text("searchCriteria.status", "active").lower()
    wanted = {
        "source": "searchCriteria.sourceRefName",
        "target": "searchCriteria.targetRefName",
        "by": "searchCriteria.creatorId",
    }
    reviewer = call.text("searchCriteria.reviewerId").lower()
    found = []
    for repository in repositories:
        for pull in repository["pulls"].values():
            if status not in {"all", "notset", pull["status"]} or (reviewer and reviewer not in pull["reviewers"]):
                continue
            if all(not call.text(name) or call.text(name) == pull[key] for key, name in wanted.items()):
                found.append((pull["id"], repository, pull))
    ordered = sorted(found, key=lambda entry: entry[0], reverse=True)
    return [pull_json(call, repository, pull, links=False) for _, repository, pull in page_of(ordered, call)]


@serves("GET", _ROUTE)
def get(call: Call) -> object:
    """One pull request, or those a search names."""
    if "pullRequestId" not in call.values:
        return _listed(call, [repository_of(call)])
    repository, pull = pull_of(call)
    answer = pull_json(call, repository, pull)
    if call.flag("includeCommits"):
        listed = pull_commits(repository, pull)[:_COMMITS_SHOWN]
        answer["commits"] = [in_list(commit_json(call, repository, c)) for c in listed]
    if call.flag("includeWorkItemRefs"):
        answer["workItemRefs"] = [{"id": n, "url": call.url("_apis/wit/workItems", n)} for n in call.linked_items(pull)]
    return answer


_COMMITS_SHOWN = 100
_MESSAGE_SHOWN = 255


def in_list(commit: Tree) -> Tree:
    """A commit as lists of a pull request show it: a long message is cut short."""
    message = str(commit["comment"])
    if len(message) <= _MESSAGE_SHOWN:
        return commit
    return {**commit, "comment": message[:_MESSAGE_SHOWN], "commentTruncated": True}


def pull_commits(repository: Tree, pull: Tree) -> list[str]:
    """The commits a pull request brings, newest first."""
    if not pull["iterations"]:
        return []
    last = pull["iterations"][-1]
    known = set(git_store.history(repository, last["common"]))
    return [c for c in git_store.history(repository, last["source"]) if c not in known]


@serves("GET", "git/pullRequests/{pullRequestId}")
def get_by_id(call: Call) -> object:
    """One pull request of any repository, or those of the project."""
    if "pullRequestId" in call.values:
        return pull_json(call, *pull_of(call))
    wanted = call.text("searchCriteria.repositoryId")
    if wanted:
        return _listed(call, [find_repository(call, wanted)])
    return _listed(call, [r for p in call.projects() for r in p["repositories"].values()])


@serves("GET", "git/pullRequests")
def get_by_project(call: Call) -> object:
    """The pull requests of the project."""
    return get_by_id(call)


@serves("PATCH", _ROUTE)
def update(call: Call) -> Tree:
    """Edit, retarget, set auto-complete, complete, abandon or reactivate."""
    repository, pull = pull_of(call)
    body = call.json()
    if pull["status"] == "completed" and (set(body) - {"title", "description"}):
        message = f"TF401181: The pull request {pull['id']} cannot be edited because it is completed."
        raise errors.ServiceError(409, message, "GitPullRequestNotEditableException", namespace=errors.GIT)
    _check_options(body)
    retargeted = body.get("targetRefName") and body["targetRefName"] != pull["target"]
    if retargeted:
        _check_branch(repository, body["targetRefName"])
    if body.get("title"):
        pull["title"] = str(body["title"])
    if body.get("description") is not None:
        pull["description"] = str(body["description"])
    if body.get("isDraft") is not None:
        pull["draft"] = bool(body["isDraft"])
    if body.get("completionOptions"):
        pull["completion"] = {**(pull["completion"] or {}), **body["completionOptions"]}
    if body.get("autoCompleteSetBy"):
        given = str(body["autoCompleteSetBy"].get("id") or "")
        pull["auto_by"] = None if set(given) <= {"0", "-"} else given
    if retargeted:
        pull["target"] = body["targetRefName"]
        refresh_merge(call, repository, pull)
    status = body.get("status")
    if status == "completed":
        complete(call, repository, pull, str((body.get("lastMergeSourceCommit") or {}).get("commitId") or ""))
        return pull_json(call, repository, pull)
    if status == "abandoned" and pull["status"] == "active":
        pull["status"], pull["closed"], pull["closed_by"] = "abandoned", call.stamp(), call.user["id"]
        pull["auto_by"] = None
    elif status == "active" and pull["status"] == "abandoned":
        _check_branch(find_anywhere(call, pull["fork"]) if pull.get("fork") else repository, pull["source"])
        _check_branch(repository, pull["target"])
        pull["status"], pull["closed"] = "active", None
        refresh_merge(call, repository, pull)
    reason = "StatusUpdateNotification" if status else ""
    announce(call, "git.pullrequest.updated", repository, pull, reason=reason)
    complete_when_ready(call, repository, pull)
    return pull_json(call, repository, pull)
