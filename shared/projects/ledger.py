"""Which resources a project set out to create, kept where a retry on another machine finds it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from shared.domain.forge import Frozen
from shared.domain.keys import bounded
from shared.errors import ConflictError
from shared.ports import Clock, Records

MOST = 100_000
"""More intents than any project has."""


class Intent(Frozen):
    """A resource that was about to be created."""

    resource: str
    at: datetime
    withdrawn: bool = Field(
        default=False, description="The forge refused, or we removed it: what appears there later is not ours."
    )
    instance: str = Field(default="", description="The run that last set out to create it.")
    reference: str = Field(default="", description="What the forge calls what was made and read back: a commit's SHA.")


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

    def reference(self, resource: str) -> str:
        """What the forge calls ``resource``, as it was written down with the intent; empty when nothing was."""
        found = self._intents.get(self._project, bounded(resource))
        return "" if found is None or found[0].withdrawn else found[0].reference

    def intend(self, resource: str, reference: str = "") -> bool:
        """Write it down, and answer whether nobody had; a second time in the same run changes nothing but a difference."""
        intent = Intent(resource=resource, at=self._clock.now(), instance=self._instance, reference=reference)
        try:
            self._intents.create(self._project, bounded(resource), intent)
        except ConflictError:
            found = self._intents.get(self._project, bounded(resource))
            if found is None or found[0].withdrawn or not self._made_by(found[0]) or found[0].reference != reference:
                self._intents.put(self._project, bounded(resource), intent)
            return False
        return True

    def withdraw(self, resource: str) -> None:
        """Take it back: the forge refused the creation, or it was removed again."""
        intent = Intent(resource=resource, at=self._clock.now(), withdrawn=True, instance=self._instance)
        self._intents.put(self._project, bounded(resource), intent)

    def intents(self) -> Sequence[str]:
        """Every resource and mark of the project that was written down and not taken back."""
        found = self._intents.list(self._project, MOST)
        return tuple(intent.resource for _, _, intent in found if not intent.withdrawn)

    def _made_by(self, intent: Intent) -> bool:
        return intent.instance == self._instance


class WholeLedger(RecordedLedger):
    """The same ledger as a removal reads it: what any run of the project made counts as this run's own."""

    def _made_by(self, intent: Intent) -> bool:
        return True
