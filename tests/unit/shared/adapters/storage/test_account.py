"""Where storage is, as the settings say it, and that nothing is imported before it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

from shared.adapters.storage.account import StorageAccount, _credential
from shared.adapters.storage.limits import ENTITY_BYTES, check_row, sent_bytes, utf16_length
from shared.adapters.storage.transport import PooledTransport
from shared.errors import DefectError, RefusedError, TransientError

ROOT = Path(__file__).resolve().parents[5]
N = "AzureWebJobsStorage"


class Token:
    def get_token(self, *scopes: str, **more: Any) -> Any:
        raise AssertionError("no request is made in these tests")


def urls(account: StorageAccount) -> list[str]:
    services: list[Any] = [account._blob_service(), account._queue_service(), account._table_service()]
    return [service.url.rstrip("/") for service in services]


def test_a_connection_string_names_all_three() -> None:
    account = StorageAccount.from_settings({N: "UseDevelopmentStorage=true"})
    assert urls(account) == [f"http://127.0.0.1:{port}/devstoreaccount1" for port in (10000, 10001, 10002)]
    account.close()


def test_an_account_name_names_all_three() -> None:
    account = StorageAccount.from_settings({f"{N}__accountName": "acme"})
    assert urls(account) == [f"https://acme.{service}.core.windows.net" for service in ("blob", "queue", "table")]


def test_a_sovereign_cloud_has_another_suffix() -> None:
    settings = {f"{N}__accountName": "acme", f"{N}__endpointSuffix": "core.chinacloudapi.cn"}
    assert urls(StorageAccount.from_settings(settings))[0] == "https://acme.blob.core.chinacloudapi.cn"


def test_each_service_may_have_its_own_address() -> None:
    settings = {f"{N}__{service}ServiceUri": f"https://{service}.example.org" for service in ("blob", "queue", "table")}
    assert urls(StorageAccount.from_settings(settings)) == [
        f"https://{service}.example.org" for service in ("blob", "queue", "table")
    ]


@pytest.mark.parametrize(
    ("settings", "missing"),
    [({}, "blob, queue, table"), ({f"{N}__blobServiceUri": "https://b.example.org"}, "queue, table")],
)
def test_settings_that_name_no_account_are_refused(settings: dict[str, str], missing: str) -> None:
    with pytest.raises(RefusedError, match=missing) as failure:
        StorageAccount.from_settings(settings)
    assert f"{N}__accountName" in failure.value.remedy


@pytest.mark.parametrize("value", ["nonsense", "AccountName=a"])
def test_a_connection_string_that_cannot_be_read_is_refused_unquoted(value: str) -> None:
    with pytest.raises(RefusedError) as failure:
        StorageAccount.from_settings({N: value}).table("t")
    assert value not in str(failure.value)


def test_the_key_never_shows() -> None:
    assert "secret" not in repr(StorageAccount(connection_string="AccountKey=secret"))
    assert "acme" in repr(StorageAccount.from_settings({f"{N}__accountName": "acme"}))


def test_identity_is_the_one_the_settings_choose() -> None:
    assert isinstance(_credential("id", managed=True), ManagedIdentityCredential)
    assert isinstance(_credential(None, managed=False), DefaultAzureCredential)


def test_one_credential_serves_all_services() -> None:
    made: list[Token] = []

    def make() -> Any:
        made.append(Token())
        return made[-1]

    endpoints = {service: f"https://acme.{service}.core.windows.net" for service in ("blob", "queue", "table")}
    account = StorageAccount(endpoints=endpoints, credential=make)
    urls(account)
    assert len(made) == 1


def test_an_account_that_does_not_answer_may_answer_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PooledTransport, "sleep", lambda self, duration: None)
    nobody = "DefaultEndpointsProtocol=http;AccountName=a;AccountKey=AAAA;TableEndpoint=http://127.0.0.1:1/a;"
    with pytest.raises(TransientError, match="create the table t"):
        StorageAccount(connection_string=nobody).table("t")


def test_waits_of_the_client_are_short(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr("time.sleep", waited.append)
    transport = PooledTransport()
    transport.sleep(600)
    transport.sleep(0.5)
    assert waited == [5.0, 0.5]


@pytest.mark.parametrize("text", ["", "abc", "é", "\U0001d4b3a", "\ud800"])
def test_utf16_units_are_counted(text: str) -> None:
    assert utf16_length(text) == len(text.encode("utf-16-le", "surrogatepass")) // 2


def test_a_row_over_one_mebibyte_is_refused() -> None:
    row: dict[str, str | int] = {f"p{n}": "x" * 32_000 for n in range(16)}
    check_row({**row, "n": 1}, advice="never mind")
    with pytest.raises(DefectError, match=f"{ENTITY_BYTES}: store less"):
        check_row({**row, "last": "x" * 13_000}, advice="store less")


def test_what_is_sent_counts_its_escapes() -> None:
    assert sent_bytes({"a": "é"}) - sent_bytes({"a": ""}) == len("\\u00e9")


def test_importing_costs_no_sdk() -> None:
    modules = ["account", "audit_log", "audit_rows", "artifacts", "records", "queue", "failures", "limits"]
    names = [f"shared.adapters.storage.{module}" for module in modules]
    script = (
        f"import sys, {', '.join([*names, 'shared.adapters.key_vault', 'shared.adapters.clock', 'shared.audit.verify'])}\n"
        "print(sorted(m for m in sys.modules if m.split('.')[0] in ('azure', 'msal', 'requests', 'urllib3')))"
    )
    ran = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
