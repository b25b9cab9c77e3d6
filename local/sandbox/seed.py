"""Hands each part of a seed document to the simulator it belongs to."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

from local.sandbox.state import State


class SeedError(ValueError):
    """The document cannot be applied; `errors` names each field with what is wrong with it."""

    def __init__(self, errors: list[dict[str, str]]) -> None:
        """`errors` are {"field", "message"} pairs."""
        self.errors = errors
        super().__init__("; ".join(f"{error['field']}: {error['message']}" for error in errors))


def apply_seed(state: State, document: Any) -> None:
    """Merge {"github": …, "azure_devops": …} into `state`; raises SeedError, then nothing was applied."""
    if not isinstance(document, dict):
        raise SeedError([{"field": "body", "message": "must be an object with github and azure_devops"}])
    unknown = [{"field": key, "message": "unknown part"} for key in document if key not in {"github", "azure_devops"}]
    if unknown:
        raise SeedError(unknown)
    # Imported here, since each simulator builds on this room.
    appliers: dict[str, Callable[[State, Any], None]] = {}
    if "github" in document:
        from local.sandbox.github.seed import apply as apply_github

        appliers["github"] = apply_github
    if "azure_devops" in document:
        from local.sandbox.azure_devops.seed import apply as apply_azure_devops

        appliers["azure_devops"] = apply_azure_devops
    if len(appliers) > 1:
        # Each part checks itself before it stores anything, but not the other.
        trial = State(copy.deepcopy(state.data))
        for part, apply in appliers.items():
            apply(trial, document[part])
    for part, apply in appliers.items():
        apply(state, document[part])
