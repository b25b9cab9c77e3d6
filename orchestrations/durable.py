"""The only place that knows how runbooks call activities: plain JSON across every boundary, and patience.

An activity answers ``{"done": <model>}`` or, when the outside world asks for patience, ``{"again": {"reason", "after"}}``;
the runbook then waits on a durable timer, so that a forge's Retry-After is kept and nothing is held in memory.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

from azure.durable_functions import SyncDurableFunctionsClient
from durabletask.client import OrchestrationStatus
from durabletask.task import OrchestrationContext, RetryPolicy, Task, TaskFailedError
from pydantic import BaseModel, JsonValue, TypeAdapter

from shared.errors import DefectError, TransientError

if TYPE_CHECKING:
    import grpc

type Yields[R] = Generator[Task[Any], Any, R]

MOST_TRIES = 40
FIRST_PAUSE = 0.5
LONGEST_PAUSE = 60.0

MOST_GRANTED = timedelta(hours=24)
"""How long a forge may ask for patience in all; its word is kept beside deadlines and counts of tries, yet not for ever."""
SHORTEST_GRANT = timedelta(seconds=10)
"""Shorter waits count like our own: a forge that asks for a second again and again would fill the history."""
LEAST_SHARE = 0.1
"""Of what was granted so far, the next wait is no less. A forge that is away for a day, and asks for half a minute each time,
is tried some seventy times and not three thousand; the replay of such a history would take hours of a processor. Whoever
comes back after an outage is noticed within a tenth of it.
"""

LONGEST_STATES = 7_000
"""Characters of the states of steps within a custom status; the project's id stands beside them."""

CRASHED = RetryPolicy(
    first_retry_interval=timedelta(seconds=1),
    max_number_of_attempts=3,
    backoff_coefficient=2.0,
    max_retry_interval=timedelta(seconds=10),
)
"""For an activity that raised: a worker out of memory, a deployment in between. Patience is not its business."""


BROKEN = (TaskFailedError, DefectError)
"""How ``call`` ends when there is no result: the activity raised, or asked for patience too often."""


ENDS = frozenset({OrchestrationStatus.COMPLETED, OrchestrationStatus.FAILED, OrchestrationStatus.TERMINATED})


def in_words(error: TaskFailedError | DefectError) -> str:
    """What went wrong, as it stands in records and answers."""
    if isinstance(error, TaskFailedError):
        return f"{error.details.error_type}: {error.details.message}"
    return str(error)


def steps_shown(states: Mapping[str, str]) -> dict[str, JsonValue]:
    """The states of a run's steps as its custom status tells them: each by itself, or how many there are of each.

    Durable Functions takes 16 KiB of UTF-16 in a custom status:
    https://learn.microsoft.com/azure/azure-functions/durable/durable-functions-custom-orchestration-status
    """
    if len(json.dumps(states)) <= LONGEST_STATES:
        return {"steps": dict(states)}
    return {"counts": dict(sorted(Counter(states.values()).items()))}


def dump(model: BaseModel) -> dict[str, JsonValue]:
    """A model as it crosses a durable boundary."""
    return cast("dict[str, JsonValue]", model.model_dump(mode="json"))


def edge[R](action: Callable[[], R]) -> dict[str, Any]:
    """Run an activity's action and answer in the form ``call`` reads. Everything but patience is raised."""
    try:
        result = action()
    except TransientError as error:
        return {"again": {"reason": error.reason, "after": error.retry_after}}
    return {"done": TypeAdapter(type(result)).dump_python(result, mode="json")}


def call[R](context: OrchestrationContext, activity: str, payload: BaseModel, result: type[R]) -> Yields[R]:
    """Call ``activity`` until it is done; use with ``yield from``.

    Raises ``TaskFailedError`` when the activity raised, and ``DefectError`` when it asked for patience too often.
    """
    reason = ""
    attempt, granted = 0, timedelta()
    while attempt < MOST_TRIES:
        answer = yield context.call_activity(activity, input=dump(payload), retry_policy=CRASHED)
        if "done" in answer:
            return TypeAdapter(result).validate_python(answer["done"])
        reason = str(answer["again"]["reason"])
        after = answer["again"]["after"]
        pause = timedelta(seconds=after if after is not None else min(LONGEST_PAUSE, FIRST_PAUSE * 2.0**attempt))
        # Whoever names a time is not tried in vain before; only tries of our own choosing are counted.
        grant = _grant(granted, pause) if after is not None else None
        granted, attempt = (granted, attempt + 1) if grant is None else (granted + grant, attempt)
        yield context.create_timer(grant or pause)
    raise DefectError(f"{activity} asked for patience {MOST_TRIES} times: {reason}")


def later(deadline: datetime, granted: timedelta, asked: float, wait: float) -> tuple[datetime, timedelta, timedelta]:
    """``deadline`` put off by the ``asked`` seconds a forge named, what it was granted in all, and how long to wait now.

    ``wait`` is how long to wait where nothing is granted, in seconds.
    """
    grant = _grant(granted, timedelta(seconds=asked))
    if grant is None:
        return deadline, granted, timedelta(seconds=wait)
    return deadline + grant, granted + grant, max(grant, timedelta(seconds=wait))


def _grant(granted: timedelta, asked: timedelta) -> timedelta | None:
    """How long to wait for who asks for that much, and was ``granted`` so much before; ``None``: it counts as our own."""
    grant = max(asked, LEAST_SHARE * granted)
    return grant if asked >= SHORTEST_GRANT and granted + grant <= MOST_GRANTED else None


def start(client: SyncDurableFunctionsClient, runbook: str, instance: str, payload: BaseModel) -> bool:
    """Start ``runbook`` under ``instance``; ``False`` when an instance of that id exists.

    Raises ``TransientError`` when the engine does not answer.
    """
    import grpc

    try:
        client.schedule_new_orchestration(runbook, input=dump(payload), instance_id=instance)
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.ALREADY_EXISTS or "already exists" in str(error.details()).lower():
            return False
        raise _unanswered(error) from error
    return True


def ended(client: SyncDurableFunctionsClient, instance: str) -> str:
    """How ``instance`` ended, such as ``FAILED``; empty while it has not, and when the engine knows no such instance.

    Raises ``TransientError`` when the engine does not answer.
    """
    import grpc

    try:
        state = client.get_orchestration_state(instance, fetch_payloads=False)
    except grpc.RpcError as error:
        raise _unanswered(error) from error
    return state.runtime_status.name if state and state.runtime_status in ENDS else ""


def wake(client: SyncDurableFunctionsClient, instance: str, event: str) -> bool:
    """Tell ``instance`` to look again; ``False`` when the engine knows no such instance.

    Raises ``TransientError`` when the engine does not answer.
    """
    import grpc

    try:
        client.raise_orchestration_event(instance, event, data={})
    except grpc.RpcError as error:
        if error.code() is grpc.StatusCode.NOT_FOUND:
            return False
        raise _unanswered(error) from error
    return True


def _unanswered(error: grpc.RpcError) -> TransientError:
    return TransientError(f"the durable engine answered {error.code().name}: {error.details()}")
