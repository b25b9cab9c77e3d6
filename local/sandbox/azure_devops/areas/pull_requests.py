"""Serves pull requests from creation to completion, policies and merge conflicts considered."""

from __future__ import annotations

from local.sandbox.azure_devops import branch_policies, errors, git_store
from local.sandbox.azure_devops.areas.git_commits import commit_json
from local.sandbox.azure_devops.areas.git_repositories import (
    find_repository,
    move_ref,
    owner,
    repository_json,
    repository_of,
)
from local.sandbox.azure_devops.call import Call, Level, Reply, page_of, serves
from local.sandbox.azure_devops.identities import find_subject, identity_ref, level_of, subject_ref
from local.sandbox.azure_devops.service import Tree, new_id

_ROUTE = "git/repositories/{repositoryId}/pullRequests/{pullRequestId}"
_STRATEGIES = ("noFastForward", "squash", "rebase", "rebaseMerge")


def _missing(number: object) -> errors.ServiceError:
    message = f"TF401180: The requested pull request was not found. Details: pull request {number}."
    return errors.not_found(message, "GitPullRequestNotFoundException", errors.GIT)


def find_pull(call: Call, number: int) -> tuple[Tree, Tree]:
    """A pull request by number with its repository; raises TF401180."""
    for project in call.projects():
        for repository in project["repositories"].values():
            pull = repository["pulls"].get(str(number))
            if pull is not None:
                return repository, pull
    raise _missing(number)


def pull_of(call: Call) -> tuple[Tree, Tree]:
    """The pull request of the route."""
    number = call.int_value("pullRequestId", _missing)
    if "repositoryId" not in call.values:
        return find_pull(call, number)
    repository = repository_of(call)
    if str(number) not in repository["pulls"]:
        raise _missing(number)
    return repository, repository["pulls"][str(number)]


def pull_url(call: Call, repository: Tree, pull: Tree) -> str:
    """The address of a pull request."""
    return call.url(repository["project"], "_apis/git/repositories", repository["id"], "pullRequests", str(pull["id"]))


def reviewer_json(call: Call, repository: Tree, pull: Tree, reviewer: str) -> Tree:
    """A reviewer with vote."""
    entry = pull["reviewers"][reviewer]
    subject = find_subject(call.org, reviewer)
    reference = subject_ref(call.service, call.org, subject) if subject else {"id": reviewer}
    answer = {
        "reviewerUrl": f"{pull_url(call, repository, pull)}/reviewers/{reviewer}",
        "vote": entry["vote"],
        "hasDeclined": entry["declined"],
        "isFlagged": False,
        **reference,
    }
    if entry["required"]:
        answer["isRequired"] = True
    return answer


def _commit_ref(call: Call, repository: Tree, commit_id: str | None) -> Tree | None:
    if not commit_id:
        return None
    url = call.url(repository["project"], "_apis/git/repositories", repository["id"], "commits", commit_id)
    return {"commitId": commit_id, "url": url}


def pull_json(call: Call, repository: Tree, pull: Tree, *, links: bool = True) -> Tree:
    """A pull request as answered."""
    url = pull_url(call, repository, pull)
    creator = call.org["users"].get(pull["by"], call.user)
    answer: Tree = {
        "repository": repository_json(call.service, call.org, repository),
        "pullRequestId": pull["id"],
        "codeReviewId": pull["id"],
        "status": pull["status"],
        "createdBy": identity_ref(call.service, call.org, creator),
        "creationDate": pull["created"],
        "title": pull["title"],
        "description": pull["description"],
        "sourceRefName": pull["source"],
        "targetRefName": pull["target"],
        "mergeStatus": pull["merge_status"],
        "isDraft": pull["draft"],
        "mergeId": pull["merge_id"],
        "lastMergeSourceCommit": _commit_ref(call, repository, pull["last_source"]),
        "lastMergeTargetCommit": _commit_ref(call, repository, pull["last_target"]),
        "lastMergeCommit": _commit_ref(call, repository, pull["merge_commit"]),
        "reviewers": [reviewer_json(call, repository, pull, r) for r in pull["reviewers"]],
        "labels": [label_json(call, repository, pull, label) for label in pull["labels"]],
        "url": url,
        "supportsIterations": True,
        "artifactId": f"vstfs:///Git/PullRequestId/{repository['project']}%2F{repository['id']}%2F{pull['id']}",
    }
    if pull["closed"]:
        closer = call.org["users"].get(pull["closed_by"], call.user)
        answer |= {"closedDate": pull["closed"], "closedBy": identity_ref(call.service, call.org, closer)}
    if pull["completion"]:
        answer["completionOptions"] = pull["completion"]
    if pull["auto_by"]:
        answer["autoCompleteSetBy"] = identity_ref(
            call.service, call.org, call.org["users"].get(pull["auto_by"], call.user)
        )
    if links:
        web = call.url(owner(call.org, repository)["name"], "_git", repository["name"], "pullrequest", str(pull["id"]))
        answer["_links"] = {
            "self": {"href": url},
            "web": {"href": web},
            "workItems": {"href": f"{url}/workitems"},
            "statuses": {"href": f"{url}/statuses"},
            "iterations": {"href": f"{url}/iterations"},
        }
    return answer


def label_json(call: Call, repository: Tree, pull: Tree, label: Tree) -> Tree:
    """A label as answered."""
    return {**label, "active": True, "url": f"{pull_url(call, repository, pull)}/labels/{label['id']}"}


def refresh_merge(call: Call, repository: Tree, pull: Tree) -> None:
    """Try the merge: its status, its commit and an iteration when the source moved."""
    source = git_store.ref_target(repository, pull["source"])
    target = git_store.ref_target(repository, pull["target"])
    if not source or not target:
        return
    pull["last_source"], pull["last_target"] = source, target
    if not pull["iterations"] or pull["iterations"][-1]["source"] != source:
        base = git_store.merge_base(repository, target, source)
        iteration = {
            "id": len(pull["iterations"]) + 1,
            "source": source,
            "target": target,
            "common": base,
            "date": call.stamp(),
            "by": call.user["id"],
        }
        pull["iterations"].append(iteration)
    files, conflicts = git_store.merge_files(repository, target, source)
    pull["conflicts"] = conflicts
    if conflicts:
        pull["merge_status"], pull["merge_commit"] = "conflicts", None
        return
    author = {"name": call.user["name"], "email": call.user["mail"], "date": call.stamp()}
    message = f"Merge pull request {pull['id']} from {_short(pull['source'])} into {_short(pull['target'])}"
    pull["merge_commit"] = git_store.commit(repository, files, [target, source], message, author)
    pull["merge_status"] = "succeeded"


def _short(ref: str) -> str:
    return ref.removeprefix("refs/heads/")


def source_moved(call: Call, project: Tree, repository: Tree, name: str) -> None:
    """Bring the active pull requests of a branch up to date after a push."""
    for pull in repository["pulls"].values():
        if pull["status"] != "active" or name not in {pull["source"], pull["target"]}:
            continue
        refresh_merge(call, repository, pull)
        if name == pull["source"]:
            if _votes_reset(project, repository, pull):
                for entry in pull["reviewers"].values():
                    entry["vote"] = 0
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


def announce(call: Call, event: str, repository: Tree, pull: Tree, reason: str = "") -> None:
    """Tell hooks of a pull request."""
    project = owner(call.org, repository)
    facts = {"project": project, "repository": repository, "pull": pull, "user": call.user, "reason": reason}
    call.service.emit(call.org, event, facts)


def _check_branch(repository: Tree, ref: str) -> None:
    if ref not in repository["refs"]:
        message = f"TF401398: The pull request cannot be activated because the source and/or the target branch no longer exists: {ref}."
        raise errors.invalid(message, "GitPullRequestCannotBeActivatedException", errors.GIT)


def _check_options(body: Tree) -> None:
    strategy = (body.get("completionOptions") or {}).get("mergeStrategy")
    if strategy and strategy not in _STRATEGIES:
        raise errors.invalid(f"The value '{strategy}' is not valid for mergeStrategy: use {', '.join(_STRATEGIES)}.")


@serves("POST", _ROUTE)
def create(call: Call) -> Reply:
    """Open a pull request."""
    repository = repository_of(call)
    body = call.json()
    for name in ("sourceRefName", "targetRefName", "title"):
        if not body.get(name):
            raise errors.missing_value(name)
    source, target = body["sourceRefName"], body["targetRefName"]
    for ref in (source, target):
        _check_branch(repository, ref)
    _check_options(body)
    if source == target:
        message = "TF401181: The source and the target branch of a pull request must differ."
        raise errors.invalid(message, "InvalidArgumentValueException", errors.GIT)
    if any(
        p["status"] == "active" and (p["source"], p["target"]) == (source, target) for p in repository["pulls"].values()
    ):
        message = "TF401179: An active pull request for the source and target branch already exists."
        raise errors.ServiceError(409, message, "GitPullRequestExistsException", namespace=errors.GIT)
    pull: Tree = {
        "id": call.service.number(call.org, "pull-request"),
        "title": str(body["title"])[:400],
        "description": str(body.get("description") or ""),
        "source": source,
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
        answer["commits"] = [commit_json(call, repository, c) for c in pull_commits(repository, pull)]
    if call.flag("includeWorkItemRefs"):
        answer["workItemRefs"] = [{"id": n, "url": call.url("_apis/wit/workItems", n)} for n in pull["work_items"]]
    return answer


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
        _check_branch(repository, pull["source"])
        _check_branch(repository, pull["target"])
        pull["status"], pull["closed"] = "active", None
        refresh_merge(call, repository, pull)
    reason = "StatusUpdateNotification" if status else ""
    announce(call, "git.pullrequest.updated", repository, pull, reason=reason)
    complete_when_ready(call, repository, pull)
    return pull_json(call, repository, pull)


def complete(call: Call, repository: Tree, pull: Tree, expected_source: str) -> None:
    """Merge into the target; raises the service's refusals."""
    project = owner(call.org, repository)
    if not expected_source:
        raise errors.missing_value("lastMergeSourceCommit")
    if pull["status"] != "active" or pull["draft"]:
        message = f"TF401181: The pull request {pull['id']} cannot be completed because it is {'a draft' if pull['draft'] else pull['status']}."
        raise errors.ServiceError(409, message, "GitPullRequestNotEditableException", namespace=errors.GIT)
    refresh_merge(call, repository, pull)
    if expected_source != pull["last_source"]:
        message = (
            "TF401192: The pull request has been updated since the last merge attempt; the source branch is stale."
        )
        raise errors.ServiceError(409, message, "GitPullRequestStaleException", namespace=errors.GIT)
    options = pull["completion"] or {}
    if pull["conflicts"]:
        message = "TF401187: The pull request cannot be completed because of merge conflicts: " + ", ".join(
            pull["conflicts"]
        )
        raise errors.ServiceError(409, message, "GitPullRequestCannotBeCompletedException", namespace=errors.GIT)
    bypass = options.get("bypassPolicy") and level_of(call.user, project) >= Level.PROJECT_ADMINISTRATOR
    strategy = _strategy(pull)
    blocked = [] if bypass else branch_policies.unfulfilled(call.org, project, repository, pull)
    if blocked or (not bypass and branch_policies.strategy_refused(project, repository, pull["target"], strategy)):
        names = ", ".join(branch_policies.TYPES[p["type"]] for p in blocked) or "Require a merge strategy"
        message = (
            f"TF402467: The pull request cannot be completed because blocking policies are not fulfilled: {names}."
        )
        raise errors.ServiceError(403, message, "GitPullRequestUpdateRejectedByPolicyException", namespace=errors.GIT)
    _merge(call, repository, pull, strategy, options)


def _strategy(pull: Tree) -> str:
    options = pull["completion"] or {}
    return str(options.get("mergeStrategy") or ("squash" if options.get("squashMerge") else "noFastForward"))


def _merge(call: Call, repository: Tree, pull: Tree, strategy: str, options: Tree) -> None:
    old, source = pull["last_target"], pull["last_source"]
    files = git_store.files_of(repository, pull["merge_commit"])
    message = options.get("mergeCommitMessage") or f"Merged PR {pull['id']}: {pull['title']}"
    author = {"name": call.user["name"], "email": call.user["mail"], "date": call.stamp()}
    parents = [old, source] if strategy in {"noFastForward", "rebaseMerge"} else [old]
    pull["merge_commit"] = git_store.commit(repository, files, parents, str(message), author)
    pull["status"], pull["closed"], pull["closed_by"] = "completed", call.stamp(), call.user["id"]
    move_ref(call, repository, pull["target"], pull["merge_commit"])
    updates = [{"name": pull["target"], "oldObjectId": old, "newObjectId": pull["merge_commit"]}]
    if options.get("deleteSourceBranch") and pull["source"] != repository["default_branch"]:
        move_ref(call, repository, pull["source"], git_store.NO_OBJECT)
    if options.get("transitionWorkItems"):
        _close_work_items(call, pull)
    from local.sandbox.azure_devops.areas.git_pushes import record_push

    record_push(call, repository, updates)
    announce(call, "git.pullrequest.merged", repository, pull)
    announce(call, "git.pullrequest.updated", repository, pull, reason="StatusUpdateNotification")


def _close_work_items(call: Call, pull: Tree) -> None:
    from local.sandbox.azure_devops.areas.work_items import change_item
    from local.sandbox.azure_devops.processes_model import work_item_type

    for number in pull["work_items"]:
        item = call.org["work_items"].get(number)
        if item is None:
            continue
        project = call.org["projects"][item["project"]]
        kind = work_item_type(call.org, project, item["fields"]["System.WorkItemType"])
        done = next((s.name for s in kind.states if s.category == "Completed"), None)
        if done and item["fields"]["System.State"] != done:
            change_item(call, project, item, [{"op": "add", "path": "/fields/System.State", "value": done}])


def complete_when_ready(call: Call, repository: Tree, pull: Tree) -> None:
    """Complete a pull request set to auto-complete once nothing blocks it."""
    if pull["status"] != "active" or not pull["auto_by"] or pull["draft"]:
        return
    refresh_merge(call, repository, pull)
    project = owner(call.org, repository)
    if pull["conflicts"] or branch_policies.unfulfilled(call.org, project, repository, pull):
        return
    if branch_policies.strategy_refused(project, repository, pull["target"], _strategy(pull)):
        return
    complete(call, repository, pull, pull["last_source"])
