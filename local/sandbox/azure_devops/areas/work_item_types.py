"""Serves what a process offers: work item types with states and fields, relation types, categories, tags, icons."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.process_catalog import BUG_CATEGORY, WorkItemType
from local.sandbox.azure_devops.processes_model import custom_fields, process_of, work_item_type
from local.sandbox.azure_devops.service import Tree, stable_id
from local.sandbox.azure_devops.work_item_fields import ALLOWED_VALUES, FIELDS, find_field
from local.sandbox.azure_devops.work_item_links import LINK_TYPES

_COMMON = (
    "System.Title",
    "System.State",
    "System.Reason",
    "System.AssignedTo",
    "System.AreaPath",
    "System.IterationPath",
    "System.Description",
    "System.Tags",
    "System.History",
    "Microsoft.VSTS.Common.Priority",
)


def field_json(call: Call, known: Tree) -> Tree:
    """A field as answered."""
    return {
        "name": known["name"],
        "referenceName": known["referenceName"],
        "description": known.get("description"),
        "type": known["type"],
        "usage": "workItem",
        "readOnly": known["readOnly"],
        "canSortBy": True,
        "isQueryable": True,
        "supportedOperations": [],
        "isIdentity": known["isIdentity"],
        "isPicklist": bool(known.get("allowedValues")),
        "isPicklistSuggested": False,
        "isDeleted": False,
        "url": call.url("_apis/wit/fields", known["referenceName"]),
    }


def type_fields(call: Call, project: Tree, kind: WorkItemType) -> list[Tree]:
    """The fields of a type: the common ones and what the process adds."""
    own = [f for f in custom_fields(call.org, project).values() if f.get("type_name") == kind.name]
    listed = [FIELDS[r.lower()] for r in _COMMON] + own
    return [
        {
            "referenceName": f["referenceName"],
            "name": f["name"],
            "alwaysRequired": f["referenceName"]
            in {"System.Title", "System.State", "System.AreaPath", "System.IterationPath"}
            or bool(f.get("required")),
            "dependentFields": [],
            "defaultValue": None,
            "allowedValues": list(f.get("allowedValues") or ALLOWED_VALUES.get(f["referenceName"], ())),
            "helpText": f.get("description"),
            "url": call.url("_apis/wit/fields", f["referenceName"]),
        }
        for f in listed
    ]


def type_json(call: Call, project: Tree, kind: WorkItemType) -> Tree:
    """A work item type as answered."""
    names = [s.name for s in kind.states]
    # Any state may follow any other, in all four processes.
    transitions: Tree = {"": [{"to": names[0], "actions": None}]}
    transitions |= {s: [{"to": t, "actions": None} for t in names] for s in names}
    return {
        "name": kind.name,
        "referenceName": kind.reference,
        "description": "",
        "color": kind.color,
        "icon": {"id": kind.icon, "url": call.url("_apis/wit/workItemIcons", kind.icon)},
        "isDisabled": False,
        "xmlForm": "",
        "fields": type_fields(call, project, kind),
        "fieldInstances": type_fields(call, project, kind),
        "transitions": transitions,
        "states": [s.as_json() for s in kind.states],
        "url": call.url(project["id"], "_apis/wit/workItemTypes", kind.name),
    }


@serves("GET", "wit/workItemTypes/{type}")
def get_types(call: Call) -> object:
    """One type or all of the project's process."""
    project = call.project
    if "type" in call.values:
        return type_json(call, project, work_item_type(call.org, project, call.values["type"]))
    return [type_json(call, project, t) for t in process_of(call.org, project).types.values()]


@serves("GET", "wit/workitemtypes/{type}/states")
def get_states(call: Call) -> list[Tree]:
    """The states of a type."""
    return [s.as_json() for s in work_item_type(call.org, call.project, call.value("type")).states]


@serves("GET", "wit/workitemtypes/{type}/fields/{field}")
def get_type_fields(call: Call) -> object:
    """One field of a type, or all."""
    kind = work_item_type(call.org, call.project, call.value("type"))
    listed = type_fields(call, call.project, kind)
    if "field" not in call.values:
        return listed
    wanted = call.values["field"].lower()
    found = next((f for f in listed if wanted in {f["referenceName"].lower(), f["name"].lower()}), None)
    if found is None:
        raise _no_field(call.values["field"])
    return found


@serves("GET", "wit/workItemTypeCategories/{category}")
def get_categories(call: Call) -> object:
    """Categories: what bugs, tasks, requirements, features, epics and test things are called here."""
    project = call.project
    process = process_of(call.org, project)
    named = [(b.id, b.name, list(b.types)) for b in process.backlogs]
    if "Bug" in process.types:
        named.append((BUG_CATEGORY, "Bugs", ["Bug"]))
    named += [(f"Microsoft.{n.replace(' ', '')}Category", n, [n]) for n in ("Test Case", "Test Plan", "Test Suite")]
    listed = []
    for reference, name, types in named:
        references = [{"name": t, "url": call.url(project["id"], "_apis/wit/workItemTypes", t)} for t in types]
        url = call.url(project["id"], "_apis/wit/workItemTypeCategories", reference)
        listed.append(
            {
                "name": name,
                "referenceName": reference,
                "defaultWorkItemType": references[0],
                "workItemTypes": references,
                "url": url,
            }
        )
    if "category" not in call.values:
        return listed
    found = next((c for c in listed if c["referenceName"] == call.values["category"]), None)
    if found is None:
        message = f"VS402324: Work item type category {call.values['category']} does not exist."
        raise errors.not_found(message, "WorkItemTypeCategoryNotFoundException", errors.WORK)
    return found


@serves("GET", "wit/workItemRelationTypes/{relation}")
def get_relation_types(call: Call) -> object:
    """One relation type or all."""

    def entry(reference: str) -> Tree:
        url = call.url("_apis/wit/workItemRelationTypes", reference)
        return {**LINK_TYPES[reference], "referenceName": reference, "url": url}

    if "relation" not in call.values:
        return [entry(r) for r in LINK_TYPES]
    if call.values["relation"] not in LINK_TYPES:
        message = f"TF201032: The link type {call.values['relation']} is not valid or it does not exist."
        raise errors.not_found(message, "WorkItemLinkTypeNotFoundException", errors.WORK)
    return entry(call.values["relation"])


def _no_field(name: str) -> errors.ServiceError:
    return errors.not_found(
        f"TF51535: Cannot find field {name}.", "WorkItemTrackingFieldDefinitionNotFoundException", errors.WORK
    )


def _all_fields(call: Call) -> dict[str, Tree]:
    found = dict(FIELDS)
    for custom in call.org["processes"].values():
        found |= {f["referenceName"].lower(): f for own in custom["types"].values() for f in own["fields"]}
        found |= {k.lower(): f for k, f in custom.get("loose_fields", {}).items()}
    return found | call.org.get("fields", {})


@serves("GET", "wit/fields/{fieldNameOrRefName}")
def get_fields(call: Call) -> object:
    """One field or all."""
    known = _all_fields(call)
    if "fieldNameOrRefName" not in call.values:
        return [field_json(call, f) for f in known.values()]
    found = find_field(call.values["fieldNameOrRefName"], known)
    if found is None:
        raise _no_field(call.values["fieldNameOrRefName"])
    return field_json(call, found)


@serves("POST", "wit/fields/{fieldNameOrRefName}", Level.COLLECTION_ADMINISTRATOR)
def create_field(call: Call) -> Reply:
    """Create a field of the organization."""
    body = call.json()
    name = str(body.get("name") or "")
    if not name:
        raise errors.missing_value("name")
    reference = str(body.get("referenceName") or f"Custom.{name.replace(' ', '')}")
    if find_field(reference, _all_fields(call)) or find_field(name, _all_fields(call)):
        message = f"VS402803: A field with the name {name} already exists."
        raise errors.ServiceError(409, message, "FieldAlreadyExistsException", namespace=errors.WORK)
    field = {
        "referenceName": reference,
        "name": name,
        "type": str(body.get("type") or "string"),
        "readOnly": bool(body.get("readOnly")),
        "isIdentity": body.get("type") == "identity",
        "description": body.get("description"),
    }
    call.org.setdefault("fields", {})[reference.lower()] = field
    return Reply(field_json(call, field), 201)


@serves("GET", "wit/tags/{tagIdOrName}")
def get_tags(call: Call) -> object:
    """The tags work items of the project carry."""
    project = call.project
    names: dict[str, None] = {}
    for item in call.org["work_items"].values():
        if item["project"] == project["id"]:
            names |= dict.fromkeys(str(item["fields"].get("System.Tags") or "").split("; "))
    listed = [
        {
            "id": stable_id("tag", project["id"], n.lower()),
            "name": n,
            "url": call.url(project["id"], "_apis/wit/tags", stable_id("tag", project["id"], n.lower())),
        }
        for n in sorted(filter(None, names))
    ]
    if "tagIdOrName" not in call.values:
        return listed
    wanted = call.values["tagIdOrName"].lower()
    found = next((t for t in listed if wanted in {t["id"], t["name"].lower()}), None)
    if found is None:
        raise errors.not_found(f"TF237103: The tag {wanted} does not exist.", "TagNotFoundException", errors.WORK)
    return found
