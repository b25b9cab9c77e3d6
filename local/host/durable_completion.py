"""Guarantees that the engine gets each completion: sent again while unanswered, replaced by a failure when refused."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import Any

import grpc
import grpc.aio

LOGGER = logging.getLogger("Host.Triggers.DurableTask")
FIRST_BACKOFF = 0.05  # seconds
LAST_BACKOFF = 5.0  # seconds
# The engine did not answer, or not usefully: the same completion is sent again.
UNDELIVERED = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.CANCELLED,
    grpc.StatusCode.ABORTED,
}
# The engine refuses the content; a failure that says so is sent in its place.
REFUSED = {grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE}
COMPLETION_TIMEOUT = 30.0  # seconds
UNEXPECTED_ATTEMPTS = 8


async def complete(deliver: Callable[..., Awaitable[Any]], response: Any, refused: Callable[[str], Any]) -> None:
    """Send a completion until the engine has it or no longer wants it.

    An answer that the engine refuses is replaced, once, by what ``refused`` makes of the reason.
    """
    backoff = FIRST_BACKOFF
    unexpected = 0
    substituted = False
    while True:
        try:
            await deliver(response, timeout=COMPLETION_TIMEOUT)
            return
        except grpc.aio.AioRpcError as error:
            code = error.code()
            if code in REFUSED and not substituted:
                LOGGER.error("The engine refused a completion (%s %s); failing the task", code.name, error.details())
                response = refused(error.details() or code.name)
                substituted = True
                continue
            if code in (grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL):
                unexpected += 1
            if (code not in UNDELIVERED and not unexpected) or unexpected > UNEXPECTED_ATTEMPTS:
                LOGGER.warning("The engine no longer wants a completion (%s %s)", code.name, error.details())
                return
        await asyncio.sleep(backoff * random.uniform(0.8, 1.2))
        backoff = min(backoff * 2, LAST_BACKOFF)
