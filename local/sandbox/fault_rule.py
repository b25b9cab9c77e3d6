"""Says what a fault rule may hold, and refuses one that could never do what it says."""

from __future__ import annotations

import re
from enum import StrEnum

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator


class Forge(StrEnum):
    """Whose wording an answer follows."""

    GITHUB = "github"
    AZURE_DEVOPS = "azure_devops"


class FaultKind(StrEnum):
    """What can be made to go wrong."""

    RATE_LIMITED = "rate_limited"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    LATENCY = "latency"
    CONNECTION_RESET = "connection_reset"
    ANSWER_LOST = "answer_lost"
    EXPIRED_TOKEN = "expired_token"  # noqa: S105 - a kind of fault, no secret
    WEBHOOK_DUPLICATED = "webhook_duplicated"
    WEBHOOK_REORDERED = "webhook_reordered"
    WEBHOOK_DROPPED = "webhook_dropped"


WEBHOOK_KINDS = frozenset({FaultKind.WEBHOOK_DUPLICATED, FaultKind.WEBHOOK_REORDERED, FaultKind.WEBHOOK_DROPPED})


class FaultRule(BaseModel):
    """One rule: which requests (or deliveries) it meets, what happens to them and how often."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: FaultKind
    method: str = Field(default="*", description="an HTTP method, or * for any")
    path: str = Field(default="", description="regex searched in path and query (of the target URL for webhooks)")
    count: int = Field(default=1, ge=1, description="how many matching requests it hits")
    skip: int = Field(default=0, ge=0, description="how many matching requests pass first")
    seconds: float | None = Field(default=None, ge=0, le=600, description="latency, or the Retry-After")
    status: int | None = Field(default=None, description="rate_limited only: 429 (default) or 403")
    event: str | None = Field(default=None, description="webhook kinds only: the event it applies to")

    @field_validator("method")
    @classmethod
    def _known_method(cls, value: str) -> str:
        method = value.upper()
        if method not in {"*", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}:
            raise ValueError("must be an HTTP method or *")
        return method

    @field_validator("path")
    @classmethod
    def _valid_regex(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"must be a regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _fields_fit_kind(self) -> FaultRule:
        if self.kind is FaultKind.LATENCY and self.seconds is None:
            raise ValueError("seconds is required for latency")
        if self.status is not None and (self.kind is not FaultKind.RATE_LIMITED or self.status not in {403, 429}):
            raise ValueError("status is 403 or 429 and for rate_limited only")
        if self.event is not None and self.kind not in WEBHOOK_KINDS:
            raise ValueError("event is for webhook kinds only")
        return self
