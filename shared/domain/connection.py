"""A connection binds a GitHub account, an Azure DevOps organisation, their credentials by name, and who may ask."""

from __future__ import annotations

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import quote

from pydantic import Field, field_validator, model_validator

from shared.domain.forge import Frozen

SecretName = Annotated[
    str,
    Field(pattern=r"^[0-9a-zA-Z-]{1,127}$", description="Name of a secret in Key Vault or, locally, in settings."),
]
ConnectionId = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", description="Lower case, digits, hyphens.")]
Url = Annotated[
    str,
    Field(
        pattern=r"^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~%-]+)*/?$",
        max_length=300,
        description="Scheme, host, port and path; other characters percent-encoded, no credentials, no query.",
    ),
]
_FULL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}")


class GitHubAppCredential(Frozen):
    """A GitHub App: the only identity that can write check runs."""

    kind: Literal["app"] = "app"
    app_id: int = Field(gt=0)
    private_key_secret: SecretName


class TokenCredential(Frozen):
    """A personal access token, for a trial."""

    kind: Literal["pat"] = "pat"
    token_secret: SecretName


class EntraCredential(Frozen):
    """A Microsoft Entra identity: managed identity, service principal or workload identity, by azure-identity."""

    kind: Literal["entra"] = "entra"
    client_id: str = Field(default="", description="Of a user-assigned managed identity; empty: the default chain.")


class GitHubConnection(Frozen):
    """The GitHub side."""

    organization: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$", description="Login of the account.")
    credential: Annotated[GitHubAppCredential | TokenCredential, Field(discriminator="kind")] | None = Field(
        default=None, description="None until the App manifest flow is finished."
    )
    request_repositories: tuple[str, ...] = Field(
        default=(),
        description="owner/name of the repositories whose labelled issues are requests; empty: requests by the API only.",
    )
    api_url: Url = "https://api.github.com"
    web_url: Url = "https://github.com"


class AzureDevOpsConnection(Frozen):
    """The Azure DevOps side."""

    organization_url: Url = Field(description="https://dev.azure.com/<organisation>")
    credential: Annotated[TokenCredential | EntraCredential, Field(discriminator="kind")]

    def repository_url(self, project: str) -> str:
        """The page of the repository that comes with ``project``."""
        name = quote(project, safe="")
        return f"{self.organization_url.rstrip('/')}/{name}/_git/{name}"


class Mode(StrEnum):
    """Whether plans are applied or only shown."""

    ENFORCED = "enforced"
    ADVISORY = "advisory"


class ConnectionSettings(Frozen):
    """What a person decides about a connection; also the body of ``POST /api/connections``."""

    id: ConnectionId
    github: GitHubConnection
    azure_devops: AzureDevOpsConnection | None = None
    requesters: tuple[str, ...] = Field(
        default=(), description="Who may ask for projects: logins, or `organisation/team`. Empty: nobody."
    )
    mode: Mode = Mode.ENFORCED
    paused: bool = False

    @field_validator("requesters")
    @classmethod
    def _requesters_are_logins_or_teams(cls, requesters: tuple[str, ...]) -> tuple[str, ...]:
        cleaned = tuple(r.strip().removeprefix("@").lower() for r in requesters)
        for r in cleaned:
            if not r or r.count("/") > 1 or any(c.isspace() for c in r) or r.startswith("/") or r.endswith("/"):
                raise ValueError(f"{r!r} is neither a login nor organisation/team")
        return cleaned

    @model_validator(mode="after")
    def _request_repositories_are_full_names(self) -> ConnectionSettings:
        for name in self.github.request_repositories:
            if not _FULL_NAME.fullmatch(name):
                raise ValueError(f"github.request_repositories: {name!r} is not owner/name")
        return self


class ConnectionPatch(Frozen):
    """The body of ``PATCH /api/connections/{id}``: only what is given is changed."""

    github: GitHubConnection | None = None
    azure_devops: AzureDevOpsConnection | None = None
    requesters: tuple[str, ...] | None = None
    mode: Mode | None = None
    paused: bool | None = None


class Connection(ConnectionSettings):
    """A connection as it is stored."""

    created_at: datetime
    updated_at: datetime

    def takes_requests_from(self, repository: str) -> bool:
        """Whether a labelled issue in ``repository`` (owner/name) is a request to this connection."""
        return repository.lower() in {name.lower() for name in self.github.request_repositories}
