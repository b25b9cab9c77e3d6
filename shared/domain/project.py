"""A request for a project: what may be asked for, and which names both forges accept."""

from __future__ import annotations

import re
import unicodedata
from enum import StrEnum
from typing import Annotated

from pydantic import (
    AfterValidator,
    Field,
    GetJsonSchemaHandler,
    ValidationInfo,
    field_serializer,
    field_validator,
    model_validator,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from shared.domain import shapes
from shared.domain.forge import BranchRules, ForgeName, Frozen, NotificationEvent

# https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions#project-names
_FORBIDDEN_IN_PROJECT_NAMES = set("\\/:*?\"'<>|;#$*{},+=[]~&%@")
_RESERVED_PROJECT_NAMES = {
    "app_browsers", "app_code", "app_data", "app_globalresources", "app_localresources", "app_themes",
    "app_webreferences", "bin", "web.config", "signalr", "defaultcollection", "web",
    "con", "prn", "aux", "nul", "server", "tfs",
    *(f"com{n}" for n in range(1, 11)), *(f"lpt{n}" for n in range(1, 11)),
}  # fmt: skip
# https://learn.microsoft.com/azure/devops/organizations/settings/about-areas-iterations#naming-restrictions
_FORBIDDEN_IN_PATHS = set('\\:*?"<>|#$&%+')
_RESERVED_IN_PATHS = {".", "..", "prn", "aux", "nul", "con", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 11))}
_DEEPEST_PATH = 5
"""Levels below the project's own; the service takes 14."""
_REPOSITORY_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_RESERVED_REPOSITORY_NAMES = _RESERVED_PROJECT_NAMES | {"reverse"}
"""Names of repositories: what Azure DevOps reserves, and a word by which the record calls the end of a step's id."""


class Process(StrEnum):
    """The process template of the Azure DevOps project."""

    AGILE = "agile"
    BASIC = "basic"
    CMMI = "cmmi"
    SCRUM = "scrum"


class Stack(StrEnum):
    """The kind of code the repository starts with."""

    FASTAPI = "fastapi"
    FLASK = "flask"
    DJANGO = "django"
    REACT = "react"


class Visibility(StrEnum):
    """Who can see the project."""

    PRIVATE = "private"
    PUBLIC = "public"


def slug_of(name: str) -> str:
    """``name`` as a repository name and project id: lower case, words joined by ``-``; empty when nothing is left.

    Letters with marks lose them (``größe`` becomes ``grosse``); what has no Latin base letter is left out.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:63].strip("-")


def name_faults(name: str) -> list[str]:
    """Why ``name`` cannot be used on both forges; empty when it can."""
    faults = []
    if not 1 <= len(name) <= 64:
        faults.append(f"is {len(name)} characters long; Azure DevOps takes 1 to 64")
    if bad := sorted(_FORBIDDEN_IN_PROJECT_NAMES & set(name)):
        faults.append("holds " + " ".join(bad) + ", which Azure DevOps refuses in project names")
    if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) <= 0xDFFF for c in name):
        faults.append("holds a control character")
    if name.startswith("_"):
        faults.append("starts with an underscore")
    if name.startswith(".") or name.endswith("."):
        faults.append("starts or ends with a period")
    if name.lower() in _RESERVED_PROJECT_NAMES:
        faults.append("is a name Azure DevOps reserves for itself")
    if name != name.strip():
        faults.append("has white space at its ends")
    slug = slug_of(name)
    if not slug or not _REPOSITORY_NAME.fullmatch(slug):
        faults.append("has no letter or digit from a-z, 0-9 to make a repository name of")
    return faults


def _one_line(text: str) -> str:
    # Format characters can make text read as what it is not; joiners shape emoji and Persian.
    for position, c in enumerate(text, 1):
        hidden = unicodedata.category(c) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
        if hidden and c not in "\n\r\t\u200c\u200d":
            raise ValueError(f"holds the unprintable character U+{ord(c):04X} at position {position}")
    return " ".join(text.split())


def _path(path: str) -> str:
    names = [" ".join(name.split()) for name in path.split("/")]
    if len(names) > _DEEPEST_PATH:
        raise ValueError(f"has {len(names)} levels; {_DEEPEST_PATH} are the most")
    for name in names:
        if not 1 <= len(name) <= 255:
            raise ValueError(f"has a name of {len(name)} characters between its slashes; 1 to 255 can be taken")
        if bad := sorted(_FORBIDDEN_IN_PATHS & set(name)):
            raise ValueError(f"holds {' '.join(bad)}, which Azure DevOps refuses in areas and iterations")
        if any(unicodedata.category(c) in {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"} for c in name):
            raise ValueError("holds an unprintable character")
        if name.lower() in _RESERVED_IN_PATHS:
            raise ValueError(f"holds {name!r}, a name Azure DevOps reserves for itself")
    return "/".join(names)


class TeamRole(StrEnum):
    """What a team may do in the project."""

    READER = "reader"
    CONTRIBUTOR = "contributor"
    ADMINISTRATOR = "administrator"


class TeamRequest(Frozen):
    """A team of the Azure DevOps project."""

    name: str = Field(min_length=1, max_length=64, examples=["Release crew"])
    members: tuple[str, ...] = Field(
        default=(), max_length=50, description="E-mail addresses or sign-in names.", examples=[["casey@contoso.com"]]
    )
    role: TeamRole = TeamRole.CONTRIBUTOR


class Approver(Frozen):
    """Who is asked before a deployment, by the name each forge knows. Text alone is the name whose form it has."""

    github: str = Field(
        default="",
        pattern=shapes.GITHUB_APPROVER.pattern,
        description="Login, or organisation/team.",
        examples=[shapes.GITHUB_APPROVER.example],
    )
    azure_devops: str = Field(
        default="",
        pattern=shapes.AZURE_DEVOPS_APPROVER.pattern,
        description="E-mail address.",
        examples=[shapes.AZURE_DEVOPS_APPROVER.example],
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, given: object) -> object:
        if isinstance(given, str):
            for forge, shape in (("github", shapes.GITHUB_APPROVER), ("azure_devops", shapes.AZURE_DEVOPS_APPROVER)):
                if given and re.fullmatch(shape.pattern, given):
                    return {forge: given}
            raise ValueError(f"is neither {shapes.GITHUB_APPROVER.accepts}, nor {shapes.AZURE_DEVOPS_APPROVER.accepts}")
        if not isinstance(given, (dict, Approver)):
            raise ValueError("is neither a name nor an object with one name for each forge")
        return given

    @model_validator(mode="after")
    def _has_a_name(self) -> Approver:
        if not (self.github or self.azure_devops):
            raise ValueError("names nobody, on neither forge")
        return self

    def on(self, forge: ForgeName) -> str:
        """The name ``forge`` knows; empty when none was given for it."""
        return self.github if forge is ForgeName.GITHUB else self.azure_devops

    def __str__(self) -> str:
        return self.github or self.azure_devops


class _OrText:
    """Shows in the API's description that a text is taken as well."""

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        return {"anyOf": [{"type": "string"}, handler(schema)]}


class EnvironmentRequest(Frozen):
    """Where the project is deployed, and who approves that."""

    name: str = Field(min_length=1, max_length=100, pattern=shapes.ENVIRONMENT.pattern, examples=["production"])
    approvers: tuple[Annotated[Approver, _OrText()], ...] = Field(
        default=(),
        max_length=6,
        description="A login or organisation/team for GitHub, an e-mail address for Azure DevOps, or an object with both; "
        "empty: nobody is asked.",
        examples=[[{"github": "octocat", "azure_devops": "octo@contoso.com"}]],
    )

    def approvers_on(self, forge: ForgeName) -> tuple[str, ...]:
        """The names of those who can be asked on ``forge``."""
        return tuple(name for approver in self.approvers if (name := approver.on(forge)))

    def not_asked_on(self, forge: ForgeName) -> tuple[str, ...]:
        """Those who have no name on ``forge``, by the one they have."""
        return tuple(str(approver) for approver in self.approvers if not approver.on(forge))


class NotificationRequest(Frozen):
    """Who is told about an event by e-mail. Azure DevOps; GitHub lets nobody choose that for others."""

    event: NotificationEvent = Field(examples=["build_failed"])
    to: tuple[Annotated[str, Field(pattern=shapes.EMAIL.pattern)], ...] = Field(
        default=(),
        max_length=10,
        description="E-mail addresses; empty: the project's default team.",
        examples=[[shapes.EMAIL.example]],
    )


class RepositoryRequest(Frozen):
    """A repository beside the project's main one, of the same name on each forge."""

    name: str = Field(pattern=shapes.FURTHER_REPOSITORY.pattern, examples=[shapes.FURTHER_REPOSITORY.example])
    description: str = Field(default="", max_length=350, examples=["The shop's pages."])
    stack: Stack | None = Field(
        default=None,
        description="The scaffold it starts with; none: a README alone, so that its branch can be protected.",
        examples=["react"],
    )
    forges: frozenset[ForgeName] | None = Field(
        default=None,
        min_length=1,
        description="Where it is made, of the project's forges; none given: on all of them.",
        examples=[["github"]],
    )

    @field_validator("stack", mode="before")
    @classmethod
    def _any_case(cls, choice: object) -> object:
        return choice.strip().lower() if isinstance(choice, str) else choice

    @field_validator("name")
    @classmethod
    def _name_fits_both_forges(cls, name: str) -> str:
        # https://learn.microsoft.com/azure/devops/organizations/settings/naming-restrictions#azure-repos-git
        if name.lower() in _RESERVED_REPOSITORY_NAMES:
            raise ValueError(f"is {name!r}, a name that is reserved")
        # GitHub keeps wikis and clones under these ends, and Azure DevOps a project's wiki.
        if end := next((end for end in (".git", ".wiki", ".") if name.lower().endswith(end)), ""):
            raise ValueError(f"ends with {end!r}, which a forge refuses at the end of a repository's name")
        return name

    @field_validator("description")
    @classmethod
    def _is_printable(cls, text: str) -> str:
        return _one_line(text)

    @field_serializer("forges")
    def _forges_in_order(self, forges: frozenset[ForgeName] | None) -> list[str] | None:
        return None if forges is None else sorted(forges)

    @property
    def slug(self) -> str:
        """What tells it from the project's other repositories, in ids of steps."""
        return slug_of(self.name)


NodePath = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(_path)]
"""An area or iteration below the project's own, its names joined by ``/``."""


class ProjectRequest(Frozen):
    """What somebody wants created. Everything but name, owner and stack has a sensible default."""

    name: str = Field(
        description="Display name; the project id and repository name are made of it.", examples=["Payments API"]
    )
    owner: str = Field(
        max_length=254,
        pattern=shapes.OWNER.pattern,
        description="GitHub login, organisation/team or e-mail of who answers for it.",
        examples=[shapes.OWNER.example],
    )
    stack: Stack = Field(examples=["fastapi"])
    description: str = Field(
        default="",
        max_length=350,
        description="One or two sentences, on both forges.",
        examples=["Takes card payments for the shop."],
    )
    process: Process = Field(default=Process.AGILE, examples=["agile"])
    visibility: Visibility = Field(default=Visibility.PRIVATE, examples=["private"])
    forges: frozenset[ForgeName] = Field(
        default=frozenset(ForgeName),
        min_length=1,
        description="Where repositories are made.",
        examples=[["azure_devops", "github"]],
    )
    rules: BranchRules = Field(
        default_factory=BranchRules,
        description="What the main branch demands.",
        examples=[{"minimum_reviewers": 1}],
    )
    repositories: tuple[RepositoryRequest, ...] = Field(
        default=(),
        max_length=20,
        description="Repositories beside the main one, which has the project's own name; with its rules, and on each "
        "forge from the same bytes.",
        examples=[[{"name": "web-shop", "stack": "react"}]],
    )
    teams: tuple[TeamRequest, ...] = Field(
        default=(),
        max_length=20,
        description="Teams beside the project's own default team; Azure DevOps.",
        examples=[[{"name": "Release crew", "members": ["casey@contoso.com"]}]],
    )
    environments: tuple[EnvironmentRequest, ...] = Field(
        default=(EnvironmentRequest(name="staging"), EnvironmentRequest(name="production")),
        max_length=10,
        description="Environments on both forges, first to last.",
        examples=[[{"name": "production", "approvers": [{"github": "octocat", "azure_devops": "octo@contoso.com"}]}]],
    )
    topics: tuple[Annotated[str, Field(pattern=shapes.TOPIC.pattern)], ...] = Field(
        default=(),
        max_length=19,
        description="GitHub topics beside `doneright`.",
        examples=[[shapes.TOPIC.example]],
    )
    areas: tuple[NodePath, ...] = Field(
        default=(),
        max_length=50,
        description="Area paths below the project's own, names joined by `/`; the seeded work items go into the first. "
        "Azure DevOps.",
        examples=[["Checkout", "Checkout/Cards"]],
    )
    iterations: tuple[NodePath, ...] = Field(
        default=(),
        max_length=50,
        description="Iteration paths, likewise; empty: those the process brings, or Sprint 1 to 3 where it brings none. "
        "Azure DevOps.",
        examples=[["Sprint 1", "Sprint 2"]],
    )
    notifications: tuple[NotificationRequest, ...] = Field(
        default=(),
        max_length=20,
        description="Who is told about what, beside what the forges tell by themselves.",
        examples=[[{"event": "build_failed", "to": ["crew@contoso.com"]}]],
    )
    backlog: tuple[str, ...] = Field(
        default=(),
        max_length=50,
        description="One feature a line, seeded in the backlog.",
        examples=[["Take a card payment"]],
    )

    @field_validator("process", "stack", "visibility", mode="before")
    @classmethod
    def _any_case(cls, choice: object) -> object:
        return choice.strip().lower() if isinstance(choice, str) else choice

    @field_validator("name")
    @classmethod
    def _name_fits_both_forges(cls, name: str) -> str:
        if faults := name_faults(name):
            raise ValueError("the name " + "; it ".join(faults))
        return name

    @field_validator("name", "description")
    @classmethod
    def _is_printable(cls, text: str) -> str:
        return _one_line(text)

    @field_validator("backlog")
    @classmethod
    def _titles_fit(cls, titles: tuple[str, ...]) -> tuple[str, ...]:
        # System.Title holds 255 characters: https://learn.microsoft.com/azure/devops/boards/work-items/guidance/work-item-field
        cleaned = tuple(_one_line(title) for title in titles if title.strip())
        if long := [title for title in cleaned if len(title) > 255]:
            raise ValueError(f"the feature {long[0][:40]!r}… is longer than 255 characters")
        return cleaned

    @field_validator("environments")
    @classmethod
    def _environments_are_told_apart(
        cls, environments: tuple[EnvironmentRequest, ...]
    ) -> tuple[EnvironmentRequest, ...]:
        # Forges know no case in their names, and pipelines make variables and stages of them.
        known: dict[str, str] = {}
        for environment in environments:
            plain = slug_of(environment.name)
            if plain in known:
                raise ValueError(
                    f"{known[plain]!r} and {environment.name!r} cannot be told apart in a pipeline's variables"
                )
            known[plain] = environment.name
        return environments

    @field_validator("rules")
    @classmethod
    def _boards_are_needed_for_linked_work_items(cls, rules: BranchRules, info: ValidationInfo) -> BranchRules:
        if rules.require_linked_work_items and ForgeName.AZURE_DEVOPS not in info.data.get("forges", ForgeName):
            raise ValueError("require_linked_work_items needs azure_devops among the forges")
        return rules

    @field_validator("repositories")
    @classmethod
    def _repositories_are_told_apart(
        cls, repositories: tuple[RepositoryRequest, ...], info: ValidationInfo
    ) -> tuple[RepositoryRequest, ...]:
        # Forges know no case in names, and the main repository has the project's name on one and its slug on the other.
        main = info.data.get("name", "")
        known = {slug_of(main): f"the main repository, {main!r}"}
        for repository in repositories:
            if repository.slug in known:
                raise ValueError(f"{repository.name!r} cannot be told apart from {known[repository.slug]}")
            known[repository.slug] = repr(repository.name)
            if beyond := (repository.forges or frozenset()) - info.data.get("forges", frozenset(ForgeName)):
                raise ValueError(f"{repository.name!r} is asked for on {sorted(beyond)[0]}, where the project is not")
        return repositories

    @field_serializer("forges")
    def _forges_in_order(self, forges: frozenset[ForgeName]) -> list[str]:
        return sorted(forges)

    def repositories_on(self, forge: ForgeName) -> tuple[RepositoryRequest, ...]:
        """The repositories beside the main one that are made on ``forge``."""
        return tuple(one for one in self.repositories if forge in (self.forges if one.forges is None else one.forges))

    @property
    def project_id(self) -> str:
        """Id of the project in Doneright, and the name of its GitHub repository."""
        return slug_of(self.name)


class RequestOrigin(Frozen):
    """Where a request came from: an issue, or a call to the API."""

    subject: str = Field(description="Stable identity of the request; the run's instance id is made of it.")
    requester: str = Field(description="Login of who asks; `api` for a call with a function key.")
    repository: str = Field(default="", description="owner/name of the issue's repository.")
    issue: int = Field(default=0, description="The issue's number; 0 for an API call.")
    url: str = ""
