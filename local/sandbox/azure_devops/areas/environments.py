"""Serves environments and what was deployed to them."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.task_agent import TASKS
from local.sandbox.azure_devops.call import Call, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree

_ENVIRONMENTS = "distributedtask/environments/{environmentId}"


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
        raise errors.not_found(message, "EnvironmentNotFoundException", TASKS)
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
        raise errors.ServiceError(409, message, "EnvironmentExistsException", namespace=TASKS)


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
