"""Decides whether policies let a branch be pushed to."""

from __future__ import annotations

from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.errors import ServiceError
from local.sandbox.azure_devops.service import Tree


def push_refusal(call: Call, project: Tree, repository: Tree, name: str) -> ServiceError | None:
    """Nothing yet."""
    return None
