"""Secrets from Azure Key Vault, or from settings on a laptop; no value ever shows in a repr, a log or an error."""

from __future__ import annotations

import json
import os
import re
import stat
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.adapters.storage.failures import storage_errors
from shared.errors import RefusedError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport
    from azure.keyvault.secrets import SecretClient

_NAME = re.compile(r"[0-9a-zA-Z-]{1,127}")
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_CACHED_SECONDS = 300.0
_ROLE = "grant the app's identity the role Key Vault Secrets Officer (User, to only read) on the vault"


def check_name(name: str) -> None:
    """Refuse what Key Vault would not take as a secret's name. Raises ``RefusedError``."""
    if not _NAME.fullmatch(name):
        raise RefusedError("this is no secret's name", "use 1 to 127 letters, digits and hyphens")


class KeyVaultSecrets:
    """``ports.SecretStore`` on Azure Key Vault.

    Args:
        vault_url: such as ``https://name.vault.azure.net``.
        credential: the Entra credential; ``DefaultAzureCredential`` when none is given.
        cached: seconds a value is kept, so that a rotated secret is seen within them and a request costs no round trip.
        monotonic: seconds of a clock that never goes back.
        transport: the HTTP transport, for tests.
    """

    def __init__(
        self,
        vault_url: str,
        credential: TokenCredential | None = None,
        *,
        cached: float = _CACHED_SECONDS,
        monotonic: Callable[[], float] = time.monotonic,
        transport: HttpTransport[Any, Any] | None = None,
    ) -> None:
        self._url = vault_url
        self._credential = credential
        self._cached = cached
        self._monotonic = monotonic
        self._transport = transport
        self._values: dict[str, tuple[float, str]] = {}
        self._made: SecretClient | None = None
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"KeyVaultSecrets({self._url!r})"

    def get(self, name: str) -> str:
        """The value, at most ``cached`` seconds old.

        Raises:
            RefusedError: the vault has no such secret, or denies access; says where to put it.
            TransientError: the vault does not answer.
        """
        from azure.core.exceptions import ResourceNotFoundError

        check_name(name)
        known = self._values.get(name.lower())
        if known is not None and self._monotonic() < known[0]:
            return known[1]
        with storage_errors(f"read secret {name} from {self._url}", _ROLE):
            try:
                value = self._client.get_secret(name).value
            except ResourceNotFoundError:
                value = None
        if value is None:
            raise RefusedError(f"{self._url} has no secret {name}", f"add the secret {name} to the vault")
        self._keep(name, value)
        return value

    def set(self, name: str, value: str) -> None:
        """Store a new version. Raises as ``get`` does."""
        check_name(name)
        with storage_errors(f"write secret {name} to {self._url}", _ROLE):
            self._client.set_secret(name, value)
        self._keep(name, value)

    def _keep(self, name: str, value: str) -> None:
        self._values[name.lower()] = (self._monotonic() + self._cached, value)  # the vault ignores case in names

    @property
    def _client(self) -> SecretClient:
        with self._lock:
            if self._made is None:
                from azure.identity import DefaultAzureCredential
                from azure.keyvault.secrets import SecretClient

                more = {} if self._transport is None else {"transport": self._transport}
                self._made = SecretClient(
                    vault_url=self._url,
                    credential=self._credential or DefaultAzureCredential(),
                    retry_total=3,
                    retry_backoff_factor=0.4,
                    retry_backoff_max=5,
                    **more,
                )
            return self._made


class SettingsSecrets:
    """``ports.SecretStore`` from environment variables, then from a JSON file that only its owner can read.

    Args:
        environ: where ``DONERIGHT_SECRET_<NAME>`` (upper case, ``-`` as ``_``) is looked up first.
        file: the JSON object of names and values; written by ``set``. Without one, the store is read-only.
    """

    def __init__(self, environ: Mapping[str, str], file: Path | None = None) -> None:
        self._environ = environ
        self._file = file
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"SettingsSecrets(file={str(self._file) if self._file else None!r})"

    def get(self, name: str) -> str:
        """The value. Raises ``RefusedError`` naming the secret and where to put it."""
        check_name(name)
        value = self._environ.get(variable_of(name)) or self._read().get(name.lower())
        if not value:
            where = f" or write it to {self._file}" if self._file else ""
            raise RefusedError(f"there is no secret {name}", f"set {variable_of(name)}{where}")
        return value

    def set(self, name: str, value: str) -> None:
        """Write the value to the file, with permissions for its owner alone.

        Raises:
            RefusedError: there is no file, or an environment variable would hide the new value.
        """
        check_name(name)
        if not value:
            raise RefusedError(f"secret {name} cannot be empty", "give its value")
        if self._file is None:
            raise RefusedError(f"secret {name} cannot be stored: no secrets file is set", f"set {variable_of(name)}")
        if self._environ.get(variable_of(name)):
            raise RefusedError(
                f"secret {name} comes from the environment, which would hide a new value",
                f"change or unset {variable_of(name)}",
            )
        with self._lock:
            self._write(self._file, self._read() | {name.lower(): value})

    def _read(self) -> dict[str, str]:
        if self._file is None:
            return {}
        try:
            open_to_others = os.name == "posix" and self._file.stat().st_mode & _OTHERS
            text = self._file.read_bytes()
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise RefusedError(
                f"the secrets file {self._file} cannot be read: {error.strerror}", "make it readable to its owner"
            ) from error
        if open_to_others:
            raise RefusedError(f"the secrets file {self._file} is open to others", f"chmod 600 {self._file}")
        try:
            found = json.loads(text)
        except ValueError:  # not chained: the parser's error quotes the file
            found = None
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise RefusedError(
                f"the secrets file {self._file} is no JSON object of names and texts",
                'write it as {"name": "value"}',
            )
        return {str(name).lower(): value for name, value in found.items()}

    @staticmethod
    def _write(file: Path, values: Mapping[str, str]) -> None:
        """Replace the file at once: a reader sees the old values or the new, and a crash loses neither."""
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            descriptor, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # created with mode 0600
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                json.dump(values, stream, indent=2, sort_keys=True)
            Path(name).replace(file)
        except OSError as error:
            raise RefusedError(
                f"the secrets file {file} cannot be written: {error.strerror}", "make its folder writable"
            ) from error


def variable_of(name: str) -> str:
    """The environment variable of secret ``name``."""
    return "DONERIGHT_SECRET_" + name.upper().replace("-", "_")
