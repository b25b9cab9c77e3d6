"""Decides which of two thresholds demands more: a figure by its direction, a list by what it leaves out or asks for."""

from __future__ import annotations

import math
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from shared.domain.forge import Frozen

ThresholdName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{1,39}$")]
Entry = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 ._+-]{0,59}$")]

Value = float | tuple[str, ...]
"""What a policy may set: a figure, or the entries of a list."""


class Unit(StrEnum):
    """What a figure counts."""

    COUNT = "count"
    LINES = "lines"
    MEGABYTES = "megabytes"
    PERCENT = "percent"
    POINTS = "percentage points"
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"
    MINUTES = "minutes"
    HOURS = "hours"
    DAYS = "days"


class Direction(StrEnum):
    """Which way is stricter."""

    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    ALLOWED = "allowed"
    REQUIRED = "required"


class Threshold(Frozen):
    """Exactly one of: a floor, a ceiling, a list of what alone is allowed, a list of what must all be there."""

    at_least: float | None = None
    at_most: float | None = None
    allowed: tuple[Entry, ...] | None = Field(default=None, min_length=1, max_length=100)
    required: tuple[Entry, ...] | None = Field(default=None, min_length=1, max_length=100)
    unit: Unit | None = None

    @model_validator(mode="after")
    def _is_one_sound_bound(self) -> Self:
        given = [one for one in Direction if getattr(self, one) is not None]
        if len(given) != 1:
            raise ValueError("give exactly one of at_least, at_most, allowed, required")
        value = self.value
        if isinstance(value, tuple):
            if self.unit is not None:
                raise ValueError("a list has no unit")
            if len(set(value)) != len(value):
                raise ValueError("an entry of the list is given twice")
        elif self.unit is None:
            raise ValueError("a figure needs its unit")
        elif not math.isfinite(value) or value < 0 or (self.unit is Unit.PERCENT and value > 100):
            raise ValueError(f"{value:g} {self.unit} cannot be")
        return self

    @property
    def direction(self) -> Direction:
        """Which of the four it is."""
        return next(one for one in Direction if getattr(self, one) is not None)

    @property
    def value(self) -> Value:
        """The figure or the entries."""
        found: Value = getattr(self, self.direction)
        return found

    @property
    def takes_list(self) -> bool:
        """Whether its value is a list."""
        return self.direction in {Direction.ALLOWED, Direction.REQUIRED}

    @property
    def text(self) -> str:
        """In words: ``at least 85 percent``, ``only MIT, BSD-3-Clause``."""
        value = self.value
        if isinstance(value, tuple):
            return ("only " if self.direction is Direction.ALLOWED else "all of ") + ", ".join(value)
        unit = f" {self.unit}" if self.unit and self.unit is not Unit.COUNT else ""
        return f"{self.direction.replace('_', ' ')} {value:g}{unit}"

    def with_value(self, value: Value) -> Threshold:
        """The same threshold, held to ``value``. Raises ``pydantic.ValidationError`` for a value that cannot be."""
        return Threshold.model_validate({self.direction.value: value, "unit": self.unit})

    def demands(self, other: Threshold) -> bool:
        """Whether whatever meets this meets ``other``, a threshold of the same direction and unit, as well."""
        mine, theirs = self.value, other.value
        if isinstance(mine, tuple) and isinstance(theirs, tuple):
            return set(mine) <= set(theirs) if self.direction is Direction.ALLOWED else set(mine) >= set(theirs)
        if isinstance(mine, tuple) or isinstance(theirs, tuple):
            raise TypeError("a figure and a list cannot be compared")
        return mine >= theirs if self.direction is Direction.AT_LEAST else mine <= theirs
