"""A pool of kept-alive HTTP/1.1 connections to one server, with as little between caller and socket as parsing needs.

A general client costs more per call than the rest of taking in a webhook and queueing it.
"""

import asyncio
from typing import cast
from urllib.parse import urlsplit

import httptools


class PeerError(ConnectionError):
    """The server closed the connection or spoke no HTTP."""


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.used = False
        self.heard = False
        self._answer: asyncio.Future[tuple[int, dict[str, str], bytes]] | None = None
        self._parser: httptools.HttpResponseParser | None = None
        self._headers: dict[str, str] = {}
        self._body: list[bytes] = []

    @property
    def is_open(self) -> bool:
        """Whether another request may be sent."""
        return self.transport is not None and not self.transport.is_closing()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but its base class

    def ask(self, request: bytes) -> "asyncio.Future[tuple[int, dict[str, str], bytes]]":
        """Send a whole request; the future gets status, headers (lower-case) and body."""
        assert self.transport is not None  # noqa: S101 - asked only while open
        self._answer = asyncio.get_running_loop().create_future()
        self._parser = httptools.HttpResponseParser(self)
        self._headers, self._body, self.heard = {}, [], False
        self.transport.write(request)
        return self._answer

    def data_received(self, data: bytes) -> None:
        """Parse what came."""
        self.heard = True
        if self._parser is None:
            self.close()  # bytes nobody asked for
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(PeerError(f"not HTTP: {error}"))
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Parser callback."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        """Parser callback."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Parser callback: the answer is whole."""
        parser, self._parser = self._parser, None
        if parser is None or self._answer is None:
            return
        if not parser.should_keep_alive():
            self.close()
        if not self._answer.done():
            self._answer.set_result((parser.get_status_code(), self._headers, b"".join(self._body)))

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that is still awaited will not come."""
        self._fail(PeerError(f"the server closed the connection{f' ({exc})' if exc else ''}"))

    def _fail(self, error: PeerError) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)

    def close(self) -> None:
        """Close the connection."""
        if self.transport is not None:
            self.transport.close()


class ConnectionPool:
    """Up to ``limit`` connections to the server of a URL."""

    def __init__(self, endpoint: str, *, limit: int, timeout: float) -> None:
        parts = urlsplit(endpoint)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self.authority = parts.netloc
        self._idle: list[_Connection] = []
        self._slots = asyncio.Semaphore(limit)
        self._timeout = timeout

    async def ask(self, request: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send a request and return status, headers and body.

        A kept-alive connection the server closed before it answered anything is replaced once.

        Raises:
            OSError: the server cannot be reached or closed the connection.
            TimeoutError: no whole answer in time.
        """
        async with self._slots, asyncio.timeout(self._timeout):
            while True:
                connection = self._take() or await self._open()
                reused, connection.used = connection.used, True
                try:
                    answer = await connection.ask(request)
                except PeerError:
                    if reused and not connection.heard:
                        continue
                    raise
                except BaseException:
                    connection.close()  # its answer may still come and must not be taken for the next one's
                    raise
                if connection.is_open:
                    self._idle.append(connection)
                return answer

    def _take(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _open(self) -> _Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(_Connection, self._host, self._port, ssl=self._secure or None)
        return connection

    def close(self) -> None:
        """Close the idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()
