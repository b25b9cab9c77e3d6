"""Serves service endpoints, with secrets never read back."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree, new_id

_CONNECTIONS = "Microsoft.VisualStudio.Services.ServiceEndpoints.WebApi"


_ENDPOINTS = "serviceendpoint/endpoints/{endpointId}"


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
