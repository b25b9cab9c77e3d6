"""Serves variable groups, environments, agent queues and pools, and service endpoints, with secrets never read back."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.build_definitions import queue_json
from local.sandbox.azure_devops.call import Call, Level, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree, new_id

_CONNECTIONS = "Microsoft.VisualStudio.Services.ServiceEndpoints.WebApi"
_TASKS = "Microsoft.TeamFoundation.DistributedTask.WebApi"
_GROUPS = "distributedtask/variablegroups/{groupId}"
_ENVIRONMENTS = "distributedtask/environments/{environmentId}"
_ENDPOINTS = "serviceendpoint/endpoints/{endpointId}"


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
    raise errors.not_found(message, "VariableGroupNotFoundException", _TASKS)


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
        raise errors.ServiceError(409, message, "VariableGroupExistsException", namespace=_TASKS)
    if not body.get("variables"):
        raise errors.invalid(
            "A variable group must hold at least one variable.", "InvalidVariableGroupException", _TASKS
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


def environment_json(call: Call, project: Tree, environment: Tree) -> Tree:
    """An environment as answered."""
    person = identity_ref(call.service, call.org, call.org["users"].get(environment["by"], call.user))
    return {
        "id": environment["id"],
        "name": environment["name"],
        "description": environment["description"],
        "createdBy": person,
        "createdOn": environment["created"],
        "lastModifiedBy": person,
        "lastModifiedOn": environment["modified"],
        "resources": [],
        "project": {"id": project["id"], "name": project["name"]},
    }


def _environment_of(call: Call) -> Tree:
    environment = call.project["environments"].get(call.value("environmentId"))
    if environment is None:
        message = f"Environment with ID {call.value('environmentId')} not found."
        raise errors.not_found(message, "EnvironmentNotFoundException", _TASKS)
    return environment  # type: ignore[no-any-return]


@serves("GET", _ENVIRONMENTS)
def get_environments(call: Call) -> object:
    """One environment, or those of a name."""
    project = call.project
    if "environmentId" in call.values:
        return environment_json(call, project, _environment_of(call))
    name = call.text("name").lower()
    found = [e for e in project["environments"].values() if name in {"", e["name"].lower()}]
    return [environment_json(call, project, e) for e in page_of(found, call)]


def _check_environment_name(project: Tree, name: str, own: Tree | None = None) -> None:
    if any(e is not own and e["name"].lower() == name.lower() for e in project["environments"].values()):
        message = f"Environment with name {name} already exists."
        raise errors.ServiceError(409, message, "EnvironmentExistsException", namespace=_TASKS)


@serves("POST", _ENVIRONMENTS)
def create_environment(call: Call) -> Tree:
    """Create an environment."""
    project = call.project
    body = call.json()
    name = str(body.get("name") or "")
    if not name:
        raise errors.missing_value("environmentCreateParameter.Name")
    _check_environment_name(project, name)
    stamp = call.stamp()
    environment: Tree = {
        "id": call.service.number(call.org, "environment"),
        "name": name,
        "description": str(body.get("description") or ""),
        "by": call.user["id"],
        "created": stamp,
        "modified": stamp,
        "deployments": [],
    }
    project["environments"][str(environment["id"])] = environment
    return environment_json(call, project, environment)


@serves("PATCH", _ENVIRONMENTS)
def update_environment(call: Call) -> Tree:
    """Rename or describe an environment."""
    environment = _environment_of(call)
    body = call.json()
    name = str(body.get("name") or environment["name"])
    _check_environment_name(call.project, name, own=environment)
    environment["name"] = name
    environment["description"] = str(body.get("description", environment["description"]) or "")
    environment["modified"] = call.stamp()
    return environment_json(call, call.project, environment)


@serves("DELETE", _ENVIRONMENTS)
def delete_environment(call: Call) -> Reply:
    """Delete an environment with its checks."""
    environment = _environment_of(call)
    project = call.project
    del project["environments"][str(environment["id"])]
    own = ("environment", str(environment["id"]))
    for number in [k for k, c in project["checks"].items() if (c["resource"]["type"], c["resource"]["id"]) == own]:
        del project["checks"][number]
    return Reply(None, 204)


@serves("GET", "distributedtask/environments/{environmentId}/environmentdeploymentRecords")
def get_deployments(call: Call) -> list[Tree]:
    """What was deployed to an environment, newest first."""
    project, environment = call.project, _environment_of(call)
    found = []
    for record in reversed(environment["deployments"]):
        build = project["builds"].get(str(record["build"]), {})
        stage: Tree = next((s for s in build.get("stages", []) if s["name"] == record["stage"]), {})
        found.append(
            {
                "id": record["id"],
                "environmentId": environment["id"],
                "stageName": record["stage"],
                "owner": {"id": record["build"], "name": build.get("number")},
                "startTime": record["start"],
                "finishTime": stage.get("finish"),
                "result": stage.get("result"),
            }
        )
    return page_of(found, call, "top")


@serves("GET", "distributedtask/queues/{queueId}")
def get_queues(call: Call) -> object:
    """The hosted queue of the project."""
    project = call.project
    queue = {**queue_json(project), "projectId": project["id"]}
    if "queueId" in call.values:
        if call.values["queueId"] != str(queue["id"]):
            message = f"Queue with ID {call.values['queueId']} not found."
            raise errors.not_found(message, "TaskAgentQueueNotFoundException", _TASKS)
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
                f"Pool with ID {call.values['poolId']} not found.", "TaskAgentPoolNotFoundException", _TASKS
            )
        return pool
    return [pool] if call.text("poolName").lower() in {"", "azure pipelines"} else []


def endpoint_json(call: Call, project: Tree, endpoint: Tree) -> Tree:
    """A service endpoint as answered; authorization parameters that are secrets come as null."""
    authorization = dict(endpoint["authorization"])
    public = {
        "tenantid",
        "serviceprincipalid",
        "authenticationType",
        "workloadIdentityFederationSubject",
        "workloadIdentityFederationIssuer",
        "username",
    }
    authorization["parameters"] = {
        k: v if k in public else None for k, v in (authorization.get("parameters") or {}).items()
    }
    reference = {"id": project["id"], "name": project["name"]}
    return {
        "data": endpoint["data"],
        "id": endpoint["id"],
        "name": endpoint["name"],
        "type": endpoint["type"],
        "url": endpoint["url"],
        "createdBy": identity_ref(call.service, call.org, call.org["users"].get(endpoint["by"], call.user)),
        "description": endpoint["description"],
        "authorization": authorization,
        "isShared": False,
        "isOutdated": False,
        "isReady": True,
        "owner": "Library",
        "serviceEndpointProjectReferences": [
            {"projectReference": reference, "name": endpoint["name"], "description": endpoint["description"]}
        ],
    }


def _endpoint_of(call: Call) -> tuple[Tree, Tree]:
    wanted = call.value("endpointId").lower()
    for project in call.projects():
        endpoint = project["endpoints"].get(wanted)
        if endpoint is not None:
            return project, endpoint
    message = f"Service connection with ID {wanted} could not be found."
    raise errors.not_found(message, "ServiceEndpointNotFoundException", _CONNECTIONS)


@serves("GET", _ENDPOINTS)
def get_endpoints(call: Call) -> object:
    """One service endpoint, or those of names, type or ids."""
    if "endpointId" in call.values:
        return endpoint_json(call, *_endpoint_of(call))
    names = {n.lower() for n in call.text("endpointNames").split(",") if n}
    ids = {i.lower() for i in call.text("endpointIds").split(",") if i}
    kind = call.text("type").lower()
    return [
        endpoint_json(call, call.project, e)
        for e in call.project["endpoints"].values()
        if (not names or e["name"].lower() in names) and (not ids or e["id"] in ids) and kind in {"", e["type"].lower()}
    ]


def _endpoint_fields(body: Tree) -> Tree:
    for name in ("name", "type", "url"):
        if not body.get(name):
            raise errors.missing_value(f"endpoint.{name}")
    return {
        "name": str(body["name"]),
        "type": str(body["type"]),
        "url": str(body["url"]),
        "description": str(body.get("description") or ""),
        "authorization": body.get("authorization") or {"scheme": "None", "parameters": {}},
        "data": body.get("data") or {},
    }


def _check_endpoint_name(project: Tree, name: str, own: Tree | None = None) -> None:
    if any(e is not own and e["name"].lower() == name.lower() for e in project["endpoints"].values()):
        message = f"Service connection with name {name} already exists. Only a user having Administrator/User role permissions on service connection {name} can see it."
        raise errors.ServiceError(409, message, "DuplicateServiceConnectionException", namespace=_CONNECTIONS)


@serves("POST", _ENDPOINTS, Level.READER)
def create_endpoint(call: Call) -> Tree:
    """Create a service endpoint."""
    body = call.json()
    references = body.get("serviceEndpointProjectReferences") or [{}]
    given = references[0].get("projectReference") or {}
    project = call.project_or_none or call.find_project(str(given.get("id") or given.get("name") or ""))
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    fields = _endpoint_fields(body)
    _check_endpoint_name(project, fields["name"])
    endpoint = {"id": new_id(), "by": call.user["id"], **fields}
    project["endpoints"][endpoint["id"]] = endpoint
    return endpoint_json(call, project, endpoint)


@serves("PUT", _ENDPOINTS, Level.READER)
def update_endpoint(call: Call) -> Tree:
    """Replace a service endpoint."""
    project, endpoint = _endpoint_of(call)
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    fields = _endpoint_fields(call.json())
    _check_endpoint_name(project, fields["name"], own=endpoint)
    old = endpoint["authorization"].get("parameters") or {}
    parameters = fields["authorization"].get("parameters") or {}
    fields["authorization"]["parameters"] = {k: old.get(k) if v is None else v for k, v in parameters.items()}
    endpoint |= fields
    return endpoint_json(call, project, endpoint)


@serves("DELETE", _ENDPOINTS, Level.READER)
def delete_endpoint(call: Call) -> Reply:
    """Delete a service endpoint from the projects named."""
    wanted = [p for p in call.text("projectIds").split(",") if p]
    project, endpoint = _endpoint_of(call)
    if wanted and project["id"] not in [w.lower() for w in wanted]:
        raise errors.project_by_id_missing(wanted[0])
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    del project["endpoints"][endpoint["id"]]
    return Reply(None, 204)


@serves("GET", "serviceendpoint/types")
def get_endpoint_types(call: Call) -> list[Tree]:
    """The types of endpoint clients may create."""
    names = {
        "azurerm": "Azure Resource Manager",
        "github": "GitHub",
        "dockerregistry": "Docker Registry",
        "generic": "Generic",
    }
    wanted = call.text("type").lower()
    return [
        {"name": k, "displayName": v, "description": v, "authenticationSchemes": [], "inputDescriptors": []}
        for k, v in names.items()
        if wanted in {"", k}
    ]


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
