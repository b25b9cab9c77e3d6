"""Serves the updates and revisions of a work item."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.work_item_json import item_url, shown_value
from local.sandbox.azure_devops.areas.work_items import item_of, not_a_number
from local.sandbox.azure_devops.call import Call, serves
from local.sandbox.azure_devops.identities import identity_ref
from local.sandbox.azure_devops.service import Tree


@serves("GET", "wit/workItems/{id}/updates/{updateNumber}")
def get_updates(call: Call) -> object:
    """What changed, update by update."""
    item = item_of(call)
    listed = [update_json(call, item, u) for u in item["updates"]]
    if "updateNumber" in call.values:
        number = call.int_value("updateNumber", not_a_number)
        if not 1 <= number <= len(listed):
            raise errors.not_found(
                f"VS402331: The update {number} does not exist.", "WorkItemUpdateNotFoundException", errors.WORK
            )
        return listed[number - 1]
    start = call.integer("$skip")
    return listed[start : start + call.integer("$top", 200)]


def update_json(call: Call, item: Tree, update: Tree) -> Tree:
    """One update as answered."""
    user = call.org["users"].get(update["by"], call.user)
    fields = {
        name: {k: shown_value(call.service, call.org, v) for k, v in change.items()}
        for name, change in update["fields"].items()
    }
    url = item_url(call, item)
    answer: Tree = {
        "id": update["id"],
        "workItemId": item["id"],
        "rev": update["rev"],
        "revisedBy": identity_ref(call.service, call.org, user),
        "revisedDate": update["date"],
        "fields": fields,
        "url": f"{url}/updates/{update['id']}",
    }
    relations = {k: update[k] for k in ("added", "removed") if update[k]}
    if relations:
        answer["relations"] = relations
    return answer


@serves("GET", "wit/workItems/{id}/revisions/{revisionNumber}")
def get_revisions(call: Call) -> object:
    """The work item as it was at each revision."""
    item = item_of(call)
    url = item_url(call, item)
    listed = []
    for number, fields in enumerate(item["revisions"], 1):
        shown = {k: shown_value(call.service, call.org, v) for k, v in fields.items()}
        listed.append({"id": item["id"], "rev": number, "fields": shown, "url": f"{url}/revisions/{number}"})
    if "revisionNumber" in call.values:
        number = call.int_value("revisionNumber", not_a_number)
        if not 1 <= number <= len(listed):
            raise errors.not_found(
                f"VS402331: The revision {number} does not exist.", "WorkItemRevisionNotFoundException", errors.WORK
            )
        return listed[number - 1]
    start = call.integer("$skip")
    return listed[start : start + call.integer("$top", 200)]
