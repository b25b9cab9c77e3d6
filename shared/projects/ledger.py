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
    withdrawn: bool = Field(
        default=False, description="The forge refused, or we removed it: what appears there later is not ours."
    )
    instance: str = Field(default="", description="The run that last set out to create it.")


class RecordedLedger:
    """The ledger of one project, over a table of records."""

    def __init__(self, intents: Records[Intent], project: str, clock: Clock, instance: str = "") -> None:
        self._intents = intents
        self._project = project
        self._clock = clock
        self._instance = instance

    def intended(self, resource: str) -> bool:
        """Whether this project set out to create ``resource``."""
        found = self._intents.get(self._project, bounded(resource))
        return found is not None and not found[0].withdrawn

    def made_here(self, resource: str) -> bool:
        """Whether it was this run, and no earlier one, that set out to create ``resource``."""
        found = self._intents.get(self._project, bounded(resource))
        return found is not None and not found[0].withdrawn and bool(self._instance) and self._made_by(found[0])

    def intend(self, resource: str) -> None:
        """Write it down; a second time in the same run changes nothing, unless it was withdrawn."""
        intent = Intent(resource=resource, at=self._clock.now(), instance=self._instance)
        try:
            self._intents.create(self._project, bounded(resource), intent)
        except ConflictError:
            found = self._intents.get(self._project, bounded(resource))
            if found is None or found[0].withdrawn or not self._made_by(found[0]):
                self._intents.put(self._project, bounded(resource), intent)

    def withdraw(self, resource: str) -> None:
        """Take it back: the forge refused the creation, or it was removed again."""
        intent = Intent(resource=resource, at=self._clock.now(), withdrawn=True, instance=self._instance)
        self._intents.put(self._project, bounded(resource), intent)

    def _made_by(self, intent: Intent) -> bool:
        return intent.instance == self._instance
