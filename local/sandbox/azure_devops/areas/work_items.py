"""Creates, reads, changes and deletes work items, as the tracker does."""

from __future__ import annotations

from typing import Any

from local.sandbox.azure_devops import errors, work_item_patch
from local.sandbox.azure_devops.areas.work_item_json import item_json, relation_json
from local.sandbox.azure_devops.call import Call, Level, Reply, serves, whole_number
from local.sandbox.azure_devops.identities import level_of
from local.sandbox.azure_devops.processes_model import work_item_type
from local.sandbox.azure_devops.service import Tree, parse_time
from local.sandbox.azure_devops.work_item_links import (
    add_link,
    find_item,
    remove_link,
)

_TEST_TYPES = frozenset({"Test Plan", "Test Suite"})
"""Plans and suites hold more than their work item, which therefore goes only with them."""


def project_of(call: Call, item: Tree) -> Tree:
    """The project of a work item the user can see; raises TF401232."""
    project: Tree | None = call.org["projects"].get(item["project"])
    if project is None or level_of(call.user, project) < Level.READER or (call.scope and call.project is not project):
        message = f"TF401232: Work item {item['id']} does not exist, or you do not have permissions to read it."
        raise errors.not_found(message, "WorkItemUnauthorizedAccessException", errors.WORK)
    return project


def item_of(call: Call, name: str = "id") -> Tree:
    """The work item of the route."""
    item = find_item(call.org, call.int_value(name, not_a_number))
    project_of(call, item)
    return item


def not_a_number(text: str) -> errors.ServiceError:
    message = f"TF401232: Work item {text} does not exist, or you do not have permissions to read it."
    return errors.not_found(message, "WorkItemUnauthorizedAccessException", errors.WORK)


def _changes(before: Tree, after: Tree) -> Tree:
    changed: Tree = {}
    for key in {**before, **after}:
        if before.get(key) != after.get(key):
            entry = {"oldValue": before.get(key), "newValue": after.get(key)}
            changed[key] = {k: v for k, v in entry.items() if v is not None}
    return changed


def record_update(call: Call, item: Tree, before: Tree, added: list[Tree], removed: list[Tree]) -> Tree:
    """Append to the history of a work item what changed in this request."""
    update: Tree = {
        "id": len(item["updates"]) + 1,
        "rev": item["rev"],
        "by": call.user["id"],
        "date": call.stamp(),
        "fields": _changes(before, item["fields"]),
        "added": added,
        "removed": removed,
    }
    item["updates"].append(update)
    return update


def create_item(
    call: Call, project: Tree, type_name: str, operations: list[Any], *, validate_only: bool = False
) -> Tree:
    """Create a work item from a JSON patch."""
    kind = work_item_type(call.org, project, type_name)
    patch = work_item_patch.parse(call, project, operations, None)
    fields = work_item_patch.new_fields(call, project, kind, patch)
    comment = fields.pop("System.History", None)
    stamp, me = call.stamp(), {"$user": call.user["id"]}
    item: Tree = {
        "id": 0,
        "rev": 1,
        "project": project["id"],
        "links": [],
        "comments": [],
        "updates": [],
        "revisions": [],
        "fields": fields,
    }
    fields |= {"System.CreatedDate": stamp, "System.CreatedBy": me, "System.ChangedDate": stamp, "System.ChangedBy": me}
    fields.setdefault("Microsoft.VSTS.Common.StateChangeDate", stamp)
    if validate_only:
        return item
    # Links are tried on the new item before it gets its number, so that a refusal creates nothing.
    item["id"] = -1
    others = [o for o in (add_link(call, item, relation) for relation in patch.added) if o is not None]
    item["id"] = call.service.number(call.org, "work-item")
    for other in others:
        for link in other["links"]:
            if link.get("target") == -1:
                link["target"] = item["id"]
    call.org["work_items"][str(item["id"])] = item
    item["revisions"].append(dict(fields))
    record_update(call, item, {}, [relation_json(call, link) for link in item["links"]], [])
    if comment:
        from local.sandbox.azure_devops.areas.work_item_comments import add_comment

        add_comment(call, item, str(comment))
    call.service.emit(call.org, "workitem.created", {"project": project, "item": item, "user": call.user})
    return item


@serves("POST", "wit/workItems/${type}")
def create(call: Call) -> Tree:
    """Create a work item of a type."""
    item = create_item(call, call.project, call.value("type"), call.json(list), validate_only=call.flag("validateOnly"))
    return item_json(call, item, expand="all")


@serves("GET", "wit/workItems/${type}")
def template(call: Call) -> Tree:
    """What a new work item of a type would hold."""
    kind = work_item_type(call.org, call.project, call.value("type"))
    patch = work_item_patch.Patch(fields={"System.Title": "-"})
    fields = work_item_patch.new_fields(call, call.project, kind, patch)
    del fields["System.Title"]
    return {"id": None, "rev": 0, "fields": fields, "url": ""}


@serves("GET", "wit/workItems/{id}")
def get(call: Call) -> object:
    """One work item, or those `ids` lists."""
    expand = call.text("$expand", "none").lower()
    fields = [f for f in call.text("fields").split(",") if f]
    if "id" in call.values:
        item = item_of(call)
        if call.text("asOf"):
            item = _as_of(item, call.text("asOf"))
        if not fields:
            expand = "all" if expand in {"relations", "all"} else "links"
        return item_json(call, item, fields=fields, expand=expand)
    ids = [part for part in call.text("ids").split(",") if part.strip()]
    return many(call, ids, fields, expand, call.text("errorPolicy", "fail").lower())


def _as_of(item: Tree, moment: str) -> Tree:
    held = [r for r in item["revisions"] if parse_time(r["System.ChangedDate"]) <= parse_time(moment)]
    if not held:
        message = f"TF401232: Work item {item['id']} does not exist, or you do not have permissions to read it."
        raise errors.not_found(message, "WorkItemUnauthorizedAccessException", errors.WORK)
    return {**item, "fields": held[-1], "rev": len(held)}


def many(call: Call, ids: list[str], fields: list[str], expand: str, policy: str) -> list[Tree | None]:
    """Several work items; unknown ones fail the request unless the error policy is omit."""
    if not ids:
        raise errors.missing_value("ids")
    if len(ids) > 200:
        message = (
            f"VS403474: You requested {len(ids)} work items which exceeds the limit of 200 work items per request."
        )
        raise errors.invalid(message, "WorkItemsBatchLimitExceededException", errors.WORK)
    if fields and expand not in {"none", "links", ""}:
        message = "The expand parameter can not be used with the fields parameter."
        raise errors.invalid(message, "ConflictingParametersException", errors.WORK)
    answers: list[Tree | None] = []
    for text in ids:
        try:
            number = whole_number(text.strip())
            if number is None:
                raise not_a_number(text)
            item = find_item(call.org, number)
            project_of(call, item)
            answers.append(item_json(call, item, fields=fields, expand=expand))
        except errors.ServiceError:
            if policy != "omit":
                raise
            answers.append(None)
    return answers


@serves("POST", "wit/workItemsBatch", Level.READER)
def batch(call: Call) -> list[Tree | None]:
    """Several work items named in the body."""
    body = call.json()
    expand = str(body.get("$expand") or "none").lower()
    return many(
        call,
        [str(i) for i in body.get("ids") or []],
        body.get("fields") or [],
        expand,
        str(body.get("errorPolicy") or "fail").lower(),
    )


@serves("PATCH", "wit/workItems/{id}", Level.READER)
def update(call: Call) -> Tree:
    """Change fields and relations by JSON patch."""
    item = item_of(call)
    project = project_of(call, item)
    call.require(Level.CONTRIBUTOR, project)
    operations = call.json(list)
    expected = whole_number(call.headers.get("if-match", "").strip('"'))
    if expected is not None and expected != item["rev"]:
        message = (
            "TF26071: This work item has been changed by someone else since you opened it. "
            "You will need to refresh it and discard your changes."
        )
        raise errors.ServiceError(409, message, "WorkItemRevisionMismatchException", namespace=errors.WORK)
    change_item(call, project, item, operations, validate_only=call.flag("validateOnly"))
    return item_json(call, item, expand="all")


def change_item(call: Call, project: Tree, item: Tree, operations: list[Any], *, validate_only: bool = False) -> None:
    """Apply a JSON patch: fields make a revision, links alone do not, a comment does."""
    patch = work_item_patch.parse(call, project, operations, item)
    kind = work_item_type(call.org, project, item["fields"]["System.WorkItemType"])
    comment = patch.fields.pop("System.History", None)
    before = dict(item["fields"])
    after = work_item_patch.apply(call, project, kind, before, patch)
    if validate_only:
        return
    removed = [relation_json(call, item["links"][i]) for i in patch.removed if i < len(item["links"])]
    undo = (
        [(w, [dict(link) for link in w["links"]]) for w in call.org["work_items"].values()]
        if patch.added or patch.removed
        else []
    )
    try:
        for index in sorted(patch.removed, reverse=True):
            remove_link(call.org, item, index)
        for index, attributes in patch.changed_relations.items():
            item["links"][index]["attributes"] |= attributes
        start = len(item["links"])
        for relation in patch.added:
            add_link(call, item, relation)
    except (errors.ServiceError, IndexError) as refusal:
        # A patch is applied whole or not at all, links of other work items included.
        for other, links in undo:
            other["links"] = links
        if isinstance(refusal, IndexError):
            raise errors.invalid(
                "VS402624: The relation index is out of range.", "PatchOperationFailedException", errors.WEBAPI
            ) from refusal
        raise
    added = [relation_json(call, link) for link in item["links"][start:]]
    if after != before or comment:
        item["fields"] = after
        item["rev"] += 1
        after["System.ChangedDate"], after["System.ChangedBy"] = call.stamp(), {"$user": call.user["id"]}
        item["revisions"].append(dict(after))
    if comment:
        from local.sandbox.azure_devops.areas.work_item_comments import store_comment

        store_comment(call, item, str(comment))
    if after != before or comment or added or removed:
        record = record_update(call, item, before, added, removed)
        facts = {"project": project, "item": item, "user": call.user, "update": record, "comment": comment}
        call.service.emit(call.org, "workitem.updated", facts)
        if comment:
            call.service.emit(call.org, "workitem.commented", facts)


@serves("DELETE", "wit/workItems/{id}", Level.READER)
def delete(call: Call) -> Tree | Reply:
    """Move a work item to the recycle bin, or destroy it."""
    item = item_of(call)
    project = project_of(call, item)
    call.require(Level.CONTRIBUTOR, project)
    if item["fields"]["System.WorkItemType"] in _TEST_TYPES:
        message = (
            f"TF401336: Work item {item['id']} is a test artifact and cannot be deleted here. "
            "Delete it with the test plan or suite it belongs to."
        )
        raise errors.invalid(message, "WorkItemDeletionNotSupportedException", errors.WORK)
    del call.org["work_items"][str(item["id"])]
    if call.flag("destroy"):
        for other in call.org["work_items"].values():
            other["links"] = [link for link in other["links"] if link.get("target") != item["id"]]
        return Reply(None, 204)
    item["deleted_by"], item["deleted_date"] = call.user["id"], call.stamp()
    for other in call.org["work_items"].values():
        other["links"] = [link for link in other["links"] if link.get("target") != item["id"]]
    call.org["recycle_bin"][str(item["id"])] = item
    call.service.emit(call.org, "workitem.deleted", {"project": project, "item": item, "user": call.user})
    return deleted_json(call, item)


def deleted_json(call: Call, item: Tree) -> Tree:
    """A deleted work item as answered."""
    project = call.org["projects"][item["project"]]
    return {
        "id": item["id"],
        "type": item["fields"]["System.WorkItemType"],
        "name": item["fields"]["System.Title"],
        "project": project["name"],
        "deletedDate": item["deleted_date"],
        "deletedBy": call.org["users"].get(item["deleted_by"], call.user)["name"],
        "code": 200,
        "url": call.url(project["id"], "_apis/wit/recycleBin", str(item["id"])),
        "resource": item_json(call, item, expand="none"),
    }
