"""Builds the body of each event from the state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local.sandbox.azure_devops.areas.build_definitions import queue_json, reference
from local.sandbox.azure_devops.areas.git_pushes import push_json
from local.sandbox.azure_devops.areas.git_repositories import repository_json
from local.sandbox.azure_devops.areas.pipelines import pipeline_ref, run_json
from local.sandbox.azure_devops.areas.pull_request_json import pull_json
from local.sandbox.azure_devops.areas.pull_request_threads import comment_json
from local.sandbox.azure_devops.areas.work_item_history import update_json
from local.sandbox.azure_devops.areas.work_item_json import item_links, item_url
from local.sandbox.azure_devops.call import Call, internal_call
from local.sandbox.azure_devops.hook_catalog import EVENTS, RESOURCE_VERSIONS
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Service, Tree, new_id
from local.sandbox.azure_devops.work_item_links import parent_of


def _flat(call: Call, value: Any) -> Any:
    """People as `Name <mail>`, as work item events write them."""
    if isinstance(value, dict) and "$user" in value:
        user = call.org["users"].get(value["$user"])
        return f"{user['name']} <{user['mail']}>" if user else value["$user"]
    return value


def _item_fields(call: Call, item: Tree, fields: Tree) -> Tree:
    flat = {k: _flat(call, v) for k, v in fields.items()}
    parent = parent_of(item)
    return flat if parent is None else {**flat, "System.Parent": parent}


def _work_item(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    item = facts["item"]
    fields = item["fields"]
    label = f"{fields['System.WorkItemType']} #{item['id']} ({fields['System.Title']})"
    verb = {"commented": "commented on"}.get(event.split(".")[1], event.split(".")[1])
    text = f"{label} {verb} by {facts['user']['name']}."
    url = item_url(call, item)
    if event == "workitem.updated":
        update = update_json(call, item, facts["update"])
        update["fields"] = {
            name: {k: _flat(call, v) for k, v in change.items()} for name, change in facts["update"]["fields"].items()
        }
        revision = {
            "id": item["id"],
            "rev": item["rev"],
            "fields": _item_fields(call, item, fields),
            "url": f"{url}/revisions/{item['rev']}",
        }
        update["_links"] = {
            "self": {"href": update["url"]},
            "workItemUpdates": {"href": f"{url}/updates"},
            "parent": {"href": url},
            "html": item_links(call, item)["html"],
        }
        return {**update, "revision": revision}, text
    shown = _item_fields(call, item, fields)
    if event == "workitem.commented":
        shown["System.History"] = facts["comment"]
    place = call.url(item["project"], "_apis/wit/recyclebin", str(item["id"])) if event == "workitem.deleted" else url
    resource = {"id": item["id"], "rev": item["rev"], "fields": shown, "_links": item_links(call, item), "url": place}
    return resource, text


def _push(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    repository, push = facts["repository"], facts["push"]
    resource = push_json(call, repository, push, commits=True)
    for update in resource["refUpdates"]:
        del update["repositoryId"]
    branch = push["updates"][0]["name"].removeprefix("refs/heads/")
    return resource, f"{facts['user']['name']} pushed updates to branch {branch} of repository {repository['name']}."


def _pull(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    pull = facts["pull"]
    who, number = facts["user"]["name"], pull["id"]
    web = pull_json(call, facts["repository"], pull)
    resource = {**web, "commits": [c for c in [web["lastMergeSourceCommit"]] if c]}
    texts = {
        "git.pullrequest.created": f"{who} created pull request {number}",
        "git.pullrequest.updated": f"{who} updated pull request {number}",
        "git.pullrequest.merged": f"{who} merged pull request {number}"
        if pull["status"] == "completed"
        else f"Merge of pull request {number} attempted",
    }
    return resource, texts[event]


def _comment(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    repository, pull = facts["repository"], facts["pull"]
    comment = comment_json(call, repository, pull, facts["thread"], facts["comment"])
    text = f"{facts['user']['name']} has {facts['action']} a pull request comment"
    shown, _ = _pull(call, "git.pullrequest.updated", facts)
    return {"comment": comment, "pullRequest": shown}, text


def _repository(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    repository = repository_json(call.service, call.org, facts["repository"])
    who = identity_ref(call.service, call.org, facts["user"])
    resource = {"repository": repository, "initiatedBy": who, "utcTimestamp": call.stamp()}
    return resource, f"A new Git repository was created with name {repository['name']}."


def _build(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    project, build = facts["project"], facts["build"]
    person = identity_ref(call.service, call.org, call.user)
    url = call.url(project["id"], "_apis/build/Builds", str(build["id"]))
    definition = reference(call, project, project["definitions"][str(build["definition"])])
    resource = {
        "uri": f"vstfs:///Build/Build/{build['id']}",
        "id": build["id"],
        "buildNumber": build["number"],
        "url": url,
        "startTime": build["start"],
        "finishTime": build["finish"],
        "reason": build["reason"],
        "status": build["result"] or build["status"],
        "result": build["result"],
        "sourceGetVersion": f"LG:{build['branch']}:{build['version']}",
        "sourceBranch": build["branch"],
        "sourceVersion": build["version"],
        "triggerInfo": build["trigger"],
        "lastChangedBy": person,
        "retainIndefinitely": build["keep"],
        "definition": definition,
        "queue": queue_json(project),
        "project": definition["project"],
        "requests": [{"id": build["id"], "url": url, "requestedFor": person}],
    }
    return resource, f"Build {build['number']} {build['result']}"


def _run(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    project, build = facts["project"], facts["build"]
    definition = project["definitions"][str(build["definition"])]
    run = run_json(call, project, build)
    resource: Tree = {
        "run": run,
        "pipeline": pipeline_ref(call, project, definition),
        "repositories": _sources(call, project, build),
    }
    state = run.get("result") or "in progress"
    if "stage" not in facts:
        return resource, f"Run {build['number']} {state}."
    stage = facts["stage"]
    web = run["_links"]["web"]
    waiting = stage["state"] == "pending" and stage["approvals"]
    named = {"pending": "waiting" if waiting else "pending", "running": "running", "completed": "completed"}[
        stage["state"]
    ]
    resource["stage"] = {
        "_links": {
            "web": web,
            "pipeline.web": {
                "href": call.url(project["name"], "_build") + f"/definition?definitionId={definition['id']}"
            },
        },
        "id": new_id(),
        "name": stage["name"],
        "displayName": stage["display"],
        "state": named,
        "result": stage["result"],
    }
    return resource, f"Run {build['number']} stage {stage['name']} {stage['result'] or named}."


def _sources(call: Call, project: Tree, build: Tree) -> list[Tree]:
    for repository in project["repositories"].values():
        commit = repository["commits"].get(build["version"])
        if commit:
            change = {
                "author": commit["author"],
                "committer": commit["committer"],
                "message": commit["message"],
                "version": build["version"],
            }
            return [{"type": "Git", "change": change, "url": call.url(project["name"], "_git", repository["name"])}]
    return []


def _approval(call: Call, event: str, facts: Tree) -> tuple[Tree, str]:
    from local.sandbox.azure_devops.areas.checks import approval_json

    project, approval = facts["project"], facts["approval"]
    build = project["builds"].get(str(approval["build"]))
    environment = project["environments"].get(str(approval["environment"])) or {"id": 0, "name": ""}
    resource = {
        "approval": approval_json(call, project, approval),
        # The service sends these two, and says nothing in them.
        "id": 0,
        "url": None,
        "projectId": project["id"],
        "pipeline": pipeline_ref(call, project, project["definitions"][str(approval["definition"])]),
        "stage": {"name": approval["stage"]},
        "stageName": approval["stage"],
        "run": run_json(call, project, build) if build else None,
        "resource": {"id": str(environment["id"]), "type": "environment", "name": environment["name"]},
        "attemptId": 1,
    }
    return (
        resource,
        f"Approval {approval['status']} for deployment of run {build['number'] if build else ''} to environment {environment['name']}.",
    )


type Builder = Callable[[Call, str, Tree], tuple[Tree, str]]
_BUILDERS: dict[str, Builder] = {
    "workitem": _work_item,
    "push": _push,
    "pullrequest": _pull,
    "comment": _comment,
    "repository": _repository,
    "build": _build,
    "run": _run,
    "stage": _run,
    "approval": _approval,
}


def payload(service: Service, org: Tree, event: str, facts: Tree) -> Tree:
    """The body a subscriber receives, without subscription and notification numbers."""
    user = facts["user"] or next(iter(org["users"].values()))
    call = internal_call(service, org, user)
    publisher, _, resource_name, _ = EVENTS[event]
    resource, text = _BUILDERS[resource_name](call, event, {**facts, "user": user})
    message = {"text": text, "html": text, "markdown": text}
    return {
        "id": new_id(),
        "eventType": event,
        "publisherId": publisher,
        "message": message,
        "detailedMessage": dict(message),
        "resource": resource,
        "resourceVersion": RESOURCE_VERSIONS[publisher],
        "resourceContainers": {
            "collection": {"id": org["id"], "baseUrl": service.url(org) + "/"},
            "account": {"id": org["id"], "baseUrl": service.url(org) + "/"},
            "project": {"id": facts["project"]["id"], "baseUrl": service.url(org) + "/"},
        },
        "createdDate": service.stamp(),
    }
