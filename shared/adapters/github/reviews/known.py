"""Under which names a use case remembers what one question told, so that the next step of it need not ask again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.adapters.github.reviews.nodes import OURS
from shared.domain.change import ChangeRef
from shared.domain.forge import RepositoryRef

type Question = tuple[str, ...]
type OwnChecks = Mapping[str, Mapping[str, str] | None]
"""Name of a check of ours that was reported on a head → state, description and target of the status; none for a run."""


def expected_files(ref: ChangeRef) -> Question:
    """Files of the target branch that somebody will want."""
    return "expected files", ref.key


def file_there(repository: RepositoryRef, path: str, commit: str) -> Question:
    """A file at a commit: a tuple of its bytes, or of ``None`` where there is none."""
    return "file", str(repository).lower(), path, commit


def own_checks(ref: ChangeRef, head: str) -> Question:
    """Our checks on a head, as ``OwnChecks``."""
    return "own checks", ref.key, head


def own_among(nodes: Iterable[Mapping[str, Any]]) -> OwnChecks:
    """Our checks among what GraphQL tells of a head."""
    found: dict[str, Mapping[str, str] | None] = {}
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
