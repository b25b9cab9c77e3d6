"""Serves the discussion and the recycle bin of work items."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.work_item_json import item_url
from local.sandbox.azure_devops.areas.work_items import deleted_json, item_of, project_of, record_update
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree
from local.sandbox.azure_devops.work_item_links import add_link, find_item

_ROUTE = "wit/workItems/{workItemId}/comments/{commentId}"


def comment_json(call: Call, item: Tree, comment: Tree) -> Tree:
    """A comment as answered."""
    by = identity_ref(call.service, call.org, call.org["users"].get(comment["by"], call.user))
    return {
        "workItemId": item["id"],
        "id": comment["id"],
        "version": comment["version"],
        "text": comment["text"],
        "renderedText": comment["text"],
        "format": comment["format"],
        "createdBy": by,
        "createdDate": comment["created"],
        "modifiedBy": by,
        "modifiedDate": comment["modified"],
        "isDeleted": comment["deleted"],
        "url": f"{item_url(call, item)}/comments/{comment['id']}",
    }


def store_comment(call: Call, item: Tree, text: str, form: str = "html") -> Tree:
    """Keep a comment without telling anyone."""
    stamp = call.stamp()
    comment: Tree = {
        "id": call.service.number(call.org, "work-item-comment"),
        "version": 1,
        "text": text,
        "format": form,
        "by": call.user["id"],
        "created": stamp,
        "modified": stamp,
        "deleted": False,
    }
    item["comments"].append(comment)
    return comment


def add_comment(call: Call, item: Tree, text: str, form: str = "html") -> Tree:
    """Comment on a work item: a revision of its own, and two events."""
    project = project_of(call, item)
    comment = store_comment(call, item, text, form)
    before = dict(item["fields"])
    item["rev"] += 1
    item["fields"]["System.ChangedDate"], item["fields"]["System.ChangedBy"] = call.stamp(), {"$user": call.user["id"]}
    item["revisions"].append({**item["fields"], "System.History": text})
    update = record_update(call, item, before, [], [])
    update["fields"]["System.History"] = {"newValue": text}
    facts = {"project": project, "item": item, "user": call.user, "update": update, "comment": text}
    call.service.emit(call.org, "workitem.updated", facts)
    call.service.emit(call.org, "workitem.commented", facts)
    return comment


def _comment_of(call: Call, item: Tree) -> Tree:
    wanted = call.value("commentId")
    found = next((c for c in item["comments"] if str(c["id"]) == wanted and not c["deleted"]), None)
    if found is None:
        message = f"VS403668: The comment {wanted} of work item {item['id']} does not exist."
        raise errors.not_found(message, "CommentNotFoundException", errors.WORK)
    return found  # type: ignore[no-any-return]


@serves("GET", _ROUTE)
def get_comments(call: Call) -> object:
    """One comment, or all, newest first unless asked otherwise."""
    item = item_of(call, "workItemId")
    if "commentId" in call.values:
        return comment_json(call, item, _comment_of(call, item))
    shown = [c for c in item["comments"] if not c["deleted"] or call.flag("includeDeleted")]
    if call.text("order", "desc").lower() == "desc":
        shown = shown[::-1]
    start = call.integer("continuationToken")
    listed = shown[start : start + call.integer("$top", 200)]
    answer = {"totalCount": len(shown), "count": len(listed), "comments": [comment_json(call, item, c) for c in listed]}
    if start + len(listed) < len(shown):
        answer["continuationToken"] = str(start + len(listed))
    return answer


@serves("POST", _ROUTE)
def create_comment(call: Call) -> Tree:
    """Add a comment."""
    item = item_of(call, "workItemId")
    text = call.json().get("text")
    if not isinstance(text, str) or not text.strip():
        raise errors.missing_value("text")
    return comment_json(call, item, add_comment(call, item, text, call.text("format", "html").lower()))


@serves("PATCH", _ROUTE)
def update_comment(call: Call) -> Tree:
    """Edit a comment."""
    item = item_of(call, "workItemId")
    comment = _comment_of(call, item)
    comment["text"] = str(call.json().get("text") or comment["text"])
    comment["version"] += 1
    comment["modified"] = call.stamp()
    return comment_json(call, item, comment)


@serves("DELETE", _ROUTE)
def delete_comment(call: Call) -> Reply:
    """Delete a comment."""
    item = item_of(call, "workItemId")
    _comment_of(call, item)["deleted"] = True
    return Reply(None, 204)


def _deleted_of(call: Call) -> Tree:
    number = call.value("id")
    item = call.org["recycle_bin"].get(number)
    if item is None or item["project"] not in {p["id"] for p in call.projects()}:
        message = f"TF401232: Work item {number} does not exist, or you do not have permissions to read it."
        raise errors.not_found(message, "WorkItemUnauthorizedAccessException", errors.WORK)
    return item  # type: ignore[no-any-return]


@serves("GET", "wit/recyclebin/{id}")
def get_deleted(call: Call) -> object:
    """One deleted work item, or references to all."""
    if "id" in call.values:
        return deleted_json(call, _deleted_of(call))
    ids = {p["id"] for p in call.projects()}
    return [
        {"id": item["id"], "url": call.url(item["project"], "_apis/wit/recycleBin", str(item["id"]))}
        for item in call.org["recycle_bin"].values()
        if item["project"] in ids
    ]


@serves("PATCH", "wit/recyclebin/{id}", Level.READER)
def restore(call: Call) -> Tree:
    """Restore a deleted work item with those links whose other ends still allow them."""
    item = _deleted_of(call)
    project = call.org["projects"][item["project"]]
    call.require(Level.CONTRIBUTOR, project)
    if call.json().get("isDeleted", False):
        raise errors.invalid(
            "VS402323: isDeleted must be false to restore a work item.", "VssPropertyValidationException", errors.WORK
        )
    del call.org["recycle_bin"][str(item["id"])]
    call.org["work_items"][str(item["id"])] = item
    links, item["links"] = item["links"], []
    for link in links:
        if "target" not in link:
            item["links"].append(link)
            continue
        try:
            find_item(call.org, link["target"])
            add_link(
                call,
                item,
                {"rel": link["rel"], "url": f"/workitems/{link['target']}", "attributes": link["attributes"]},
            )
        except errors.ServiceError:
            continue  # the other end is gone or has another parent by now
    answer = deleted_json(call, item)
    call.service.emit(call.org, "workitem.restored", {"project": project, "item": item, "user": call.user})
    return answer


@serves("DELETE", "wit/recyclebin/{id}", Level.READER)
def destroy(call: Call) -> Reply:
    """Destroy a deleted work item."""
    item = _deleted_of(call)
    call.require(Level.PROJECT_ADMINISTRATOR, call.org["projects"][item["project"]])
    del call.org["recycle_bin"][str(item["id"])]
    return Reply(None, 204)
