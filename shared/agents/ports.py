"""What agents need from the outside: a model where one is configured, a place to keep what it said, the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from pydantic import BaseModel

from shared.domain.exchange import Answered
from shared.domain.test_case import PlannedCase
from shared.ports import ArtifactStore, Clock


class Model(Protocol):
    """A language model behind an address."""

    @property
    def name(self) -> str:
        """Of the model or deployment."""
        ...

    @property
    def budget(self) -> int:
        """Tokens that one question and its answer may take together."""
        ...

    def ask[A: BaseModel](self, instructions: str, question: str, form: type[A]) -> Answered[A]:
        """Ask for an answer of ``form``.

        Never raises for what a model or its server does: malformed answers, silence, throttling and an exceeded budget
        are told as ``trouble``, with whatever was received.
        """
        ...


class TestCases(Protocol):
    """Where planned test cases are kept for people (Azure Test Plans)."""

    def mirror(self, project: str, plan: str, suite: str, cases: Sequence[PlannedCase]) -> Sequence[int]:
        """Let ``suite`` of ``plan`` hold ``cases``: each made once, its steps brought up to date; ids in their order.

        Raises ``NotSupportedError`` where the organisation has no test plans.
        """
        ...


@dataclass(frozen=True)
class AgentPorts:
    """What hearing an agent works with."""

    model: Model | None
    artifacts: ArtifactStore
    clock: Clock
    missing: str = ""
    """Why the model that settings name cannot be asked; empty: it can, or none is named."""
