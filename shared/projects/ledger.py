"""Which resources a project set out to create, kept where a retry on another machine finds it."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.domain.forge import Frozen
from shared.domain.keys import bounded
from shared.errors import ConflictError
from shared.ports import Clock, Records


class Intent(Frozen):
    """A resource that was about to be created."""

    resource: str
    at: datetime
    withdrawn: bool = Field(default=False, description="The forge refused: what appears there later is not ours.")


class RecordedLedger:
    """The ledger of one project, over a table of records."""

    def __init__(self, intents: Records[Intent], project: str, clock: Clock) -> None:
        self._intents = intents
        self._project = project
        self._clock = clock

    def intended(self, resource: str) -> bool:
        """Whether this project set out to create ``resource``."""
        found = self._intents.get(self._project, bounded(resource))
        return found is not None and not found[0].withdrawn

    def intend(self, resource: str) -> None:
        """Write it down once; a second time changes nothing, unless it was withdrawn."""
        intent = Intent(resource=resource, at=self._clock.now())
        try:
            self._intents.create(self._project, bounded(resource), intent)
        except ConflictError:
            if not self.intended(resource):
                self._intents.put(self._project, bounded(resource), intent)

    def withdraw(self, resource: str) -> None:
        """Take it back: the forge refused the creation."""
        intent = Intent(resource=resource, at=self._clock.now(), withdrawn=True)
        self._intents.put(self._project, bounded(resource), intent)
