"""Serves variable groups with secrets never read back, agent queues and pools, and resources open to every pipeline."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.build_definitions import queue_json
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree

TASKS = "Microsoft.TeamFoundation.DistributedTask.WebApi"
_GROUPS = "distributedtask/variablegroups/{groupId}"


def group_json(call: Call, project: Tree, group: Tree) -> Tree:
    """A variable group as answered, secrets as null."""
    person = identity_ref(call.service, call.org, call.org["users"].get(group["by"], call.user))
    shown = {k: {"value": None, "isSecret": True} if v.get("isSecret") else v for k, v in group["variables"].items()}
    reference = {
        "projectReference": {"id": project["id"], "name": project["name"]},
        "name": group["name"],
        "description": group["description"],
    }
    return {
        "variables": shown,
        "id": group["id"],
        "type": group["type"],
        "name": group["name"],
        "description": group["description"],
        "createdBy": person,
        "createdOn": group["created"],
        "modifiedBy": person,
        "modifiedOn": group["modified"],
        "isShared": False,
        "variableGroupProjectReferences": [reference],
    }


def _group_of(call: Call) -> tuple[Tree, Tree]:
    for project in call.projects():
        group = project["variable_groups"].get(call.value("groupId"))
        if group is not None:
            return call.enter(project), group
    message = f"Variable group with ID {call.value('groupId')} not found."
    raise errors.not_found(message, "VariableGroupNotFoundException", TASKS)


def _group_project(call: Call, body: Tree) -> Tree:
    references = body.get("variableGroupProjectReferences") or [{}]
    given = references[0].get("projectReference") or {}
    return call.project_or_none or call.find_project(str(given.get("id") or given.get("name") or ""))


def _group_fields(project: Tree, body: Tree, old: Tree | None = None) -> Tree:
    name = str(body.get("name") or "")
    if not name:
        raise errors.missing_value("group.Name")
    if any(g is not old and g["name"].lower() == name.lower() for g in project["variable_groups"].values()):
        message = f"Variable group {name} already exists in project {project['name']}."
        raise errors.ServiceError(409, message, "VariableGroupExistsException", namespace=TASKS)
    if not body.get("variables"):
        raise errors.invalid(
            "A variable group must hold at least one variable.", "InvalidVariableGroupException", TASKS
        )
    before = (old or {}).get("variables", {})
    variables = {}
    for key, value in body["variables"].items():
        held = {k: v for k, v in value.items() if v is not None and (k != "isSecret" or v)}
        if value.get("isSecret") and value.get("value") is None:
            held["value"] = before.get(key, {}).get("value")
        variables[key] = held
    return {
        "name": name,
        "description": body.get("description"),
        "type": body.get("type") or "Vsts",
        "variables": variables,
    }


@serves("GET", _GROUPS)
def get_groups(call: Call) -> object:
    """One variable group, or those of a name or ids."""
    if "groupId" in call.values:
        return group_json(call, *_group_of(call))
    name = call.text("groupName").lower()
    ids = {i for i in call.text("groupIds").split(",") if i}
    found = [
        group_json(call, project, g)
        for project in call.projects()
        for g in project["variable_groups"].values()
        if (not name or g["name"].lower() == name or (name.endswith("*") and g["name"].lower().startswith(name[:-1])))
        and (not ids or str(g["id"]) in ids)
    ]
    return found[::-1] if "desc" in call.text("queryOrder", "idDescending").lower() else found


@serves("POST", _GROUPS)
def create_group(call: Call) -> Tree:
    """Create a variable group."""
    body = call.json()
    project = _group_project(call, body)
    call.require(Level.CONTRIBUTOR, project)
    stamp = call.stamp()
    group = {
        "id": call.service.number(call.org, "variable-group"),
        "by": call.user["id"],
        "created": stamp,
        "modified": stamp,
    }
    group |= _group_fields(project, body)
    project["variable_groups"][str(group["id"])] = group
    return group_json(call, project, group)


@serves("PUT", _GROUPS)
def update_group(call: Call) -> Tree:
    """Replace a variable group; secrets sent as null stay."""
    project, group = _group_of(call)
    group |= _group_fields(project, call.json(), group)
    group["modified"] = call.stamp()
    return group_json(call, project, group)


@serves("DELETE", _GROUPS)
def delete_group(call: Call) -> Reply:
    """Delete a variable group."""
    project, group = _group_of(call)
    del project["variable_groups"][str(group["id"])]
    return Reply(None, 204)


@serves("GET", "distributedtask/queues/{queueId}")
def get_queues(call: Call) -> object:
    """The hosted queue of the project."""
    project = call.project
    queue = {**queue_json(project), "projectId": project["id"]}
    if "queueId" in call.values:
        if call.values["queueId"] != str(queue["id"]):
            message = f"Queue with ID {call.values['queueId']} not found."
            raise errors.not_found(message, "TaskAgentQueueNotFoundException", TASKS)
        return queue
    name = call.text("queueName").lower()
    names = {n.strip().lower() for n in call.text("queueNames").split(",") if n.strip()}
    return [queue] if name in {"", queue["name"].lower()} and (not names or queue["name"].lower() in names) else []


@serves("GET", "distributedtask/pools/{poolId}")
def get_pools(call: Call) -> object:
    """The hosted pool."""
    pool = {
        "id": 9,
        "name": "Azure Pipelines",
        "isHosted": True,
        "poolType": "automation",
        "size": 1,
        "isLegacy": False,
    }
    if "poolId" in call.values:
        if call.values["poolId"] != "9":
            raise errors.not_found(
                f"Pool with ID {call.values['poolId']} not found.", "TaskAgentPoolNotFoundException", TASKS
            )
        return pool
    return [pool] if call.text("poolName").lower() in {"", "azure pipelines"} else []


@serves("GET", "build/authorizedresources")
def get_authorized(call: Call) -> list[Tree]:
    """Resources every pipeline of the project may use."""
    wanted = (call.text("type").lower(), call.text("id"))
    found = []
    for key, held in call.project["permitted"].items():
        kind, number = key.split("/", 1)
        if held["all"] and wanted[0] in {"", kind} and wanted[1] in {"", number}:
            found.append({"type": kind, "id": number, "authorized": True})
    return found


@serves("PATCH", "build/authorizedresources", Level.PROJECT_ADMINISTRATOR)
def set_authorized(call: Call) -> list[Tree]:
    """Let every pipeline use resources, or stop it."""
    answers = []
    for given in call.json(list):
        key = f"{str(given.get('type')).lower()}/{given.get('id')}"
        held = call.project["permitted"].setdefault(key, {"all": False, "pipelines": []})
        held["all"] = bool(given.get("authorized"))
        answers.append({"type": str(given.get("type")).lower(), "id": str(given.get("id")), "authorized": held["all"]})
    return answers
