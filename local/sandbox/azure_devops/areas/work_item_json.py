"""Writes work items, their links and relations as the service does."""

from __future__ import annotations

from typing import Any

from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.identities import subject_ref
from local.sandbox.azure_devops.service import Service, Tree
from local.sandbox.azure_devops.work_item_links import (
    LINK_TYPES,
    parent_of,
)


def shown_value(service: Service, org: Tree, value: Any) -> Any:
    """A stored value as answered: people in full."""
    if isinstance(value, dict) and "$user" in value:
        from local.sandbox.azure_devops.identities import find_subject

        subject = find_subject(org, value["$user"])
        return subject_ref(service, org, subject) if subject else None
    return value


def item_fields(service: Service, org: Tree, item: Tree) -> Tree:
    """The fields of a work item as answered, those derived from links and comments included."""
    fields = {k: shown_value(service, org, v) for k, v in item["fields"].items()}
    fields["System.CommentCount"] = sum(not c.get("deleted") for c in item["comments"])
    parent = parent_of(item)
    if parent is not None:
        fields["System.Parent"] = parent
    return fields


def item_json(call: Call, item: Tree, *, fields: list[str] | None = None, expand: str = "none") -> Tree:
    """A work item as answered."""
    held = item_fields(call.service, call.org, item)
    if fields:
        wanted = {f.lower() for f in fields}
        held = {
            k: v
            for k, v in ({"System.Id": item["id"], "System.Rev": item["rev"]} | held).items()
            if k.lower() in wanted
        }
    url = item_url(call, item)
    answer: Tree = {"id": item["id"], "rev": item["rev"], "fields": held}
    if expand in {"relations", "all"} and item["links"]:
        answer["relations"] = [relation_json(call, link) for link in item["links"]]
    if expand in {"links", "all"}:
        answer["_links"] = item_links(call, item)
    if item["comments"] and expand == "all":
        answer["commentVersionRef"] = {
            "commentId": item["comments"][-1]["id"],
            "version": 1,
            "url": f"{url}/comments/{item['comments'][-1]['id']}",
        }
    answer["url"] = url
    return answer


def item_url(call: Call, item: Tree) -> str:
    """The address of a work item."""
    return call.url(item["project"], "_apis/wit/workItems", str(item["id"]))


def item_links(call: Call, item: Tree) -> Tree:
    """The links of a work item."""
    url, project = item_url(call, item), item["project"]
    name = call.org["projects"][project]["name"]
    kind = item["fields"]["System.WorkItemType"]
    return {
        "self": {"href": url},
        "workItemUpdates": {"href": f"{url}/updates"},
        "workItemRevisions": {"href": f"{url}/revisions"},
        "workItemComments": {"href": f"{url}/comments"},
        "html": {"href": call.url(name, "_workitems/edit", str(item["id"]))},
        "workItemType": {"href": call.url(project, "_apis/wit/workItemTypes", kind)},
        "fields": {"href": call.url(project, "_apis/wit/fields")},
    }


def relation_json(call: Call, link: Tree) -> Tree:
    """One relation as answered."""
    name = LINK_TYPES[link["rel"]]["name"]
    if "target" in link:
        other = call.org["work_items"].get(str(link["target"])) or call.org["recycle_bin"].get(str(link["target"]))
        project = other["project"] if other else ""
        url = call.url(project, "_apis/wit/workItems", str(link["target"]))
        return {"rel": link["rel"], "url": url, "attributes": {"isLocked": False, "name": name, **link["attributes"]}}
    return {"rel": link["rel"], "url": link["url"], "attributes": {**link["attributes"]}}
