"""What the activities of a run are handed, where a run's own models do not suffice."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from shared.domain.decision import Choice
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


class Asking(Frozen):
    """A run that cannot go on without a decision."""

    run: RunInput
    project: str
    round: int = Field(ge=1)
    due: datetime


class Deciding(Frozen):
    """A run that was woken, or whose deadline passed, and looks for what was decided."""

    run: RunInput
    project: str
    round: int = Field(ge=1)
    expired: bool


class Taken(Frozen):
    """What was decided; nothing while people may still decide."""

    choice: Choice | None = None
