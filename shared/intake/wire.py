"""The parts of payloads that events share: the fields we use, as they are meant."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Wire(BaseModel):
    """A part of a payload: the fields we use; forges add others at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    @model_validator(mode="before")
    @classmethod
    def _as_meant(cls, data: object) -> object:
        # Both forges write null where they have nothing to say, also for what they document as text. JSON can carry
        # half a surrogate pair, which is no character and could be neither stored nor hashed.
        if not isinstance(data, dict):
            return data
        return {
            name: value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
            if isinstance(value, str) and not value.isascii()
            else value
            # Of the hundred members an object has, the few that are read.
            for name in (field.alias or own for own, field in cls.model_fields.items())
            if (value := data.get(name)) is not None
        }


class GitHubUser(Wire):
    login: str
    type: str = "User"


class GitHubLabel(Wire):
    name: str


class GitHubRepository(Wire):
    full_name: str
