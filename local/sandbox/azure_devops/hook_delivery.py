"""Delivers events."""

from __future__ import annotations

from local.sandbox.azure_devops.service import Service, Tree
from local.sandbox.hooks import HookSender


class Deliveries:
    """Nothing yet."""

    def __init__(self, service: Service, sender: HookSender) -> None:
        """Keep."""
        self.service, self.sender = service, sender

    def event(self, org: Tree, event: str, facts: Tree) -> None:
        """Nothing yet."""
