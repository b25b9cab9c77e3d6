"""Alive means the process works; ready means it can take traffic now."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel

logger = logging.getLogger(__name__)

router = APIRouter(tags=["health"])

Check = Callable[[], Awaitable[None]]


class Health(BaseModel):
    """The state of the service."""

    status: Literal["ok"] = "ok"


class Readiness:
    """Whether the service takes traffic: after start-up, before shutdown, while its checks pass."""

    def __init__(self, checks: Mapping[str, Check]) -> None:
        self._checks = checks
        self._open = False

    def open(self) -> None:
        """Take traffic from now on."""
        self._open = True

    def close(self) -> None:
        """Take no more traffic."""
        self._open = False

    async def failing(self) -> list[str]:
        """Return the names of what is not ready."""
        if not self._open:
            return ["lifecycle"]
        names = []
        for name, check in self._checks.items():
            try:
                await check()
            except OSError:
                # OSError covers refused, reset and timed-out connections.
                logger.warning("readiness check failed", extra={"check": name}, exc_info=True)
                names.append(name)
        return names


def _readiness(request: Request) -> Readiness:
    readiness: Readiness = request.app.state.readiness
    return readiness


@router.get("/healthz", summary="Is the process alive?")
async def healthz() -> Health:
    """Answer 200 as long as requests are served; a dependency that is down does not matter."""
    return Health()


@router.get("/readyz", summary="Can it take traffic?")
async def readyz(readiness: Annotated[Readiness, Depends(_readiness)]) -> Health:
    """Answer 200 when every check passes, else 503 with the names of those that do not."""
    if failing := await readiness.failing():
        raise HTTPException(503, f"Not ready: {', '.join(failing)}")
    return Health()
