"""What the activities of a run are handed, where a run's own models do not suffice."""

from __future__ import annotations

from typing import Literal

from shared.domain.forge import Frozen
from shared.domain.plan import StepState
from shared.domain.run import RunInput, StepTask


class Claimed(Frozen):
    """A run with the project it claimed."""

    run: RunInput
    project: str


class EndedStep(Frozen):
    """A step that ends without another try: it cannot start, or its last try broke."""

    task: StepTask
    state: Literal[StepState.SKIPPED, StepState.FAILED]
    reason: str
    remedy: str = ""
