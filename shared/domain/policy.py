"""How strictly each criterion is taken at each level, ordered so that a narrower level may tighten and never weaken."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.domain.definition import CriterionId, Pin, Stage
from shared.domain.forge import Frozen
from shared.domain.threshold import Threshold, ThresholdName, Value


class Enforcement(StrEnum):
    """What an unmet criterion does, the mildest first: nothing, a remark, a block."""

    OFF = "off"
    ADVISORY = "advisory"
    ENFORCED = "enforced"

    @property
    def rank(self) -> int:
        """0 to 2; more is stricter."""
        return list(Enforcement).index(self)

    def at_least(self, other: Enforcement) -> Enforcement:
        """The stricter of the two."""
        return self if self.rank >= other.rank else other


class Level(StrEnum):
    """Whose word it is, the widest first. The shipped policy stands where an organisation says nothing."""

    SHIPPED = "shipped"
    ORGANISATION = "organisation"
    PROJECT = "project"
    REPOSITORY = "repository"


class Rule(Frozen):
    """What one policy says of one criterion."""

    enforcement: Enforcement | None = Field(default=None, description="None: as the wider level says.")
    thresholds: dict[ThresholdName, Value] = Field(default_factory=dict)
    line: int = Field(default=0, ge=0, description="Where it stands in its file.")


class Policy(Frozen):
    """One level's policy."""

    level: Level
    version: int = Field(ge=1)
    rules: dict[CriterionId, Rule] = Field(default_factory=dict)


class KeptPolicy(Frozen):
    """The text of an organisation's or a project's policy, as somebody set it. A repository keeps its own in itself."""

    level: Level
    of: str = Field(description="Id of the connection, or of the project.")
    text: str = Field(max_length=65_536, description="YAML.")
    by: str = Field(description="Pseudonym of who set it.")
    at: datetime


class EffectiveRule(Frozen):
    """What holds for one criterion after all levels spoke."""

    criterion: CriterionId
    stage: Stage
    enforcement: Enforcement
    decided_by: Level
    thresholds: dict[ThresholdName, Threshold] = Field(default_factory=dict)


class EffectivePolicy(Frozen):
    """What holds for a repository, under exactly one definition."""

    definition: Pin
    rules: tuple[EffectiveRule, ...] = Field(description="One for each criterion of the definition, in its order.")

    def rule(self, criterion: str) -> EffectiveRule | None:
        """What holds for ``criterion``."""
        return next((rule for rule in self.rules if rule.criterion == criterion), None)


class Weakening(Frozen):
    """Where a level asked for less than a wider one demands. The wider level's word holds."""

    criterion: CriterionId
    level: Level
    line: int
    field: str = Field(description="`enforcement`, or the threshold's name.")
    asked: str
    demanded: str
    demanded_by: Level

    @property
    def text(self) -> str:
        """In words, for a person."""
        return (
            f"{self.criterion}: {self.field} {self.asked} is weaker than {self.demanded}, "
            f"which the {self.demanded_by} level demands"
        )


class Resolution(Frozen):
    """The policy that holds, and what was refused on the way to it. Nothing refused has an effect."""

    policy: EffectivePolicy
    weakenings: tuple[Weakening, ...] = ()

    @property
    def refused(self) -> bool:
        """Whether a level tried to weaken."""
        return bool(self.weakenings)
