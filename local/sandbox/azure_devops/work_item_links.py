"""Keeps links between work items the same from both ends, and refuses second parents, circles and doubles."""

from __future__ import annotations

import re

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.service import Tree

PARENT, CHILD = "System.LinkTypes.Hierarchy-Reverse", "System.LinkTypes.Hierarchy-Forward"
RELATED = "System.LinkTypes.Related"

_PAIRS = {
    "System.LinkTypes.Hierarchy": ("Child", "Parent", "tree"),
    "System.LinkTypes.Dependency": ("Successor", "Predecessor", "dependency"),
    "System.LinkTypes.Duplicate": ("Duplicate", "Duplicate Of", "tree"),
    "Microsoft.VSTS.Common.Affects": ("Affects", "Affected By", "dependency"),
    "Microsoft.VSTS.Common.TestedBy": ("Tested By", "Tests", "dependency"),
    "Microsoft.VSTS.TestCase.SharedStepReferencedBy": ("Test Case", "Shared Steps", "dependency"),
    "Microsoft.VSTS.TestCase.SharedParameterReferencedBy": ("Referenced By", "References", "dependency"),
    "System.LinkTypes.Remote.Dependency": ("Produces For", "Consumes From", "dependency"),
}
RESOURCE_LINKS = {"ArtifactLink": "Artifact Link", "Hyperlink": "Hyperlink", "AttachedFile": "Attached File"}


def _link_types() -> dict[str, Tree]:
    found: dict[str, Tree] = {}
    for base, (forward, reverse, topology) in _PAIRS.items():
        for end, other, name in (("Forward", "Reverse", forward), ("Reverse", "Forward", reverse)):
            found[f"{base}-{end}"] = {
                "name": name,
                "attributes": {
                    "usage": "workItemLink",
                    "editable": base.startswith("Microsoft."),
                    "enabled": True,
                    "acyclic": True,
                    "directional": True,
                    "singleTarget": topology != "tree",
                    "topology": topology,
                    "remote": ".Remote." in base,
                    "isForward": end == "Forward",
                    "oppositeEndReferenceName": f"{base}-{other}",
                },
            }
    found[RELATED] = {
        "name": "Related",
        "attributes": {
            "usage": "workItemLink",
            "editable": False,
            "enabled": True,
            "acyclic": False,
            "directional": False,
            "singleTarget": True,
            "topology": "network",
            "remote": False,
        },
    }
    for reference, name in RESOURCE_LINKS.items():
        found[reference] = {
            "name": name,
            "attributes": {
                "usage": "resourceLink",
                "editable": False,
                "enabled": True,
                "directional": False,
                "remote": False,
            },
        }
    return found


LINK_TYPES = _link_types()
"""Every relation type by reference name."""


def opposite(rel: str) -> str:
    """The other end of a link type."""
    return str(LINK_TYPES[rel]["attributes"].get("oppositeEndReferenceName", rel))


def target_of(call: Call, url: str) -> Tree:
    """The work item a relation's address points at; raises a refusal."""
    found = re.search(r"/workitems/(\d+)/?$", url, re.IGNORECASE)
    if not found:
        raise errors.invalid(
            f"VS402622: The relation url '{url}' is not a valid work item address.",
            "WorkItemLinkInvalidException",
            errors.WORK,
        )
    return find_item(call.org, int(found.group(1)))


def find_item(org: Tree, number: int) -> Tree:
    """A work item that is not deleted; raises TF401232."""
    item = org["work_items"].get(str(number))
    if item is None:
        message = f"TF401232: Work item {number} does not exist, or you do not have permissions to read it."
        raise errors.not_found(message, "WorkItemUnauthorizedAccessException", errors.WORK)
    return item  # type: ignore[no-any-return]


def parent_of(item: Tree) -> int | None:
    """The parent's number."""
    return next((link["target"] for link in item["links"] if link.get("rel") == PARENT), None)


def children_of(item: Tree) -> list[int]:
    """The numbers of the children."""
    return [link["target"] for link in item["links"] if link.get("rel") == CHILD]


def add_link(call: Call, item: Tree, relation: Tree) -> Tree | None:
    """Add one relation to `item` and its other end; the other work item, None for links to elsewhere."""
    rel = str(relation["rel"])
    known = next((r for r in LINK_TYPES if r.lower() == rel.lower()), None)
    if known is None:
        message = f"TF201032: The link type {rel} is not valid or it does not exist."
        raise errors.invalid(message, "WorkItemLinkTypeNotFoundException", errors.WORK)
    attributes = dict(relation.get("attributes") or {})
    if known in RESOURCE_LINKS:
        if any(link["rel"] == known and link.get("url") == relation["url"] for link in item["links"]):
            raise _double()
        item["links"].append({"rel": known, "url": relation["url"], "attributes": attributes})
        return None
    other = target_of(call, str(relation["url"]))
    if other["id"] == item["id"]:
        message = f"TF201039: You cannot link work item {item['id']} to itself."
        raise errors.invalid(message, "WorkItemLinkInvalidException", errors.WORK)
    if any(link["rel"] == known and link.get("target") == other["id"] for link in item["links"]):
        raise _double()
    _check_hierarchy(call.org, item, other, known)
    item["links"].append({"rel": known, "target": other["id"], "attributes": attributes})
    other["links"].append({"rel": opposite(known), "target": item["id"], "attributes": dict(attributes)})
    return other


def _double() -> errors.ServiceError:
    message = "VS402625: Relation already exists. A work item cannot hold the same relation twice."
    return errors.invalid(message, "RelationAlreadyExistsException", errors.WORK)


def _check_hierarchy(org: Tree, item: Tree, other: Tree, rel: str) -> None:
    if rel not in {PARENT, CHILD}:
        if LINK_TYPES[rel]["attributes"].get("acyclic") and _reaches(org, other, item["id"], rel):
            raise _circular(LINK_TYPES[rel]["name"], other["id"])
        return
    parent, child = (other, item) if rel == PARENT else (item, other)
    name = LINK_TYPES[rel]["name"]
    if parent_of(child) is not None:
        message = (
            f"TF201036: You cannot add a {name} link between work items {item['id']} and {other['id']} because a work "
            "item can have only one Parent link."
        )
        raise errors.invalid(message, "WorkItemLinkInvalidException", errors.WORK)
    if _reaches(org, child, parent["id"], CHILD):
        raise _circular(name, other["id"])


def _circular(name: str, number: int) -> errors.ServiceError:
    message = (
        f"TF201035: You cannot add a {name} link to work item {number} because it would result in a circular "
        "relationship between the work items."
    )
    return errors.invalid(message, "WorkItemLinkInvalidException", errors.WORK)


def _reaches(org: Tree, start: Tree, wanted: int, rel: str) -> bool:
    waiting, seen = [start], set()
    while waiting:
        current = waiting.pop()
        if current["id"] == wanted:
            return True
        if current["id"] in seen:
            continue
        seen.add(current["id"])
        for link in current["links"]:
            if link["rel"] == rel and str(link["target"]) in org["work_items"]:
                waiting.append(org["work_items"][str(link["target"])])
    return False


def remove_link(org: Tree, item: Tree, index: int) -> Tree | None:
    """Remove the relation at `index` and its other end; the other work item."""
    if not 0 <= index < len(item["links"]):
        message = f"VS402624: The relation index {index} is out of range."
        raise errors.invalid(message, "PatchOperationFailedException", errors.WEBAPI)
    link = item["links"].pop(index)
    other = org["work_items"].get(str(link.get("target")))
    if other is None:
        return None
    back = opposite(link["rel"])
    other["links"] = [x for x in other["links"] if not (x["rel"] == back and x.get("target") == item["id"])]
    return other  # type: ignore[no-any-return]
