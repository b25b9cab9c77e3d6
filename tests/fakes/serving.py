"""Serves an app on a free port of 127.0.0.1 from a thread of this process, and ends it without waiting."""

from __future__ import annotations

import asyncio
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

SECONDS_TO_START = 10.0
SECONDS_TO_END = 1.0
"""For requests that are under way when the server is asked to end."""


class PromptServer(uvicorn.Server):
    """A uvicorn server that begins and ends when told: uvicorn's own looks around ten times a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None

    async def main_loop(self) -> None:
        self._loop, self._ending = asyncio.get_running_loop(), asyncio.Event()
        await self.on_tick(0)
        self.begun.set()
        await self._ending.wait()

    def end(self) -> None:
        """From any thread."""
        if self._loop is not None and self._ending is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._ending.set)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for one in sockets or []:
            one.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if tasks := set(self.server_state.tasks):
            _, late = await asyncio.wait(tasks, timeout=SECONDS_TO_END)
            for task in late:
                task.cancel()
        await self.lifespan.shutdown()


def forget_address(url: str) -> None:
    """Let the Azure DevOps package forget what an earlier server at this address offered: ports come back."""
    package = sys.modules.get("azure.devops.client")
    if package is not None:
        known = package.Client._locations_cache
        for address in [one for one in known if one.startswith(url)]:
            del known[address]


@contextmanager
def served[App](build: Callable[[str], App], **options: Any) -> Iterator[tuple[str, App]]:
    """The address, and what ``build`` made for it; ``options`` are uvicorn's."""
    # Without the protocol named, asyncio leaves Nagle's algorithm on and every answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    forget_address(url)
    app = build(url)
    given = {"log_level": "error", "access_log": False, "lifespan": "auto"} | options
    server = PromptServer(uvicorn.Config(app, **given))  # type: ignore[arg-type]
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        if not server.begun.wait(SECONDS_TO_START):
            raise RuntimeError("the app did not start")
        yield url, app
    finally:
        server.end()
        thread.join(10)
        listener.close()
