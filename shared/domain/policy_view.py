"""Policies as the API shows them: what holds and who decided it, what somebody wrote, and what is wrong with that."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from shared.domain.definition import Pin
from shared.domain.faults import FieldFault
from shared.domain.forge import Frozen
from shared.domain.policy import EffectiveRule, Level, Weakening


class PolicyFault(FieldFault):
    """A field at fault, and the line it stands on."""

    line: int = Field(ge=1)


class PolicyText(Frozen):
    """What one level says."""

    level: Level
    of: str = Field(description="Id of the connection or project, or the repository with its branch.")
    text: str = Field(description="YAML, as it was written.")
    at: datetime | None = Field(default=None, description="When it was set; a repository's own says that itself.")


class PolicyView(Frozen):
    """What holds for a project, or for one of its repositories."""

    project: str
    repository: str = Field(default="", description="Whose own policy is part of it; empty: none.")
    definition: Pin
    rules: tuple[EffectiveRule, ...] = Field(description="One for each criterion, with the level that decided it.")
    weakenings: tuple[Weakening, ...] = Field(
        default=(), description="What a level asks for less than a wider one demands; that has no effect."
    )
    faults: tuple[str, ...] = Field(default=(), description="Why a level counts for nothing: it cannot be read.")
    said: tuple[PolicyText, ...] = Field(default=(), description="What the levels say, the widest first.")


class PolicyCheck(Frozen):
    """Whether a policy can be read, and what it would have no effect with."""

    valid: bool
    criteria: int = Field(default=0, description="How many it says something of.")
    faults: tuple[PolicyFault, ...] = ()
    weakenings: tuple[Weakening, ...] = Field(default=(), description="Where a project was named.")
