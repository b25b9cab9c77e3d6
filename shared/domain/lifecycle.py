"""Where a ticket is between capture and deployment: states, the moves between them, and what each move demands."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from shared.domain import shapes
from shared.domain.definition import CriterionId, OwnerRole
from shared.domain.forge import Frozen, Label
from shared.domain.process import TYPES
from shared.domain.project import Process


class LifecycleState(StrEnum):
    """Every state of a ticket, in the order of a life without set-backs."""

    CAPTURED = "captured"
    OPTIMIZED = "optimized"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DESIGNED = "designed"
    THREAT_MODELLED = "threat_modelled"
    BRANCHED = "branched"
    IMPLEMENTED = "implemented"
    TESTED = "tested"
    IN_REVIEW = "in_review"
    MERGED = "merged"
    DEPLOYED = "deployed"


class Direction(StrEnum):
    """Whether a move brings a ticket on, sends it back, or ends it."""

    FORWARD = "forward"
    BACK = "back"
    ASIDE = "aside"


class IssueState(StrEnum):
    """A GitHub issue's own state, with its reason when closed: https://docs.github.com/rest/issues/issues"""

    OPEN = "open"
    COMPLETED = "completed"
    NOT_PLANNED = "not_planned"


class StateDefinition(Frozen):
    """What one state means and how GitHub shows it."""

    id: LifecycleState
    means: str = Field(min_length=15, max_length=90)
    color: str = Field(pattern=shapes.COLOR.pattern)
    issue: IssueState


class Move(Frozen):
    """One legal move and the criteria that must hold for it."""

    origin: LifecycleState = Field(alias="from")
    to: LifecycleState
    direction: Direction = Direction.FORWARD
    when: str = Field(min_length=10, max_length=120, description="What brings it about.")
    by: tuple[OwnerRole, ...] = Field(default=(), description="Who may; empty: Doneright, from what it sees.")
    guards: tuple[CriterionId, ...] = ()


BoardState = Annotated[str, StringConstraints(pattern=shapes.PROCESS_NAME.pattern)]


class Board(Frozen):
    """Which state of a work item stands for which of the lifecycle, for some types of one process."""

    process: Process
    types: tuple[str, ...] = Field(min_length=1)
    states: dict[LifecycleState, BoardState]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if unknown := [name for name in self.types if name not in TYPES[self.process]]:
            raise ValueError(f"{self.process} has no type {', '.join(unknown)}")
        if missing := [state.value for state in LifecycleState if state not in self.states]:
            raise ValueError(f"the board of {self.process} says nothing of {', '.join(missing)}")
        return self


class TicketLifecycle(Frozen):
    """One version of the lifecycle."""

    name: Literal["ticket_lifecycle"] = "ticket_lifecycle"
    version: int = Field(ge=1)
    prefix: str = Field(pattern=r"^[a-z][a-z ]{0,20}: $", description="What labels and tags begin with.")
    initial: LifecycleState
    states: tuple[StateDefinition, ...]
    moves: tuple[Move, ...]
    boards: tuple[Board, ...]

    @model_validator(mode="after")
    def _is_sound(self) -> Self:
        if tuple(one.id for one in self.states) != tuple(LifecycleState):
            raise ValueError("every state is defined once, in the order of the lifecycle")
        if twice := [pair for pair, n in Counter((m.origin, m.to) for m in self.moves).items() if n > 1]:
            raise ValueError(f"the move {' → '.join(twice[0])} is given twice")
        if still := [move.origin for move in self.moves if move.origin is move.to]:
            raise ValueError(f"{still[0]} moves to itself")
        if twice_typed := [
            pair for pair, n in Counter((b.process, t) for b in self.boards for t in b.types).items() if n > 1
        ]:
            raise ValueError(f"{' '.join(twice_typed[0])} has two boards")
        return self

    def definition_of(self, state: LifecycleState) -> StateDefinition:
        """What ``state`` means."""
        return next(one for one in self.states if one.id is state)

    def move(self, origin: LifecycleState, to: LifecycleState) -> Move | None:
        """The move between the two, where there is one."""
        return next((move for move in self.moves if move.origin is origin and move.to is to), None)

    def moves_from(self, origin: LifecycleState) -> tuple[Move, ...]:
        """Every legal move from ``origin``."""
        return tuple(move for move in self.moves if move.origin is origin)

    def label_of(self, state: LifecycleState) -> Label:
        """GitHub's label of ``state``; Azure Boards' tag has the same name."""
        one = self.definition_of(state)
        return Label(name=self.name_of(state), color=one.color, description=one.means)

    def name_of(self, state: LifecycleState) -> str:
        """Name of the label and of the tag: ``state: in review``."""
        return self.prefix + state.replace("_", " ")


class Moved(Frozen):
    """The ticket is where it was to go."""

    origin: LifecycleState
    to: LifecycleState
    direction: Direction


class Missing(Frozen):
    """A guard that does not hold, and what to do about it."""

    criterion: CriterionId
    statement: str
    remedy: str


class IllegalMove(Frozen):
    """Why a ticket stays, what is missing, and where it could go instead."""

    origin: LifecycleState
    to: LifecycleState
    reason: str
    missing: tuple[Missing, ...] = ()
    legal: tuple[LifecycleState, ...] = Field(description="Where a move leads from here.")
    way: tuple[LifecycleState, ...] = Field(
        default=(), description="The shortest way there, without the present state; empty: none, or the move is one."
    )


class Mirrored(Frozen):
    """A state as both forges show it."""

    state: LifecycleState
    label: str
    tag: str
    issue: IssueState
    board: str = Field(default="", description="The work item's state; empty where its type has no board.")


class Reading(Frozen):
    """What a ticket on a forge says of its state."""

    state: LifecycleState | None = Field(default=None, description="None: it says nothing, or contradicts itself.")
    candidates: tuple[LifecycleState, ...] = Field(default=(), description="What it may be, in order.")
    problem: str = ""
