"""Serves build definitions with a YAML process, and the pipelines API's view of the same."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.project_model import project_ref
from local.sandbox.azure_devops.service import Tree

_ROUTE = "build/Definitions/{definitionId}"


def missing(number: object) -> errors.ServiceError:
    """404 for a definition."""
    message = f"The build definition with identifier {number} does not exist, or you do not have permission to view it."
    return errors.not_found(message, "DefinitionNotFoundException", errors.BUILD)


def find_definition(project: Tree, number: object) -> Tree:
    """A definition by number."""
    found: Tree | None = project["definitions"].get(str(number))
    if found is None:
        raise missing(number)
    return found


def queue_json(project: Tree) -> Tree:
    """The hosted queue."""
    return {**project["queue"], "pool": {"id": 9, "name": "Azure Pipelines", "isHosted": True}}


def repository_of(call: Call, project: Tree, definition: Tree) -> Tree:
    """The repository as a definition names it."""
    given: Tree = dict(definition["repository"])
    held = project["repositories"].get(str(given.get("id", "")).lower())
    if held:
        given |= {
            "id": held["id"],
            "name": held["name"],
            "type": "TfsGit",
            "url": call.url(project["name"], "_git", held["name"]),
        }
        given.setdefault("defaultBranch", held["default_branch"] or "refs/heads/main")
    return given


def reference(call: Call, project: Tree, definition: Tree) -> Tree:
    """A definition as embedded in builds."""
    url = call.url(project["id"], "_apis/build/Definitions", str(definition["id"]), revision=definition["revision"])
    return {
        "drafts": [],
        "id": definition["id"],
        "name": definition["name"],
        "url": url,
        "uri": f"vstfs:///Build/Definition/{definition['id']}",
        "path": definition["path"],
        "type": "build",
        "queueStatus": definition["queue_status"],
        "revision": definition["revision"],
        "project": project_ref(call.service, call.org, project),
    }


def definition_json(call: Call, project: Tree, definition: Tree, *, full: bool = True) -> Tree:
    """A definition as answered."""
    answer = reference(call, project, definition)
    author = call.org["users"].get(definition["by"], call.user)
    web = call.url(project["name"], "_build") + f"/definition?definitionId={definition['id']}"
    answer |= {
        "_links": {
            "self": {"href": answer["url"]},
            "web": {"href": web},
            "badge": {"href": call.url(project["id"], "_apis/build/status", str(definition["id"]))},
        },
        "quality": "definition",
        "authoredBy": identity_ref(call.service, call.org, author),
        "queue": queue_json(project),
        "createdDate": definition["created"],
    }
    if full:
        answer |= {
            "process": definition["process"],
            "repository": repository_of(call, project, definition),
            "triggers": definition["triggers"],
            "variables": {k: masked(v) for k, v in definition["variables"].items()},
            "variableGroups": definition["variable_groups"],
            "tags": [],
            "properties": {},
            "jobAuthorizationScope": "projectCollection",
            "jobTimeoutInMinutes": 60,
            "jobCancelTimeoutInMinutes": 5,
        }
    return answer


def masked(variable: Tree) -> Tree:
    """A variable without its secret."""
    return {**variable, "value": None} if variable.get("isSecret") else variable


def new_definition(call: Call, project: Tree, body: Tree, own: Tree | None = None) -> Tree:
    """Create or replace a definition; raises the service's refusals."""
    name = str(body.get("name") or "")
    if not name:
        raise errors.missing_value("definition.name")
    path = "\\" + str(body.get("path") or "\\").replace("/", "\\").strip("\\")
    for other in project["definitions"].values():
        if other is not own and (other["name"].lower(), other["path"]) == (name.lower(), path):
            message = f"Build definition {name} already exists in project {project['name']} (path {path})."
            raise errors.ServiceError(409, message, "DefinitionExistsException", namespace=errors.BUILD)
    process = body.get("process")
    if not isinstance(process, dict) or (process.get("type") == 2 and not process.get("yamlFilename")):
        raise errors.missing_value("definition.process.yamlFilename")
    repository = body.get("repository") or {}
    if not repository.get("type"):
        raise errors.missing_value("definition.repository.type")
    if str(repository["type"]).lower() == "tfsgit":
        wanted = str(repository.get("id") or repository.get("name") or "").lower()
        held = next((r for r in project["repositories"].values() if wanted in {r["id"], r["name"].lower()}), None)
        if held is None:
            raise errors.repository_missing(wanted)
        repository = {**repository, "id": held["id"], "type": "TfsGit"}
    definition: Tree = (
        own
        if own is not None
        else {
            "id": call.service.number(call.org, "definition"),
            "revision": 0,
            "created": call.stamp(),
            "by": call.user["id"],
        }
    )
    old = definition.get("variables", {})
    definition |= {
        "name": name,
        "path": path,
        "process": process,
        "repository": repository,
        "triggers": body.get("triggers") or [],
        "variables": {k: _kept(v, old.get(k)) for k, v in (body.get("variables") or {}).items()},
        "variable_groups": body.get("variableGroups") or [],
        "queue_status": str(body.get("queueStatus") or "enabled"),
    }
    definition["revision"] += 1
    project["definitions"][str(definition["id"])] = definition
    return definition


def _kept(variable: Tree, old: Tree | None) -> Tree:
    if variable.get("isSecret") and variable.get("value") is None and old:
        return {**variable, "value": old.get("value")}
    return variable


@serves("GET", _ROUTE)
def get_definitions(call: Call) -> object:
    """One definition, or those of a name, path or repository."""
    project = call.project
    if "definitionId" in call.values:
        return definition_json(call, project, find_definition(project, call.values["definitionId"]))
    name, path = call.text("name").lower(), call.text("path")
    repository = call.text("repositoryId").lower()
    ids = {i for i in call.text("definitionIds").split(",") if i}
    found = []
    for definition in project["definitions"].values():
        exact = (
            not name
            or definition["name"].lower() == name
            or (name.endswith("*") and definition["name"].lower().startswith(name[:-1]))
        )
        held = str(definition["repository"].get("id", "")).lower()
        if (
            exact
            and path in {"", definition["path"]}
            and repository in {"", held}
            and (not ids or str(definition["id"]) in ids)
        ):
            found.append(definition_json(call, project, definition, full=call.flag("includeAllProperties")))
    top = call.integer("$top")
    return found[:top] if top else found


@serves("POST", _ROUTE)
def create(call: Call) -> Tree:
    """Create a definition."""
    return definition_json(call, call.project, new_definition(call, call.project, call.json()))


@serves("PUT", _ROUTE)
def update(call: Call) -> Tree:
    """Replace a definition; its revision must be the current one."""
    project = call.project
    definition = find_definition(project, call.value("definitionId"))
    body = call.json()
    if int(body.get("revision") or 0) != definition["revision"]:
        message = f"The build definition {definition['name']} was changed by another user. Its revision is {definition['revision']}."
        raise errors.ServiceError(409, message, "DefinitionRevisionMismatchException", namespace=errors.BUILD)
    return definition_json(call, project, new_definition(call, project, body, own=definition))


@serves("DELETE", _ROUTE, Level.CONTRIBUTOR)
def delete(call: Call) -> Reply:
    """Delete a definition and its builds."""
    project = call.project
    definition = find_definition(project, call.value("definitionId"))
    del project["definitions"][str(definition["id"])]
    for number in [k for k, b in project["builds"].items() if b["definition"] == definition["id"]]:
        del project["builds"][number]
    for approval in [k for k, a in project["approvals"].items() if a["definition"] == definition["id"]]:
        del project["approvals"][approval]
    return Reply(None, 204)
