"""Serves what people and tools add to a pull request: votes, statuses, labels, work items, properties."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.commit_statuses import add_status
from local.sandbox.azure_devops.areas.pull_request_json import label_json, pull_of, reviewer_json
from local.sandbox.azure_devops.areas.pull_request_merge import announce, complete_when_ready
from local.sandbox.azure_devops.areas.pull_requests import add_reviewer
from local.sandbox.azure_devops.areas.system_threads import tell_vote
from local.sandbox.azure_devops.call import Call, Reply, serves
from local.sandbox.azure_devops.service import Tree, new_id

PULL_ROUTE = "git/repositories/{repositoryId}/pullRequests/{pullRequestId}"
_VOTES = {-10, -5, 0, 5, 10}


@serves("GET", PULL_ROUTE + "/reviewers/{reviewerId}")
def get_reviewers(call: Call) -> object:
    """One reviewer or all."""
    repository, pull = pull_of(call)
    if "reviewerId" in call.values:
        return reviewer_json(call, repository, pull, _reviewer_of(call, pull))
    return [reviewer_json(call, repository, pull, r) for r in pull["reviewers"]]


def _reviewer_of(call: Call, pull: Tree) -> str:
    reviewer = call.value("reviewerId").lower()
    if reviewer not in pull["reviewers"]:
        message = f"TF401187: The reviewer with ID {reviewer} is not a reviewer of pull request {pull['id']}."
        raise errors.not_found(message, "GitPullRequestReviewerNotFoundException", errors.GIT)
    return reviewer


@serves("POST", PULL_ROUTE + "/reviewers/{reviewerId}")
def add_reviewers(call: Call) -> list[Tree]:
    """Add several reviewers."""
    repository, pull = pull_of(call)
    added = [add_reviewer(call, pull, str(r.get("id", "")), bool(r.get("isRequired"))) for r in call.json(list)]
    announce(call, "git.pullrequest.updated", repository, pull, reason="ReviewersUpdateNotification")
    return [reviewer_json(call, repository, pull, r) for r in added]


@serves("PUT", PULL_ROUTE + "/reviewers/{reviewerId}")
def vote(call: Call) -> Tree:
    """Add a reviewer, or cast the caller's own vote."""
    repository, pull = pull_of(call)
    body = call.json()
    given = int(body.get("vote") or 0)
    reviewer = call.value("reviewerId").lower()
    if given not in _VOTES:
        raise errors.invalid(f"The value '{given}' is not valid for vote: use 10, 5, 0, -5 or -10.")
    if given and reviewer != call.user["id"]:
        message = "TF401186: The vote of a reviewer can only be changed by that reviewer."
        raise errors.ServiceError(403, message, "GitPullRequestVoteNotAllowedException", namespace=errors.GIT)
    known = add_reviewer(call, pull, reviewer, bool(body.get("isRequired")))
    if "vote" in body:
        pull["reviewers"][known]["vote"] = given
        tell_vote(call, pull, known, given)
        announce(call, "git.pullrequest.updated", repository, pull, reason="ReviewerVoteNotification")
    complete_when_ready(call, repository, pull)
    return reviewer_json(call, repository, pull, known)


@serves("DELETE", PULL_ROUTE + "/reviewers/{reviewerId}")
def remove_reviewer(call: Call) -> Reply:
    """Remove a reviewer."""
    _, pull = pull_of(call)
    del pull["reviewers"][_reviewer_of(call, pull)]
    return Reply(b"", 200, media_type="application/json")


@serves("GET", PULL_ROUTE + "/statuses/{statusId}")
def get_statuses(call: Call) -> object:
    """One status or all."""
    _, pull = pull_of(call)
    if "statusId" not in call.values:
        return pull["statuses"]
    found = next((s for s in pull["statuses"] if str(s["id"]) == call.values["statusId"]), None)
    if found is None:
        message = f"TF401193: The status {call.values['statusId']} of pull request {pull['id']} does not exist."
        raise errors.not_found(message, "GitPullRequestStatusNotFoundException", errors.GIT)
    return found


@serves("POST", PULL_ROUTE + "/statuses/{statusId}")
def create_status(call: Call) -> Tree:
    """Post a status, of the whole pull request or one iteration."""
    repository, pull = pull_of(call)
    body = call.json()
    status = add_status(call, pull["statuses"], body)
    if body.get("iterationId"):
        status["iterationId"] = int(body["iterationId"])
    announce(call, "git.pullrequest.updated", repository, pull, reason="StatusesUpdateNotification")
    complete_when_ready(call, repository, pull)
    return status


@serves("GET", PULL_ROUTE + "/labels/{labelIdOrName}")
def get_labels(call: Call) -> object:
    """One label or all."""
    repository, pull = pull_of(call)
    if "labelIdOrName" in call.values:
        return label_json(call, repository, pull, _label_of(call, pull))
    return [label_json(call, repository, pull, label) for label in pull["labels"]]


def _label_of(call: Call, pull: Tree) -> Tree:
    wanted = call.value("labelIdOrName").lower()
    found = next((x for x in pull["labels"] if wanted in {x["id"], x["name"].lower()}), None)
    if found is None:
        raise errors.not_found(f"The label {wanted} does not exist.", "TagNotFoundException", errors.GIT)
    return found  # type: ignore[no-any-return]


@serves("POST", PULL_ROUTE + "/labels/{labelIdOrName}")
def create_label(call: Call) -> Tree:
    """Add a label; the same name twice is one."""
    repository, pull = pull_of(call)
    name = str(call.json().get("name") or "")
    if not name:
        raise errors.missing_value("name")
    label = next((x for x in pull["labels"] if x["name"].lower() == name.lower()), None)
    if label is None:
        label = {"id": new_id(), "name": name}
        pull["labels"].append(label)
    return label_json(call, repository, pull, label)


@serves("DELETE", PULL_ROUTE + "/labels/{labelIdOrName}")
def delete_label(call: Call) -> Reply:
    """Remove a label."""
    _, pull = pull_of(call)
    pull["labels"].remove(_label_of(call, pull))
    return Reply(None, 204)


@serves("GET", PULL_ROUTE + "/workitems")
def get_work_items(call: Call) -> list[Tree]:
    """The linked work items."""
    _, pull = pull_of(call)
    return [{"id": n, "url": call.url("_apis/wit/workItems", n)} for n in call.linked_items(pull)]


@serves("GET", PULL_ROUTE + "/properties")
def get_properties(call: Call) -> Tree:
    """The properties tools keep on a pull request."""
    _, pull = pull_of(call)
    return {
        "count": len(pull["properties"]),
        "value": {k: {"$type": "System.String", "$value": v} for k, v in pull["properties"].items()},
    }


@serves("PATCH", PULL_ROUTE + "/properties")
def set_properties(call: Call) -> Tree:
    """Set or remove properties by JSON patch."""
    _, pull = pull_of(call)
    for change in call.json(list):
        name = str(change.get("path", "")).lstrip("/")
        if change.get("op") == "remove":
            pull["properties"].pop(name, None)
        else:
            pull["properties"][name] = str(change.get("value"))
    return get_properties(call)
