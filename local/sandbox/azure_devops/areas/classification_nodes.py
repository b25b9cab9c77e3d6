"""Serves areas and iterations: read to a depth, create, move, date, delete."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.call import Call, Level, Reply, serves
from local.sandbox.azure_devops.classification import GROUPS, descend, field_path, find_by, new_node, segments, walk
from local.sandbox.azure_devops.service import Tree, parse_time

_ROUTE = "wit/classificationNodes/{structureGroup}/{*path}"
_TITLES = {"area": "Area", "iteration": "Iteration"}


def node_json(call: Call, project: Tree, path: tuple[str, ...], node: Tree, depth: int, *, links: bool = False) -> Tree:
    """A node as answered, with `depth` levels of children."""
    kind = node["kind"]
    base = call.url(project["id"], "_apis/wit/classificationNodes", f"{_TITLES[kind]}s")
    url = "/".join([base, *(part.replace(" ", "%20") for part in path[1:])])
    answer: Tree = {
        "id": node["id"],
        "identifier": node["identifier"],
        "name": node["name"],
        "structureType": kind,
        "hasChildren": bool(node["children"]),
        "path": "\\" + "\\".join([path[0], _TITLES[kind], *path[1:]]),
        "url": url,
    }
    if node["attributes"]:
        answer["attributes"] = node["attributes"]
    if depth > 0 and node["children"]:
        answer["children"] = [node_json(call, project, (*path, c["name"]), c, depth - 1) for c in node["children"]]
    if links:
        answer["_links"] = {"self": {"href": url}}
        if len(path) > 1:
            answer["_links"]["parent"] = {"href": url.rsplit("/", 1)[0]}
    return answer


def _group(call: Call) -> str:
    given = call.value("structureGroup").lower()
    if given not in GROUPS:
        raise errors.invalid(
            f"VS402484: The structure group '{given}' is not valid.", "InvalidStructureGroupException", errors.WORK
        )
    return given


def _node_of(call: Call, tree: Tree, path: str) -> tuple[tuple[str, ...], Tree]:
    names = segments(path)
    node = descend(tree, names)
    if node is None:
        message = f"TF237090: The classification node {path} does not exist or you do not have permission to access it."
        raise errors.not_found(message, "ClassificationNodeNotFoundException", errors.WORK)
    return next((p, n) for p, n in walk(tree) if n is node)


@serves("GET", "wit/classificationNodes")
def get_roots(call: Call) -> list[Tree]:
    """Both roots, or the nodes of ids."""
    project = call.project
    depth = call.integer("$depth")
    ids = {i for i in call.text("ids").split(",") if i}
    if ids:
        found = [(p, n) for tree in ("areas", "iterations") for p, n in walk(project[tree]) if str(n["id"]) in ids]
        return [node_json(call, project, p, n, depth) for p, n in found]
    return [node_json(call, project, (project["name"],), project[tree], depth) for tree in ("areas", "iterations")]


@serves("GET", _ROUTE)
def get_node(call: Call) -> Tree:
    """A node with children to the depth asked for."""
    path, node = _node_of(call, call.project[_group(call)], call.values.get("path", ""))
    return node_json(call, call.project, path, node, call.integer("$depth"), links=True)


@serves("POST", _ROUTE)
def create_node(call: Call) -> Reply:
    """Create a node below a parent, or move one there when only its id is given."""
    project = call.project
    group = _group(call)
    path, parent = _node_of(call, project[group], call.values.get("path", ""))
    body = call.json()
    if body.get("id") and not body.get("name"):
        return Reply(_move(call, project, project[group], path, parent, int(body["id"])))
    name = str(body.get("name") or "").strip()
    if not name:
        raise errors.missing_value("name")
    _check_name(parent, name)
    node = new_node(call.service, call.org, name, GROUPS[group], _dates(body))
    parent["children"].append(node)
    return Reply(node_json(call, project, (*path, name), node, 0, links=True), 201)


def _check_name(parent: Tree, name: str, own: Tree | None = None) -> None:
    if set(name) & set('\\/$?*:"&<>#%|+') or len(name) > 255:
        message = f"TF20016: The node name {name} is not valid."
        raise errors.invalid(message, "InvalidClassificationNodeNameException", errors.WORK)
    if any(c is not own and c["name"].lower() == name.lower() for c in parent["children"]):
        message = f"VS402371: Classification node name {name} is already in use by a different child of parent classification node."
        raise errors.ServiceError(409, message, "ClassificationNodeDuplicateNameException", namespace=errors.WORK)


def _dates(body: Tree, held: Tree | None = None) -> Tree:
    """The attributes of an iteration after a change; raises a 400 for dates that are none or in the wrong order."""
    given = body.get("attributes") or {}
    attributes = {**(held or {}), **given}
    moments = {}
    for name in ("startDate", "finishDate"):
        if attributes.get(name):
            try:
                moments[name] = parse_time(str(attributes[name]))
            except ValueError as error:
                message = f"VS402485: The value '{attributes[name]}' of {name} is not a date."
                raise errors.invalid(message, "ClassificationNodeInvalidDateException", errors.WORK) from error
    if len(moments) == 2 and moments["startDate"] > moments["finishDate"]:
        message = "VS402485: The start date of an iteration must not be after its finish date."
        raise errors.invalid(message, "ClassificationNodeInvalidDateException", errors.WORK)
    return attributes


def _move(call: Call, project: Tree, tree: Tree, path: tuple[str, ...], parent: Tree, number: int) -> Tree:
    found = find_by(tree, id=number)
    if found is None:
        raise errors.not_found(
            f"TF237090: The classification node {number} does not exist.",
            "ClassificationNodeNotFoundException",
            errors.WORK,
        )
    old_path, node = found
    if any(n is parent for _, n in walk(node)):
        raise errors.invalid(
            "TF237091: A node cannot be moved below itself.",
            "ClassificationNodeCircularReferenceException",
            errors.WORK,
        )
    _check_name(parent, node["name"], own=node)
    old_parent = _parent_of(tree, node)
    old_parent["children"] = [c for c in old_parent["children"] if c is not node]
    parent["children"].append(node)
    _repath(call, project, node["kind"], "\\".join(old_path), "\\".join((*path, node["name"])))
    return node_json(call, project, (*path, node["name"]), node, 0, links=True)


def _parent_of(tree: Tree, node: Tree) -> Tree:
    return next(n for _, n in walk(tree) if any(c is node for c in n["children"]))


def _repath(call: Call, project: Tree, kind: str, old: str, new: str) -> None:
    """Follow a node to its new path in the work items and, for areas, in the settings of teams."""

    def moved(path: str) -> str:
        return new + path[len(old) :] if (path + "\\").startswith(old + "\\") else path

    field = "System.AreaPath" if kind == "area" else "System.IterationPath"
    for item in call.org["work_items"].values():
        if item["project"] == project["id"]:
            item["fields"][field] = moved(str(item["fields"].get(field) or ""))
    if kind == "area":
        for team in project["teams"].values():
            team["areas"] = [{**area, "value": moved(area["value"])} for area in team["areas"]]
            team["default_area"] = moved(team["default_area"]) if team["default_area"] else None


@serves("PATCH", _ROUTE)
def update_node(call: Call) -> Tree:
    """Rename a node or set its dates."""
    project = call.project
    path, node = _node_of(call, project[_group(call)], call.values.get("path", ""))
    body = call.json()
    attributes = _dates(body, node["attributes"])
    if body.get("name") and body["name"] != node["name"]:
        name = str(body["name"])
        if len(path) == 1:
            message = "TF237093: The root node has the name of its project and cannot be renamed."
            raise errors.invalid(message, "ClassificationNodeCannotBeRenamedException", errors.WORK)
        _check_name(_parent_of(project[_group(call)], node), name, own=node)
        node["name"] = name
        _repath(call, project, node["kind"], "\\".join(path), "\\".join((*path[:-1], name)))
        path = (*path[:-1], name)
    node["attributes"] = attributes
    return node_json(call, project, path, node, 0, links=True)


@serves("DELETE", _ROUTE, Level.CONTRIBUTOR)
def delete_node(call: Call) -> Reply:
    """Delete a node; its work items move to the node `$reclassifyId` names, or to the root."""
    project = call.project
    tree = project[_group(call)]
    path, node = _node_of(call, tree, call.values.get("path", ""))
    if len(path) == 1:
        raise errors.invalid(
            "TF237092: The root node cannot be deleted.", "ClassificationNodeCannotBeDeletedException", errors.WORK
        )
    target = find_by(tree, id=call.integer("$reclassifyId"))
    if target and any(n is target[1] for _, n in walk(node)):
        message = "TF237094: Work items cannot be reclassified to the node that is deleted or to one below it."
        raise errors.invalid(message, "ClassificationNodeReclassificationException", errors.WORK)
    new = "\\".join(target[0]) if target else project["name"]
    field = "System.AreaPath" if node["kind"] == "area" else "System.IterationPath"
    parent = _parent_of(tree, node)
    parent["children"] = [c for c in parent["children"] if c is not node]
    for team in project["teams"].values() if node["kind"] == "area" else ():
        team["areas"] = [a for a in team["areas"] if field_path(tree, a["value"]) is not None]
        if team["default_area"] and field_path(tree, team["default_area"]) is None:
            team["default_area"] = new
            team["areas"] = team["areas"] or [{"value": new, "includeChildren": False}]
    for item in call.org["work_items"].values():
        if item["project"] == project["id"] and field_path(tree, item["fields"][field]) is None:
            item["fields"][field] = new
    return Reply(None, 204)
