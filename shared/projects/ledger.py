"""Which resources a project set out to create, kept where a retry on another machine finds it."""

from __future__ import annotations

from datetime import datetime

from shared.domain.forge import Frozen
from shared.domain.keys import bounded
from shared.errors import ConflictError
from shared.ports import Clock, Records


class Intent(Frozen):
    """A resource that was about to be created."""

    resource: str
    at: datetime


class RecordedLedger:
    """The ledger of one project, over a table of records."""

    def __init__(self, intents: Records[Intent], project: str, clock: Clock) -> None:
        self._intents = intents
        self._project = project
        self._clock = clock

    def intended(self, resource: str) -> bool:
        """Whether this project set out to create ``resource``."""
        return self._intents.get(self._project, bounded(resource)) is not None

    def intend(self, resource: str) -> None:
        """Write it down once; a second time changes nothing."""
        try:
            self._intents.create(self._project, bounded(resource), Intent(resource=resource, at=self._clock.now()))
        except ConflictError:
            return
