"""Serves users, groups and memberships of the graph, member entitlements, and extensions installed."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.identities import descriptor_of, find_subject, groups_of
from local.sandbox.azure_devops.project_model import add_group
from local.sandbox.azure_devops.service import Tree, stable_id

_GRAPH = "Microsoft.VisualStudio.Services.Graph"


def subject_json(call: Call, subject: Tree) -> Tree:
    """A user or group as the graph writes it."""
    person = "mail" in subject
    kind = "user" if person else "group"
    descriptor = descriptor_of(subject)
    url = call.url(f"_apis/graph/{kind}s", descriptor)
    answer: Tree = {
        "subjectKind": kind,
        "displayName": subject["name"],
        "descriptor": descriptor,
        "origin": "aad" if person else "vsts",
        "originId": subject["id"],
        "principalName": subject["mail"] if person else f"[{subject['scope']}]\\{subject['name']}",
        "mailAddress": subject.get("mail"),
        "url": url,
        "_links": {"self": {"href": url}, "memberships": {"href": call.url("_apis/graph/memberships", descriptor)}},
    }
    if person:
        answer["domain"] = stable_id("tenant")
    else:
        answer["description"] = subject["description"]
        answer["domain"] = f"vstfs:///Classification/TeamProject/{subject.get('project_id', '')}"
    return answer


def _subject(call: Call, text: str) -> Tree:
    subject = find_subject(call.org, text)
    if subject is None:
        message = f"VS860016: Could not find the subject with descriptor '{text}'."
        raise errors.not_found(message, "GraphSubjectNotFoundException", _GRAPH)
    return subject


@serves("GET", "graph/users/{userDescriptor}")
def get_users(call: Call) -> object:
    """One user or all."""
    if "userDescriptor" in call.values:
        return subject_json(call, _subject(call, call.values["userDescriptor"]))
    return [subject_json(call, u) for u in call.org["users"].values()]


@serves("GET", "graph/groups/{groupDescriptor}")
def get_groups(call: Call) -> object:
    """One group, or all of the organization or a project's scope."""
    if "groupDescriptor" in call.values:
        return subject_json(call, _subject(call, call.values["groupDescriptor"]))
    scope = call.text("scopeDescriptor")
    found = groups_of(call.org)
    if scope:
        found = [g for g in found if scope == scope_descriptor(g.get("project_id", ""))]
    return [subject_json(call, g) for g in found]


def scope_descriptor(project_id: str) -> str:
    """The graph descriptor of a project."""
    return f"scp.{project_id}"


@serves("POST", "graph/groups/{groupDescriptor}", Level.PROJECT_ADMINISTRATOR)
def create_group(call: Call) -> Reply:
    """Create a group in a project's scope."""
    body = call.json()
    scope = call.text("scopeDescriptor").removeprefix("scp.")
    project = call.find_project(scope)
    call.require(Level.PROJECT_ADMINISTRATOR, project)
    name = str(body.get("displayName") or "")
    if not name:
        raise errors.missing_value("displayName")
    if any(g["name"].lower() == name.lower() for g in (*project["groups"].values(), *project["teams"].values())):
        message = f"TF50219: A team or group with the name {name} already exists in project {project['name']}."
        raise errors.invalid(message, "GroupCreationException", errors.CORE)
    return Reply(subject_json(call, add_group(project, name, str(body.get("description") or ""))), 201)


@serves("GET", "graph/descriptors/{storageKey}")
def get_descriptor(call: Call) -> Tree:
    """The descriptor of a storage key; projects have one too."""
    key = call.value("storageKey").lower()
    if key in call.org["projects"]:
        return {"value": scope_descriptor(key), "_links": {}}
    return {"value": descriptor_of(_subject(call, key)), "_links": {}}


@serves("GET", "graph/storagekeys/{subjectDescriptor}")
def get_storage_key(call: Call) -> Tree:
    """The storage key of a descriptor."""
    return {"value": _subject(call, call.value("subjectDescriptor"))["id"], "_links": {}}


def _membership(call: Call, member: Tree, container: Tree) -> Tree:
    return {"memberDescriptor": descriptor_of(member), "containerDescriptor": descriptor_of(container), "_links": {}}


@serves("GET", "graph/Memberships/{subjectDescriptor}")
@serves("GET", "graph/memberships/{subjectDescriptor}/{containerDescriptor}")
def get_memberships(call: Call) -> object:
    """The groups of a subject, or with direction=down the members of a group."""
    subject = _subject(call, call.value("subjectDescriptor"))
    if "containerDescriptor" in call.values:
        container = _subject(call, call.values["containerDescriptor"])
        if subject["id"] not in container.get("members", []):
            raise errors.not_found(
                "VS860034: The membership does not exist.", "GraphMembershipNotFoundException", _GRAPH
            )
        return _membership(call, subject, container)
    if call.text("direction", "up").lower() == "down":
        return [
            _membership(call, m, subject) for m in (find_subject(call.org, i) for i in subject.get("members", [])) if m
        ]
    return [_membership(call, subject, g) for g in groups_of(call.org) if subject["id"] in g["members"]]


def _may_manage(call: Call, container: Tree) -> None:
    project = call.org["projects"].get(container.get("project_id", ""))
    call.require(Level.PROJECT_ADMINISTRATOR if project else Level.COLLECTION_ADMINISTRATOR, project)


@serves("PUT", "graph/memberships/{subjectDescriptor}/{containerDescriptor}", Level.READER)
def add_membership(call: Call) -> Reply:
    """Put a subject into a group or team."""
    subject, container = (
        _subject(call, call.value("subjectDescriptor")),
        _subject(call, call.value("containerDescriptor")),
    )
    _may_manage(call, container)
    if "members" not in container:
        raise errors.invalid("VS860035: The container is not a group.", "GraphBadRequestException", _GRAPH)
    if subject["id"] not in container["members"]:
        container["members"].append(subject["id"])
    return Reply(_membership(call, subject, container), 201)


@serves("DELETE", "graph/memberships/{subjectDescriptor}/{containerDescriptor}", Level.READER)
def remove_membership(call: Call) -> Reply:
    """Take a subject out of a group or team."""
    subject, container = (
        _subject(call, call.value("subjectDescriptor")),
        _subject(call, call.value("containerDescriptor")),
    )
    _may_manage(call, container)
    container["members"] = [m for m in container.get("members", []) if m != subject["id"]]
    return Reply(None, 204)


def _entitlement(call: Call, user: Tree) -> Tree:
    level = call.org["entitlements"].get(user["id"], "express")
    return {
        "id": user["id"],
        "user": subject_json(call, user),
        "accessLevel": {
            "accountLicenseType": level,
            "licensingSource": "account",
            "status": "active",
            "licenseDisplayName": "Basic" if level == "express" else level,
        },
        "lastAccessedDate": call.stamp(),
        "projectEntitlements": [],
        "groupAssignments": [],
    }


@serves("GET", "UserEntitlements")
@serves("GET", "UserEntitlements/{userId}")
def get_entitlements(call: Call) -> object:
    """One person's access level, or everyone's."""
    if "userId" in call.values:
        return _entitlement(call, _subject(call, call.values["userId"]))
    members = [_entitlement(call, u) for u in call.org["users"].values()]
    return {"members": members, "items": members, "continuationToken": None, "totalCount": len(members)}
