"""Decides who may call: function, master and system keys, kept in one JSON file only its owner can read."""

import contextlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from local.host.settings import SettingsError

DURABLE_SYSTEM_KEY = "durabletask_extension"


class AuthLevel(StrEnum):
    """Azure's authorization levels of HTTP functions."""

    ANONYMOUS = "anonymous"
    FUNCTION = "function"
    ADMIN = "admin"


class HostKeys(BaseModel):
    """The keys file."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    master_key: str = Field(alias="masterKey", min_length=1)
    function_keys: dict[str, str] = Field(default={}, alias="functionKeys")
    system_keys: dict[str, str] = Field(default={}, alias="systemKeys")

    @property
    def durable_key(self) -> str:
        """The system key of the durable HTTP API."""
        return self.system_keys[DURABLE_SYSTEM_KEY]

    def permits(self, level: AuthLevel, presented: str | None) -> bool:
        """Whether a presented key opens an HTTP function of this level."""
        if level is AuthLevel.ANONYMOUS:
            return True
        if not presented:
            return False
        accepted = [self.master_key]
        if level is AuthLevel.FUNCTION:
            accepted.extend(self.function_keys.values())
        return _matches_any(presented, accepted)

    def permits_durable(self, presented: str | None) -> bool:
        """Whether a presented key opens the durable HTTP API."""
        return bool(presented) and _matches_any(presented or "", [self.master_key, self.durable_key])


def _matches_any(presented: str, accepted: list[str]) -> bool:
    # Every key is compared, so that the time taken tells nothing of which one was close.
    given = presented.encode()
    matched = False
    for key in accepted:
        matched |= hmac.compare_digest(given, key.encode())
    return matched


def _write(path: Path, keys: HostKeys) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name)  # mkstemp creates with mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(keys.model_dump(by_alias=True), file, indent=2)
    Path(temporary).replace(path)


def load_keys(path: Path) -> HostKeys:
    """Read the keys file; create it with random keys and mode 0600 when absent, and add a missing durable system key.

    Raises:
        SettingsError: the file exists but is not a keys file.
    """
    if path.exists():
        try:
            keys = HostKeys.model_validate_json(path.read_bytes())
        except (ValidationError, OSError) as error:
            detail = (
                "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
                if isinstance(error, ValidationError)
                else error
            )
            raise SettingsError(
                f"{path}: not a keys file ({detail}); correct it, or delete it to get new keys"
            ) from error
        if DURABLE_SYSTEM_KEY in keys.system_keys:
            return keys
        keys = keys.model_copy(
            update={"system_keys": {**keys.system_keys, DURABLE_SYSTEM_KEY: secrets.token_urlsafe(40)}}
        )
        with contextlib.suppress(OSError):  # a read-only file still works: the added key lives as long as the process
            _write(path, keys)
        return keys
    keys = HostKeys(
        master_key=secrets.token_urlsafe(40),
        function_keys={"default": secrets.token_urlsafe(40)},
        system_keys={DURABLE_SYSTEM_KEY: secrets.token_urlsafe(40)},
    )
    _write(path, keys)
    return keys


def presented_key(headers: Mapping[bytes, bytes], query: Mapping[str, str]) -> str | None:
    """The key a request shows: ``x-functions-key``, else ``?code=`` (the header wins, as in Azure)."""
    header = headers.get(b"x-functions-key")
    return header.decode("latin-1") if header else query.get("code")
