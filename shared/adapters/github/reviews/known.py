"""Under which names a use case remembers what one question told, so that the next step of it need not ask again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from shared.adapters.github.reviews.nodes import OURS
from shared.domain.change import ChangeRef


class OwnRun(NamedTuple):
    """A check run of ours."""

    id: int
    url: str
    annotations: int


type OwnChecks = Mapping[str, Mapping[str, str] | OwnRun | None]
"""Name of a check of ours that was reported on a head → state, description and target of the status, or the run.

``None``: a run of which no more is known.
"""


def own_checks(ref: ChangeRef, head: str) -> tuple[str, ...]:
    """Our checks on a head, as ``OwnChecks``."""
    return "own checks", ref.key, head


def own_among(nodes: Iterable[Mapping[str, Any]]) -> OwnChecks:
    """Our checks among what GraphQL tells of a head."""
    found: dict[str, Mapping[str, str] | OwnRun | None] = {}
    for node in nodes:
        name = str(node.get("name") or node.get("context") or "")
        if name.startswith(OURS):
            found[name] = status_told(node) if "context" in node else None
    return found


def status_told(node: Mapping[str, Any]) -> Mapping[str, str]:
    """A status as it would be set, from GraphQL."""
    return {
        "state": str(node["state"]).lower(),
        "context": str(node["context"]),
        "description": node.get("description") or "",
        "target_url": node.get("targetUrl") or "",
    }


def run_told(commit: Mapping[str, Any]) -> OwnRun | None:
    """The latest of our runs on a commit, from GraphQL."""
    suites = (commit.get("checkSuites") or {}).get("nodes") or ()
    runs = [run for suite in suites if suite for run in (suite.get("checkRuns") or {}).get("nodes") or () if run]
    told = [
        OwnRun(int(run["databaseId"]), str(run["url"]), int((run.get("annotations") or {}).get("totalCount") or 0))
        for run in runs
    ]
    return max(told, default=None)
