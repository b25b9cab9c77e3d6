"""Keeps the trees of areas and iterations of a project, and finds nodes by path, id or identifier."""

from __future__ import annotations

from collections.abc import Iterator

from local.sandbox.azure_devops.service import Service, Tree, new_id

GROUPS = {"areas": "area", "iterations": "iteration"}


def root_node(service: Service, org: Tree, name: str, kind: str) -> Tree:
    """The root of a tree, named as its project."""
    return new_node(service, org, name, kind)


def new_node(service: Service, org: Tree, name: str, kind: str, attributes: Tree | None = None) -> Tree:
    """A node without children."""
    return {
        "id": service.number(org, "classification", 100),
        "identifier": new_id(),
        "name": name,
        "kind": kind,
        "attributes": attributes or {},
        "children": [],
    }


def walk(node: Tree, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Tree]]:
    """Every node below and including `node` with its path of names."""
    here = (*path, node["name"])
    yield here, node
    for child in node["children"]:
        yield from walk(child, here)


def segments(path: str) -> list[str]:
    """The names of a path written with slashes or backslashes."""
    return [part for part in path.replace("/", "\\").split("\\") if part]


def descend(root: Tree, names: list[str]) -> Tree | None:
    """The node below `root` at the path of names, whatever the case."""
    node = root
    for name in names:
        found = next((c for c in node["children"] if c["name"].lower() == name.lower()), None)
        if found is None:
            return None
        node = found
    return node


def field_path(root: Tree, value: str) -> str | None:
    """The canonical `Project\\A\\B` of a path as fields write it, None when there is no such node."""
    names = segments(value)
    if not names or names[0].lower() != root["name"].lower():
        return None
    node = descend(root, names[1:])
    if node is None:
        return None
    return next("\\".join(path) for path, found in walk(root) if found is node)


def find_by(root: Tree, **wanted: object) -> tuple[tuple[str, ...], Tree] | None:
    """The node whose values match, with its path."""
    for path, node in walk(root):
        if all(node[key] == value for key, value in wanted.items()):
            return path, node
    return None
