"""The pool keeps connections, replaces those the server closed, and never mixes up answers."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from local.host.connection_pool import ConnectionPool, PeerError

REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
Answer = Callable[[int], bytes | None]


@asynccontextmanager
async def served(answer: Answer) -> AsyncIterator[tuple[ConnectionPool, list[int]]]:
    """A pool to a server that answers the nth request of a connection; None closes it. The list counts connections."""
    connections: list[int] = []
    writers: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(1)
        writers.append(writer)
        number = 0
        while await reader.readuntil(b"\r\n\r\n"):
            content = answer(number)
            number += 1
            if content is None:
                break
            writer.write(content)
        writer.close()

    def guarded(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(serve(reader, writer))
        task.add_done_callback(lambda done: done.cancelled() or done.exception())

    server = await asyncio.start_server(guarded, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    pool = ConnectionPool(f"http://127.0.0.1:{port}/base", limit=4, timeout=5)
    try:
        yield pool, connections
    finally:
        pool.close()
        server.close()
        for writer in writers:
            writer.close()
        await asyncio.sleep(0)


def response(body: bytes, *headers: bytes) -> bytes:
    lines = b"".join(header + b"\r\n" for header in headers)
    return b"HTTP/1.1 200 OK\r\n" + lines + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def test_a_connection_is_kept() -> None:
    async with served(lambda number: response(b"%d" % number, b"X-Number: one")) as (pool, connections):
        assert await pool.ask(REQUEST) == (200, {"x-number": "one", "content-length": "1"}, b"0")
        assert (await pool.ask(REQUEST))[2] == b"1"
        assert len(connections) == 1


async def test_a_kept_connection_the_server_closed_is_replaced() -> None:
    async with served(lambda number: response(b"a") if number == 0 else None) as (pool, connections):
        assert (await pool.ask(REQUEST))[2] == b"a"
        assert (await pool.ask(REQUEST))[2] == b"a"
        assert len(connections) == 2


async def test_connection_close_is_honoured() -> None:
    async with served(lambda _: response(b"a", b"Connection: close")) as (pool, connections):
        await pool.ask(REQUEST)
        await pool.ask(REQUEST)
        assert len(connections) == 2


@pytest.mark.parametrize("content", [None, b"nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort"])
async def test_a_new_connection_without_a_whole_answer_is_an_error(content: bytes | None) -> None:
    answers = iter([content])
    async with served(lambda _: next(answers, None)) as (pool, _):
        pool._timeout = 0.5
        with pytest.raises((PeerError, TimeoutError)):
            await pool.ask(REQUEST)


async def test_an_abandoned_answer_is_not_given_to_the_next() -> None:
    numbers = iter(range(10))

    def answer(_: int) -> bytes:
        number = next(numbers)
        return b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nlat" if number == 0 else response(b"next")

    async with served(answer) as (pool, connections):
        first = asyncio.create_task(pool.ask(REQUEST))
        while not connections:
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.05)
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        assert (await pool.ask(REQUEST))[2] == b"next"


async def test_no_server_is_an_error() -> None:
    pool = ConnectionPool("http://127.0.0.1:9", limit=1, timeout=5)
    with pytest.raises(OSError, match=r"9|refused|connect"):
        await pool.ask(REQUEST)
