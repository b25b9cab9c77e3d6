"""Serves a team's backlogs, boards with their columns, settings, areas, iterations and order of work items."""

from __future__ import annotations

from datetime import timedelta

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.teams import team_of
from local.sandbox.azure_devops.areas.work_items import project_of
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.classification import field_path, find_by
from local.sandbox.azure_devops.process_catalog import Backlog
from local.sandbox.azure_devops.processes_model import process_of
from local.sandbox.azure_devops.service import EMPTY_GUID, Tree, parse_time, stable_id
from local.sandbox.azure_devops.work_item_links import children_of, find_item

_WORK = "Microsoft.TeamFoundation.Work.WebApi.Exceptions"
_AGILE = "Microsoft.Azure.Boards.Agile.Common"


def team_from(call: Call) -> Tree:
    """The team of the path, or the default one."""
    project = call.project
    name = call.scope[1] if len(call.scope) > 1 else project["default_team"]
    return team_of(project, name)


def board_columns(call: Call, project: Tree, team: Tree, backlog: Backlog) -> list[Tree]:
    """The columns of a board: as set, or one for each state category of its types."""
    held = team["columns"].get(backlog.id)
    if held:
        return held  # type: ignore[no-any-return]
    process = process_of(call.org, project)
    first = process.types[backlog.types[0]]
    columns: list[Tree] = []
    for state in first.states:
        if state.category == "Removed":
            continue
        kind = {"Completed": "outgoing"}.get(state.category, "inProgress")
        if not columns:
            kind = "incoming"
        mapping = {t: state.name for t in backlog.types if process.types[t].state(state.name)}
        columns.append(
            {
                "id": stable_id("column", team["id"], backlog.id, state.name),
                "name": state.name,
                "itemLimit": 0 if kind != "inProgress" else 5,
                "stateMappings": mapping,
                "columnType": kind,
                **({"isSplit": False, "description": ""} if kind == "inProgress" else {}),
            }
        )
    return columns


def _board_of(call: Call, name: str) -> Backlog:
    wanted = name.lower()
    team = team_from(call)
    for backlog in process_of(call.org, call.project).backlogs[:-1]:
        if wanted in {backlog.name.lower(), backlog.id.lower(), stable_id("board", team["id"], backlog.id)}:
            return backlog
    raise errors.not_found(f"The board '{name}' does not exist.", "BoardDoesNotExistException", _WORK)


def _board_ref(call: Call, team: Tree, backlog: Backlog) -> Tree:
    board_id = stable_id("board", team["id"], backlog.id)
    url = call.url(call.project["id"], team["id"], "_apis/work/boards", board_id)
    return {"id": board_id, "name": backlog.name, "url": url}


@serves("GET", "work/boards/{id}")
def get_boards(call: Call) -> object:
    """One board with columns, or references to all."""
    team = team_from(call)
    if "id" not in call.values:
        return [_board_ref(call, team, b) for b in process_of(call.org, call.project).backlogs[:-1]]
    backlog = _board_of(call, call.values["id"])
    answer = _board_ref(call, team, backlog)
    columns = board_columns(call, call.project, team, backlog)
    return answer | {
        "revision": 0,
        "columns": columns,
        "rows": [{"id": EMPTY_GUID, "name": None}],
        "isValid": True,
        "canEdit": True,
        "allowedMappings": {c["columnType"]: {t: [s] for t, s in c["stateMappings"].items()} for c in columns},
        "fields": {},
        "_links": {"self": {"href": answer["url"]}, "columns": {"href": f"{answer['url']}/columns"}},
    }


@serves("GET", "work/boards/{board}/columns/{id}")
def get_columns(call: Call) -> list[Tree]:
    """The columns of a board."""
    return board_columns(call, call.project, team_from(call), _board_of(call, call.value("board")))


@serves("PUT", "work/boards/{board}/columns/{id}", Level.PROJECT_ADMINISTRATOR)
def set_columns(call: Call) -> list[Tree]:
    """Replace the columns of a board; the first must be incoming and the last outgoing."""
    team, backlog = team_from(call), _board_of(call, call.value("board"))
    columns = call.json(list)
    kinds = [c.get("columnType") for c in columns]
    if len(kinds) < 2 or kinds[0] != "incoming" or kinds[-1] != "outgoing":
        raise errors.invalid(
            "VS403320: A board needs an incoming column first and an outgoing column last.",
            "BoardValidatorException",
            _WORK,
        )
    team["columns"][backlog.id] = [
        {**c, "id": c.get("id") or stable_id("column", team["id"], backlog.id, str(c.get("name")))} for c in columns
    ]
    return team["columns"][backlog.id]  # type: ignore[no-any-return]


def _backlog_json(call: Call, backlog: Backlog) -> Tree:
    types = [{"name": t, "url": call.url(call.project["id"], "_apis/wit/workItemTypes", t)} for t in backlog.types]
    kind = {10: "task", 20: "requirement"}.get(backlog.rank, "portfolio")
    return {
        "id": backlog.id,
        "name": backlog.name,
        "rank": backlog.rank,
        "workItemCountLimit": 1000,
        "workItemTypes": types,
        "defaultWorkItemType": types[0],
        "color": "009CCC",
        "isHidden": False,
        "type": kind,
        "columnFields": [],
        "addPanelFields": [],
    }


@serves("GET", "work/backlogs/{id}")
def get_backlogs(call: Call) -> object:
    """One backlog level or all."""
    team_from(call)
    levels = process_of(call.org, call.project).backlogs
    if "id" not in call.values:
        return [_backlog_json(call, b) for b in levels]
    return _backlog_json(call, _level(call, call.values["id"]))


def _level(call: Call, name: str) -> Backlog:
    found = next(
        (b for b in process_of(call.org, call.project).backlogs if name.lower() in {b.id.lower(), b.name.lower()}), None
    )
    if found is None:
        raise errors.not_found(f"The backlog level '{name}' does not exist.", "BacklogDoesNotExistException", _WORK)
    return found


@serves("GET", "work/backlogs/{backlogId}/workItems")
def get_backlog_items(call: Call) -> Tree:
    """The open work items of a backlog level in their order."""
    project, level = call.project, _level(call, call.value("backlogId"))
    process = process_of(call.org, project)
    found = []
    for item in call.org["work_items"].values():
        kind = process.types.get(item["fields"]["System.WorkItemType"])
        if item["project"] != project["id"] or kind is None or kind.name not in level.types:
            continue
        state = kind.state(item["fields"]["System.State"])
        if state is not None and state.category not in {"Completed", "Removed"}:
            found.append((item["fields"].get("Microsoft.VSTS.Common.StackRank", 1e12), item["id"]))
    return {
        "workItems": [
            {"rel": None, "source": None, "target": {"id": n, "url": call.url("_apis/wit/workItems", str(n))}}
            for _, n in sorted(found)
        ]
    }


@serves("GET", "work/backlogconfiguration")
def get_configuration(call: Call) -> Tree:
    """How the levels of backlogs are made up."""
    process = process_of(call.org, call.project)
    levels = [_backlog_json(call, b) for b in process.backlogs]
    states = [
        {"workItemTypeName": t.name, "states": {s.name: s.category for s in t.states}} for t in process.types.values()
    ]
    return {
        "taskBacklog": levels[-1],
        "requirementBacklog": levels[-2],
        "portfolioBacklogs": levels[:-2],
        "workItemTypeMappedStates": states,
        "hiddenBacklogs": [],
        "bugsBehavior": team_from(call)["bugs_behavior"],
        "backlogFields": {"typeFields": {"Order": "Microsoft.VSTS.Common.StackRank"}},
        "url": call.url(call.project["id"], "_apis/work/backlogconfiguration"),
    }


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
        raise errors.invalid("DefaultValue", "TeamFieldArgumentNullException", _WORK)
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
        raise errors.not_found(f"The iteration {identifier} does not exist.", "IterationNotFoundException", _WORK)
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


@serves("PATCH", "work/workitemsorder", Level.CONTRIBUTOR)
def reorder(call: Call) -> list[Tree]:
    """Put work items between two others."""
    body = call.json()
    previous, following = int(body.get("previousId") or 0), int(body.get("nextId") or 0)
    rank = "Microsoft.VSTS.Common.StackRank"

    def of(number: int, default: float) -> float:
        return float(find_item(call.org, number)["fields"].get(rank, default)) if number else default

    low = of(previous, 0.0)
    high = of(following, low + 1000.0)
    ids = [int(i) for i in body.get("ids") or []]
    answers = []
    for number, item_id in enumerate(ids, 1):
        item = find_item(call.org, item_id)
        project_of(call, item)
        item["fields"][rank] = low + (high - low) * number / (len(ids) + 1)
        answers.append({"id": item_id, "order": item["fields"][rank]})
    return answers
