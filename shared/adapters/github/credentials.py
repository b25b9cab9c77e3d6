"""Says who Doneright is on GitHub, and keeps an installation's token fresh for every thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator

from shared.adapters.tokens import usable_token
from shared.errors import RefusedError
from shared.ports import Clock

# GitHub's installation tokens live an hour; a call started with five minutes left still ends in time.
REFRESH_MARGIN = timedelta(minutes=5)


class PersonalAccessToken(BaseModel):
    """A classic or fine-grained personal access token: for a trial, since it can write no check runs."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: Annotated[SecretStr, AfterValidator(usable_token)]


class AppInstallation(BaseModel):
    """A GitHub App as installed in one account, named by its installation id or by its organisation."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    app_id: int = Field(gt=0)
    private_key: SecretStr
    installation_id: int | None = None
    organization: str | None = None

    @model_validator(mode="after")
    def _names_one_installation(self) -> AppInstallation:
        if self.installation_id is None and not self.organization:
            raise ValueError("give installation_id or organization")
        return self


type GitHubCredentials = PersonalAccessToken | AppInstallation


class InstallationToken(BaseModel):
    """A token of an installation with what it may do."""

    model_config = ConfigDict(frozen=True)

    token: SecretStr
    expires_at: datetime
    permissions: Mapping[str, str] = {}


class TokenSource:
    """Hands the current token to any thread; fetches an installation's token once, however many threads ask."""

    def __init__(self, credentials: GitHubCredentials, fetch: Callable[[], InstallationToken], clock: Clock) -> None:
        """``fetch`` asks GitHub for a new installation token; never called for a personal access token."""
        self._credentials = credentials
        self._fetch = fetch
        self._clock = clock
        self._lock = threading.Lock()
        self._current: InstallationToken | None = None

    def token(self) -> str:
        """A token good for at least five minutes. Raises what fetching one raises."""
        if isinstance(self._credentials, PersonalAccessToken):
            return self._credentials.token.get_secret_value()
        return self.installation_token().token.get_secret_value()

    def installation_token(self) -> InstallationToken:
        """The installation's token with its permissions. Raises what fetching one raises."""
        with self._lock:
            current = self._current
            if current is None or current.expires_at - self._clock.now() <= REFRESH_MARGIN:
                current = self._current = self._fetch()
            return current

    def discard(self, token: str) -> bool:
        """Forget ``token`` because GitHub refused it; whether a new one can be fetched."""
        if isinstance(self._credentials, PersonalAccessToken):
            return False
        with self._lock:
            if self._current is not None and self._current.token.get_secret_value() == token:
                self._current = None
        return True


def app_jwt_auth(credentials: AppInstallation) -> Any:
    """PyGithub's authentication as the App itself. Raises ``RefusedError`` for a key that cannot sign."""
    from github.Auth import AppAuth

    auth = AppAuth(credentials.app_id, credentials.private_key.get_secret_value())
    try:
        auth.create_jwt()
    # jwt raises InvalidKeyError or, through cryptography, ValueError; neither names what to do.
    except (ValueError, TypeError, _jwt_error()) as error:
        raise RefusedError(
            f"The private key of GitHub App {credentials.app_id} cannot sign ({type(error).__name__})",
            "Store the App's private key as the PEM file that GitHub gave, line breaks included",
        ) from None
    return auth


def _jwt_error() -> type[Exception]:
    from jwt.exceptions import PyJWTError

    return PyJWTError
