"""Secrets: one contract over memory, settings and a Key Vault played by a transport; and what each does alone."""

from __future__ import annotations

import json
import os
from datetime import UTC
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

import pytest
from azure.core.credentials import AccessToken
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest
from azure.core.rest._requests_basic import RestRequestsTransportResponse
from requests import Response
from requests.structures import CaseInsensitiveDict

from shared.adapters.clock import SystemClock
from shared.adapters.key_vault import KeyVaultSecrets, SettingsSecrets, variable_of
from shared.errors import RefusedError, TransientError
from tests.fakes.storage import MemorySecrets

VAULT = "https://acme.vault.azure.net"


class Token:
    def get_token(self, *scopes: str, **more: Any) -> AccessToken:
        assert scopes == ("https://vault.azure.net/.default",)
        return AccessToken("a-token", 2**40)


class Vault(HttpTransport[Any, Any]):
    """Answers as Key Vault does: a challenge first, then versions of secrets by name."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self.status = 0
        self.reads = 0

    def send(self, request: HttpRequest, **more: Any) -> Any:
        name = urlparse(request.url).path.split("/")[2].lower()
        if "Authorization" not in request.headers:
            challenge = 'Bearer authorization="https://login.windows.net/t", resource="https://vault.azure.net"'
            return self._answer(request, 401, {}, {"WWW-Authenticate": challenge})
        if self.status:
            return self._answer(request, self.status, {"error": {"code": "Forbidden", "message": "no"}})
        if request.method == "PUT":
            self.values[name] = json.loads(request.content)["value"]
        else:
            self.reads += 1
        if name not in self.values:
            return self._answer(request, 404, {"error": {"code": "SecretNotFound", "message": "not found"}})
        return self._answer(request, 200, {"value": self.values[name], "id": f"{VAULT}/secrets/{name}/1"})

    def _answer(self, request: Any, status: int, body: Any, headers: dict[str, str] | None = None) -> Any:
        response = Response()
        response.status_code = status
        response._content = json.dumps(body).encode()
        response.headers = CaseInsensitiveDict({"Content-Type": "application/json", **(headers or {})})
        answer = RestRequestsTransportResponse(request=request, internal_response=response)
        answer._content = response._content
        answer._is_closed = answer._is_stream_consumed = True
        return answer

    def sleep(self, duration: float) -> None:
        del duration

    def open(self) -> None:
        return None

    def close(self) -> None:
        return None

    def __enter__(self) -> Vault:
        return self

    def __exit__(self, *args: object) -> None:
        return None


@pytest.fixture
def vault() -> Vault:
    return Vault()


@pytest.fixture(params=["memory", "settings", "key vault"])
def store(request: pytest.FixtureRequest, tmp_path: Path, vault: Vault) -> Any:
    if request.param == "memory":
        return MemorySecrets()
    if request.param == "settings":
        return SettingsSecrets({}, tmp_path / "folder" / "secrets.json")
    return KeyVaultSecrets(VAULT, Token(), transport=vault)  # type: ignore[arg-type]


def test_what_is_set_is_got(store: Any) -> None:
    store.set("github-app-key", "first")
    store.set("github-app-key", "second")
    store.set("other", "é")
    assert (store.get("github-app-key"), store.get("other")) == ("second", "é")
    assert store.get("GitHub-App-Key") == "second", "names do not count case"


def test_what_is_absent_is_refused_by_name_with_the_remedy(store: Any) -> None:
    with pytest.raises(RefusedError, match="github-token") as failure:
        store.get("github-token")
    assert failure.value.remedy


@pytest.mark.parametrize("name", ["", "a_b", "a.b", "../a", "é", "a" * 128, "a\n"])
def test_what_is_no_name_is_refused(store: Any, name: str) -> None:
    for call in (lambda: store.get(name), lambda: store.set(name, "v")):
        with pytest.raises(RefusedError, match="no secret's name"):
            call()


def test_values_never_show(store: Any) -> None:
    store.set("name", "hush-hush")
    assert "hush-hush" not in repr(store) + str(store)


def test_the_vault_is_asked_again_only_when_the_value_is_old(vault: Vault) -> None:
    now = [0.0]
    store = KeyVaultSecrets(VAULT, Token(), cached=60, monotonic=lambda: now[0], transport=vault)  # type: ignore[arg-type]
    vault.values["name"] = "old"
    assert [store.get("name") for _ in range(3)] == ["old"] * 3
    vault.values["name"] = "rotated"
    now[0] = 59.9
    assert (store.get("name"), vault.reads) == ("old", 1)
    now[0] = 60
    assert (store.get("name"), vault.reads) == ("rotated", 2)


@pytest.mark.parametrize("status", [403, 401])
def test_a_vault_that_denies_access_names_the_role(vault: Vault, status: int) -> None:
    store = KeyVaultSecrets(VAULT, Token(), transport=vault)  # type: ignore[arg-type]
    vault.status = status
    for call in (lambda: store.get("name"), lambda: store.set("name", "hush-hush")):
        with pytest.raises(RefusedError) as failure:
            call()
        assert "Key Vault Secrets" in failure.value.remedy
        assert "hush-hush" not in str(failure.value)


def test_a_vault_that_is_busy_may_answer_later(vault: Vault) -> None:
    vault.status = 503
    with pytest.raises(TransientError):
        KeyVaultSecrets(VAULT, Token(), transport=vault).get("name")  # type: ignore[arg-type]


def test_the_environment_comes_first(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    SettingsSecrets({}, file).set("a-b", "from the file")
    store = SettingsSecrets({"DONERIGHT_SECRET_A_B": "from the environment"}, file)
    assert store.get("a-b") == "from the environment"
    with pytest.raises(RefusedError, match="hide") as failure:
        store.set("a-b", "new")
    assert variable_of("a-b") in failure.value.remedy


def test_without_a_file_nothing_is_stored() -> None:
    with pytest.raises(RefusedError, match="no secrets file"):
        SettingsSecrets({}).set("name", "value")
    with pytest.raises(RefusedError) as failure:
        SettingsSecrets({}).get("name")
    assert failure.value.remedy == "set DONERIGHT_SECRET_NAME"


@pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")
def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    store = SettingsSecrets({}, file)
    store.set("name", "value")
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["secrets.json"]
    file.chmod(0o640)
    with pytest.raises(RefusedError) as failure:
        store.get("name")
    assert failure.value.remedy == f"chmod 600 {file}"


@pytest.mark.parametrize("content", [b"not json hush", b"[]", b'{"a": 1}', b"\xff\xfe"])
def test_a_file_that_cannot_be_read_is_refused_unquoted(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "secrets.json"
    file.write_bytes(content)
    file.chmod(0o600)
    with pytest.raises(RefusedError, match="JSON object") as failure:
        SettingsSecrets({}, file).get("name")
    assert failure.value.__context__ is None
    assert "hush" not in str(failure.value)


def test_a_path_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="cannot be read"):
        SettingsSecrets({}, tmp_path).get("name")
    (tmp_path / "file").write_text("")
    with pytest.raises(RefusedError, match="cannot be"):
        SettingsSecrets({}, tmp_path / "file" / "secrets.json").set("name", "value")


def test_an_empty_value_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RefusedError, match="empty"):
        SettingsSecrets({}, tmp_path / "s.json").set("name", "")


def test_the_clock_is_in_utc() -> None:
    assert SystemClock().now().tzinfo is UTC
