"""Says what an HTTP request and a response are to the host, and guarantees that no body over Azure's limit is read."""

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import parse_qsl

MAX_BODY = 100 * 1024 * 1024  # bytes; Azure Functions refuses larger request bodies

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

UNSAFE = re.compile(rb"[\n\r\0]")
"""What no header may hold: it would end early and begin another."""


class BodyTooLargeError(Exception):
    """The request body is larger than Azure accepts."""


class ClientGoneError(Exception):
    """The client closed the connection before its request was read."""


class Response:
    """A status, headers and a body."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, body: bytes = b"", headers: Headers | None = None) -> None:
        self.status = status
        self.body = body
        self.headers: Headers = headers if headers is not None else []

    @classmethod
    def json(cls, status: int, value: Any, headers: dict[str, str] | None = None) -> "Response":
        """A JSON response."""
        encoded = [(name.lower().encode("latin-1"), text.encode("latin-1")) for name, text in (headers or {}).items()]
        return cls(
            status, json.dumps(value).encode(), [(b"content-type", b"application/json; charset=utf-8"), *encoded]
        )


class Request:
    """A request as functions and the host's own pages see it; headers are lower-case and joined when repeated."""

    __slots__ = ("_body", "_receive", "headers", "method", "path", "query", "query_string", "raw_path", "server")

    def __init__(
        self,
        method: str,
        path: str,
        raw_path: str,
        query_string: str,
        headers: Headers,
        *,
        body: bytes | None = None,
        receive: Receive | None = None,
        server: tuple[str, int | None] | None = None,
    ) -> None:
        self.method = method
        self.path = path
        self.raw_path = raw_path
        self.query_string = query_string
        self.server = server
        self._body = body
        self._receive = receive
        joined = dict(headers)
        if len(joined) != len(headers):
            joined = {}
            for name, value in headers:
                joined[name] = joined[name] + b"," + value if name in joined else value
        self.headers: dict[bytes, bytes] = joined
        self.query: dict[str, str] = _parse_query(query_string) if query_string else {}

    @classmethod
    def of_scope(cls, scope: Scope, receive: Receive) -> "Request":
        """The request of an ASGI connection scope."""
        path: str = scope["path"]
        raw_path = scope.get("raw_path") or path.encode()
        return cls(
            scope["method"],
            path,
            raw_path.decode("latin-1").split("?", 1)[0],
            scope["query_string"].decode("latin-1"),
            list(scope["headers"]),
            receive=receive,
            server=scope.get("server"),
        )

    @property
    def origin(self) -> str:
        """Scheme and host as the client wrote them."""
        host = self.headers.get(b"host")
        if host is None:
            address, port = self.server or ("127.0.0.1", 80)
            return f"http://{address}:{port}"
        return "http://" + host.decode("latin-1")

    @property
    def target(self) -> str:
        """Path and query as the client wrote them."""
        return f"{self.raw_path}?{self.query_string}" if self.query_string else self.raw_path

    @property
    def url(self) -> str:
        """The full URL with its query."""
        return self.origin + self.target

    async def body(self) -> bytes:
        """Read the whole body.

        Raises:
            BodyTooLargeError: over 100 MiB.
            ClientGoneError: the client went away.
        """
        if self._body is not None:
            return self._body
        declared = self.headers.get(b"content-length")
        if self._receive is None or (declared is None and b"transfer-encoding" not in self.headers):
            return b""  # RFC 9112, 6.3: a request without either has no body
        if declared is not None and declared.isdigit() and int(declared) > MAX_BODY:
            raise BodyTooLargeError
        chunks: list[bytes] = []
        size = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ClientGoneError
            chunk = message.get("body", b"")
            if chunk:
                size += len(chunk)
                if size > MAX_BODY:
                    raise BodyTooLargeError
                chunks.append(chunk)
            if not message.get("more_body"):
                return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _parse_query(text: str) -> dict[str, str]:
    query: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        query[name] = query[name] + "," + value if name in query else value
    return query
