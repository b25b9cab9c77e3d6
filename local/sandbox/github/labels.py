"""Answers for labels, of a repository and on an issue."""

from __future__ import annotations

import re

from local.sandbox.github import present
from local.sandbox.github.discussion import ISSUE, REPO
from local.sandbox.github.errors import ApiError, invalid, not_found
from local.sandbox.github.events import emit
from local.sandbox.github.hub import Record
from local.sandbox.github.issue_changes import label_names, set_labels
from local.sandbox.github.issues import issue_of
from local.sandbox.github.routing import Answer, Call, route


@route("GET", REPO + "/labels")
def labels(call: Call) -> Answer:
    """Labels of a repository."""
    repo = call.repo("read", "issues")
    return call.page_of(list(repo["labels"].values()), lambda record: present.label(call.hub, repo, record))


def _color(call: Call, default: str) -> str:
    color: str = call.get("color", str, default)
    if not re.fullmatch(r"[0-9A-Fa-f]{6}", color):
        raise invalid("Label", "color")
    return color.lower()


@route("POST", REPO + "/labels")
def create_label(call: Call) -> Answer:
    """Create a label."""
    repo = call.repo("write", "issues")
    name = call.need("name", str)
    if name.lower() in repo["labels"]:
        raise invalid("Label", "name", "already_exists")
    record = call.hub.add_label(repo, name, _color(call, "ededed"), call.get("description", str))
    emit(
        call.hub,
        "label",
        {"label": present.label(call.hub, repo, record)},
        sender=call.signed_in(),
        repo=repo,
        action="created",
    )
    body = present.label(call.hub, repo, record)
    return Answer(201, body, {"Location": body["url"]})


def _label(call: Call, repo: Record) -> Record:
    found: Record | None = repo["labels"].get(call.params["name"].lower())
    if found is None:
        raise not_found()
    return found


@route("GET", REPO + "/labels/{name}")
def one_label(call: Call) -> Record:
    """One label."""
    repo = call.repo("read", "issues")
    return present.label(call.hub, repo, _label(call, repo))


@route("PATCH", REPO + "/labels/{name}")
def edit_label(call: Call) -> Record:
    """Change a label; issues follow a new name."""
    repo = call.repo("write", "issues")
    record = _label(call, repo)
    old, new = record["name"].lower(), call.get("new_name", str, call.get("name", str, record["name"]))
    if new.lower() != old and new.lower() in repo["labels"]:
        raise invalid("Label", "name", "already_exists")
    record |= {
        "name": new,
        "color": _color(call, record["color"]),
        "description": call.get("description", str, record["description"]),
    }
    repo["labels"] = {value["name"].lower(): value for value in repo["labels"].values()}
    for issue in repo["issues"].values():
        issue["labels"] = [new.lower() if key == old else key for key in issue["labels"]]
    call.hub.changed()
    return present.label(call.hub, repo, record)


@route("DELETE", REPO + "/labels/{name}")
def delete_label(call: Call) -> Answer:
    """Delete a label, from issues too."""
    repo = call.repo("write", "issues")
    key = _label(call, repo)["name"].lower()
    del repo["labels"][key]
    for issue in repo["issues"].values():
        issue["labels"] = [name for name in issue["labels"] if name != key]
    call.hub.changed()
    return Answer(204)


@route("GET", ISSUE + "/labels")
def labels_of_issue(call: Call) -> Answer:
    """Labels of an issue."""
    repo = call.repo("read", "issues")
    return call.page_of(issue_of(call, repo)["labels"], lambda key: present.label(call.hub, repo, repo["labels"][key]))


@route("POST", ISSUE + "/labels")
@route("PUT", ISSUE + "/labels")
@route("DELETE", ISSUE + "/labels")
def change_labels(call: Call) -> Answer:
    """Add to, replace or clear an issue's labels."""
    repo = call.repo("triage", "issues")
    issue = issue_of(call, repo)
    given = call.body[""] if "" in call.body else call.get("labels", list, [])
    keys = label_names(call.hub, repo, given)
    if call.request.method == "POST":
        keys = list(dict.fromkeys([*issue["labels"], *keys]))
    set_labels(call.hub, repo, issue, keys, call.signed_in())
    if call.request.method == "DELETE":
        return Answer(204)
    return Answer(200, [present.label(call.hub, repo, repo["labels"][key]) for key in issue["labels"]])


@route("DELETE", ISSUE + "/labels/{name}")
def unlabel(call: Call) -> Answer:
    """Take one label off an issue."""
    repo = call.repo("triage", "issues")
    issue = issue_of(call, repo)
    key = call.params["name"].lower()
    if key not in issue["labels"]:
        raise ApiError(404, "Label does not exist")
    set_labels(call.hub, repo, issue, [name for name in issue["labels"] if name != key], call.signed_in())
    return Answer(200, [present.label(call.hub, repo, repo["labels"][name]) for name in issue["labels"]])
