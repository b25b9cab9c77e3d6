"""What adopting is made of: what the owner wants, the plan beside live state, and the consent that lets it be applied."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field, JsonValue, ValidationInfo, field_validator

from shared.domain import shapes
from shared.domain.forge import BranchRules, ForgeName, Frozen
from shared.domain.plan import Plan
from shared.domain.project import EnvironmentRequest, Process, ProjectRequest, Stack, TeamRequest


class AdoptionWish(Frozen):
    """What exists already, and what its owner wants ensured beside it."""

    github_repository: str = Field(
        default="",
        pattern=shapes.REPOSITORY_NAME.pattern,
        description="Name of a repository of the connection's GitHub account.",
        examples=[shapes.REPOSITORY_NAME.example],
    )
    azure_devops_project: str = Field(
        default="",
        validate_default=True,
        max_length=64,
        description="Name of a project of the connection's Azure DevOps organisation.",
        examples=["Payments API"],
    )
    azure_devops_repository: str = Field(
        default="",
        max_length=64,
        description="Name of a repository of that project; empty: the one of the project's own name.",
        examples=["Payments API"],
    )
    name: str = Field(
        default="",
        max_length=64,
        description="Display name in Doneright; empty: the project's or the repository's.",
        examples=["Payments API"],
    )
    owner: str = Field(
        max_length=254,
        pattern=shapes.OWNER.pattern,
        description="GitHub login, organisation/team or e-mail of who answers for it.",
        examples=[shapes.OWNER.example],
    )
    stack: Stack | None = Field(
        default=None, description="The kind of code, where it is one Doneright knows.", examples=["fastapi"]
    )
    rules: BranchRules = Field(
        default_factory=BranchRules,
        description="What the default branch demands at least; what it demands beyond that stays.",
        examples=[{"minimum_reviewers": 1}],
    )
    teams: tuple[TeamRequest, ...] = Field(
        default=(),
        max_length=20,
        description="Teams that are made where they are missing; Azure DevOps.",
        examples=[[{"name": "Release crew", "members": ["casey@contoso.com"]}]],
    )
    environments: tuple[EnvironmentRequest, ...] = Field(
        default=(),
        max_length=10,
        description="Environments that are made where they are missing; one that is there keeps whom it asks.",
        examples=[[{"name": "production", "approvers": ["octocat"]}]],
    )
    topics: tuple[Annotated[str, Field(pattern=shapes.TOPIC.pattern)], ...] = Field(
        default=(),
        max_length=19,
        description="GitHub topics beside `doneright` and those it has.",
        examples=[[shapes.TOPIC.example]],
    )
    backlog: tuple[Annotated[str, Field(min_length=1, max_length=255)], ...] = Field(
        default=(),
        max_length=50,
        description="One feature a line, seeded where the project has no work item yet.",
        examples=[["Take a card payment"]],
    )

    @field_validator("azure_devops_project")
    @classmethod
    def _something_is_named(cls, project: str, info: ValidationInfo) -> str:
        if not project and not info.data.get("github_repository"):
            raise ValueError("must name what is to be adopted where github_repository does not")
        return project

    @field_validator("azure_devops_repository")
    @classmethod
    def _a_repository_stands_in_a_project(cls, repository: str, info: ValidationInfo) -> str:
        if repository and not info.data.get("azure_devops_project", "?"):
            raise ValueError("stands in a project, so azure_devops_project must name that")
        return repository

    @property
    def forges(self) -> frozenset[ForgeName]:
        """Where what is to be adopted lies."""
        named = {ForgeName.GITHUB: self.github_repository, ForgeName.AZURE_DEVOPS: self.azure_devops_project}
        return frozenset(forge for forge, name in named.items() if name)


class AdoptedRequest(ProjectRequest):
    """The request that an adopted project stands for; what nobody said and no forge tells is unknown."""

    stack: Stack | None = None  # type: ignore[assignment]
    process: Process | None = None  # type: ignore[assignment]


def subject_of(project: str) -> str:
    """What the runs of an adopted project are about."""
    return f"adopt-{project}"


class Mark(StrEnum):
    """What a step of an adoption would do."""

    AS_PLANNED = "as_planned"
    WOULD_MAKE = "would_make"
    WOULD_CHANGE = "would_change"
    CONFLICT = "conflict"
    NOT_APPLICABLE = "not_applicable"


AGREEABLE = frozenset({Mark.AS_PLANNED, Mark.WOULD_MAKE, Mark.WOULD_CHANGE})
"""Marks of steps that can be consented to."""


class FieldChange(Frozen):
    """One field of what is there, and what would become of it."""

    field: str
    now: JsonValue = Field(default=None, description="As it is; null for what is not there.")
    planned: JsonValue = Field(default=None, description="As it would be.")


class AdoptionStep(Frozen):
    """One step of the plan beside live state."""

    id: str
    title: str
    forge: ForgeName
    mark: Mark
    changes: tuple[FieldChange, ...] = ()
    reason: str = ""
    remedy: str = ""


class AdoptionPlan(Frozen):
    """A plan drawn from live state. Its digest is what is consented to, so nothing in it changes by itself."""

    plan: Plan = Field(description="What would be applied if every step were consented to.")
    steps: tuple[AdoptionStep, ...] = Field(description="All usual steps, those that are left out with the reason.")

    def agreeable(self) -> tuple[str, ...]:
        """Ids of the steps that can be consented to."""
        return tuple(step.id for step in self.steps if step.mark in AGREEABLE)


class LiveFact(Frozen):
    """Something that was found on a forge."""

    forge: ForgeName
    what: str
    found: str
    url: str = ""


class Consent(Frozen):
    """Who agreed to what."""

    digest: str = Field(description="Of the adoption's plan as it was shown.")
    steps: tuple[str, ...]
    by: str = Field(description="Pseudonym of who agreed.")
    at: datetime
    plan: str = Field(description="Digest of the plan of the agreed steps, which runs apply.")


class Adoption(Frozen):
    """What is known of an adopted project beyond that of others."""

    wish: AdoptionWish
    shown: str = Field(description="Digest of the latest plan beside live state.")
    facts: tuple[LiveFact, ...] = ()
    planned_at: datetime
    consent: Consent | None = None
