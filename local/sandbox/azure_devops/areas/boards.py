"""Serves a team's backlogs, its boards with their columns, and the order of work items."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.teams import team_of
from local.sandbox.azure_devops.areas.work_items import project_of
from local.sandbox.azure_devops.call import Call, Level, serves
from local.sandbox.azure_devops.process_catalog import Backlog
from local.sandbox.azure_devops.processes_model import process_of
from local.sandbox.azure_devops.service import EMPTY_GUID, Tree, stable_id
from local.sandbox.azure_devops.work_item_links import find_item

WORK = "Microsoft.TeamFoundation.Work.WebApi.Exceptions"


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
    raise errors.not_found(f"The board '{name}' does not exist.", "BoardDoesNotExistException", WORK)


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
            WORK,
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
        raise errors.not_found(f"The backlog level '{name}' does not exist.", "BacklogDoesNotExistException", WORK)
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
