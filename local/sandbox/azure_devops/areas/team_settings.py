"""Serves what a team sets for itself: backlog iteration, bugs, areas, and the iterations it takes part in."""

from __future__ import annotations

from datetime import timedelta

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.boards import WORK, team_from
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.classification import field_path, find_by
from local.sandbox.azure_devops.processes_model import process_of
from local.sandbox.azure_devops.service import EMPTY_GUID, Tree, parse_time
from local.sandbox.azure_devops.work_item_links import children_of

_AGILE = "Microsoft.Azure.Boards.Agile.Common"


def _links(call: Call, team: Tree, url: str) -> Tree:
    project = call.project["id"]
    return {
        "self": {"href": url},
        "project": {"href": call.url("_apis/projects", project)},
        "team": {"href": call.url("_apis/projects", project, "teams", team["id"])},
        "teamSettings": {"href": call.url(project, team["id"], "_apis/work/teamsettings")},
    }


def _iteration_ref(call: Call, identifier: str) -> Tree:
    found = find_by(call.project["iterations"], identifier=identifier)
    if found is None:
        return {"id": EMPTY_GUID}
    path, node = found
    url = call.url(call.project["id"], "_apis/wit/classificationNodes/Iterations", *path[1:])
    return {
        "id": node["identifier"],
        "name": node["name"],
        "path": "\\".join(["", *path[1:]]) if path[1:] else "",
        "url": url,
    }


@serves("GET", "work/teamsettings")
def get_settings(call: Call) -> Tree:
    """A team's settings."""
    team = team_from(call)
    url = call.url(call.project["id"], team["id"], "_apis/work/teamsettings")
    levels = process_of(call.org, call.project).backlogs[:-1]
    return {
        "backlogIteration": _iteration_ref(call, team["backlog_iteration"]),
        "bugsBehavior": team["bugs_behavior"],
        "workingDays": team["working_days"],
        "backlogVisibilities": {b.id: True for b in levels},
        "defaultIteration": None,
        "defaultIterationMacro": "@currentIteration",
        "url": url,
        "_links": _links(call, team, url),
    }


@serves("PATCH", "work/teamsettings", Level.CONTRIBUTOR)
def set_settings(call: Call) -> Tree:
    """Change a team's settings."""
    team = team_from(call)
    body = call.json()
    if body.get("backlogIteration"):
        wanted = str(body["backlogIteration"])
        if find_by(call.project["iterations"], identifier=wanted) is None:
            raise _invalid_iteration()
        team["backlog_iteration"] = wanted
    if body.get("bugsBehavior"):
        if body["bugsBehavior"] not in {"off", "asRequirements", "asTasks"}:
            raise errors.invalid(f"The value '{body['bugsBehavior']}' is not valid for bugsBehavior.")
        team["bugs_behavior"] = body["bugsBehavior"]
    team["working_days"] = body.get("workingDays") or team["working_days"]
    return get_settings(call)


def _invalid_iteration() -> errors.ServiceError:
    message = "TF400497: The backlog iteration path that you specified is no longer valid."
    return errors.invalid(message, "InvalidTeamSettingsException", _AGILE)


@serves("GET", "work/teamsettings/teamfieldvalues")
def get_areas(call: Call) -> Tree:
    """The areas a team owns."""
    team = team_from(call)
    url = call.url(call.project["id"], team["id"], "_apis/work/teamsettings/teamfieldvalues")
    field = {"referenceName": "System.AreaPath", "url": call.url("_apis/wit/fields/System.AreaPath")}
    return {
        "field": field,
        "defaultValue": team["default_area"],
        "values": team["areas"],
        "url": url,
        "_links": _links(call, team, url),
    }


@serves("PATCH", "work/teamsettings/teamfieldvalues", Level.CONTRIBUTOR)
def set_areas(call: Call) -> Tree:
    """Give a team areas."""
    team = team_from(call)
    body = call.json()
    if not body.get("defaultValue"):
        raise errors.invalid("DefaultValue", "TeamFieldArgumentNullException", WORK)
    for value in [body["defaultValue"], *(v.get("value") for v in body.get("values") or [])]:
        if field_path(call.project["areas"], str(value)) is None:
            message = f"TF400499: You have not set your team field: the area path '{value}' does not exist."
            raise errors.invalid(message, "InvalidTeamSettingsException", _AGILE)
    team["default_area"] = body["defaultValue"]
    team["areas"] = [
        {"value": v["value"], "includeChildren": bool(v.get("includeChildren"))} for v in body.get("values") or []
    ]
    return get_areas(call)


def _iteration_json(call: Call, team: Tree, identifier: str) -> Tree:
    found = find_by(call.project["iterations"], identifier=identifier)
    if found is None:
        raise errors.not_found(f"The iteration {identifier} does not exist.", "IterationNotFoundException", WORK)
    path, node = found
    start, finish = node["attributes"].get("startDate"), node["attributes"].get("finishDate")
    frame = "current"
    if start and finish:
        now = call.service.now()
        frame = (
            "future"
            if parse_time(start) > now
            else "past"
            if parse_time(finish) + timedelta(days=1) <= now
            else "current"
        )
    url = call.url(call.project["id"], team["id"], "_apis/work/teamsettings/iterations", identifier)
    return {
        "id": identifier,
        "name": node["name"],
        "path": "\\".join(path),
        "attributes": {"startDate": start, "finishDate": finish, "timeFrame": frame},
        "url": url,
    }


@serves("GET", "work/teamsettings/iterations/{id}")
def get_iterations(call: Call) -> object:
    """One iteration of a team, or all, or the current one."""
    team = team_from(call)
    if "id" in call.values:
        return _iteration_json(call, team, call.values["id"].lower())
    listed = [
        _iteration_json(call, team, i) for i in team["iterations"] if find_by(call.project["iterations"], identifier=i)
    ]
    wanted = call.text("$timeframe").lower()
    return [i for i in listed if wanted in {"", i["attributes"]["timeFrame"]}]


@serves("POST", "work/teamsettings/iterations/{id}", Level.CONTRIBUTOR)
def add_iteration(call: Call) -> Reply:
    """Choose an iteration for a team; the team needs a backlog iteration first."""
    team = team_from(call)
    wanted = str(call.json().get("id") or "").lower()
    if team["backlog_iteration"] == EMPTY_GUID or find_by(call.project["iterations"], identifier=wanted) is None:
        raise _invalid_iteration()
    if wanted not in team["iterations"]:
        team["iterations"].append(wanted)
    return Reply(_iteration_json(call, team, wanted), 201)


@serves("DELETE", "work/teamsettings/iterations/{id}", Level.CONTRIBUTOR)
def remove_iteration(call: Call) -> Reply:
    """Take an iteration from a team."""
    team = team_from(call)
    team["iterations"] = [i for i in team["iterations"] if i != call.value("id").lower()]
    return Reply(None, 204)


@serves("GET", "work/teamsettings/iterations/{iterationId}/workitems")
def get_iteration_items(call: Call) -> Tree:
    """The work items of an iteration with their hierarchy."""
    team = team_from(call)
    path = _iteration_json(call, team, call.value("iterationId").lower())["path"]
    items = {i["id"]: i for i in call.org["work_items"].values() if i["fields"]["System.IterationPath"] == path}
    rows: list[Tree] = []

    def reference(number: int) -> Tree:
        return {"id": number, "url": call.url("_apis/wit/workItems", str(number))}

    below = {c for i in items.values() for c in children_of(i)}
    for number, item in items.items():
        if number not in below:
            rows.append({"rel": None, "source": None, "target": reference(number)})
        rows += [
            {"rel": "System.LinkTypes.Hierarchy-Forward", "source": reference(number), "target": reference(c)}
            for c in children_of(item)
            if c in items
        ]
    return {
        "workItemRelations": rows,
        "url": call.url("_apis/work/teamsettings/iterations", call.value("iterationId"), "workitems"),
    }
