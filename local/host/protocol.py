"""The HTTP/1.1 connection of the host: uvicorn's, with a short way for small requests that answers them in one write.

ASGI's messages, header checks and second write cost about as much as running a function that does nothing. Whatever
is not a small, complete, unpipelined request takes uvicorn's own way, so both must answer alike.
"""

import asyncio
from urllib.parse import unquote

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from local.host.http import HostApplication
from local.host.messages import UNSAFE, Request, Response

SMALL_BODY = 64 * 1024  # bytes; larger bodies need uvicorn's flow control


class _Exchange:
    """One request and its answer; carries what uvicorn's connection asks of a cycle."""

    __slots__ = ("body", "disconnected", "keep_alive", "message_event", "method", "more_body", "response_complete")

    def __init__(self, method: str, *, keep_alive: bool, message_event: asyncio.Event) -> None:
        self.method = method
        self.keep_alive = keep_alive
        self.message_event = message_event
        self.body = b""
        self.more_body = True
        self.disconnected = False
        self.response_complete = False


class HostProtocol(HttpToolsProtocol):
    """A connection of the host."""

    _exchange: _Exchange | None = None
    _shared_event = asyncio.Event()  # nobody waits on it: a short exchange starts when its request is complete

    def on_headers_complete(self) -> None:
        """Take the short way when the request allows it."""
        busy = self.cycle is not None and not self.cycle.response_complete
        parser = self.parser
        if busy or self.expect_100_continue or parser.should_upgrade() or not self._is_small():
            self._exchange = None
            super().on_headers_complete()
            return
        self._exchange = _Exchange(
            parser.get_method().decode("ascii"),
            keep_alive=parser.should_keep_alive(),
            message_event=self._shared_event,
        )
        self.cycle = self._exchange  # type: ignore[assignment] # it answers what the connection asks of a cycle

    def on_message_complete(self) -> None:
        """The request is complete: answer it."""
        exchange = self._exchange
        if exchange is None:
            super().on_message_complete()
            return
        self._exchange = None
        task = asyncio.Task(self._answer(exchange), loop=self.loop, eager_start=True)
        if not task.done():
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)

    def _is_small(self) -> bool:
        for name, value in self.headers:
            if name == b"transfer-encoding" or (name == b"content-length" and int(value) > SMALL_BODY):
                return False
        return True

    async def _answer(self, exchange: _Exchange) -> None:
        application = self.app
        assert isinstance(application, HostApplication)  # noqa: S101 - the server is built for no other
        raw_path, _, query = self.url.decode("latin-1").partition("?")
        if not raw_path.startswith("/"):  # an absolute or asterisk target
            raw_path = (httptools.parse_url(self.url).path or b"*").decode("latin-1")
        path = unquote(raw_path) if "%" in raw_path else raw_path
        request = Request(
            exchange.method, path, raw_path, query, self.headers, body=bytes(exchange.body), server=self.server
        )
        response = await application.answer(request)
        if exchange.disconnected or response is None:
            return
        if self.flow.write_paused:
            await self.flow.drain()
        self.transport.write(self._rendered(exchange, response))
        exchange.response_complete = True
        if not exchange.keep_alive:
            self.transport.close()
        self.on_response_complete()

    def _rendered(self, exchange: _Exchange, response: Response) -> bytes:
        headers = self.server_state.default_headers + response.headers
        lines = [b"%b: %b\r\n" % header for header in headers]
        if not exchange.keep_alive:
            lines.append(b"connection: close\r\n")
        head = b"".join(lines)
        # One look over the whole head; a header that would end early could forge another, so it is left out.
        if head.count(b"\n") != len(lines) or head.count(b"\r") != len(lines) or b"\0" in head:
            head = b"".join(line for line in lines if not UNSAFE.search(line[:-2]))
        body = b"" if exchange.method == "HEAD" else response.body
        return b"%b%b\r\n%b" % (STATUS_LINE[response.status], head, body)
