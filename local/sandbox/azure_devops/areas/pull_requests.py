"""Serves pull requests."""

from __future__ import annotations

from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.service import Tree


def source_moved(call: Call, project: Tree, repository: Tree, name: str) -> None:
    """Nothing yet."""
