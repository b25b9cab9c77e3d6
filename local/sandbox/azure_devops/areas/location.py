"""Says who is connected, and that every resource area is served from the organization's own address."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, serves
from local.sandbox.azure_devops.identities import descriptor_of, find_subject
from local.sandbox.azure_devops.service import Tree, new_id, stable_id


@serves("GET", "ResourceAreas/{areaId}", Level.NONE)
def resource_areas(call: Call) -> object:
    """None are listed: clients then use the address they were given."""
    if "areaId" in call.values:
        message = f"VS800086: The resource area {call.values['areaId']} does not exist."
        raise errors.not_found(message, "ResourceAreaNotFoundException", errors.FRAMEWORK)
    return []


@serves("GET", "ConnectionData", Level.NONE)
def connection_data(call: Call) -> Tree:
    """The authenticated user and the instance."""
    user = identity(call, call.user)
    return {
        "authenticatedUser": user,
        "authorizedUser": user,
        "instanceId": call.org["id"],
        "deploymentId": stable_id("deployment"),
        "deploymentType": "hosted",
        "locationServiceData": {
            "serviceOwner": "00025394-6065-48ca-87d9-7f5672854ef7",
            "defaultAccessMappingMoniker": "PublicAccessMapping",
            "lastChangeId": 1,
            "lastChangeId64": 1,
        },
    }


def identity(call: Call, subject: Tree) -> Tree:
    """A person or group as the identity service writes it."""
    person = "mail" in subject
    account = subject["mail"] if person else subject["name"]
    kind = "Microsoft.IdentityModel.Claims.ClaimsIdentity" if person else "Microsoft.TeamFoundation.Identity"
    return {
        "id": subject["id"],
        "descriptor": f"{kind};{stable_id('tenant')}\\{account}",
        "subjectDescriptor": descriptor_of(subject),
        "providerDisplayName": subject["name"] if person else f"[{subject['scope']}]\\{subject['name']}",
        "customDisplayName": subject["name"] if person else None,
        "isActive": True,
        "isContainer": not person,
        "members": [],
        "memberOf": [],
        "properties": {"Account": {"$type": "System.String", "$value": account}},
        "resourceVersion": 2,
        "metaTypeId": 0,
    }


@serves("GET", "Identities/{identityId}")
def identities(call: Call) -> object:
    """One identity by id, or those a search filter or list of descriptors names."""
    if "identityId" in call.values:
        return identity(call, _subject(call, call.values["identityId"]))
    listed = call.text("subjectDescriptors") or call.text("identityIds") or call.text("descriptors")
    if listed:
        found = [find_subject(call.org, part.strip()) for part in listed.split(",")]
    else:
        found = [_matching(call, call.text("filterValue"))]
    return [identity(call, subject) for subject in found if subject is not None]


def _matching(call: Call, text: str) -> Tree | None:
    return find_subject(call.org, text) if text else None


def _subject(call: Call, text: str) -> Tree:
    subject = find_subject(call.org, text)
    if subject is None:
        message = f"TF14045: The identity with TeamFoundationId {text} could not be found."
        raise errors.not_found(message, "IdentityNotFoundException", "Microsoft.VisualStudio.Services.Identity")
    return subject


def operation_answer(call: Call, operation_id: str) -> Tree:
    """The reference a queued operation answers with."""
    return {"id": operation_id, "status": "notSet", "url": call.url("_apis/operations", operation_id)}


def new_operation(call: Call, kind: str, project_id: str, seconds: float) -> Tree:
    """Queue an operation on a project that ends `seconds` from now."""
    operation: Tree = {
        "id": new_id(),
        "kind": kind,
        "project": project_id,
        "started": call.stamp(),
        "seconds": seconds,
        "done": False,
        "result": "",
    }
    call.org["operations"][operation["id"]] = operation
    return operation
