"""Says who Doneright is in Azure DevOps, and keeps an Entra token fresh for every thread."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Annotated, Any, Protocol

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr

from shared.adapters.tokens import usable_token
from shared.errors import RefusedError, TransientError
from shared.ports import Clock

# The application id of Azure DevOps in every Entra tenant.
# https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity
SCOPE = "499b84ac-1321-427f-aa17-267ca6975798/.default"
REFRESH_MARGIN = timedelta(minutes=5)


class PersonalAccessToken(BaseModel):
    """A personal access token of one organization, for a trial; those for all organizations stop on 2026-12-01."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: Annotated[SecretStr, AfterValidator(usable_token)]


class EntraIdentity(BaseModel):
    """A Microsoft Entra identity: the managed identity ``client_id``, or what the default chain finds."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    client_id: str = Field(default="", description="Of a user-assigned managed identity; empty: the default chain.")


type AzureDevOpsCredentials = PersonalAccessToken | EntraIdentity


class IssuedToken(Protocol):
    """What azure-identity answers."""

    @property
    def token(self) -> str: ...

    @property
    def expires_on(self) -> int:
        """Seconds since 1970, UTC."""
        ...


class TokenProvider(Protocol):
    """The part of azure-identity's credentials that is used."""

    def get_token(self, *scopes: str) -> IssuedToken: ...


def identity_provider(identity: EntraIdentity) -> TokenProvider:
    """azure-identity's credential for ``identity``."""
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    provider: TokenProvider = (
        ManagedIdentityCredential(client_id=identity.client_id) if identity.client_id else DefaultAzureCredential()
    )
    return provider


class TokenSource:
    """The current Entra token; one thread fetches it while the others wait."""

    def __init__(self, identity: EntraIdentity, provider: TokenProvider | None, clock: Clock) -> None:
        """``provider`` defaults to azure-identity's, made when the first token is needed."""
        self._identity = identity
        self._provider = provider
        self._clock = clock
        self._lock = threading.Lock()
        self._current: IssuedToken | None = None

    def token(self) -> str:
        """A token good for at least five minutes.

        Raises ``RefusedError`` when Entra issues none, ``TransientError`` when it does not answer.
        """
        with self._lock:
            current = self._current
            if current is None or current.expires_on - self._clock.now().timestamp() <= REFRESH_MARGIN.total_seconds():
                current = self._current = self._fetch()
            return current.token

    def discard(self, token: str) -> None:
        """Forget ``token``, because the service refused it."""
        with self._lock:
            if self._current is not None and self._current.token == token:
                self._current = None

    def _fetch(self) -> IssuedToken:
        from azure.core.exceptions import AzureError, ClientAuthenticationError

        if self._provider is None:
            self._provider = identity_provider(self._identity)
        try:
            return self._provider.get_token(SCOPE)
        except ClientAuthenticationError as error:
            raise RefusedError(
                f"Microsoft Entra issues no token for Azure DevOps ({type(error).__name__})",
                "Check the managed identity or service principal, and that it is a user of the organization",
            ) from error
        except AzureError as error:
            raise TransientError(f"Microsoft Entra did not answer ({type(error).__name__})") from error


def sdk_authentication(credentials: AzureDevOpsCredentials, tokens: TokenSource | None) -> Any:
    """What the ``azure-devops`` package asks before each request: so a refreshed token needs no new connection."""
    from msrest.authentication import Authentication
    from requests.auth import AuthBase, HTTPBasicAuth

    class Bearer(AuthBase):
        """Sets the header as ``requests`` auth: a header alone would lose to an entry in .netrc."""

        def __init__(self, token: str) -> None:
            self.token = token

        def __call__(self, request: Any) -> Any:
            request.headers["Authorization"] = f"Bearer {self.token}"
            return request

    class Current(Authentication):
        def signed_session(self, session: Any = None) -> Any:
            session = super().signed_session(session)
            if isinstance(credentials, PersonalAccessToken):
                session.auth = HTTPBasicAuth("", credentials.token.get_secret_value())
            elif tokens is not None:
                session.auth = Bearer(tokens.token())
            return session

    return Current()
