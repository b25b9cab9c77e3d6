"""Serves teams of a project with their members."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.location import identity
from local.sandbox.azure_devops.call import Call, Level, Reply, page_of, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.project_model import add_team, find_team
from local.sandbox.azure_devops.service import Tree

_ROUTE = "projects/{projectId}/teams/{*teamId}"


def team_json(call: Call, project: Tree, team: Tree, *, full: bool = False) -> Tree:
    """A team as answered."""
    answer = {
        "id": team["id"],
        "name": team["name"],
        "url": call.url("_apis/projects", project["id"], "teams", team["id"]),
        "description": team["description"],
        "identityUrl": call.url("_apis/Identities", team["id"]),
        "projectName": project["name"],
        "projectId": project["id"],
    }
    if full:
        answer["identity"] = identity(call, team)
    return answer


def team_of(project: Tree, name: str) -> Tree:
    """A team by name or id; raises a 404."""
    team = find_team(project, name)
    if team is None:
        message = f"The team with id '{name}' does not exist."
        raise errors.not_found(message, "TeamNotFoundException", errors.CORE)
    return team


@serves("GET", _ROUTE, Level.NONE)
def get_teams(call: Call) -> object:
    """One team or all of a project."""
    project = call.find_project(call.value("projectId"))
    if "teamId" in call.values:
        return team_json(call, project, team_of(project, call.values["teamId"]), full=True)
    return [team_json(call, project, t) for t in page_of(project["teams"].values(), call)]


@serves("GET", "teams")
def get_all_teams(call: Call) -> list[Tree]:
    """Every team of the organization the user can see."""
    found = [(p, t) for p in call.projects() for t in p["teams"].values()]
    return [team_json(call, p, t) for p, t in page_of(found, call)]


def _free_name(project: Tree, name: object, own: Tree | None = None) -> str:
    if not isinstance(name, str) or not name.strip():
        raise errors.missing_value("team.name")
    if any(
        t is not own and t["name"].lower() == name.lower()
        for t in (*project["teams"].values(), *project["groups"].values())
    ):
        message = f"TF50219: A team or group with the name {name} already exists in project {project['name']}."
        raise errors.invalid(message, "GroupCreationException", errors.CORE)
    return name


@serves("POST", _ROUTE, Level.NONE)
def create_team(call: Call) -> Reply:
    """Create a team; its creator is a member and administrator."""
    project = call.find_project(call.value("projectId"))
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    body = call.json()
    team = add_team(project, _free_name(project, body.get("name")), str(body.get("description") or ""))
    team["members"], team["admins"] = [call.user["id"]], [call.user["id"]]
    return Reply(team_json(call, project, team, full=True), 201)


@serves("PATCH", _ROUTE, Level.NONE)
def update_team(call: Call) -> Tree:
    """Rename or describe a team."""
    project = call.find_project(call.value("projectId"))
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    team = team_of(project, call.value("teamId"))
    body = call.json()
    if body.get("name"):
        team["name"] = _free_name(project, body["name"], own=team)
    team["description"] = str(body.get("description", team["description"]) or "")
    return team_json(call, project, team, full=True)


@serves("DELETE", _ROUTE, Level.NONE)
def delete_team(call: Call) -> Reply:
    """Delete a team that is not the default one."""
    project = call.find_project(call.value("projectId"))
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    team = team_of(project, call.value("teamId"))
    if team["id"] == project["default_team"]:
        message = "TF400994: The default team of a project cannot be deleted."
        raise errors.invalid(message, "CannotDeleteDefaultTeamException", errors.CORE)
    del project["teams"][team["id"]]
    # A group that is gone is a member of nothing.
    for group in (*project["groups"].values(), *project["teams"].values(), *call.org["groups"].values()):
        group["members"] = [member for member in group["members"] if member != team["id"]]
    return Reply(None, 204)


@serves("GET", "projects/{projectId}/teams/{teamId}/members", Level.NONE)
def get_members(call: Call) -> list[Tree]:
    """The people of a team."""
    project = call.find_project(call.value("projectId"))
    team = team_of(project, call.value("teamId"))
    return [
        {"isTeamAdmin": m in team["admins"], "identity": identity_ref(call.service, call.org, call.org["users"][m])}
        for m in page_of(team["members"], call)
        if m in call.org["users"]
    ]
