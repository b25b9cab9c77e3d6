"""Serves the fields an inherited process adds to a work item type."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.processes import TYPES_ROUTE, custom_process, own_type, type_of
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.process_catalog import Process
from local.sandbox.azure_devops.processes_model import find_process, inherited
from local.sandbox.azure_devops.service import Tree
from local.sandbox.azure_devops.work_item_fields import FIELDS, find_field


def _field_json(call: Call, process: Process, field: Tree) -> Tree:
    return {
        "referenceName": field["referenceName"],
        "name": field["name"],
        "type": field["type"],
        "required": bool(field.get("required")),
        "readOnly": field["readOnly"],
        "defaultValue": field.get("default"),
        "customization": "system" if field["referenceName"].lower() in FIELDS else "custom",
        "url": call.url("_apis/work/processes", process.id, "fields", field["referenceName"]),
    }


@serves("GET", TYPES_ROUTE + "/fields/{fieldRefName}", Level.NONE)
def get_fields(call: Call) -> object:
    """The fields added to a type."""
    process = find_process(call.org, call.value("processId"))
    kind = type_of(process, call.value("witRefName"))
    custom = call.org["processes"].get(process.id, {"types": {}})
    own = custom["types"].get(kind.name, {"fields": []})["fields"]
    common = [
        FIELDS[r]
        for r in ("system.title", "system.state", "system.areapath", "system.iterationpath", "system.description")
    ]
    listed = [_field_json(call, process, f) for f in (*common, *own)]
    if "fieldRefName" not in call.values:
        return listed
    found = next((f for f in listed if f["referenceName"].lower() == call.values["fieldRefName"].lower()), None)
    if found is None:
        raise errors.not_found(
            f"TF51535: Cannot find field {call.values['fieldRefName']}.",
            "ProcessFieldCouldNotBeFoundException",
            errors.WORK,
        )
    return found


@serves("POST", TYPES_ROUTE + "/fields/{fieldRefName}", Level.COLLECTION_ADMINISTRATOR)
def add_field(call: Call) -> Reply:
    """Add a field of the organization to a type."""
    custom = custom_process(call, call.value("processId"))
    process = inherited(custom)
    kind = type_of(process, call.value("witRefName"))
    body = call.json()
    known = find_field(str(body.get("referenceName") or ""), call.org.get("fields", {}))
    if known is None:
        raise errors.not_found(
            f"TF51535: Cannot find field {body.get('referenceName')}.",
            "ProcessFieldCouldNotBeFoundException",
            errors.WORK,
        )
    own = own_type(custom, kind)
    field = {
        **known,
        "type_name": kind.name,
        "required": bool(body.get("required")),
        "default": body.get("defaultValue"),
    }
    if body.get("allowedValues"):
        field["allowedValues"] = [str(v) for v in body["allowedValues"]]
    own["fields"] = [f for f in own["fields"] if f["referenceName"] != field["referenceName"]] + [field]
    return Reply(_field_json(call, process, field), 201)
