"""Serves the processes, and makes inherited ones with types and states of their own."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.process_catalog import SYSTEM_PROCESSES, Process, State, WorkItemType
from local.sandbox.azure_devops.processes_model import find_process, inherited
from local.sandbox.azure_devops.service import Tree, new_id, stable_id

_ROUTE = "work/processes/{processTypeId}"
TYPES_ROUTE = "work/processes/{processId}/workItemTypes/{witRefName}"


def _all(call: Call) -> list[Process]:
    return [*SYSTEM_PROCESSES.values(), *(inherited(c) for c in call.org["processes"].values())]


@serves("GET", "process/processes/{*processId}", Level.NONE)
def get_core_processes(call: Call) -> object:
    """Processes as project creation names them."""

    def entry(process: Process) -> Tree:
        return {
            "id": process.id,
            "description": process.description,
            "isDefault": process.is_default,
            "type": "system" if process.id in SYSTEM_PROCESSES else "inherited",
            "url": call.url("_apis/process/processes", process.id),
            "name": process.name,
        }

    if "processId" in call.values:
        return entry(find_process(call.org, call.values["processId"]))
    return [entry(p) for p in _all(call)]


def process_json(process: Process, custom: Tree | None) -> Tree:
    """A process as process customization answers."""
    return {
        "typeId": process.id,
        "name": process.name,
        "referenceName": (custom or {}).get("reference"),
        "description": process.description,
        "parentProcessTypeId": (custom or {}).get("parent", "00000000-0000-0000-0000-000000000000"),
        "isEnabled": True,
        "isDefault": process.is_default,
        "customizationType": "inherited" if custom else "system",
    }


@serves("GET", _ROUTE, Level.NONE)
def get_processes(call: Call) -> object:
    """One process or all."""
    customs = call.org["processes"]

    def shown(process: Process) -> Tree:
        answer = process_json(process, customs.get(process.id))
        if call.text("$expand").lower() == "projects":
            answer["projects"] = [
                {"id": p["id"], "name": p["name"], "url": call.url("_apis/projects", p["id"])}
                for p in call.org["projects"].values()
                if p["process"] == process.id
            ]
        return answer

    if "processTypeId" in call.values:
        return shown(find_process(call.org, call.values["processTypeId"]))
    return [shown(p) for p in _all(call)]


@serves("POST", _ROUTE, Level.COLLECTION_ADMINISTRATOR)
def create_process(call: Call) -> Reply:
    """Inherit from a system process."""
    body = call.json()
    name = str(body.get("name") or "")
    if not name:
        raise errors.missing_value("name")
    parent = str(body.get("parentProcessTypeId") or "").lower()
    if parent not in SYSTEM_PROCESSES:
        message = f"VS402362: The process with ID {parent} does not exist or cannot be inherited from."
        raise errors.not_found(message, "ProcessNotFoundByTypeIdException", errors.WORK)
    if any(p.name.lower() == name.lower() for p in _all(call)):
        message = f"VS402337: A process with the name {name} already exists."
        raise errors.ServiceError(409, message, "ProcessNameConflictException", namespace=errors.WORK)
    custom: Tree = {
        "id": new_id(),
        "name": name,
        "reference": body.get("referenceName") or f"Inherited.{new_id().replace('-', '')}",
        "description": str(body.get("description") or ""),
        "parent": parent,
        "types": {},
    }
    call.org["processes"][custom["id"]] = custom
    return Reply(process_json(inherited(custom), custom), 201)


@serves("DELETE", _ROUTE, Level.COLLECTION_ADMINISTRATOR)
def delete_process(call: Call) -> Reply:
    """Delete an inherited process no project uses."""
    custom = custom_process(call, call.value("processTypeId"))
    if any(p["process"] == custom["id"] for p in call.org["projects"].values()):
        message = f"VS402356: The process {custom['name']} is used by projects and cannot be deleted."
        raise errors.invalid(message, "ProcessInUseException", errors.WORK)
    del call.org["processes"][custom["id"]]
    return Reply(None, 204)


def custom_process(call: Call, process_id: str) -> Tree:
    process = find_process(call.org, process_id)
    custom = call.org["processes"].get(process.id)
    if custom is None:
        message = f"VS403300: The process {process.name} is a system process and cannot be modified. Create an inherited process to customize it."
        raise errors.ServiceError(403, message, "ProcessPermissionException", namespace=errors.WORK)
    return custom  # type: ignore[no-any-return]


def type_of(process: Process, name: str) -> WorkItemType:
    # A type made customizable is called by the process' reference name and its own name without spaces.
    last = name.rsplit(".", maxsplit=1)[-1].lower()
    found = process.find(name) or next(
        (t for t in process.types.values() if t.name.replace(" ", "").lower() == last), None
    )
    if found is None:
        message = f"VS402323: Work item type {name} does not exist in process {process.name}."
        raise errors.not_found(message, "WorkItemTypeNotFoundException", errors.WORK)
    return found


def own_type(custom: Tree, kind: WorkItemType) -> Tree:
    """The customization of a type, made when first needed."""
    reference = f"{custom['reference']}.{kind.name.replace(' ', '')}"
    blank = {
        "name": kind.name,
        "reference": reference,
        "color": kind.color,
        "icon": kind.icon,
        "states": [],
        "hidden_states": [],
        "fields": [],
    }
    own: Tree = custom["types"].setdefault(kind.name, blank)
    return own


def _type_json(call: Call, process: Process, kind: WorkItemType) -> Tree:
    custom = call.org["processes"].get(process.id)
    own = (custom or {}).get("types", {}).get(kind.name)
    parent = SYSTEM_PROCESSES.get((custom or {}).get("parent", ""))
    based = parent.types.get(kind.name) if parent else None
    return {
        "referenceName": own["reference"] if own else kind.reference,
        "name": kind.name,
        "description": "",
        "url": call.url("_apis/work/processes", process.id, "workItemTypes", kind.reference),
        "customization": "system" if own is None else "inherited" if based else "custom",
        "color": kind.color,
        "icon": kind.icon,
        "isDisabled": False,
        "inherits": based.reference if own and based else None,
        "states": [_state_json(call, process, kind, s) for s in kind.states],
    }


def _state_json(call: Call, process: Process, kind: WorkItemType, state: State) -> Tree:
    state_id = stable_id("state", process.id, kind.name, state.name)
    custom = call.org["processes"].get(process.id, {"types": {}})
    own = custom["types"].get(kind.name, {"states": []})
    return {
        "id": state_id,
        "name": state.name,
        "color": state.as_json()["color"],
        "stateCategory": state.category,
        "order": kind.states.index(state) + 1,
        "url": call.url("_apis/work/processes", process.id, "workItemTypes", kind.reference, "states", state_id),
        "customizationType": "custom" if any(s["name"] == state.name for s in own["states"]) else "system",
    }


@serves("GET", TYPES_ROUTE, Level.NONE)
def get_types(call: Call) -> object:
    """One work item type of a process, or all."""
    process = find_process(call.org, call.value("processId"))
    if "witRefName" in call.values:
        return _type_json(call, process, type_of(process, call.values["witRefName"]))
    return [_type_json(call, process, t) for t in process.types.values()]


@serves("POST", TYPES_ROUTE, Level.COLLECTION_ADMINISTRATOR)
def create_type(call: Call) -> Reply:
    """Add a type, or make an inherited type customizable."""
    custom = custom_process(call, call.value("processId"))
    body = call.json()
    process = inherited(custom)
    inherits = body.get("inheritsFrom")
    if inherits:
        kind = type_of(process, str(inherits))
        own_type(custom, kind)
        return Reply(_type_json(call, inherited(custom), kind), 201)
    name = str(body.get("name") or "")
    if not name:
        raise errors.missing_value("name")
    if process.find(name):
        message = f"VS402338: A work item type with the name {name} already exists."
        raise errors.ServiceError(409, message, "WorkItemTypeNameInUseException", namespace=errors.WORK)
    reference = f"{custom['reference']}.{name.replace(' ', '')}"
    custom["types"][name] = {
        "name": name,
        "reference": reference,
        "color": str(body.get("color") or "009CCC"),
        "icon": str(body.get("icon") or "icon_clipboard"),
        "states": [],
        "hidden_states": [],
        "fields": [],
    }
    made = inherited(custom)
    return Reply(_type_json(call, made, made.types[name]), 201)


@serves("GET", TYPES_ROUTE + "/states/{stateId}", Level.NONE)
def get_states(call: Call) -> object:
    """One state of a type, or all."""
    process = find_process(call.org, call.value("processId"))
    kind = type_of(process, call.value("witRefName"))
    listed = [_state_json(call, process, kind, s) for s in kind.states]
    if "stateId" not in call.values:
        return listed
    found = next((s for s in listed if s["id"] == call.values["stateId"].lower()), None)
    if found is None:
        raise errors.not_found(
            f"VS403104: The state {call.values['stateId']} does not exist.",
            "WorkItemStateDefinitionNotFoundException",
            errors.WORK,
        )
    return found


@serves("POST", TYPES_ROUTE + "/states/{stateId}", Level.COLLECTION_ADMINISTRATOR)
def create_state(call: Call) -> Reply:
    """Add a state to a type of an inherited process."""
    custom = custom_process(call, call.value("processId"))
    process = inherited(custom)
    kind = type_of(process, call.value("witRefName"))
    body = call.json()
    name, category = str(body.get("name") or ""), str(body.get("stateCategory") or "")
    if not name or category not in {"Proposed", "InProgress", "Resolved", "Completed", "Removed"}:
        raise errors.invalid(
            f"VS403091: The state '{name}' needs a name and a state category, not '{category}'.",
            "WorkItemStateDefinitionInvalidException",
            errors.WORK,
        )
    if kind.state(name):
        message = f"VS403092: A state with the name {name} already exists."
        raise errors.ServiceError(409, message, "WorkItemStateNameAlreadyInUseException", namespace=errors.WORK)
    own_type(custom, kind)["states"].append({"name": name, "category": category, "color": str(body.get("color") or "")})
    made = inherited(custom)
    changed = made.types[kind.name]
    state = next(s for s in changed.states if s.name == name)
    return Reply(_state_json(call, made, changed, state), 201)


@serves("DELETE", TYPES_ROUTE + "/states/{stateId}", Level.COLLECTION_ADMINISTRATOR)
def delete_state(call: Call) -> Reply:
    """Remove a state that was added."""
    custom = custom_process(call, call.value("processId"))
    process = inherited(custom)
    kind = type_of(process, call.value("witRefName"))
    wanted = get_states(call)
    own = own_type(custom, kind)
    if not isinstance(wanted, dict) or all(s["name"] != wanted["name"] for s in own["states"]):
        raise errors.invalid(
            "VS403093: A state of the system cannot be deleted; hide it.",
            "WorkItemStateDefinitionInvalidException",
            errors.WORK,
        )
    own["states"] = [s for s in own["states"] if s["name"] != wanted["name"]]
    return Reply(None, 204)


_BEHAVIORS = "work/processes/{processId}/workItemTypesBehaviors/{witRefNameForBehaviors}/behaviors/{behaviorRefName}"
_RANKS = {
    "EpicBacklogBehavior": 40,
    "FeatureBacklogBehavior": 30,
    "RequirementBacklogBehavior": 20,
    "TaskBacklogBehavior": 10,
}


def _behavior_json(call: Call, process: Process, name: str) -> Tree:
    url = call.url("_apis/work/processes", process.id, "behaviors", name)
    return {"behavior": {"id": name, "url": url}, "isDefault": False, "url": url}


@serves("GET", _BEHAVIORS, Level.NONE)
def get_behaviors(call: Call) -> object:
    """The backlog level that a type of its own stands on."""
    process = find_process(call.org, call.value("processId"))
    kind = type_of(process, call.value("witRefNameForBehaviors"))
    own = call.org["processes"].get(process.id, {"types": {}})["types"].get(kind.name, {})
    held = [_behavior_json(call, process, own["behavior"])] if own.get("behavior") else []
    if "behaviorRefName" not in call.values:
        return held
    if not any(one["behavior"]["id"] == call.values["behaviorRefName"] for one in held):
        raise errors.not_found(
            f"The behavior {call.values['behaviorRefName']} does not exist.", "BehaviorNotFoundException", errors.WORK
        )
    return held[0]


@serves("POST", _BEHAVIORS, Level.COLLECTION_ADMINISTRATOR)
def add_behavior(call: Call) -> Reply:
    """Put a type of its own on a backlog level; raises a refusal for types the system has placed."""
    custom = custom_process(call, call.value("processId"))
    kind = type_of(inherited(custom), call.value("witRefNameForBehaviors"))
    name = str((call.json().get("behavior") or {}).get("id") or "")
    rank = next((rank for suffix, rank in _RANKS.items() if name.endswith(suffix)), None)
    if rank is None:
        raise errors.not_found(f"The behavior {name} does not exist.", "BehaviorNotFoundException", errors.WORK)
    if inherited(custom).backlog_of(kind.name) is not None:
        raise errors.invalid(
            f"VS403121: The work item type {kind.name} stands on a backlog level already.",
            "ProcessWorkItemTypeBehaviorException",
            errors.WORK,
        )
    own = own_type(custom, kind)
    own["level"], own["behavior"] = rank, name
    return Reply(_behavior_json(call, inherited(custom), name), 201)
