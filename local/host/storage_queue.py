"""A lean client of the Azure Queue service: pooled connections, SharedKey signing, the eight calls the host needs.

Wire format: Azure Storage "Queue service REST API" and "Authorize with Shared Key", version 2021-12-02.
"""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, quote, urlsplit
from xml.etree import (
    ElementTree,  # the service is ours to trust: local Azurite or the account the app is configured for
)
from xml.sax.saxutils import escape

from local.host.connection_pool import ConnectionPool

API_VERSION = "2021-12-02"
DEVELOPMENT = (
    "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
    "AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;"
    "QueueEndpoint=http://127.0.0.1:10001/devstoreaccount1"
)
REQUEST_TIMEOUT = 30.0  # seconds
MOST_CONNECTIONS = 64


class StorageError(Exception):
    """The queue service answered with an error; ``code`` is its error code, such as QueueNotFound."""

    def __init__(self, status: int, code: str, what: str) -> None:
        super().__init__(f"{what}: the queue service answered {status} {code}")
        self.status = status
        self.code = code


class ConnectionStringError(ValueError):
    """A storage connection string lacks what is needed to reach the queue service."""


@dataclass(frozen=True, slots=True)
class ReceivedMessage:
    """A message taken from a queue, invisible to others until ``next_visible``."""

    id: str
    pop_receipt: str
    dequeue_count: int
    text: str
    inserted: datetime
    expires: datetime
    next_visible: datetime


@dataclass(frozen=True, slots=True)
class Account:
    """Where the queue service of an account is and how to sign for it."""

    name: str
    endpoint: str
    key: bytes | None
    signature: str | None

    @classmethod
    def parse(cls, text: str) -> "Account":
        """Read a storage connection string (key, shared access signature, or ``UseDevelopmentStorage=true``).

        Raises:
            ConnectionStringError: what is missing or malformed.
        """
        parts: dict[str, str] = {}
        for item in text.strip().strip(";").split(";"):
            name, separator, value = item.partition("=")
            if not separator:
                raise ConnectionStringError("a storage connection string is Name=Value pairs separated by semicolons")
            parts[name.strip().lower()] = value.strip()
        if parts.get("usedevelopmentstorage", "").lower() == "true":
            return cls.parse(DEVELOPMENT)
        signature = parts.get("sharedaccesssignature")
        endpoint = parts.get("queueendpoint")
        name = parts.get("accountname", "")
        if endpoint is None:
            if not name:
                raise ConnectionStringError("the storage connection string has neither QueueEndpoint nor AccountName")
            protocol = parts.get("defaultendpointsprotocol", "https")
            endpoint = f"{protocol}://{name}.queue.{parts.get('endpointsuffix', 'core.windows.net')}"
        key: bytes | None = None
        if "accountkey" in parts:
            try:
                key = base64.b64decode(parts["accountkey"], validate=True)
            except binascii.Error as error:
                raise ConnectionStringError("the AccountKey of the storage connection string is not base64") from error
            if not name:
                raise ConnectionStringError("the storage connection string has an AccountKey but no AccountName")
        elif signature is None:
            raise ConnectionStringError(
                "the storage connection string has neither AccountKey nor SharedAccessSignature"
            )
        return cls(name, endpoint.rstrip("/"), key, signature.lstrip("?") if signature else None)


class QueueService:
    """Calls of one account's queue service over a pool of kept-alive connections."""

    def __init__(self, account: Account) -> None:
        self.account = account
        self._base_path = urlsplit(account.endpoint).path
        self._pool = ConnectionPool(account.endpoint, limit=MOST_CONNECTIONS, timeout=REQUEST_TIMEOUT)
        self._date: tuple[int, str] = (0, "")

    async def __aenter__(self) -> Self:
        """Use the service in ``async with``."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the connections."""
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    async def create_queue(self, queue: str) -> None:
        """Create a queue; one that exists is left as it is."""
        await self._call("PUT", f"/{queue}", {}, None, expected=(201, 204), what=f"creating queue {queue}")

    async def put(self, queue: str, text: str) -> None:
        """Put one message; the queue must exist.

        Raises:
            StorageError: refused, such as 413 RequestBodyTooLarge for a text over 64 KiB.
        """
        body = (
            b'<?xml version="1.0" encoding="utf-8"?><QueueMessage><MessageText>'
            + escape(text).encode()
            + b"</MessageText></QueueMessage>"
        )
        await self._call(
            "POST", f"/{queue}/messages", {}, body, expected=(201,), what=f"putting a message on queue {queue}"
        )

    async def get(self, queue: str, count: int, visibility: int) -> list[ReceivedMessage]:
        """Take up to ``count`` messages (32 at most), hidden for ``visibility`` seconds."""
        query = {"numofmessages": str(count), "visibilitytimeout": str(visibility)}
        answer = await self._call(
            "GET", f"/{queue}/messages", query, None, expected=(200,), what=f"getting messages of queue {queue}"
        )
        return [_received(element) for element in ElementTree.fromstring(answer[0])]  # noqa: S314 - the emulator answers, on this machine  # nosec B314

    async def delete(self, queue: str, message_id: str, pop_receipt: str) -> None:
        """Delete a message taken with this receipt."""
        path = f"/{queue}/messages/{message_id}"
        await self._call(
            "DELETE",
            path,
            {"popreceipt": pop_receipt},
            None,
            expected=(204,),
            what=f"deleting a message of queue {queue}",
        )

    async def extend(self, queue: str, message_id: str, pop_receipt: str, visibility: int) -> str:
        """Make a taken message reappear ``visibility`` seconds from now; returns its new receipt."""
        path = f"/{queue}/messages/{message_id}"
        query = {"popreceipt": pop_receipt, "visibilitytimeout": str(visibility)}
        _, headers = await self._call(
            "PUT", path, query, None, expected=(204,), what=f"updating a message of queue {queue}"
        )
        return headers.get("x-ms-popreceipt", pop_receipt)

    async def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, str],
        body: bytes | None,
        *,
        expected: tuple[int, ...],
        what: str,
    ) -> tuple[bytes, Mapping[str, str]]:
        headers = {"x-ms-date": self._now(), "x-ms-version": API_VERSION}
        if body is not None:
            headers["Content-Type"] = "application/xml"
        parameters = dict(query)
        if self.account.key is not None:
            headers["Authorization"] = self._sign(method, path, query, headers, len(body) if body else 0)
        elif self.account.signature is not None:
            parameters.update(parse_qsl(self.account.signature))
        target = self._base_path + path
        if parameters:
            target += "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in parameters.items())
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        head = f"{method} {target} HTTP/1.1\r\nHost: {self._pool.authority}\r\n{lines}Content-Length: {len(body or b'')}\r\n\r\n"
        try:
            status, answered, content = await self._pool.ask(head.encode("ascii") + (body or b""))
        except (OSError, TimeoutError) as error:
            raise StorageError(0, f"no answer ({type(error).__name__}: {error})", what) from error
        if status not in expected:
            raise StorageError(status, answered.get("x-ms-error-code", ""), what)
        return content, answered

    def _now(self) -> str:
        second = int(time.time())
        if self._date[0] != second:
            self._date = (second, formatdate(second, usegmt=True))
        return self._date[1]

    def _sign(self, method: str, path: str, query: Mapping[str, str], headers: Mapping[str, str], length: int) -> str:
        canonical = f"/{self.account.name}{self._base_path}{path}"
        for name in sorted(query):
            canonical += f"\n{name}:{query[name]}"
        text = (
            f"{method}\n\n\n{length or ''}\n\n{headers.get('Content-Type', '')}\n\n\n\n\n\n\n"
            f"x-ms-date:{headers['x-ms-date']}\nx-ms-version:{headers['x-ms-version']}\n{canonical}"
        )
        digest = hmac.digest(self.account.key or b"", text.encode(), hashlib.sha256)
        return f"SharedKey {self.account.name}:{base64.b64encode(digest).decode('ascii')}"


def _received(element: ElementTree.Element) -> ReceivedMessage:
    def text(name: str) -> str:
        return element.findtext(name) or ""

    def moment(name: str) -> datetime:
        return parsedate_to_datetime(text(name)).astimezone(UTC)

    return ReceivedMessage(
        id=text("MessageId"),
        pop_receipt=text("PopReceipt"),
        dequeue_count=int(text("DequeueCount")),
        text=text("MessageText"),
        inserted=moment("InsertionTime"),
        expires=moment("ExpirationTime"),
        next_visible=moment("TimeNextVisible"),
    )
