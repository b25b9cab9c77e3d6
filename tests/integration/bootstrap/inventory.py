"""What stands on both forges, in a form in which two equal projects are equal whenever and however often they were made.

It is taken from the simulators' own state, not through the adapters, so that a resource nobody thinks of is seen as well.
Left out is what is no resource: numbers handed out, times, the protocol of deliveries, and recycle bins.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(Z|\+00:00)")
_SHA = re.compile(r"\b[0-9a-f]{40}\b")
_HANDED_OUT = re.compile(rf"\d+|{_UUID.pattern}|{_SHA.pattern}")
_NUMBERS = frozenset({"id", "number", "order", "iteration", "backlog_iteration"})
_NO_RESOURCES = frozenset(
    {
        "deleted_repositories", "deliveries", "failures", "last_response", "last_update", "notifications", "operations",
        "pushes", "recycle_bin", "rev", "revision", "revisions", "statuses", "updates",
    }
)  # fmt: skip
_MEANT = frozenset({"process", "type"})
"""Members whose UUIDs are names that mean the same everywhere."""


def of(state: Mapping[str, Any]) -> dict[str, Any]:
    """The inventory of both forges."""
    github, azure = state["github"], state["azure_devops"]["organizations"]["acme"]
    items = azure["work_items"]
    return {
        "github": {
            "repositories": {name: _github_repository(github, repo) for name, repo in github["repos"].items()},
            "organizations": _plain(github["orgs"]),
            "accounts": sorted(github["users"]),
            "apps": _plain([github.get("apps", {}), github.get("installations", {})]),
        },
        "azure_devops": {
            "projects": _listed([_project(project) for project in azure["projects"].values()]),
            "work items": _listed([_work_item(item, items) for item in items.values()]),
            "subscriptions": _plain(list(azure["subscriptions"].values())),
            "others": _plain(
                {
                    name: part
                    for name, part in azure.items()
                    if part and name not in {"projects", "work_items", "subscriptions", "active_builds"} | _NO_RESOURCES
                }
            ),
        },
    }


def differences(planned: Any, found: Any, at: str = "") -> list[str]:
    """Where two inventories differ, for people to read."""
    if isinstance(planned, dict) and isinstance(found, dict):
        return [
            line
            for key in sorted({*planned, *found})
            for line in differences(planned.get(key, "nothing"), found.get(key, "nothing"), f"{at}/{key}")
        ]
    if isinstance(planned, list) and isinstance(found, list):
        missing = _without(planned, found)
        extra = _without(found, planned)
        if len(missing) == len(extra) == 1:
            return differences(missing[0], extra[0], f"{at}[]")
        return [f"{at} misses {_short(one)}" for one in missing] + [f"{at} has besides {_short(one)}" for one in extra]
    return [] if planned == found else [f"{at} is {_short(found)} instead of {_short(planned)}"]


def _without(some: list[Any], others: list[Any]) -> list[Any]:
    left = list(others)
    out = []
    for one in some:
        if one in left:
            left.remove(one)
        else:
            out.append(one)
    return out


def _short(value: Any) -> str:
    return json.dumps(value, default=str)[:300]


def _github_repository(github: Mapping[str, Any], repo: Mapping[str, Any]) -> Any:
    known = {"objects", "refs", "issues"}
    return {
        **{str(name): _plain(value, name) for name, value in repo.items() if name not in known | _NO_RESOURCES},
        "branches": {ref: _history(github["commits"], sha, "tree") for ref, sha in repo["refs"].items()},
        # How long the steps took stands in the answers; which answers there are is what counts.
        "answers": {
            number: sorted(str(comment["body"]).partition(" ")[2][:40] for comment in issue["comments"].values())
            for number, issue in repo["issues"].items()
        },
    }


def _project(project: Mapping[str, Any]) -> Any:
    others = {name: part for name, part in project.items() if name not in {"repositories", "queue", "permitted"}}
    # The service keeps deleted ones under their ids, marked.
    others["policies"] = [policy for policy in project["policies"].values() if not policy["deleted"]]
    permitted = {
        resource: who for resource, who in project.get("permitted", {}).items() if who["all"] or who["pipelines"]
    }
    return _plain(others) | {
        "permitted": sorted(
            [resource.partition("/")[0], who["all"], len(who["pipelines"])] for resource, who in permitted.items()
        ),
        "repositories": _listed(
            [
                {
                    "name": repo["name"],
                    "default branch": repo["default_branch"],
                    "branches": {
                        ref: _history(repo["commits"], head["objectId"], "files") for ref, head in repo["refs"].items()
                    },
                    "pulls": len(repo["pulls"]),
                }
                for repo in project["repositories"].values()
            ]
        ),
    }


def _history(commits: Mapping[str, Any], sha: str | None, content: str) -> list[Any]:
    """Message and content of each commit that can be reached; what cannot be reached, nobody sees."""
    out = []
    while sha:
        commit = commits[sha]
        out.append([commit["message"], commit[content]])
        sha = next(iter(commit["parents"]), None)
    return out


def _work_item(item: Mapping[str, Any], items: Mapping[str, Any]) -> Any:
    titles = {int(number): other["fields"]["System.Title"] for number, other in items.items()}
    links = [[link["rel"], titles.get(link["target"], link["target"])] for link in item["links"]]
    return {"fields": _plain(item["fields"]), "links": sorted(links), "comments": len(item["comments"])}


def _plain(value: Any, name: str = "") -> Any:
    if isinstance(value, dict):
        kept = {key: _plain(part, key) for key, part in value.items() if key not in _NO_RESOURCES}
        if kept and all(_HANDED_OUT.fullmatch(str(key)) for key in kept):
            return _listed(list(kept.values()))
        return kept
    if isinstance(value, list):
        return _listed([_plain(part, name) for part in value])
    if isinstance(value, str):
        masked = _TIME.sub("<time>", value)
        return masked if name in _MEANT else _SHA.sub("<sha>", _UUID.sub("<id>", masked))
    if isinstance(value, int) and not isinstance(value, bool) and name in _NUMBERS:
        return "<number>"
    return value


def _listed(values: list[Any]) -> list[Any]:
    """In an order that does not tell when each was made."""
    return sorted(values, key=lambda one: json.dumps(one, sort_keys=True, default=str))
