"""Tries merges and completes pull requests, policies and conflicts considered."""

from __future__ import annotations

from local.sandbox.azure_devops import branch_policies, errors, git_store
from local.sandbox.azure_devops.areas.forks import source_tip
from local.sandbox.azure_devops.areas.git_repositories import (
    move_ref,
    owner,
)
from local.sandbox.azure_devops.call import Call, Level
from local.sandbox.azure_devops.identities import level_of
from local.sandbox.azure_devops.service import Tree

STRATEGIES = ("noFastForward", "squash", "rebase", "rebaseMerge")


def refresh_merge(call: Call, repository: Tree, pull: Tree) -> None:
    """Try the merge: its status, its commit and an iteration when the source moved."""
    source = source_tip(call, repository, pull)
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


def announce(call: Call, event: str, repository: Tree, pull: Tree, reason: str = "") -> None:
    """Tell hooks of a pull request."""
    project = owner(call.org, repository)
    facts = {"project": project, "repository": repository, "pull": pull, "user": call.user, "reason": reason}
    call.service.emit(call.org, event, facts)


def complete(call: Call, repository: Tree, pull: Tree, expected_source: str) -> None:
    """Merge into the target; raises the service's refusals."""
    project = owner(call.org, repository)
    if not expected_source:
        raise errors.missing_value("lastMergeSourceCommit")
    if pull["status"] != "active" or pull["draft"]:
        message = f"TF401181: The pull request {pull['id']} cannot be completed because it is {'a draft' if pull['draft'] else pull['status']}."
        raise errors.ServiceError(409, message, "GitPullRequestNotEditableException", namespace=errors.GIT)
    if pull.get("completing"):
        message = f"TF401181: The pull request {pull['id']} cannot be completed because it is being completed."
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
    if call.service.completion_seconds:
        pull["completing"] = {
            "at": call.service.after(call.service.completion_seconds),
            "by": call.user["id"],
            "source": expected_source,
        }
        pull["merge_status"] = "queued"
        return
    merge_now(call, repository, pull)


def merge_now(call: Call, repository: Tree, pull: Tree) -> None:
    """Merge into the target whatever keeps it from it."""
    _merge(call, repository, pull, _strategy(pull), pull["completion"] or {})


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
    if options.get("deleteSourceBranch") and not pull.get("fork") and pull["source"] != repository["default_branch"]:
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
