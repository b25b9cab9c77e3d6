"""What the activities of a run are handed, where a run's own models do not suffice."""

from __future__ import annotations

from shared.domain.forge import Frozen
from shared.domain.run import RunInput, StepTask


class Claimed(Frozen):
    """A run with the project it claimed."""

    run: RunInput
    project: str


class Skip(Frozen):
    """A step that cannot start, and why."""

    task: StepTask
    because: str
