"""One storage account: every service client is made here, with the same retries, credentials and connection pool."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from shared.adapters.storage.failures import storage_errors
from shared.errors import RefusedError

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.core.pipeline.transport import HttpTransport
    from azure.data.tables import TableClient, TableServiceClient
    from azure.storage.blob import BlobServiceClient, ContainerClient
    from azure.storage.queue import QueueClient, QueueServiceClient

SERVICES = ("blob", "queue", "table")

_RETRIES: dict[str, Any] = {
    # A caller (a runbook, a queue trigger) retries with far more patience, so the client gives up within seconds.
    "retry_total": 3,
    "retry_connect": 3,
    "retry_read": 3,
    "retry_status": 1,
    "retry_backoff_factor": 0.4,
    "retry_backoff_max": 5,
    "connection_timeout": 5,
    "read_timeout": 60,
}
_STORAGE_RETRIES: dict[str, Any] = {  # azure-storage-* name two of them otherwise
    **{k: v for k, v in _RETRIES.items() if not k.startswith("retry_backoff")},
    "initial_backoff": 1,
    "increment_base": 2,
}


class StorageAccount:
    """Service clients of one account, made on first use and shared by all threads.

    Args:
        connection_string: of a local emulator or an account with keys; excludes ``endpoints``.
        endpoints: service (``blob``, ``queue``, ``table``) → URL, used with ``credential``.
        credential: makes the Entra credential when the first client is made.
        transport: makes the HTTP transport; for tests that lose answers on purpose.
    """

    def __init__(
        self,
        *,
        connection_string: str = "",
        endpoints: Mapping[str, str] | None = None,
        credential: Callable[[], TokenCredential] | None = None,
        transport: Callable[[], HttpTransport[Any, Any]] | None = None,
    ) -> None:
        self._connection_string = connection_string
        self._endpoints = dict(endpoints or {})
        self._make_credential = credential or _default_credential
        self._make_transport = transport or _pooled_transport
        self._lock = threading.RLock()
        self._made: dict[tuple[str, ...], Any] = {}

    def __repr__(self) -> str:
        return f"StorageAccount({'connection string' if self._connection_string else self._endpoints})"

    @classmethod
    def from_settings(cls, environ: Mapping[str, str], name: str = "AzureWebJobsStorage") -> StorageAccount:
        """The account that the Functions settings describe, with the names Azure Functions gives them.

        ``<name>`` holds a connection string, or ``<name>__accountName`` or ``<name>__blobServiceUri``,
        ``__queueServiceUri``, ``__tableServiceUri`` point at it, with ``__credential`` = ``managedidentity`` and
        ``__clientId`` for a user-assigned identity
        (https://learn.microsoft.com/azure/azure-functions/functions-reference#common-properties-for-identity-based-connections).

        Raises:
            RefusedError: the settings name no account, or not all three services.
        """
        connection_string = environ.get(name, "")
        if connection_string:
            return cls(connection_string=connection_string)
        account = environ.get(f"{name}__accountName", "")
        suffix = environ.get(f"{name}__endpointSuffix", "core.windows.net")
        endpoints = {
            service: environ.get(f"{name}__{service}ServiceUri", "")
            or (f"https://{account}.{service}.{suffix}" if account else "")
            for service in SERVICES
        }
        missing = [service for service, url in endpoints.items() if not url]
        if missing:
            raise RefusedError(
                f"the settings do not say where storage is ({', '.join(missing)})",
                f"set {name} to a connection string, or {name}__accountName to the account's name",
            )
        client_id = environ.get(f"{name}__clientId") or None
        managed = environ.get(f"{name}__credential", "").lower() == "managedidentity"
        return cls(endpoints=endpoints, credential=lambda: _credential(client_id, managed=managed))

    def table(self, name: str) -> TableClient:
        """A client of table ``name``, which exists. Costs a round trip only the first time in a process."""
        return self._existing(("table", name), self._new_table)

    def container(self, name: str) -> ContainerClient:
        """A client of blob container ``name``, which exists. Costs a round trip only the first time in a process."""
        return self._existing(("container", name), self._new_container)

    def queue(self, name: str) -> QueueClient:
        """A client of queue ``name``, which exists; it writes base64, as Azure Functions reads by default."""
        return self._existing(("queue", name), self._new_queue)

    def close(self) -> None:
        """Close the pooled connections."""
        with self._lock:
            for key, made in self._made.items():
                if key[0] == "service":
                    made.close()
            self._made.clear()

    def _existing[C](self, key: tuple[str, str], new: Callable[[str], C]) -> C:
        found: C | None = self._made.get(key)  # one dictionary read: no lock on the way that every call takes
        if found is None:
            with self._lock:
                found = self._made.get(key)
                if found is None:
                    with storage_errors(f"create the {key[0]} {key[1]}"):
                        found = new(key[1])
                    self._made[key] = found
        return found

    def _new_table(self, name: str) -> TableClient:
        from azure.core.exceptions import ResourceExistsError

        client = self._table_service().get_table_client(name)
        try:
            client.create_table()
        except ResourceExistsError:
            return client
        return client

    def _new_container(self, name: str) -> ContainerClient:
        from azure.core.exceptions import ResourceExistsError

        client = self._blob_service().get_container_client(name)
        try:
            client.create_container()
        except ResourceExistsError:
            return client
        return client

    def _new_queue(self, name: str) -> QueueClient:
        from azure.core.exceptions import ResourceExistsError
        from azure.storage.queue import TextBase64DecodePolicy, TextBase64EncodePolicy

        client = self._queue_service().get_queue_client(
            name, message_encode_policy=TextBase64EncodePolicy(), message_decode_policy=TextBase64DecodePolicy()
        )
        try:
            client.create_queue()
        except ResourceExistsError:
            return client
        return client

    def _table_service(self) -> TableServiceClient:
        from azure.data.tables import TableServiceClient

        service: TableServiceClient = self._service("table", TableServiceClient, "endpoint", _RETRIES)
        return service

    def _blob_service(self) -> BlobServiceClient:
        from azure.storage.blob import BlobServiceClient

        service: BlobServiceClient = self._service("blob", BlobServiceClient, "account_url", _STORAGE_RETRIES)
        return service

    def _queue_service(self) -> QueueServiceClient:
        from azure.storage.queue import QueueServiceClient

        service: QueueServiceClient = self._service("queue", QueueServiceClient, "account_url", _STORAGE_RETRIES)
        return service

    def _service(self, service: str, client_type: Any, url_argument: str, retries: Mapping[str, Any]) -> Any:
        made = self._made.get(("service", service))
        if made is None:
            arguments = {**retries, "transport": self._make_transport()}
            if self._connection_string:
                try:
                    made = client_type.from_connection_string(self._connection_string, **arguments)
                except ValueError as error:
                    raise RefusedError(
                        "the storage connection string cannot be read",
                        "copy it again from the account's access keys, or use UseDevelopmentStorage=true locally",
                    ) from error
            else:
                credential = self._made.setdefault(("credential",), None) or self._make_credential()
                self._made[("credential",)] = credential
                made = client_type(**{url_argument: self._endpoints[service]}, credential=credential, **arguments)
            self._made[("service", service)] = made
        return made


def _pooled_transport() -> HttpTransport[Any, Any]:
    from shared.adapters.storage.transport import PooledTransport

    return PooledTransport()


def _credential(client_id: str | None, *, managed: bool) -> TokenCredential:
    from azure.identity import DefaultAzureCredential, ManagedIdentityCredential

    if managed:
        return ManagedIdentityCredential(client_id=client_id)
    return DefaultAzureCredential(managed_identity_client_id=client_id)


def _default_credential() -> TokenCredential:
    return _credential(None, managed=False)
