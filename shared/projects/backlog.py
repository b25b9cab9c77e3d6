"""Lays the seed backlog out in the process's own hierarchy.

Work item types of each process: https://learn.microsoft.com/azure/devops/boards/work-items/guidance/choose-process
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from shared.definitions.reading import trusted
from shared.domain.forge import BacklogItem
from shared.domain.process import HIERARCHY
from shared.domain.project import Process, ProjectRequest, slug_of

EPIC = "Epic"
FEATURE = {Process.AGILE: "Feature", Process.CMMI: "Feature", Process.SCRUM: "Feature"}
REQUIREMENT = {
    Process.AGILE: "User Story",
    Process.BASIC: "Issue",
    Process.CMMI: "Requirement",
    Process.SCRUM: "Product Backlog Item",
}
TASK = "Task"


def hierarchy(process: Process) -> tuple[str, ...]:
    """The work item types of ``process`` from the portfolio down; Basic has no feature level."""
    return HIERARCHY[process]


def items(request: ProjectRequest) -> Sequence[BacklogItem]:
    """The items to create, parents before children; every key is unique within the project."""
    return tuple(_items(request))


def _items(request: ProjectRequest) -> Iterator[BacklogItem]:
    seed = _seed()
    epic = seed["epic"]
    yield _item(request, EPIC, epic, None)
    for feature in [*seed["features"], *_asked_for(request)]:
        parent = epic["key"]
        feature_type = FEATURE.get(request.process)
        if feature_type:
            yield _item(request, feature_type, feature, parent)
            parent = feature["key"]
        elif not feature["requirements"]:
            yield _item(request, REQUIREMENT[request.process], feature, parent)
        for requirement in feature["requirements"]:
            yield _item(request, REQUIREMENT[request.process], requirement, parent)
            for task in requirement["tasks"]:
                yield _item(request, TASK, task, requirement["key"])


def _asked_for(request: ProjectRequest) -> list[dict[str, Any]]:
    """The features the requester listed; two of one title are one."""
    features: dict[str, dict[str, Any]] = {}
    for title in request.backlog:
        # C, C++ and C# leave the same slug; the digest of the title tells them apart, wherever they stand in the list.
        same = title.casefold()
        key = "-".join(filter(None, ("asked", slug_of(title)[:40], hashlib.sha256(same.encode()).hexdigest()[:8])))
        features.setdefault(same, {"key": key, "title": title, "description": "", "requirements": []})
    return list(features.values())


def _item(request: ProjectRequest, type_: str, node: dict[str, Any], parent: str | None) -> BacklogItem:
    # Only {name} is replaced, and only in our own text: a requester's braces stay as written.
    asked = node["key"].startswith("asked-")
    title = node["title"] if asked else node["title"].replace("{name}", request.name)
    description = node.get("description", "").replace("{name}", request.name)
    return BacklogItem(key=node["key"], type=type_, title=title[:255], description=description, parent=parent)


@cache
def _seed() -> dict[str, Any]:
    path = Path(__file__).parent.parent / "definitions" / "backlog" / "default.yaml"
    loaded: dict[str, Any] = trusted(path.read_text(encoding="utf-8"))
    return loaded
