"""Makes projects: what a new one holds from its first moment, and how it is written in answers."""

from __future__ import annotations

from local.sandbox.azure_devops.classification import root_node
from local.sandbox.azure_devops.process_catalog import Process
from local.sandbox.azure_devops.service import EMPTY_GUID, Service, Tree, new_id, stable_id

_GROUPS = {
    "Project Administrators": "Members of this group can perform all operations in the team project.",
    "Contributors": "Members of this group can add, modify, and delete items within the team project.",
    "Readers": "Members of this group have access to the team project.",
    "Build Administrators": "Members of this group can create, modify and delete build definitions and manage builds.",
    "Endpoint Administrators": "Members of this group can manage service endpoints.",
    "Release Administrators": "Members of this group can perform all operations on Release Management.",
}


def new_project(
    service: Service, org: Tree, *, name: str, process: Process, description: str, visibility: str, project_id: str
) -> Tree:
    """A project with its groups, default team, classification roots, queue and nothing else; not yet in the organization."""
    stamp = service.stamp()
    project: Tree = {
        "id": project_id,
        "name": name,
        "description": description,
        "visibility": visibility,
        "process": process.id,
        "state": "wellFormed",
        "revision": service.number(org, "project-revision", 10),
        "last_update": stamp,
        "created": stamp,
        "groups": {},
        "teams": {},
        "repositories": {},
        "deleted_repositories": {},
        "policies": {},
        "definitions": {},
        "builds": {},
        "variable_groups": {},
        "environments": {},
        "checks": {},
        "approvals": {},
        "endpoints": {},
        "wikis": {},
        "queries": {},
        "plans": {},
        "properties": {},
        "permitted": {},
        "areas": root_node(service, org, name, "area"),
        "iterations": root_node(service, org, name, "iteration"),
        "queue": {"id": service.number(org, "queue", 10), "name": "Azure Pipelines"},
    }
    for group, text in _GROUPS.items():
        add_group(project, group, text)
    team = add_team(project, f"{name} Team", "The default project team.")
    project["default_team"] = team["id"]
    return project


def add_group(project: Tree, name: str, description: str) -> Tree:
    """A security group of the project."""
    group: Tree = {
        "id": stable_id("group", project["id"], name),
        "name": name,
        "description": description,
        "scope": project["name"],
        "project_id": project["id"],
        "members": [],
    }
    project["groups"][group["id"]] = group
    return group


def add_team(project: Tree, name: str, description: str, team_id: str | None = None) -> Tree:
    """A team with the settings every new team has: the default team owns the root area, others own none."""
    first = not project["teams"]
    team: Tree = {
        "id": team_id or (stable_id("team", project["id"], name) if first else new_id()),
        "name": name,
        "description": description,
        "scope": project["name"],
        "project_id": project["id"],
        "members": [],
        "admins": [],
        "areas": [{"value": project["name"], "includeChildren": False}] if first else [],
        "default_area": project["name"] if first else None,
        "backlog_iteration": project["iterations"]["identifier"] if first else EMPTY_GUID,
        "iterations": [],
        "bugs_behavior": "asRequirements" if first else "off",
        "working_days": ["monday", "tuesday", "wednesday", "thursday", "friday"],
        "columns": {},
        "capacities": {},
    }
    project["teams"][team["id"]] = team
    return team


def project_ref(service: Service, org: Tree, project: Tree) -> Tree:
    """A project as listed and as embedded in other resources."""
    reference = {
        "id": project["id"],
        "name": project["name"],
        "url": service.url(org, "_apis/projects", project["id"]),
        "state": project["state"],
        "revision": project["revision"],
        "visibility": project["visibility"],
        "lastUpdateTime": project["last_update"],
    }
    if project["description"]:
        reference["description"] = project["description"]
    return reference


def find_team(project: Tree, name_or_id: str) -> Tree | None:
    """A team of the project by name or id."""
    wanted = name_or_id.lower()
    found = (t for t in project["teams"].values() if wanted in {t["id"], t["name"].lower()})
    return next(found, None)
