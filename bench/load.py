"""Loads an HTTP server from a process of its own and reports requests a second with latencies.

A small client on uvloop and httptools instead of a library: requests are ready-made bytes and answers are only parsed,
so that one core asks for more than the servers beside it answer. It reports the share of its core it used; a share near
one would mean that the generator, not the server, was measured.

Run: ``python -m bench.load`` with a ``Job`` as JSON on standard input.
"""

from __future__ import annotations

import asyncio
import sys
import time
import uuid
from collections import Counter
from typing import cast
from urllib.parse import urlsplit

import httptools
import uvloop
from pydantic import BaseModel, ConfigDict, Field

from bench.processes import answer_of, python
from bench.result import BenchError

UNIQUE = "{unique}"
BUSY = 0.95


class Job(BaseModel):
    """What to ask. ``{unique}`` in a header's value becomes an id no other request has."""

    model_config = ConfigDict(frozen=True)

    url: str
    method: str = "GET"
    headers: dict[str, str] = {}
    body: str = ""
    expected: int = 200
    connections: int = 50
    warm_up: float = Field(default=1.0, description="Seconds before the clock starts.")
    seconds: float = Field(default=4.0, description="Seconds that count.")


class Loaded(BaseModel):
    """What the server did; latencies in milliseconds, ``busy`` the share of a core the generator used."""

    model_config = ConfigDict(frozen=True)

    requests: int
    rate: float
    p50: float
    p95: float
    p99: float
    busy: float
    last: str = Field(description="The unique id of the last request that was answered.")


def load(job: Job) -> Loaded:
    """Run the job in a process of its own.

    Raises:
        BenchError: an answer was not the expected one, or the generator was the bottleneck.
    """
    answer = answer_of(python("bench.load"), f"the load on {job.url}", job.model_dump(), job.warm_up + job.seconds + 60)
    loaded = Loaded.model_validate(answer)
    if loaded.busy > BUSY:
        raise BenchError(
            f"the load on {job.url} is bounded by its generator ({loaded.busy:.0%} of a core): it measures itself"
        )
    return loaded


def percentile(ordered: list[float], share: float) -> float:
    """The smallest of the ascending values that ``share`` of them do not exceed."""
    return ordered[max(0, -(-int(share * 1000) * len(ordered) // 1000) - 1)]


class _Template:
    def __init__(self, job: Job) -> None:
        parts = urlsplit(job.url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        body = job.body.encode()
        lines = [f"{job.method} {target} HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in job.headers.items()]
        if body:
            lines.append(f"Content-Length: {len(body)}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._parts = head.split(UNIQUE.encode())
        self._parts[-1] += body
        self._prefix = uuid.uuid4().hex[:20]
        self._made = 0

    def next(self) -> tuple[bytes, str]:
        """The bytes of one more request, and its id."""
        self._made += 1
        unique = f"{self._prefix}-{self._made:011d}"
        return unique.encode().join(self._parts), unique


class _Run:
    def __init__(self, job: Job) -> None:
        self.job = job
        self.template = _Template(job)
        self.latencies: list[float] = []
        self.unexpected: Counter[int] = Counter()
        self.counting = False
        self.ended = False
        self.last = ""
        self.broken: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def answered(self, status: int, seconds: float, unique: str) -> None:
        """Write down one answer."""
        if status != self.job.expected:
            self.unexpected[status] += 1
        elif self.counting:
            self.latencies.append(seconds)
            self.last = unique


class _Connection(asyncio.Protocol):
    """Asks, waits for the whole answer, asks again."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._parser = httptools.HttpResponseParser(self)
        self._unique = ""
        self._sent = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self.transport = cast("asyncio.Transport", transport)  # uvloop's do not inherit from it
        self._ask()

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        """Called by the parser at the end of an answer."""
        self._run.answered(self._parser.get_status_code(), time.perf_counter() - self._sent, self._unique)
        if not self._run.ended:
            self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        """A server that keeps no connection alive is not what is measured."""
        if not self._run.ended and not self._run.broken.done():
            self._run.broken.set_result(f"the server closed a connection ({exc or 'end of stream'})")

    def _ask(self) -> None:
        request, self._unique = self._run.template.next()
        self._sent = time.perf_counter()
        self.transport.write(request)


async def run(job: Job) -> Loaded:
    """Load the server from this process. Raises ``BenchError`` at unexpected answers."""
    parts = urlsplit(job.url)
    loop = asyncio.get_running_loop()
    state = _Run(job)
    transports = [
        (await loop.create_connection(lambda: _Connection(state), parts.hostname or "127.0.0.1", parts.port or 80))[0]
        for _ in range(job.connections)
    ]
    try:
        await _pass(state, job.warm_up)
        state.counting = True
        began, used = time.perf_counter(), time.process_time()
        await _pass(state, job.seconds)
        seconds, used = time.perf_counter() - began, time.process_time() - used
    finally:
        state.ended = True
        for transport in transports:
            transport.abort()
    if state.unexpected:
        raise BenchError(f"{job.url} answered {dict(state.unexpected)} instead of {job.expected}")
    if not state.latencies:
        raise BenchError(f"{job.url} answered nothing within {job.seconds} s")
    ordered = sorted(state.latencies)
    return Loaded(
        requests=len(ordered),
        rate=len(ordered) / seconds,
        p50=percentile(ordered, 0.5) * 1000,
        p95=percentile(ordered, 0.95) * 1000,
        p99=percentile(ordered, 0.99) * 1000,
        busy=used / seconds,
        last=state.last,
    )


async def _pass(state: _Run, seconds: float) -> None:
    done, _ = await asyncio.wait({state.broken}, timeout=seconds)
    if done:
        raise BenchError(f"{state.job.url}: {state.broken.result()}")


def main() -> int:
    """Read a job, run it, print what it came to."""
    job = Job.model_validate_json(sys.stdin.read())
    try:
        loaded = uvloop.run(run(job))
    except (BenchError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(loaded.model_dump_json())
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
