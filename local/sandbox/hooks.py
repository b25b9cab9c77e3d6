"""Delivers webhooks in order per target, and duplicates, reorders or drops them when a fault rule says so."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

import httpx

from local.sandbox.fault_rule import FaultKind
from local.sandbox.faults import FaultRules
from local.sandbox.state import State

Record = Callable[[int | None, str | None, int], None]
"""Told of each attempt: HTTP status (or None), error (or None), duration in milliseconds."""

Answered = Callable[[httpx.Response], None]
"""Told of the answer itself, just before `Record` is."""

TIMEOUT_SECONDS = 10.0
HELD_SECONDS = 5.0
DROPPED = "dropped: never sent"


@dataclass(frozen=True)
class _Delivery:
    event: str
    url: str
    headers: dict[str, str]
    body: bytes
    record: Record
    answered: Answered | None = None


class HookSender:
    """Sends deliveries in the background; one task per target keeps their order."""

    def __init__(self, state: State, rules: FaultRules, client: httpx.AsyncClient | None = None) -> None:
        """`client` replaces the HTTP client (tests deliver into ASGI apps through it)."""
        self.state = state
        self.rules = rules
        self._client = client
        self._queues: dict[str, asyncio.Queue[_Delivery]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._pending = 0
        self._held: dict[str, _Delivery] = {}
        self._release: dict[str, asyncio.TimerHandle] = {}

    def enqueue(
        self,
        *,
        event: str,
        url: str,
        headers: dict[str, str],
        body: bytes,
        record: Record,
        answered: Answered | None = None,
    ) -> None:
        """Queue one delivery to `url`; `record` hears of every attempt. Needs a running loop."""
        delivery = _Delivery(event, url, dict(headers), body, record, answered)
        rule = self.rules.for_delivery(event, url)
        kind = rule.kind if rule else None
        if kind is FaultKind.WEBHOOK_DROPPED:
            self._told(delivery, None, DROPPED, 0)
            return
        if kind is FaultKind.WEBHOOK_REORDERED and url not in self._held:
            self._held[url] = delivery
            loop = asyncio.get_running_loop()
            # Without a successor it would wait for ever, and a reordered delivery does arrive in the end.
            self._release[url] = loop.call_later(HELD_SECONDS, self._let_go, url)
            return
        self._put(delivery)
        if kind is FaultKind.WEBHOOK_DUPLICATED:
            self._put(delivery)
        self._let_go(url)

    async def drain(self) -> None:
        """Send what is held back and wait until every queue is empty."""
        for url in list(self._held):
            self._let_go(url)
        while self._pending:
            await asyncio.gather(*(queue.join() for queue in list(self._queues.values())))

    async def aclose(self, grace_seconds: float = 2.0) -> None:
        """Give queued deliveries `grace_seconds`, then record the rest as not sent and stop."""
        try:
            await asyncio.wait_for(self.drain(), grace_seconds)
        except TimeoutError:
            for queue in self._queues.values():
                while not queue.empty():
                    self._told(queue.get_nowait(), None, "not sent: the sandbox stopped", 0)
                    self._pending -= 1
                    queue.task_done()
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()
        self._queues.clear()
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    def _put(self, delivery: _Delivery) -> None:
        queue = self._queues.setdefault(delivery.url, asyncio.Queue())
        queue.put_nowait(delivery)
        self._pending += 1
        task = self._tasks.get(delivery.url)
        if task is None or task.done():
            self._tasks[delivery.url] = asyncio.get_running_loop().create_task(self._work(queue))

    def _let_go(self, url: str) -> None:
        timer = self._release.pop(url, None)
        if timer is not None:
            timer.cancel()
        held = self._held.pop(url, None)
        if held is not None:
            self._put(held)

    async def _work(self, queue: asyncio.Queue[_Delivery]) -> None:
        while True:
            delivery = await queue.get()
            try:
                await self._send(delivery)
            finally:
                self._pending -= 1
                queue.task_done()

    async def _send(self, delivery: _Delivery) -> None:
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=TIMEOUT_SECONDS, trust_env=False)
        started = time.monotonic()
        status: int | None = None
        error: str | None = None
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await self._client.post(delivery.url, headers=delivery.headers, content=delivery.body)
            status = answer.status_code
            if delivery.answered is not None:
                delivery.answered(answer)
        except TimeoutError:
            error = "timed out"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as failure:
            error = (
                "timed out" if isinstance(failure, httpx.TimeoutException) else f"failed to connect to host: {failure}"
            )
        self._told(delivery, status, error, round((time.monotonic() - started) * 1000))

    def _told(self, delivery: _Delivery, status: int | None, error: str | None, duration_ms: int) -> None:
        delivery.record(status, error, duration_ms)
        self.state.changed()
