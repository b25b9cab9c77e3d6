"""The short way and uvicorn's own way answer alike, and neither lets a header forge another."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from local.host.app import App
from local.host.http import HostApplication
from local.host.keys import HostKeys
from local.host.messages import Request, Response
from local.host.protocol import SMALL_BODY, HostProtocol
from local.host.routes import Router

KEYS = HostKeys(masterKey="master", systemKeys={"durabletask_extension": "durable"})  # type: ignore[call-arg]


class Served:
    """A host on a free port whose only section answers with what it was asked."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.released = asyncio.Event()
        self.finished = 0
        application = HostApplication(App(Path(), {}), Router([], "api"), KEYS, invoker=None)  # type: ignore[arg-type]
        application.mount("/echo", self.echo)
        config = uvicorn.Config(
            application,
            port=0,
            http=HostProtocol,
            lifespan="off",
            ws="none",
            log_config=None,
            server_header=False,
            proxy_headers=False,
        )
        self.server = uvicorn.Server(config)
        self.port = 0

    async def echo(self, request: Request) -> Response:
        if request.path == "/echo/wait":
            self.entered.set()
            await self.released.wait()
        body = await request.body()
        said = f"{request.method} {request.path} {request.query.get('q', '-')} {len(body)}"
        self.finished += 1
        forged = [(b"x-forged", b"a\r\nset-cookie: stolen=1")] if request.path == "/echo/forged" else []
        return Response(200, said.encode(), [(b"x-made", b"yes"), *forged])

    async def ask(self, *parts: bytes, answers: int = 1) -> list[tuple[int, dict[str, str], bytes]]:
        """Send raw bytes on one connection and read that many answers; HEAD's have no body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            for part in parts:
                writer.write(part)
                await writer.drain()
            async with asyncio.timeout(20):
                found = []
                for _ in range(answers):
                    status, headers = await self._head(reader)
                    while status == 100:
                        status, headers = await self._head(reader)
                    length = 0 if parts[0].startswith(b"HEAD") else int(headers.get("content-length", 0))
                    found.append((status, headers, await reader.readexactly(length)))
                return found
        finally:
            writer.close()

    async def _head(self, reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").strip().split("\r\n")
        return int(first.split(" ")[1]), {name.lower(): value for name, _, value in (x.partition(": ") for x in lines)}


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    made = Served()
    running = asyncio.create_task(made.server._serve())  # without uvicorn's own signal handlers
    async with asyncio.timeout(20):
        while not made.server.started:
            await asyncio.sleep(0.005)
    made.port = made.server.servers[0].sockets[0].getsockname()[1]
    yield made
    made.released.set()
    made.server.should_exit = True
    await running


def asks(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    return "\r\n".join([f"{method} {target} HTTP/1.1", "Host: h", *headers, "", ""]).encode() + body


@pytest.mark.parametrize(
    ("request_bytes", "said"),
    [
        (asks("GET", "/echo/a?q=1"), b"GET /echo/a 1 0"),
        (asks("GET", "/echo/forged"), b"GET /echo/forged - 0"),
        (asks("GET", "/echo/a%20b%2Fc"), b"GET /echo/a b/c - 0"),
        (asks("GET", "http://h/echo/a?q=1"), b"GET /echo/a 1 0"),
        (asks("POST", "/echo/a", "Content-Length: 3", body=b"abc"), b"POST /echo/a - 3"),
        (asks("POST", "/echo/a", "Transfer-Encoding: chunked", body=b"3\r\nabc\r\n0\r\n\r\n"), b"POST /echo/a - 3"),
        (
            asks("POST", "/echo/a", f"Content-Length: {SMALL_BODY + 1}", body=b"x" * (SMALL_BODY + 1)),
            b"POST /echo/a - 65537",
        ),
        (asks("POST", "/echo/a", "Expect: 100-continue", "Content-Length: 3", body=b"abc"), b"POST /echo/a - 3"),
        (asks("HEAD", "/echo/a"), b""),
    ],
    ids=[
        "query",
        "forged header",
        "encoded path",
        "absolute target",
        "small body",
        "chunked",
        "large body",
        "expects",
        "head",
    ],
)
async def test_every_form_of_a_request_is_answered_alike(served: Served, request_bytes: bytes, said: bytes) -> None:
    ((status, headers, body),) = await served.ask(request_bytes)
    assert (status, body) == (200, said)
    assert headers["x-made"] == "yes"
    assert "set-cookie" not in headers
    assert int(headers["content-length"]) > 0
    assert len(headers["x-correlation-id"]) == 32


async def test_what_is_no_path_is_not_found(served: Served) -> None:
    ((status, _, body),) = await served.ask(asks("OPTIONS", "*"))
    assert (status, body) == (404, b"")


async def test_a_connection_serves_many_requests_until_one_asks_to_close(served: Served) -> None:
    kept, closed = await served.ask(asks("GET", "/echo/a") + asks("GET", "/echo/b", "Connection: close"), answers=2)
    assert kept[2] == b"GET /echo/a - 0"
    assert "connection" not in kept[1]
    assert closed[2] == b"GET /echo/b - 0"
    assert closed[1]["connection"] == "close"


async def test_requests_sent_ahead_are_answered_in_order(served: Served) -> None:
    asking = asyncio.create_task(served.ask(asks("GET", "/echo/wait") + asks("GET", "/echo/b"), answers=2))
    await served.entered.wait()
    served.released.set()
    assert [body for _, _, body in await asking] == [b"GET /echo/wait - 0", b"GET /echo/b - 0"]


async def test_a_client_that_leaves_takes_nobody_with_it(served: Served) -> None:
    _, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(asks("GET", "/echo/wait"))
    await served.entered.wait()
    writer.close()
    await writer.wait_closed()
    connections: Any = served.server.server_state.connections
    async with asyncio.timeout(20):
        while connections:
            await asyncio.sleep(0.005)
    served.released.set()
    ((status, _, body),) = await served.ask(asks("GET", "/echo/a"))
    assert (status, body) == (200, b"GET /echo/a - 0")
    assert served.finished == 2
