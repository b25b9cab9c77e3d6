"""Describes the pages of work: boards with columns by state, the backlog as a tree, one work item."""

from __future__ import annotations

from typing import Any

from local.sandbox.azure_devops.page_frame import View, frame, table
from local.sandbox.azure_devops.pages_code import name_of
from local.sandbox.azure_devops.processes_model import process_of
from local.sandbox.azure_devops.service import Tree
from local.sandbox.azure_devops.work_item_links import LINK_TYPES, children_of, parent_of
from local.sandbox.browser.page import (
    Badge,
    Board,
    Card,
    Column,
    Event,
    Icon,
    KeyValues,
    Link,
    Markdown,
    Page,
    Timeline,
    Tone,
    TreeNode,
    instant,
)
from local.sandbox.browser.page import Tree as TreeBlock

_ICONS = {
    "Epic": Icon.EPIC,
    "Feature": Icon.FEATURE,
    "User Story": Icon.STORY,
    "Product Backlog Item": Icon.STORY,
    "Requirement": Icon.STORY,
    "Task": Icon.TASK,
    "Bug": Icon.BUG,
}
_TONES = {
    "Proposed": Tone.NEUTRAL,
    "InProgress": Tone.ACTIVE,
    "Resolved": Tone.WARNING,
    "Completed": Tone.SUCCESS,
    "Removed": Tone.DANGER,
}


def _items(view: View) -> list[Tree]:
    return [w for w in view.org["work_items"].values() if w["project"] == view.project["id"]]


def _icon(item: Tree) -> Icon:
    return _ICONS.get(item["fields"]["System.WorkItemType"], Icon.ISSUE)


def _state(view: View, item: Tree) -> Badge:
    kind = process_of(view.org, view.project).find(item["fields"]["System.WorkItemType"])
    state = kind.state(item["fields"]["System.State"]) if kind else None
    return Badge(item["fields"]["System.State"], _TONES[state.category] if state else Tone.NEUTRAL)


def _assigned(view: View, item: Tree) -> list[str]:
    held = item["fields"].get("System.AssignedTo")
    return [name_of(view, held["$user"])] if held else []


def _link(view: View, item: Tree) -> str:
    return view.href("_workitems", "edit", str(item["id"]))


def boards_page(view: View) -> Page:
    """A board for each backlog level that has work items, columns by state."""
    process = process_of(view.org, view.project)
    boards = []
    for level in process.backlogs:
        columns = []
        for state in process.types[level.types[0]].states:
            inside = [
                i
                for i in _items(view)
                if i["fields"]["System.WorkItemType"] in level.types and i["fields"]["System.State"] == state.name
            ]
            tags = [[Badge(t) for t in str(i["fields"].get("System.Tags") or "").split("; ") if t] for i in inside]
            cards = [
                Card(i["fields"]["System.Title"], _link(view, i), _icon(i), f"#{i['id']}", t, _assigned(view, i))
                for i, t in zip(inside, tags, strict=True)
            ]
            columns.append(Column(state.name, cards))
        boards.append(Board(columns, title=level.name))
    return frame(view, "Boards", "Boards", blocks=boards)


def backlog_page(view: View) -> Page:
    """Every work item below its parent."""
    held = {i["id"]: i for i in _items(view)}

    def node(item: Tree) -> TreeNode:
        below = [node(held[c]) for c in children_of(item) if c in held]
        return TreeNode(
            f"#{item['id']} {item['fields']['System.Title']}",
            _link(view, item),
            _icon(item),
            [_state(view, item)],
            [item["fields"]["System.WorkItemType"], *_assigned(view, item)],
            below,
        )

    roots = [node(i) for i in held.values() if parent_of(i) not in held]
    return frame(view, "Backlog", "Backlog", blocks=[TreeBlock(roots, empty="No work items yet.")])


def work_item_page(view: View) -> Page | None:
    """One work item with fields, relations, history and discussion."""
    number = view.rest[2] if len(view.rest) > 2 else ""
    item = view.org["work_items"].get(number)
    if item is None or item["project"] != view.project["id"]:
        return None
    fields = item["fields"]
    shown: list[tuple[str, Any]] = [
        (k.rsplit(".", 1)[1], _text(view, v))
        for k, v in fields.items()
        if k not in {"System.Title", "System.Description"}
    ]
    relations = []
    for link in item["links"]:
        other = view.org["work_items"].get(str(link.get("target")))
        label = (
            f"#{other['id']} {other['fields']['System.Title']}"
            if other
            else str(link.get("url") or f"#{link.get('target')}")
        )
        relations.append([LINK_TYPES[link["rel"]]["name"], Link(label, _link(view, other)) if other else label])
    events = [Event(name_of(view, u["by"]), _what(u), instant(u["date"])) for u in item["updates"]]
    events += [
        Event(name_of(view, c["by"]), "commented", instant(c["created"]), c["text"])
        for c in item["comments"]
        if not c["deleted"]
    ]
    return frame(
        view,
        "Backlog",
        f"#{item['id']} {fields['System.Title']}",
        status=_state(view, item),
        icon=_icon(item),
        blocks=[
            Markdown(str(fields.get("System.Description") or "No description."), title="Description"),
            Timeline(sorted(events, key=lambda e: e.at), title="History"),
        ],
        aside=[
            KeyValues(shown, title="Fields"),
            table(title="Relations", columns=["Kind", "To"], rows=relations, empty="No relations."),
        ],
    )


def _text(view: View, value: Any) -> str:
    return name_of(view, value["$user"]) if isinstance(value, dict) and "$user" in value else str(value)


def _what(update: Tree) -> str:
    if update["id"] == 1:
        return "created this"
    names = [n.rsplit(".", 1)[1] for n in update["fields"] if n not in {"System.ChangedDate", "System.ChangedBy"}]
    parts = [f"changed {', '.join(names)}"] if names else []
    parts += [
        f"{verb} {len(update[key])} relations"
        for key, verb in (("added", "added"), ("removed", "removed"))
        if update[key]
    ]
    return " and ".join(parts) or "changed a link"
