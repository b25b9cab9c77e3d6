"""The orchestration both workers run: five activities at once, and the sum of what they return."""

from collections.abc import Generator
from typing import Any

from durabletask.task import OrchestrationContext, Task, when_all

WIDTH = 5


def doubled(value: int) -> int:
    """What the activity answers."""
    return value * 2


def fan_out(context: OrchestrationContext, first: int) -> Generator[Task[Any], Any, Any]:
    """The orchestration: double ``first`` and the four numbers after it."""
    results = yield when_all([context.call_activity("double", input=first + n) for n in range(WIDTH)])
    return sum(results)


def expected(first: int) -> int:
    """What the orchestration answers."""
    return sum(doubled(first + n) for n in range(WIDTH))
