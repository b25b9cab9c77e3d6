"""Serves a simulator on a free port of 127.0.0.1 from a thread of this process, and ends it."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
import uvicorn
from starlette.applications import Starlette


class UtcClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@contextmanager
def served(build: Callable[[str], Starlette]) -> Iterator[tuple[str, Starlette]]:
    """The address and the app that ``build`` made for it."""
    # Without the protocol named, asyncio leaves Nagle's algorithm on and every answer takes 40 ms.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    app = build(url)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve(sockets=[listener])), daemon=True)
    thread.start()
    try:
        while not server.started:
            if not thread.is_alive():
                raise RuntimeError("the simulator did not start")
            time.sleep(0.005)
        yield url, app
    finally:
        server.should_exit = True
        thread.join(10)
        listener.close()


def late(monkeypatch: pytest.MonkeyPatch, forge: object, name: str, first: object = None) -> None:
    """Let the first look find ``first``: as if somebody else had been quicker between our look and our create."""
    look = getattr(forge, name)
    looks: list[object] = []

    def looking(*args: object) -> object:
        looks.append(args)
        return first if len(looks) == 1 else look(*args)

    monkeypatch.setattr(forge, name, looking)
