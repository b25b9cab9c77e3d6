"""Finds pull requests and writes them as the service does."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.forks import fork_json
from local.sandbox.azure_devops.areas.git_repositories import (
    owner,
    repository_json,
    repository_of,
)
from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.identities import find_subject, identity_ref, subject_ref
from local.sandbox.azure_devops.service import Tree


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
    if pull.get("fork"):
        answer["forkSource"] = fork_json(call, pull)
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
