"""Keeps the folders of saved queries, and runs one by its number."""

from __future__ import annotations

from local.sandbox.azure_devops import errors
from local.sandbox.azure_devops.areas.queries import read_query, run
from local.sandbox.azure_devops.call import Call, Reply, page_of, serves
from local.sandbox.azure_devops.service import Tree, new_id, stable_id


def _tree(project: Tree) -> Tree:
    """The saved queries; both folders exist from the start."""
    queries: Tree = project["queries"]
    for name, public in (("My Queries", False), ("Shared Queries", True)):
        folder_id = stable_id("query", project["id"], name)
        queries.setdefault(folder_id, {"id": folder_id, "name": name, "parent": None, "public": public, "wiql": None})
    return queries


def _path(queries: Tree, query: Tree) -> str:
    parent = queries.get(query["parent"] or "")
    return f"{_path(queries, parent)}/{query['name']}" if parent else str(query["name"])


def _find(call: Call, project: Tree, text: str) -> Tree:
    queries = _tree(project)
    wanted = text.strip("/").lower()
    found = next((q for q in queries.values() if wanted in {q["id"], _path(queries, q).lower()}), None)
    if found is None:
        message = f"TF401243: The query {text} does not exist, or you do not have permission to read it."
        raise errors.not_found(message, "QueryItemNotFoundException", errors.WORK)
    return found  # type: ignore[no-any-return]


def query_json(call: Call, project: Tree, query: Tree, depth: int, wiql: bool) -> Tree:
    """A saved query or folder as answered."""
    queries = _tree(project)
    inside = [q for q in queries.values() if q["parent"] == query["id"]]
    folder = query["wiql"] is None
    answer: Tree = {
        "id": query["id"],
        "name": query["name"],
        "path": _path(queries, query),
        "isPublic": query["public"],
        "url": call.url(project["id"], "_apis/wit/queries", query["id"]),
    }
    if folder:
        answer |= {"isFolder": True, "hasChildren": bool(inside)}
        if depth > 0 and inside:
            answer["children"] = [query_json(call, project, q, depth - 1, wiql) for q in inside]
    else:
        answer["queryType"] = "tree" if "WORKITEMLINKS" in query["wiql"].upper() else "flat"
        if wiql:
            answer["wiql"] = query["wiql"]
    return answer


@serves("GET", "wit/queries/{*query}")
def get_queries(call: Call) -> object:
    """A query or folder, or the two folders at the top."""
    project = call.project
    depth, wiql = call.integer("$depth"), call.text("$expand", "none").lower() in {"wiql", "all", "clauses"}
    if "query" in call.values:
        return query_json(call, project, _find(call, project, call.values["query"]), depth, wiql)
    wanted = call.text("$filter").lower()
    if wanted:
        found = [q for q in _tree(project).values() if wanted in q["name"].lower()]
        listed = page_of(found, call, limit=200)
        return {
            "count": len(listed),
            "hasMore": len(listed) < len(found),
            "value": [query_json(call, project, q, depth, wiql) for q in listed],
        }
    return [query_json(call, project, q, depth, wiql) for q in _tree(project).values() if q["parent"] is None]


def _check_free(project: Tree, parent: str | None, name: str, own: Tree | None = None) -> None:
    if any(
        q is not own and q["parent"] == parent and q["name"].lower() == name.lower() for q in _tree(project).values()
    ):
        message = f"TF237018: You already have a query named {name} in this folder."
        raise errors.ServiceError(409, message, "QueryItemNameAlreadyExistsException", namespace=errors.WORK)


@serves("POST", "wit/queries/{*query}")
def create_query(call: Call) -> Reply:
    """Save a query or make a folder."""
    project = call.project
    parent = _find(call, project, call.value("query"))
    body = call.json()
    if parent["wiql"] is not None:
        message = f"TF401244: The parent {parent['name']} is a query, not a folder."
        raise errors.invalid(message, "QueryItemInvalidParentException", errors.WORK)
    if not body.get("name"):
        raise errors.missing_value("query.name")
    _check_free(project, parent["id"], str(body["name"]))
    wiql = None
    if not body.get("isFolder"):
        wiql = str(body.get("wiql") or "")
        read_query(wiql)
    query = {
        "id": new_id(),
        "name": str(body["name"]),
        "parent": parent["id"],
        "public": parent["public"],
        "wiql": wiql,
    }
    _tree(project)[query["id"]] = query
    return Reply(query_json(call, project, query, 0, True), 201)


@serves("PATCH", "wit/queries/{*query}")
def update_query(call: Call) -> Tree:
    """Rename a query or change its text."""
    project = call.project
    query = _find(call, project, call.value("query"))
    body = call.json()
    name = str(body.get("name") or query["name"])
    _check_free(project, query["parent"], name, own=query)
    if body.get("wiql"):
        if query["wiql"] is None:
            message = f"TF401244: {query['name']} is a folder and has no query text."
            raise errors.invalid(message, "QueryItemInvalidParentException", errors.WORK)
        read_query(str(body["wiql"]))
        query["wiql"] = str(body["wiql"])
    query["name"] = name
    return query_json(call, project, query, 0, True)


@serves("DELETE", "wit/queries/{*query}")
def delete_query(call: Call) -> Reply:
    """Delete a query, or a folder with what is in it."""
    project = call.project
    queries = _tree(project)
    waiting = [_find(call, project, call.value("query"))["id"]]
    while waiting:
        gone = waiting.pop()
        queries.pop(gone, None)
        waiting += [q["id"] for q in queries.values() if q["parent"] == gone]
    return Reply(None, 204)


@serves("GET", "wit/wiql/{id}")
def run_saved(call: Call) -> Tree:
    """Run a saved query."""
    for project in call.projects():
        query = _tree(project).get(call.value("id").lower())
        if query is not None and query["wiql"]:
            call.scope = call.scope or (project["name"],)
            return run(call, query["wiql"])
    message = f"TF401243: The query {call.value('id')} does not exist, or you do not have permission to read it."
    raise errors.not_found(message, "QueryItemNotFoundException", errors.WORK)
