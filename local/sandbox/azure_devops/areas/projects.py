"""Creates, changes and deletes projects as queued operations, as the service does, and lists them."""

from __future__ import annotations

import random
import re
from datetime import timedelta

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.location import new_operation, operation_answer
from local.sandbox.azure_devops.call import Call, Level, Reply, page_of, serves
from local.sandbox.azure_devops.git_store import add_repository
from local.sandbox.azure_devops.identities import level_of
from local.sandbox.azure_devops.processes_model import find_process
from local.sandbox.azure_devops.progress import advances
from local.sandbox.azure_devops.project_model import new_project, project_ref
from local.sandbox.azure_devops.service import Service, Tree, new_id, parse_time

_NAME_FORBIDDEN = re.compile(r"[\x00-\x1f\\/:*?\"<>|#$}{,+=\[\];]")
_RESERVED = {
    "app_browsers",
    "app_code",
    "app_data",
    "bin",
    "web.config",
    "defaultcollection",
    "defaultproject",
    "con",
    "aux",
    "nul",
}


@advances
def finish_operations(service: Service, org: Tree) -> bool:
    """End the operations whose time has come; whether some are still running."""
    pending = False
    for operation in org["operations"].values():
        if operation["done"]:
            continue
        if _progress(service, operation) < 1:
            pending = True
            continue
        operation["done"] = True
        project = org["projects"].get(operation["project"])
        if project is None:
            continue
        if operation["kind"] == "delete":
            _remove(org, project)
        elif project["state"] != "wellFormed":
            project["state"] = "wellFormed"
            add_repository(project, project["name"], new_id())
    return pending


def _remove(org: Tree, project: Tree) -> None:
    """Take a project away with its work items, the links to them, and its service hooks."""
    del org["projects"][project["id"]]
    gone = set()
    for table in ("work_items", "recycle_bin"):
        for item_id in [i for i, w in org[table].items() if w["project"] == project["id"]]:
            gone.add(org[table].pop(item_id)["id"])
    for item in (*org["work_items"].values(), *org["recycle_bin"].values()):
        item["links"] = [link for link in item["links"] if link.get("target") not in gone]
    for hook in [i for i, s in org["subscriptions"].items() if s["publisherInputs"].get("projectId") == project["id"]]:
        del org["subscriptions"][hook]


def _progress(service: Service, operation: Tree) -> float:
    elapsed = service.now() - parse_time(operation["started"])
    return 1.0 if operation["seconds"] <= 0 else elapsed / timedelta(seconds=operation["seconds"])


@serves("GET", "operations/{operationId}", Level.NONE)
def get_operation(call: Call) -> Tree:
    """Where an operation stands: notSet, queued, inProgress, succeeded."""
    operation_id = call.value("operationId")
    operation = call.org["operations"].get(operation_id.lower())
    if operation is None:
        message = f"VS402849: The operation with id {operation_id} does not exist."
        raise errors.not_found(message, "OperationNotFoundException", "Microsoft.VisualStudio.Services.Operations")
    done = _progress(call.service, operation)
    status = "succeeded" if done >= 1 else "inProgress" if done > 0.3 else "queued" if done > 0.1 else "notSet"
    url = call.url("_apis/operations", operation["id"])
    answer = {"id": operation["id"], "status": status, "url": url, "_links": {"self": {"href": url}}}
    if status == "succeeded":
        answer["resultMessage"] = operation["result"]
    return answer


@serves("GET", "projects/{*projectId}", Level.NONE)
def get_projects(call: Call) -> object:
    """One project, or those in the state asked for (well-formed ones unless stated)."""
    if "projectId" in call.values:
        return full_project(call, call.find_project(call.values["projectId"]), call.flag("includeCapabilities"))
    wanted = call.text("stateFilter", "wellFormed").lower()
    shown = [p for p in call.projects() if wanted == "all" or p["state"].lower() == wanted]
    # A project still being created answers to its name but is listed only when asked for.
    ordered = sorted(shown, key=lambda p: p["name"].lower())
    listed = page_of(ordered, call)
    start = call.integer("$skip") or call.integer("continuationToken")
    if call.text("continuationToken"):
        listed = ordered[start : start + call.integer("$top", 1000)]
    headers = {"x-ms-continuationtoken": str(start + len(listed))} if start + len(listed) < len(ordered) else {}
    return Reply([project_ref(call.service, call.org, p) for p in listed], headers=headers)


def full_project(call: Call, project: Tree, capabilities: bool = False) -> Tree:
    """A project with links, default team and, when asked, capabilities."""
    answer = project_ref(call.service, call.org, project)
    if capabilities:
        answer["capabilities"] = {
            "processTemplate": {
                "templateName": find_process(call.org, project["process"]).name,
                "templateTypeId": project["process"],
            },
            "versioncontrol": {"sourceControlType": "Git", "gitEnabled": "True", "tfvcEnabled": "False"},
        }
    answer["_links"] = {
        "self": {"href": answer["url"]},
        "collection": {"href": call.url("_apis/projectCollections", call.org["id"])},
        "web": {"href": call.url(project["name"])},
    }
    team = project["teams"][project["default_team"]]
    team_url = call.url("_apis/projects", project["id"], "teams", team["id"])
    answer["defaultTeam"] = {"id": team["id"], "name": team["name"], "url": team_url}
    return answer


def check_name(call: Call, name: object, own: Tree | None = None) -> str:
    """A usable, free project name; raises TF200012/TF200019 refusals."""
    if not isinstance(name, str) or not name.strip():
        raise errors.missing_value("name")
    bad = len(name) > 64 or _NAME_FORBIDDEN.search(name) or name.startswith(("_", ".")) or name.endswith(".")
    if bad or name.lower() in _RESERVED:
        message = f"VS800029: The following project name is not valid: {name}. Choose another name."
        raise errors.invalid(message, "InvalidProjectNameException", errors.CORE)
    for project in call.org["projects"].values():
        if project is not own and project["name"].lower() == name.lower():
            raise errors.project_exists(project["name"])
    return name


def _visibility(body: Tree) -> str:
    visibility = str(body.get("visibility") or "private").lower()
    if visibility not in {"private", "public"}:
        raise errors.invalid(f"VS800090: The project visibility '{visibility}' is not valid.")
    return visibility


@serves("POST", "projects/{*projectId}", Level.COLLECTION_ADMINISTRATOR)
def create_project(call: Call) -> Reply:
    """Queue the creation; the project can be seen as createPending from now on."""
    body = call.json()
    name = check_name(call, body.get("name"))
    capabilities = body.get("capabilities") or {}
    template = (capabilities.get("processTemplate") or {}).get("templateTypeId")
    control = (capabilities.get("versioncontrol") or {}).get("sourceControlType")
    if not template:
        raise errors.invalid("TF200013: The process template type id is missing from the project's capabilities.")
    if str(control).lower() not in {"git", "tfvc"}:
        raise errors.invalid("TF200014: The version control type is missing from the project's capabilities.")
    visibility = _visibility(body)
    project = new_project(
        call.service,
        call.org,
        name=name,
        process=find_process(call.org, str(template)),
        description=str(body.get("description") or ""),
        visibility=visibility,
        project_id=new_id(),
    )
    project["state"] = "createPending"
    administrators = next(g for g in project["groups"].values() if g["name"] == "Project Administrators")
    administrators["members"].append(call.user["id"])
    call.org["projects"][project["id"]] = project
    low, high = call.service.project_seconds
    operation = new_operation(call, "create", project["id"], random.uniform(low, max(low, high)))
    return Reply(operation_answer(call, operation["id"]), 202)


@serves("PATCH", "projects/{*projectId}", Level.NONE)
def update_project(call: Call) -> Reply:
    """Rename, describe or change visibility, as an operation that is done at once."""
    project = call.find_project(call.value("projectId"))
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    body = call.json()
    visibility = _visibility(body)
    if body.get("name") and body["name"] != project["name"]:
        name = check_name(call, body["name"], own=project)
        _rename(call, project, name)
    if body.get("description") is not None:
        project["description"] = str(body["description"])
    if body.get("visibility"):
        project["visibility"] = visibility
    project["revision"] += 1
    project["last_update"] = call.stamp()
    return Reply(operation_answer(call, new_operation(call, "update", project["id"], 0.0)["id"]), 202)


def _rename(call: Call, project: Tree, name: str) -> None:
    old = project["name"]
    project["name"] = project["areas"]["name"] = project["iterations"]["name"] = name
    for group in (*project["groups"].values(), *project["teams"].values()):
        group["scope"] = name
    for item in call.org["work_items"].values():
        if item["project"] != project["id"]:
            continue
        item["fields"]["System.TeamProject"] = name
        for field in ("System.AreaPath", "System.IterationPath"):
            item["fields"][field] = name + item["fields"][field][len(old) :]
    for team in project["teams"].values():
        team["areas"] = [{**area, "value": name + area["value"][len(old) :]} for area in team["areas"]]
        if team["default_area"]:
            team["default_area"] = name + team["default_area"][len(old) :]


@serves("DELETE", "projects/{*projectId}", Level.NONE)
def delete_project(call: Call) -> Reply:
    """Queue the deletion; the administrators of a project may delete it."""
    project = call.find_project(call.value("projectId"))
    if level_of(call.user, project) < Level.PROJECT_ADMINISTRATOR:
        raise errors.access_check(call.user["name"], "Delete team project")
    project["state"] = "deleting"
    operation = new_operation(call, "delete", project["id"], call.service.project_seconds[0] / 2)
    return Reply(operation_answer(call, operation["id"]), 202)


@serves("GET", "projects/{projectId}/properties", Level.NONE)
def get_properties(call: Call) -> object:
    """The project's properties, some of them when `keys` names them."""
    project = call.find_project(call.value("projectId"))
    held = {"System.CurrentProcessTemplateId": project["process"], "System.ProcessTemplateType": project["process"]}
    held |= {"System.Process Template": find_process(call.org, project["process"]).name} | project["properties"]
    keys = [k.strip().lower() for k in call.text("keys").split(",") if k.strip()]
    return [{"name": k, "value": v} for k, v in held.items() if not keys or k.lower() in keys]


@serves("PATCH", "projects/{projectId}/properties", Level.NONE)
def set_properties(call: Call) -> Reply:
    """Set or remove properties by JSON patch."""
    project = call.find_project(call.value("projectId"))
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    for change in call.json(list):
        name = str(change.get("path", "")).lstrip("/")
        if change.get("op") == "remove" or change.get("value") is None:
            project["properties"].pop(name, None)
        else:
            project["properties"][name] = change["value"]
    return Reply(None, 204)
