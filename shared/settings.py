"""Reads the app's settings once, from the environment, and refuses a wrong one by its name, with what to do about it."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from shared.errors import DefectError

PREFIX = "DONERIGHT_"
MOST_SECRETS = 2
_MAKE_ONE = "`openssl rand -hex 32` makes a good one"
_log = logging.getLogger(__name__)


class WrongSettingsError(DefectError):
    """Settings are wrong; the message has a line for each, which says what is wrong and what to do, and no value."""


class Settings(BaseSettings):
    """Every setting of the function app. In Azure they are app settings, secrets as Key Vault references."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True)

    public_url: str = Field(
        default="http://127.0.0.1:7071",
        pattern=r"^https?://[^\s/]+$",
        description="Where the forges and people reach this app: scheme, host and port, no path.",
    )
    github_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Secrets GitHub signs with; one, or two separated by a space while rotating. None: all are refused.",
    )
    azure_devops_webhook_secrets: Annotated[tuple[SecretStr, ...], NoDecode] = Field(
        default=(),
        description="Passwords or header values Azure DevOps sends; one, or two while rotating. None: all are refused.",
    )
    signing_key: SecretStr | None = Field(
        default=None,
        description="Signs links to status pages and App manifest states, and makes pseudonyms; 32 characters or more.",
    )
    app_service_authentication: bool = Field(
        default=False,
        description="Believe the signed-in person's name in X-MS-CLIENT-PRINCIPAL-NAME. Only where App Service "
        "authentication stands in front, which keeps others from sending that header.",
    )
    request_label: str = Field(default="new-project", min_length=1, description="Label that makes an issue a request.")
    key_vault_url: str = Field(default="", description="https://<name>.vault.azure.net; empty: secrets in settings.")
    local_secrets_file: Path | None = Field(
        default=None, description="Without Key Vault: a file, readable by its owner alone, where new secrets are kept."
    )
    large_body_bytes: int = Field(
        default=24 * 1024,
        gt=0,
        le=30 * 1024,
        description="Webhook bodies above this go to Blob, the queue carries a reference.",
    )
    step_deadline_seconds: int = Field(
        default=1800, gt=0, description="How long a step may wait and retry before it fails."
    )
    step_pause_seconds: float = Field(
        default=1.0, gt=0, description="First pause of a step's exponential back-off; a forge's Retry-After wins."
    )
    decision_deadline_seconds: int = Field(
        default=3 * 24 * 3600,
        ge=0,
        le=30 * 24 * 3600,
        description="How long a run that failed waits for a person's decision before what it made is removed again; 0: it does not ask and ends as failed.",
    )
    portfolio_at_once: int = Field(
        default=10, gt=0, le=50, description="How many projects of a portfolio are made, or looked at, at a time."
    )
    sweep_lookback_hours: int = Field(
        default=72, gt=0, le=72, description="How far back the sweep asks for deliveries."
    )
    lost_after_seconds: int = Field(
        default=300,
        gt=0,
        description="After how long the sweep asks the engine whether it still knows a run that has not ended.",
    )
    osv_url: str = Field(
        default="",
        pattern=r"^$|^https?://[^\s?#@]+$",
        description="An OSV API that is asked which vulnerabilities of dependencies are known, such as your mirror's or "
        "https://api.osv.dev; it is told names and versions of packages. Empty: nobody is asked, and that stays unknown.",
    )
    model_url: str = Field(
        default="",
        description="Address of the model that agents may ask beside their analysis: Azure OpenAI, or any OpenAI-compatible API. Empty: no model is asked.",
    )
    model_name: str = Field(default="", description="Name of the model, on Azure OpenAI of the deployment.")
    model_key_secret: str = Field(
        default="",
        description="Name of the secret with the model's key; empty: Azure OpenAI is asked by the app's identity.",
    )
    model_budget_tokens: int = Field(
        default=20_000, ge=1_000, description="Tokens that one question of an agent and its answer may take together."
    )
    model_timeout_seconds: float = Field(default=60.0, gt=0, le=600, description="How long one question may take.")
    forge_budget_share: float = Field(
        default=1.0,
        gt=0,
        le=1,
        description="This process's part of each documented limit of a forge; 1 divided by the number of instances.",
    )
    breaker_failures: int = Field(
        default=5, gt=0, description="Calls in a row without an answer after which a forge is left alone for a while."
    )
    breaker_pause_seconds: float = Field(
        default=20.0, gt=0, le=3600, description="How long it is left alone before one call tries whether it answers."
    )

    @field_validator("github_webhook_secrets", "azure_devops_webhook_secrets", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(value.split()) if isinstance(value, str) else value

    @field_validator("github_webhook_secrets", "azure_devops_webhook_secrets")
    @classmethod
    def _two_at_most(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        if len(secrets) > MOST_SECRETS:
            raise ValueError(
                f"{len(secrets)} secrets given; {MOST_SECRETS} are valid at a time: leave the new one and the one before it"
            )
        if any(len(s.get_secret_value()) < 16 for s in secrets):
            raise ValueError(f"a secret is shorter than 16 characters; {_MAKE_ONE}")
        return secrets

    @field_validator("signing_key")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        if key is not None and len(key.get_secret_value()) < 32:
            raise ValueError(f"the key is shorter than 32 characters; {_MAKE_ONE}")
        return key


class _GivenSettings(Settings):
    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what was given."""
        return (init_settings,)


def read(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings in ``environ``, or in this process's environment.

    Raises ``WrongSettingsError`` naming every setting at fault.
    """
    try:
        if environ is None:
            return Settings()
        variables = {name: f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
        return _GivenSettings.model_validate({name: environ[key] for name, key in variables.items() if key in environ})
    except ValidationError as error:
        # Neither input nor context: what is wrong may be a secret.
        faults = error.errors(include_url=False, include_input=False, include_context=False)
        raise WrongSettingsError("\n".join(_told(fault) for fault in faults)) from error


def _told(fault: ErrorDetails) -> str:
    name = str(fault["loc"][0])
    field = Settings.model_fields[name]
    told = f"{PREFIX}{name.upper()} is wrong: {fault['msg'].removeprefix('Value error, ')}"
    if fault["type"] == "value_error":
        return told
    # What pydantic finds has no remedy of its own.
    default = str(field.default).lower() if isinstance(field.default, bool) else field.default
    return f"{told}; correct it, or leave it out for {default or 'none'}. {field.description}"


@cache
def settings() -> Settings:
    """The settings of this process. Raises ``WrongSettingsError``, which the log then holds."""
    try:
        return read()
    except WrongSettingsError as error:
        # Whoever called gets no more than a defect's words, so the operator must find the reason here.
        _log.critical("%s", error)
        raise
