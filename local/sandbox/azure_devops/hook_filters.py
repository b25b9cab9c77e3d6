"""Decides which subscriptions an event concerns."""

from __future__ import annotations

from collections.abc import Callable

from local.sandbox.azure_devops.hook_catalog import EVENTS
from local.sandbox.azure_devops.service import Tree


def concerns(inputs: dict[str, str], event: str, facts: Tree) -> bool:
    """Whether an event passes a subscription's filters; empty filters and those the event does not have pass everything."""
    known = {"projectId", *EVENTS[event][3]}
    wanted = {k: str(v) for k, v in inputs.items() if k in known and v not in {None, ""}}
    return all(_FILTERS[name](value, facts) for name, value in wanted.items())


def _same(value: str, held: object) -> bool:
    return value.lower() == str(held).lower()


def _branch(value: str, facts: Tree) -> bool:
    names = [facts["pull"]["target"]] if "pull" in facts else [u["name"] for u in facts["push"]["updates"]]
    return value.removeprefix("refs/heads/") in [n.removeprefix("refs/heads/") for n in names]


def _area(value: str, facts: Tree) -> bool:
    path = str(facts["item"]["fields"]["System.AreaPath"])
    return (path + "\\").lower().startswith(value.rstrip("\\").lower() + "\\")


def _tagged(value: str, facts: Tree) -> bool:
    tags = str(facts["item"]["fields"].get("System.Tags", "")).lower().split("; ")
    return value.lower() in tags


def _links_changed(value: str, facts: Tree) -> bool:
    update = facts.get("update") or {"added": [], "removed": []}
    return value.lower() != "true" or bool(update["added"] or update["removed"])


def _definition_name(value: str, facts: Tree) -> bool:
    return _same(value, facts["project"]["definitions"][str(facts["build"]["definition"])]["name"])


def _pipeline(value: str, facts: Tree) -> bool:
    held = facts["approval"]["definition"] if "approval" in facts else facts["build"]["definition"]
    return _same(value, held)


def _environment_name(value: str, facts: Tree) -> bool:
    environment = facts["project"]["environments"].get(str(facts["approval"]["environment"]))
    return environment is not None and _same(value, environment["name"])


_RUN_STATES = {"completed": "Completed", "cancelling": "Canceling"}


_STAGE_STATES = {"pending": "Waiting", "running": "Running", "completed": "Completed"}


_FILTERS: dict[str, Callable[[str, Tree], bool]] = {
    "projectId": lambda value, facts: _same(value, facts["project"]["id"]),
    "repository": lambda value, facts: _same(value, facts["repository"]["id"]),
    "branch": _branch,
    "workItemType": lambda value, facts: _same(value, facts["item"]["fields"]["System.WorkItemType"]),
    "areaPath": _area,
    "tag": _tagged,
    "changedFields": lambda value, facts: "update" not in facts or value in facts["update"]["fields"],
    "commentPattern": lambda value, facts: value.lower() in str(facts.get("comment", value)).lower(),
    "linksChanged": _links_changed,
    "notificationType": lambda value, facts: value == facts.get("reason"),
    "mergeResult": lambda value, facts: _same(value, facts["pull"]["merge_status"]),
    "pullrequestCreatedBy": lambda value, facts: _same(value, facts["pull"]["by"]),
    "pullrequestReviewersContains": lambda value, facts: value.lower() in facts["pull"]["reviewers"],
    "pushedBy": lambda value, facts: _same(value, facts["user"]["id"]),
    "definitionName": _definition_name,
    "buildStatus": lambda value, facts: _same(value, facts["build"]["result"]),
    "pipelineId": _pipeline,
    "runStateId": lambda value, facts: _same(value, _RUN_STATES.get(facts["build"]["status"], "InProgress")),
    "runResultId": lambda value, facts: _same(value, facts["build"]["result"]),
    "stageNameId": lambda value, facts: _same(value, facts["stage"]["name"]),
    "stageStateId": lambda value, facts: _same(value, _STAGE_STATES[facts["stage"]["state"]]),
    "stageResultId": lambda value, facts: _same(value, facts["stage"]["result"]),
    "stageName": lambda value, facts: _same(value, facts["approval"]["stage"]),
    "environmentName": _environment_name,
}
"""Whether facts pass a filter of that name; `EVENTS` says which events have it."""
