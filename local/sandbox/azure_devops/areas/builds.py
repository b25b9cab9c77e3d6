"""Serves builds."""

from __future__ import annotations

from local.sandbox.azure_devops.call import Call
from local.sandbox.azure_devops.service import Service, Tree


def start_for_push(call: Call, project: Tree, repository: Tree, update: Tree) -> None:
    """Nothing yet."""


def control(service: Service, number: int, body: Tree) -> Tree:
    """Nothing yet."""
    return {}
