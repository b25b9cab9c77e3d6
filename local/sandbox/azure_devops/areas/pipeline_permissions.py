"""Serves which pipelines may use a resource."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, serves
from local.sandbox.azure_devops.service import Tree


def _permission_json(project: Tree, kind: str, number: str) -> Tree:
    held = project["permitted"].get(f"{kind}/{number}", {"all": False, "pipelines": []})
    answer: Tree = {
        "resource": {"type": kind, "id": number},
        "pipelines": [{"id": p, "authorized": True} for p in held["pipelines"]],
    }
    if held["all"]:
        answer["allPipelines"] = {"authorized": True}
    return answer


def _permit(project: Tree, kind: str, number: str, body: Tree) -> Tree:
    held = project["permitted"].setdefault(f"{kind}/{number}", {"all": False, "pipelines": []})
    if "allPipelines" in body:
        held["all"] = bool((body["allPipelines"] or {}).get("authorized"))
    for pipeline in body.get("pipelines") or []:
        if not pipeline.get("id"):
            raise errors.missing_value("pipelines.id")
        held["pipelines"] = [p for p in held["pipelines"] if p != pipeline["id"]]
        if pipeline.get("authorized"):
            held["pipelines"].append(pipeline["id"])
    return _permission_json(project, kind, number)


@serves("GET", "pipelines/pipelinePermissions/{resourceType}/{resourceId}")
def get_permission(call: Call) -> Tree:
    """Which pipelines may use a resource."""
    return _permission_json(call.project, call.value("resourceType").lower(), call.value("resourceId"))


@serves("PATCH", "pipelines/pipelinePermissions/{resourceType}/{resourceId}", Level.PROJECT_ADMINISTRATOR)
def set_permission(call: Call) -> object:
    """Let pipelines use a resource, or several resources."""
    if "resourceId" in call.values:
        return _permit(call.project, call.values["resourceType"].lower(), call.values["resourceId"], call.json())
    return [
        _permit(call.project, str(e["resource"]["type"]).lower(), str(e["resource"]["id"]), e) for e in call.json(list)
    ]
