"""The load generator counts what a server really answered, and fails when it answered something else."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import load as loading
from bench.load import Job, Loaded, percentile, run
from bench.result import BenchError


class Server:
    """Answers every request with one status and remembers what it was sent."""

    def __init__(self, status: int, *, closes: bool = False) -> None:
        self.status = status
        self.closes = closes
        self.url = ""
        self.seen: list[tuple[str, bytes]] = []
        self.connections = 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                length = next((int(line[16:]) for line in head.splitlines() if line.startswith("Content-Length: ")), 0)
                self.seen.append((head, await reader.readexactly(length)))
                writer.write(b"HTTP/1.1 %d X\r\nContent-Length: 2\r\n\r\nok" % self.status)
                if self.closes:
                    break
        except (asyncio.IncompleteReadError, ConnectionResetError):
            pass  # the generator ends its connections this way
        finally:
            writer.close()

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Server"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/deliveries"
        async with server:
            yield self


def job(server: Server, **more: object) -> Job:
    return Job.model_validate({"url": server.url, "connections": 3, "warm_up": 0.05, "seconds": 0.2, **more})


async def test_every_request_has_an_id_of_its_own_and_the_same_body():
    async with Server(202).running() as server:
        asked = job(server, method="POST", headers={"X-Id": "{unique}"}, body='{"a": "ö"}', expected=202)
        loaded = await run(asked)
    ids = [line for head, _ in server.seen for line in head.splitlines() if line.startswith("X-Id: ")]
    assert len(ids) == len(set(ids)) == len(server.seen) >= loaded.requests > 0
    assert {body for _, body in server.seen} == {'{"a": "ö"}'.encode()}
    assert all(head.startswith("POST /deliveries HTTP/1.1\r\n") for head, _ in server.seen)
    assert f"X-Id: {loaded.last}" in ids
    assert server.connections == 3
    assert 0 < loaded.p50 <= loaded.p95 <= loaded.p99


async def test_braces_of_a_body_are_not_taken_for_an_id():
    async with Server(200).running() as server:
        await run(job(server, method="POST", body="{unique}"))
    assert {body for _, body in server.seen} == {b"{unique}"}


async def test_an_unexpected_answer_is_an_error_that_names_it():
    async with Server(500).running() as server:
        with pytest.raises(BenchError, match="500"):
            await run(job(server))


async def test_a_server_that_keeps_no_connection_alive_is_an_error():
    async with Server(200, closes=True).running() as server:
        with pytest.raises(BenchError, match="closed a connection"):
            await run(job(server))


def test_a_generator_that_is_the_bottleneck_measures_itself(monkeypatch):
    busy = Loaded(requests=1, rate=1, p50=1, p95=1, p99=1, busy=0.99, last="x")
    monkeypatch.setattr(loading, "answer_of", lambda *_: busy.model_dump())
    with pytest.raises(BenchError, match="measures itself"):
        loading.load(Job(url="http://127.0.0.1:1/"))


def test_a_server_that_is_not_there_is_an_error():
    with pytest.raises(BenchError, match="ended with 1"):
        loading.load(Job(url="http://127.0.0.1:1/", warm_up=0.1, seconds=0.1))


@given(st.lists(st.floats(min_value=0, max_value=10), min_size=1), st.sampled_from([0.5, 0.95, 0.99]))
def test_percentile_is_a_value_that_the_share_does_not_exceed(values, share):
    ordered = sorted(values)
    found = percentile(ordered, share)
    assert found in values
    assert sum(value <= found for value in values) >= share * len(values)
