"""What was said to a model and what came back, whatever became of it."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.domain.forge import Frozen


class Exchange(Frozen):
    """One question to a model: kept whole, so that what it said can be looked at later."""

    model: str = Field(description="Name of the model or deployment.")
    sent: tuple[str, ...] = Field(default=(), description="Bodies of the requests as they went out, oldest first.")
    received: tuple[str, ...] = Field(default=(), description="Bodies of its answers as they came, oldest first.")
    trouble: str = Field(default="", description="Why there is no answer in full; empty: it answered.")
    calls: int = Field(default=0, ge=0, description="Requests that reached it.")
    tokens: int = Field(default=0, ge=0, description="As the model counts them, of questions and answers.")


class Answered[A: BaseModel](Frozen):
    """An exchange, and its answer when there is one of the form that was asked for."""

    exchange: Exchange
    answer: A | None = None
