"""Serves the statuses tools post on commits."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.git_commits import known_commit
from local.sandbox.azure_devops.areas.git_repositories import repository_of
from local.sandbox.azure_devops.call import Call, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree


@serves("POST", "git/repositories/{repositoryId}/commits/{commitId}/statuses")
def create_status(call: Call) -> Reply:
    """Post a status on a commit."""
    repository = repository_of(call)
    commit_id = known_commit(repository, call.value("commitId"))
    return Reply(add_status(call, repository["statuses"].setdefault(commit_id, []), call.json()), 201)


def add_status(call: Call, held: list[Tree], body: Tree) -> Tree:
    """Append a status as given; raises a 400 for a wrong state or a missing context."""
    context = body.get("context") or {}
    if not context.get("name"):
        raise errors.missing_value("status.context.name")
    states = {"notset", "pending", "succeeded", "failed", "error", "notapplicable", "partiallysucceeded"}
    if str(body.get("state", "")).lower() not in states:
        raise errors.invalid(f"The value '{body.get('state')}' is not valid for state.")
    status = {
        "id": len(held) + 1,
        "state": body["state"],
        "description": body.get("description"),
        "context": {"name": context["name"], "genre": context.get("genre")},
        "creationDate": call.stamp(),
        "updatedDate": call.stamp(),
        "createdBy": identity_ref(call.service, call.org, call.user),
        "targetUrl": body.get("targetUrl"),
    }
    held.append(status)
    return status


@serves("GET", "git/repositories/{repositoryId}/commits/{commitId}/statuses")
def get_statuses(call: Call) -> list[Tree]:
    """Statuses of a commit, newest first."""
    repository = repository_of(call)
    commit_id = known_commit(repository, call.value("commitId"))
    listed = list(reversed(repository["statuses"].get(commit_id, [])))
    if call.flag("latestOnly"):
        latest: dict[tuple[str, str], Tree] = {}
        for status in listed:
            latest.setdefault((status["context"]["genre"] or "", status["context"]["name"]), status)
        listed = list(latest.values())
    return page_of(listed, call, "top", "skip")
