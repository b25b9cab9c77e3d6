"""Moves slow things on with the clock: projects being created or deleted and builds that run, whether polled or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from local.sandbox.azure_devops.service import Service, Tree

type Step = Callable[[Service, Tree], bool]
"""Advances one organization; true while something is still to come."""

STEPS: list[Step] = []


def advances(step: Step) -> Step:
    """Register a step."""
    STEPS.append(step)
    return step


def advance(service: Service) -> bool:
    """Move every organization to the clock's now; whether anything is still to come."""
    pending = False
    for org in service.organizations.values():
        for step in STEPS:
            pending = step(service, org) or pending
    return pending


class Ticker:
    """Runs `advance` in the background while something is pending, so that events are sent without a poll."""

    def __init__(self, service: Service, seconds: float = 0.05) -> None:
        """Tick every `seconds` of real time."""
        self.service = service
        self.seconds = seconds
        self._task: asyncio.Task[None] | None = None

    def ensure(self) -> None:
        """Advance now, and go on in the background when needed."""
        if advance(self.service) and (self._task is None or self._task.done()):
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self.seconds)
            pending = advance(self.service)
            self.service.changed()
            if not pending:
                return
