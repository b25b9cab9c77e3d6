"""Serves a simulator on a free port in a thread, and receives its webhooks on another."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.fakes.serving import served


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

    with served(lambda _: Starlette(routes=[Route("/hook", hook, methods=["POST"])])) as (url, _):
        kept.url = f"{url}/hook"
        yield kept
