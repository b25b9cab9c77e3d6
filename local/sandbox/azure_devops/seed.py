"""Puts a seed into the state: organizations with their people, permissions, extensions and projects."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from local.sandbox.azure_devops import processes_model
from local.sandbox.azure_devops.errors import ServiceError
from local.sandbox.azure_devops.git_store import add_repository
from local.sandbox.azure_devops.identities import RANKS
from local.sandbox.azure_devops.project_model import new_project
from local.sandbox.azure_devops.service import Service, Tree, stable_id
from local.sandbox.faults import field_errors
from local.sandbox.seed import SeedError
from local.sandbox.state import State


class _Seed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenSeed(_Seed):
    """An Entra access token."""

    token: str = Field(min_length=1)
    expires_at: str | None = None


class UserSeed(_Seed):
    """A person or service principal; `token` is a personal access token, `tokens` are Entra tokens."""

    name: str = Field(min_length=1)
    mail: str = Field(min_length=3)
    token: str | None = None
    token_expires_at: str | None = None
    tokens: list[TokenSeed] = []
    permissions: list[str] = ["reader"]

    @field_validator("permissions")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        for permission in value:
            if permission.partition(":")[0] not in RANKS:
                raise ValueError(f"{permission!r} is none of {', '.join(RANKS)} (optionally followed by :project)")
        return value


class ProjectSeed(_Seed):
    """A project that exists already."""

    name: str = Field(min_length=1, max_length=64)
    description: str = ""
    process: str = "Agile"
    visibility: Literal["private", "public"] = "private"
    repositories: list[str] = Field(default=[], description="beside the one named as the project")


class OrganizationSeed(_Seed):
    """An organization; `extensions` are identifiers such as `ms-securitydevops.microsoft-security-devops-azdevops`."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*$")
    users: list[UserSeed] = []
    extensions: list[str] = []
    projects: list[ProjectSeed] = []


class Seed(_Seed):
    """The azure_devops part of a seed document."""

    organizations: list[OrganizationSeed] = []


def apply(state: State, part: Any) -> None:
    """Merge `part` into the state: new organizations, people and projects are added, existing people updated.

    Raises SeedError naming each wrong field; then nothing was applied.
    """
    try:
        seed = Seed.model_validate(part)
    except ValidationError as error:
        raise SeedError(field_errors(error)) from error
    service = Service(state, "")
    problems = _unknown_processes(service, seed)
    if problems:
        raise SeedError(problems)
    for given in seed.organizations:
        org = service.organizations.setdefault(given.name.lower(), new_organization(given.name))
        for user in given.users:
            user_id = stable_id("user", given.name.lower(), user.mail.lower())
            org["users"][user_id] = {"id": user_id, **user.model_dump(mode="json")}
        org["extensions"] = sorted({*org["extensions"], *given.extensions})
        for project in given.projects:
            _add_project(service, org, project)
    state.changed()


def _unknown_processes(service: Service, seed: Seed) -> list[dict[str, str]]:
    problems = []
    for at, given in enumerate(seed.organizations):
        org = service.organization(given.name) or new_organization(given.name)
        for number, project in enumerate(given.projects):
            try:
                processes_model.find_process(org, project.process)
            except ServiceError as error:
                problems.append({"field": f"organizations.{at}.projects.{number}.process", "message": error.message})
    return problems


def new_organization(name: str) -> Tree:
    """An organization without people or projects."""
    group_id = stable_id("group", name.lower(), "Project Collection Administrators")
    return {
        "id": stable_id("organization", name.lower()),
        "name": name,
        "users": {},
        "extensions": [],
        "groups": {
            group_id: {
                "id": group_id,
                "name": "Project Collection Administrators",
                "description": "Members of this application group can perform all privileged operations.",
                "scope": name,
                "members": [],
            }
        },
        "projects": {},
        "processes": {},
        "operations": {},
        "work_items": {},
        "recycle_bin": {},
        "subscriptions": {},
        "notifications": {},
        "access": {},
        "entitlements": {},
    }


def _add_project(service: Service, org: Tree, given: ProjectSeed) -> None:
    if any(p["name"].lower() == given.name.lower() for p in org["projects"].values()):
        return
    project = new_project(
        service,
        org,
        name=given.name,
        process=processes_model.find_process(org, given.process),
        description=given.description,
        visibility=given.visibility,
        project_id=stable_id("project", org["name"].lower(), given.name.lower()),
    )
    org["projects"][project["id"]] = project
    for name in dict.fromkeys([given.name, *given.repositories]):
        add_repository(project, name, stable_id("repository", project["id"], name))
