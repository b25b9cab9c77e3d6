"""Serves a simulator on a free port in a thread, and receives its webhooks on another."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


@contextlib.contextmanager
def served(build: Callable[[str], Any]) -> Iterator[str]:
    """Serve what `build(base_url)` makes; yields the base URL."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = uvicorn.Server(uvicorn.Config(build(url), log_level="error", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started and thread.is_alive():
        time.sleep(0.005)
    try:
        yield url
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


@dataclass
class Receiver:
    """Keeps the webhooks it gets; `status` is what it answers."""

    url: str = ""
    status: int = 202
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """The first `count` deliveries, waiting up to five seconds for them."""
        deadline = time.monotonic() + 5
        while len(self.got) < count and time.monotonic() < deadline:
            time.sleep(0.01)
        assert len(self.got) >= count, [h["x-github-event"] for h, _ in self.got]
        return self.got[:count]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A place to send webhooks to."""
    kept = Receiver()

    async def hook(request: Request) -> Response:
        kept.got.append((dict(request.headers), await request.body()))
        return Response("taken", status_code=kept.status)

    with served(lambda _: Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as url:
        kept.url = f"{url}/hook"
        yield kept
