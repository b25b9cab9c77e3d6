"""A test case as people plan and run it: a title, steps with what is expected of each, and the requirement it is for."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from shared.domain.forge import Frozen


class CaseNature(StrEnum):
    """What a case tries."""

    POSITIVE = "positive"
    NEGATIVE = "negative"
    EDGE = "edge"


class CaseStep(Frozen):
    """One thing to do, and what must come of it."""

    action: str = Field(min_length=1, max_length=2_000)
    expected: str = Field(default="", max_length=2_000)


class PlannedCase(Frozen):
    """One test case. Its key finds it again, whatever its title says by then."""

    key: str = Field(pattern=r"^[0-9a-f]{16}$")
    title: str = Field(min_length=3, max_length=200)
    nature: CaseNature
    steps: tuple[CaseStep, ...] = Field(min_length=1, max_length=50)
    requirement: int | None = Field(default=None, ge=1, description="Id of the work item it tests.")
    automated_by: str = Field(default="", description="The test that runs it: path::name.")
