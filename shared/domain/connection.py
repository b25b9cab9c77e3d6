"""A connection binds a GitHub account, an Azure DevOps organisation, their credentials by name, and who may ask."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import quote, unquote, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from shared.domain import shapes
from shared.domain.forge import BranchRules, Frozen, RepositoryRef
from shared.domain.process import ProcessAdditions
from shared.domain.project import Process

MOST_REQUESTERS = 100
"""Each team is a question to the forge when somebody asks for a project."""
MOST_REPOSITORIES = 50
MOST_HOLDERS = 50
_LARGEST_APP_ID = 2**53 - 1
"""The largest whole number that every reader of JSON keeps."""
_CHAT_MENTIONS = {"@all", "@channel", "@everyone", "@here"}
_HOST_PART = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")


def _is_reachable(url: str) -> str:
    address = urlsplit(url)
    if not all(_HOST_PART.fullmatch(part) for part in (address.hostname or "").split(".")):
        raise ValueError("has a host that can be none: its parts are letters, digits and hyphens, 1 to 63 each")
    if int((address.netloc.partition(":")[2]) or "1") not in range(1, 65_536):
        raise ValueError("has a port that is not from 1 to 65535")
    segments = [unquote(part) for part in address.path.split("/")]
    if _ESCAPE.search(address.path) or any(part in {".", ".."} or set(part) & set("/\\\0") for part in segments):
        raise ValueError("has a path with '.', '..' or a wrong %-escape in it")
    return url


def _names_an_organization(url: str) -> str:
    address = urlsplit(url)
    if not address.path.strip("/") and not (address.hostname or "").endswith(".visualstudio.com"):
        raise ValueError("names no organisation: its path is the organisation's name")
    return url


def _cleaned(requester: object) -> object:
    if not isinstance(requester, str):
        return requester
    name = requester.strip().lower()
    if name in _CHAT_MENTIONS:
        raise ValueError(f"{name!r} calls everybody in a chat; it is nobody's login")
    return name.removeprefix("@")


SecretName = Annotated[
    str,
    Field(
        pattern=shapes.SECRET_NAME.pattern,
        description="Name of a secret in Key Vault or, locally, in settings.",
        examples=[shapes.SECRET_NAME.example],
    ),
]
ConnectionId = Annotated[
    str,
    Field(
        pattern=shapes.CONNECTION_ID.pattern,
        description="Lower case, digits, hyphens.",
        examples=[shapes.CONNECTION_ID.example],
    ),
]
Url = Annotated[
    str,
    Field(
        pattern=shapes.URL.pattern,
        max_length=300,
        description="Scheme, host, port and path; other characters percent-encoded, no credentials, no query.",
    ),
    AfterValidator(_is_reachable),
]
Requester = Annotated[str, BeforeValidator(_cleaned), Field(pattern=shapes.REQUESTER.pattern)]
"""A login or ``organisation/team``, in lower case and without its ``@``."""
Role = Annotated[str, Field(pattern=shapes.ROLE.pattern)]
"""Who sees to a criterion, or `approver`: who may let one go."""
Holder = Annotated[str, BeforeValidator(_cleaned), Field(pattern=shapes.HOLDER.pattern)]
"""A login, ``organisation/team`` or e-mail address, in lower case and without its ``@``."""
RepositoryName = Annotated[str, Field(pattern=shapes.REPOSITORY.pattern)]


class GitHubAppCredential(Frozen):
    """A GitHub App: the only identity that can write check runs."""

    kind: Literal["app"] = "app"
    app_id: int = Field(gt=0, le=_LARGEST_APP_ID, examples=[123456])
    private_key_secret: SecretName


class TokenCredential(Frozen):
    """A personal access token, for a trial."""

    kind: Literal["pat"] = "pat"
    token_secret: SecretName


class EntraCredential(Frozen):
    """A Microsoft Entra identity: managed identity, service principal or workload identity, by azure-identity."""

    kind: Literal["entra"] = "entra"
    client_id: str = Field(
        default="",
        pattern=shapes.CLIENT_ID.pattern,
        description="Of a user-assigned managed identity; empty: the default chain.",
        examples=[shapes.CLIENT_ID.example],
    )


class GitHubConnection(Frozen):
    """The GitHub side."""

    organization: str = Field(
        pattern=shapes.ORGANIZATION.pattern,
        description="Login of the account.",
        examples=[shapes.ORGANIZATION.example],
    )
    credential: Annotated[GitHubAppCredential | TokenCredential, Field(discriminator="kind")] | None = Field(
        default=None,
        description="None until the App manifest flow is finished.",
        examples=[{"kind": "pat", "token_secret": "contoso-github"}],
    )
    request_repositories: tuple[RepositoryName, ...] = Field(
        default=(),
        max_length=MOST_REPOSITORIES,
        description="owner/name of the repositories whose labelled issues are requests; empty: requests by the API only.",
        examples=[[shapes.REPOSITORY.example]],
    )
    api_url: Url = Field(default="https://api.github.com", examples=["https://github.example.com/api/v3"])
    web_url: Url = Field(default="https://github.com", examples=["https://github.example.com"])


class AzureDevOpsConnection(Frozen):
    """The Azure DevOps side."""

    organization_url: Annotated[Url, AfterValidator(_names_an_organization)] = Field(
        description="https://dev.azure.com/<organisation>", examples=["https://dev.azure.com/contoso"]
    )
    credential: Annotated[TokenCredential | EntraCredential, Field(discriminator="kind")] = Field(
        examples=[{"kind": "entra"}]
    )
    process_additions: tuple[ProcessAdditions, ...] = Field(
        default=(),
        max_length=len(Process),
        description="States and fields that projects of a process get beside its own; empty: none.",
        examples=[[{"process": "agile", "types": [{"type": "User Story", "fields": [{"name": "Release note"}]}]}]],
    )

    @field_validator("process_additions")
    @classmethod
    def _one_for_each(cls, additions: tuple[ProcessAdditions, ...]) -> tuple[ProcessAdditions, ...]:
        for of in ("process", "title"):
            seen = [str(getattr(one, of)).lower() for one in additions]
            if twice := [one for one in seen if seen.count(one) > 1]:
                raise ValueError(f"has two entries for {twice[0]}")
        return additions

    def additions_to(self, process: Process) -> ProcessAdditions | None:
        """What projects of ``process`` get beside its own; ``None`` for nothing."""
        return next((one for one in self.process_additions if one.process is process), None)

    def repository_url(self, project: str, repository: str = "") -> str:
        """The page of ``repository`` in ``project``; of the one that comes with the project where none is named."""
        place, name = quote(project, safe=""), quote(repository or project, safe="")
        return f"{self.organization_url.rstrip('/')}/{place}/_git/{name}"


class SonarQubeConnection(Frozen):
    """A SonarQube server, or SonarQube Cloud, that analyses the connection's repositories."""

    url: Url = Field(examples=["https://sonarqube.example.com"])
    token_secret: SecretName = Field(description="Of a token with the permission Browse.")
    project_key: str = Field(
        default=shapes.ANALYSIS_KEY.example,
        pattern=shapes.ANALYSIS_KEY.pattern,
        description="Key of a repository's project there; {owner} and {repository} stand for the repository's.",
        examples=[shapes.ANALYSIS_KEY.example],
    )
    repositories: tuple[RepositoryName, ...] = Field(
        default=(),
        max_length=MOST_REPOSITORIES,
        description="owner/name of the repositories it analyses; empty: all.",
        examples=[[shapes.REPOSITORY.example]],
    )

    def key_of(self, repository: RepositoryRef) -> str:
        """The key of the repository's project; empty for a repository that it does not analyse."""
        if self.repositories and str(repository).lower() not in {name.lower() for name in self.repositories}:
            return ""
        return self.project_key.replace("{owner}", repository.owner).replace("{repository}", repository.name)


class Mode(StrEnum):
    """Whether plans are applied or only shown."""

    ENFORCED = "enforced"
    ADVISORY = "advisory"


_GITHUB = {"organization": "contoso"}
_ROLES = {"approver": ["octocat", "contoso/leads"], "security_engineer": ["sam@contoso.com"]}
_SONARQUBE = {"url": "https://sonarqube.example.com", "token_secret": "contoso-sonarqube"}
_AZURE_DEVOPS = {"organization_url": "https://dev.azure.com/contoso", "credential": {"kind": "entra"}}


class ConnectionSettings(Frozen):
    """What a person decides about a connection; also the body of ``POST /api/connections``."""

    id: ConnectionId
    github: GitHubConnection = Field(examples=[_GITHUB])
    azure_devops: AzureDevOpsConnection | None = Field(default=None, examples=[_AZURE_DEVOPS])
    sonarqube: SonarQubeConnection | None = Field(
        default=None, description="Whose analysis of a pull request is evidence.", examples=[_SONARQUBE]
    )
    requesters: tuple[Requester, ...] = Field(
        default=(),
        max_length=MOST_REQUESTERS,
        description="Who may ask for projects: logins, or `organisation/team`. Empty: nobody.",
        examples=[["octocat", "contoso/builders"]],
    )
    roles: dict[Role, Annotated[tuple[Holder, ...], Field(max_length=MOST_HOLDERS)]] = Field(
        default_factory=dict,
        description="Who holds a role in reviews. For a role that is left out: approvers are those who administer the "
        "repository, any other is whoever may write to it and is not the author.",
        examples=[_ROLES],
    )
    least_rules: BranchRules | None = Field(
        default=None,
        description="What every project's main branch demands at least; a request may tighten it and never weaken it.",
        examples=[{"minimum_reviewers": 2}],
    )
    mode: Mode = Mode.ENFORCED
    review_mode: Mode = Field(
        default=Mode.ADVISORY,
        description="Whether a review blocks, or only advises: what teams see first, before it may stop them.",
    )
    paused: bool = False
    merge_on_green: bool = Field(
        default=False, description="A pull request whose review passed is merged without anybody pressing the button."
    )
    propose_tests: bool = Field(
        default=False,
        description="Tests that the quality agent proposes are offered as a branch with a draft pull request into the "
        "change's own, where its pipeline proves them.",
    )
    mirror_test_cases: bool = Field(
        default=False,
        description="Cases that the quality agent proposes for changes on Azure Repos are kept in Azure Test Plans.",
    )


class ConnectionPatch(Frozen):
    """The body of ``PATCH /api/connections/{id}``: only what is given is changed."""

    github: GitHubConnection | None = Field(default=None, examples=[_GITHUB])
    azure_devops: AzureDevOpsConnection | None = Field(default=None, examples=[_AZURE_DEVOPS])
    sonarqube: SonarQubeConnection | None = Field(default=None, examples=[_SONARQUBE])
    requesters: tuple[Requester, ...] | None = Field(
        default=None, max_length=MOST_REQUESTERS, examples=[["octocat", "contoso/builders"]]
    )
    roles: dict[Role, Annotated[tuple[Holder, ...], Field(max_length=MOST_HOLDERS)]] | None = Field(
        default=None, description="Given whole: a role that is left out is nobody's by name.", examples=[_ROLES]
    )
    least_rules: BranchRules | None = Field(default=None, examples=[{"minimum_reviewers": 2}])
    mode: Mode | None = Field(default=None, examples=[Mode.ENFORCED])
    review_mode: Mode | None = Field(default=None, examples=[Mode.ENFORCED])
    paused: bool | None = Field(default=None, examples=[False])
    merge_on_green: bool | None = Field(default=None, examples=[False])
    propose_tests: bool | None = Field(default=None, examples=[True])
    mirror_test_cases: bool | None = Field(default=None, examples=[True])


class Connection(ConnectionSettings):
    """A connection as it is stored."""

    created_at: datetime
    updated_at: datetime

    def takes_requests_from(self, repository: str) -> bool:
        """Whether a labelled issue in ``repository`` (owner/name) is a request to this connection."""
        return repository.lower() in {name.lower() for name in self.github.request_repositories}
