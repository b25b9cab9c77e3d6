"""A human decision about a run whose plan could not be carried out: try again, take back, or leave it as it is."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.forge import Frozen


class Choice(StrEnum):
    """What may be decided."""

    RETRY = "retry"
    COMPENSATE = "compensate"
    ACCEPT = "accept"


MEANS: dict[Choice, str] = {
    Choice.RETRY: "try what failed again; what was made stays",
    Choice.COMPENSATE: "remove again what this run itself made, and nothing else",
    Choice.ACCEPT: "leave the project as it is now",
}
"""Each choice in words, as people are told."""

DEADLINE = "deadline"
"""The source of a decision that nobody made in time."""


class Decision(Frozen):
    """What was decided in one round of a run."""

    round: int = Field(ge=1)
    choice: Choice
    actor: str = Field(description="Pseudonym of who decided, or `doneright` when the deadline did.")
    source: str = Field(
        description="Where: `api`, `page`, `comment-<id>`, `deadline`; the same again is no second one."
    )
    at: datetime


class Question(Frozen):
    """What a run waits for: the round, and when nobody's answer counts any more."""

    round: int = Field(ge=1)
    due: datetime
    decision: Decision | None = None


def event_of(round_number: int) -> str:
    """Name of the durable event that wakes a run waiting in that round."""
    return f"decision.{round_number}"
