"""A portfolio: many projects and the epics across them from one file, its runs, and what became of each project."""

from __future__ import annotations

import hashlib
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, JsonValue, WithJsonSchema, field_serializer, field_validator

from shared.domain import shapes
from shared.domain.faults import FieldFault
from shared.domain.forge import ForgeName, Frozen
from shared.domain.project import ProjectRequest, RequestOrigin, slug_of
from shared.domain.run import UNDER_WAY, ProjectState, RunInput

MOST_PROJECTS = 200
MOST_EPICS = 50
ALL = "all"
"""What a file writes where an epic goes across every project."""

_Text = Annotated[str, Field(min_length=1, max_length=255)]


def key_of(title: str, longest: int = 40) -> str:
    """A key for ``title`` that no other title has, whatever its case; it is part of tags and of table keys."""
    # C, C++ and C# leave the same slug; the digest tells them apart.
    digest = hashlib.sha256(title.casefold().encode()).hexdigest()[:8]
    return "-".join(filter(None, (slug_of(title)[:longest].strip("-"), digest)))


class PortfolioEpic(Frozen):
    """An outcome that several projects work towards."""

    title: _Text = Field(examples=["One sign-in everywhere"])
    description: str = Field(default="", max_length=4000, examples=["People sign in once for all our products."])
    acceptance: tuple[_Text, ...] = Field(
        default=(), max_length=50, description="When it is met.", examples=[["Signing out ends every session"]]
    )
    projects: Annotated[
        tuple[str, ...] | None,
        WithJsonSchema(
            {
                "anyOf": [{"const": ALL}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
                "default": ALL,
                "description": "`all`, or names of projects of this portfolio.",
            }
        ),
    ] = Field(default=None, min_length=1, max_length=MOST_PROJECTS, examples=[["Payments API"]])
    features: dict[str, Annotated[tuple[_Text, ...], Field(max_length=50)]] = Field(
        default_factory=dict,
        description="By project name: titles of the features below the epic in that project.",
        examples=[{"Payments API": ["Accept the shared token"]}],
    )

    @field_validator("projects", mode="before")
    @classmethod
    def _all_is_none(cls, projects: object) -> object:
        return None if isinstance(projects, str) and projects.strip().lower() == ALL else projects

    @field_serializer("projects")
    def _none_is_all(self, projects: tuple[str, ...] | None) -> list[str] | str:
        return ALL if projects is None else list(projects)

    @property
    def key(self) -> str:
        """Its identity within the portfolio."""
        return key_of(self.title)


class PortfolioBody(Frozen):
    """The body of ``POST /api/portfolios``, as JSON or YAML."""

    id: str = Field(
        default="",
        max_length=63,
        description="Lower-case letters, digits and hyphens; made of the name where left out.",
        examples=["web-shop"],
    )
    name: str = Field(min_length=1, max_length=100, examples=["Web shop"])
    connection: str = Field(
        pattern=shapes.CONNECTION_ID.pattern,
        description="Id of the connection the projects belong to.",
        examples=["contoso"],
    )
    defaults: dict[str, JsonValue] = Field(
        default_factory=dict,
        description="Fields of a project that hold where a project does not give its own.",
        examples=[{"owner": "octocat", "stack": "fastapi"}],
    )
    projects: tuple[dict[str, JsonValue], ...] = Field(
        min_length=1,
        max_length=MOST_PROJECTS,
        description="Each as the body of `POST /api/projects`, without its connection.",
        examples=[[{"name": "Payments API", "owner": "octocat", "stack": "fastapi"}]],
    )
    epics: tuple[PortfolioEpic, ...] = Field(default=(), max_length=MOST_EPICS)

    @field_validator("id")
    @classmethod
    def _id_is_a_slug(cls, given: str) -> str:
        if given and slug_of(given) != given:
            raise ValueError("is not made of lower-case letters, digits and single hyphens between them")
        return given


class Portfolio(Frozen):
    """A portfolio whose every project is valid, with its defaults applied."""

    id: str
    name: str
    connection: str
    projects: tuple[ProjectRequest, ...]
    epics: tuple[PortfolioEpic, ...] = ()

    def request(self, project: str) -> ProjectRequest | None:
        """The request for the project of that id."""
        return next((request for request in self.projects if request.project_id == project), None)

    def members(self, epic: PortfolioEpic) -> tuple[ProjectRequest, ...]:
        """The projects an epic goes across, in the file's order."""
        if epic.projects is None:
            return self.projects
        named = {slug_of(name) for name in epic.projects}
        return tuple(request for request in self.projects if request.project_id in named)

    def epic(self, key: str) -> PortfolioEpic | None:
        """The epic of that key."""
        return next((epic for epic in self.epics if epic.key == key), None)


def features_of(epic: PortfolioEpic, project: str) -> tuple[str, ...]:
    """The features of ``epic`` in the project of that id; two of one title are one."""
    first: dict[str, str] = {}
    for name, titles in epic.features.items():
        for title in titles if slug_of(name) == project else ():
            first.setdefault(title.casefold(), title)
    return tuple(first.values())


class PortfolioState(StrEnum):
    """Where a portfolio stands."""

    RUNNING = "running"
    COMPLETED = "completed"
    PARTLY_FAILED = "partly_failed"
    FAILED = "failed"


class EntryState(StrEnum):
    """Where a project of a portfolio stands: as itself, or as what kept it from a run."""

    PENDING = "pending"
    RUNNING = "running"
    AWAITING_DECISION = "awaiting_decision"
    COMPENSATING = "compensating"
    COMPLETED = "completed"
    UNCHANGED = "unchanged"
    ACCEPTED = "accepted"
    ADVISED = "advised"
    COMPENSATED = "compensated"
    FAILED = "failed"
    REFUSED = "refused"
    LEFT_OUT = "left_out"


UNFINISHED = frozenset({EntryState.PENDING, EntryState.RUNNING, EntryState.AWAITING_DECISION, EntryState.COMPENSATING})
STANDING = frozenset({EntryState.COMPLETED, EntryState.UNCHANGED, EntryState.ACCEPTED})
"""States in which there is a project that epics can be seeded in."""
GOOD = STANDING | {EntryState.ADVISED}
"""Ends that are no failure."""


class PortfolioRun(Frozen):
    """What a run of a portfolio starts with."""

    instance: str
    id: str
    run: int = Field(ge=1)
    connection: str
    plan: str = Field(description="Digest of the portfolio, valid and with its defaults applied.")
    file: str = Field(description="Digest of the file as it was sent.")
    origin: RequestOrigin
    at_once: int = Field(default=10, ge=1)
    step_deadline_seconds: int = 1800
    step_pause_seconds: float = 1.0
    decision_seconds: int = 0

    @property
    def subject(self) -> str:
        """What its records are about."""
        return self.origin.subject


class PortfolioRecord(Frozen):
    """A portfolio as Doneright knows it, with its latest run."""

    id: str
    name: str
    connection: str
    state: PortfolioState
    reason: str = ""
    start: PortfolioRun
    created_at: datetime
    started_at: datetime
    finished_at: datetime | None = None


class Entry(Frozen):
    """A project of a portfolio in its latest run."""

    project: str
    name: str
    order: int = Field(description="Its place in the file.")
    run: str = Field(description="The portfolio's run that wrote this.")
    instance: str = Field(default="", description="The project's own run; empty while none of ours carried it out.")
    state: EntryState = EntryState.PENDING
    reason: str = ""
    remedy: str = ""
    faults: tuple[FieldFault, ...] = ()


class SeedState(StrEnum):
    """What seeding an epic in a project, or linking it to the others, came to."""

    APPLIED = "applied"
    CONFIRMED = "confirmed"
    UNSUPPORTED = "unsupported"
    FAILED = "failed"


SEEDED = frozenset({SeedState.APPLIED, SeedState.CONFIRMED})


class SeededEpic(Frozen):
    """A portfolio epic in one project's backlog."""

    epic: str
    title: str
    project: str
    forge: ForgeName
    state: SeedState
    reason: str = ""
    remedy: str = ""
    number: int = Field(default=0, description="Of the work item or issue; 0 while there is none.")
    url: str = ""
    made: tuple[str, ...] = Field(default=(), description="Keys of all that was ever made, the epic's own among them.")
    linked: SeedState | None = Field(default=None, description="What linking it to the others came to.")
    link_reason: str = ""
    others: int = Field(default=0, description="How many of the others it is linked to, as read back.")


class DrawnEpic(Frozen):
    """What the runbook needs of an epic."""

    key: str
    projects: tuple[str, ...]


class DrawnPortfolio(Frozen):
    """What the runbook needs of a portfolio; the portfolio itself is an artifact."""

    projects: tuple[str, ...]
    epics: tuple[DrawnEpic, ...] = ()


class EntryTask(Frozen):
    """Input of an activity about one project."""

    run: PortfolioRun
    project: str
    reason: str = Field(default="", description="Why the project's run broke, where it did.")


class EntryBegun(Frozen):
    """How a project of a portfolio goes on."""

    start: RunInput | None = Field(default=None, description="The run to start now.")
    watch: bool = Field(default=False, description="Its run is under way elsewhere, and its end is to be waited for.")
    stands: bool = Field(default=False, description="There is a project that epics can be seeded in.")


class LookTask(Frozen):
    """Input of a look at projects whose runs have begun."""

    run: PortfolioRun
    projects: tuple[str, ...]


class Looked(Frozen):
    """What a look found."""

    ended: tuple[str, ...] = ()
    parked: tuple[str, ...] = Field(default=(), description="Those that wait for a person's decision.")


class EpicTask(Frozen):
    """Input of an activity about one epic in one project."""

    run: PortfolioRun
    epic: str
    project: str
    reason: str = Field(default="", description="Why the activity before broke, where it did.")


class PortfolioEnd(Frozen):
    """Input of a portfolio's end."""

    run: PortfolioRun
    reason: str = ""


class PreviewRun(Frozen):
    """A dry run of a portfolio that takes longer than an HTTP answer may."""

    instance: str
    id: str
    run: int = Field(ge=1)
    connection: str
    plan: str
    at_once: int = Field(default=10, ge=1)
    started_at: datetime
    finished_at: datetime | None = None
    reason: str = ""


class PreviewTask(Frozen):
    """Input of the dry run of one project."""

    run: PreviewRun
    project: str
    reason: str = Field(default="", description="Why the activity before broke, where it did.")


class Difference(StrEnum):
    """What a run of a portfolio would do with a project."""

    MAKE = "make"
    CHANGE = "change"
    RETRY = "retry"
    WAIT = "wait"
    NONE = "none"


class PreviewedProject(Frozen):
    """What a run of a portfolio would do with one project."""

    project: str
    name: str
    order: int
    difference: Difference
    fields: tuple[str, ...] = Field(default=(), description="Fields that differ from the request it was made from.")
    would_succeed: bool
    reason: str = ""
    detail: str = Field(default="", description="Digest of the steps beside live state in the artifact store.")


def entry_state(state: ProjectState) -> EntryState:
    """A project's state as a portfolio shows it; states that no request leads to are shown as what they mean for it."""
    if state.value in EntryState:
        return EntryState(state.value)
    return EntryState.RUNNING if state in UNDER_WAY else EntryState.FAILED


def as_json(portfolio: Portfolio) -> bytes:
    """The portfolio as it is stored: equal portfolios are equal bytes."""
    return portfolio.model_dump_json().encode()


def fields_that_differ(one: Frozen, other: ProjectRequest) -> tuple[str, ...]:
    """Names of the fields in which two requests differ."""
    ours: dict[str, Any] = one.model_dump(mode="json")
    theirs: dict[str, Any] = other.model_dump(mode="json")
    return tuple(name for name in theirs if ours.get(name) != theirs[name])
