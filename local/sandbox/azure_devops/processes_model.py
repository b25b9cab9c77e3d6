"""Resolves the process of a project: a system process, or an inherited one with its own states, types and fields."""

from __future__ import annotations

from dataclasses import replace

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.process_catalog import SYSTEM_PROCESSES, Process, State, WorkItemType
from local.sandbox.azure_devops.service import Tree


def find_process(org: Tree, name_or_id: str) -> Process:
    """The process of that id or name; raises a 404 in the service's words."""
    wanted = name_or_id.lower()
    system = next((p for p in SYSTEM_PROCESSES.values() if wanted in {p.id, p.name.lower()}), None)
    if system is not None:
        return system
    custom = next((c for c in org["processes"].values() if wanted in {c["id"], c["name"].lower()}), None)
    if custom is not None:
        return inherited(custom)
    message = f"VS402362: The process with ID or name {name_or_id} does not exist."
    raise errors.not_found(message, "ProcessNotFoundByTypeIdException", errors.WORK)


def inherited(custom: Tree) -> Process:
    """An inherited process: its parent's types with the customizations applied."""
    parent = SYSTEM_PROCESSES[custom["parent"]]
    types = dict(parent.types)
    for own in custom["types"].values():
        base = types.get(own["name"])
        states = base.states if base is not None else _DEFAULT_STATES
        hidden = set(own.get("hidden_states", []))
        extra = tuple(State(s["name"], s["category"], s.get("color", "")) for s in own["states"])
        kept = [s for s in states if s.name not in hidden]
        merged = tuple(sorted((*kept, *extra), key=lambda s: _ORDER.index(s.category)))
        types[own["name"]] = (
            replace(base, states=merged)
            if base is not None
            else WorkItemType(own["name"], own["reference"], own["color"], own["icon"], merged)
        )
    backlogs = tuple(
        replace(
            level,
            types=(*level.types, *(own["name"] for own in custom["types"].values() if own.get("level") == level.rank)),
        )
        for level in parent.backlogs
    )
    return Process(custom["id"], custom["name"], custom["description"], types, backlogs)


_ORDER = ["Proposed", "InProgress", "Resolved", "Completed", "Removed"]
_DEFAULT_STATES = (State("New", "Proposed"), State("Active", "InProgress"), State("Closed", "Completed"))


def process_of(org: Tree, project: Tree) -> Process:
    """The process a project uses."""
    return find_process(org, project["process"])


def work_item_type(org: Tree, project: Tree, name: str) -> WorkItemType:
    """A type of the project's process; raises VS402323."""
    found = process_of(org, project).find(name)
    if found is None:
        message = (
            f"VS402323: Work item type {name} does not exist in project {project['name']} "
            "or you do not have permission to access it."
        )
        raise errors.not_found(message, "WorkItemTypeNotFoundException", errors.WORK)
    return found


def custom_fields(org: Tree, project: Tree) -> dict[str, Tree]:
    """Fields that the project's inherited process adds, by lower-cased reference name."""
    custom = org["processes"].get(project["process"])
    if custom is None:
        return {}
    return {f["referenceName"].lower(): f for own in custom["types"].values() for f in own["fields"]}
