"""Runs one function through the worker library and guarantees that its output bindings are flushed before it counts as done."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol

from azure_functions_runtime.bindings.datumdef import Datum
from azure_functions_runtime.native_invocation import invocation_request_native

from local.host.app import RETURN, Function, Output
from local.host.logs import ACTIVE, Invocation, new_id

WORKER_LOGGER = logging.getLogger("azure.functions")
LOGGER = logging.getLogger("Host.Executor")

_raised: ContextVar[list[BaseException] | None] = ContextVar("raised", default=None)


class FunctionTimeoutError(Exception):
    """The function ran longer than host.json's functionTimeout."""


class OutputSink(Protocol):
    """Where output bindings other than the HTTP response go."""

    async def send(self, binding: Mapping[str, Any], messages: Sequence[str | bytes]) -> None:
        """Deliver the messages, or raise; nothing may be lost silently."""


@dataclass(slots=True)
class Outcome:
    """What an invocation came to: a returned datum, or the exception it ended with."""

    invocation_id: str
    returned: Datum | None = None
    response: Datum | None = None
    error: BaseException | None = None


class _KeepException(logging.Filter):
    """Keeps the exception the worker library only prints: durable failures need its type, not its text."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Take the exception of the record that reports a failed invocation and drop the record; it is logged with its function."""
        holder = _raised.get()
        if record.module != "native_invocation":  # what the app itself logs there stays
            return True
        if holder is not None and record.exc_info and record.exc_info[1] is not None:
            holder.append(record.exc_info[1])
            return False
        return True


WORKER_LOGGER.addFilter(_KeepException())


def queue_messages(datum: Datum | None) -> list[str | bytes]:
    """The messages a queue output datum stands for: a list is many, a QueueMessage is its body, anything else is itself."""
    if datum is None or datum.type is None or datum.value is None:
        return []
    if datum.type != "json":
        return [datum.value if isinstance(datum.value, str | bytes) else json.dumps(datum.value)]
    value = json.loads(datum.value)
    items = value if isinstance(value, list) else [value]
    return [_message_text(item) for item in items]


def _message_text(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, dict) and item.keys() == {"id", "body"}:
        return str(item["body"])
    return json.dumps(item)


def quietest_level() -> int:
    """The lowest level at which any function's logger writes."""
    names = [name for name in logging.root.manager.loggerDict if name == "Function" or name.startswith("Function.")]
    return min((logging.getLogger(name).getEffectiveLevel() for name in names), default=logging.root.level)


class Invoker:
    """Invokes functions: binds, runs, flushes outputs, logs."""

    def __init__(self, sink: OutputSink, timeout: timedelta | None = None) -> None:
        self._sink = sink
        self._timeout = timeout.total_seconds() if timeout else None
        self._client: Datum | None = None
        self._loggers: dict[str, logging.Logger] = {}
        self.running = 0
        # Levels below this are off for every function, so that a request need not ask its logger.
        self._quietest = quietest_level()

    def bind_durable_client(self, configuration: str) -> None:
        """Set the JSON configuration every durable client binding receives."""
        self._client = Datum(configuration, "string")

    async def run(
        self,
        function: Function,
        trigger: Datum,
        correlation_id: str,
        metadata: Mapping[str, Datum] | None = None,
        *,
        trace_parent: str = "",
        trace_state: str = "",
        retry_count: int = 0,
        max_retry_count: int = 0,
        success_level: int = logging.INFO,
    ) -> Outcome:
        """Run one function to its end, outputs included; failures are in the outcome, never raised.

        Success is logged at ``success_level``.
        """
        invocation_id = new_id()
        outcome = Outcome(invocation_id)
        inputs: list[tuple[str, Any]] = [(function.trigger_name, trigger)]
        for name in function.client_inputs:
            inputs.append((name, self._client))
        raised: list[BaseException] = []
        token = _raised.set(raised)
        ACTIVE[invocation_id] = Invocation(function.name, correlation_id)
        self.running += 1
        started = time.perf_counter()
        invocation = invocation_request_native(
            invocation_id,
            function.function_id,
            inputs,
            metadata or {},
            trace_parent,
            trace_state,
            retry_count,
            max_retry_count,
        )
        try:
            if self._timeout is None:
                ok, returned, outputs, error_text, _ = await invocation
            else:
                ok, returned, outputs, error_text, _ = await self._limited(function, invocation)
            if ok:
                outcome.returned = outcome.response = returned
                if function.delivers:
                    await self._flush(function, outcome, outputs)
            else:
                outcome.error = raised[0] if raised else RuntimeError(error_text)
        except asyncio.CancelledError as error:
            outcome.error = error
            raise
        except Exception as error:
            outcome.error = error
        finally:
            self.running -= 1
            _raised.reset(token)
            if outcome.error is not None or success_level >= self._quietest:
                self._report(function, outcome, started, success_level)
            del ACTIVE[invocation_id]
        return outcome

    async def _limited(self, function: Function, invocation: Awaitable[Any]) -> Any:
        scope = asyncio.timeout(self._timeout)
        try:
            async with scope:
                return await invocation
        except TimeoutError as error:
            if scope.expired():
                raise FunctionTimeoutError(
                    f"{function.name} ran longer than functionTimeout, {self._timeout:g} s"
                ) from error
            raise

    async def _flush(self, function: Function, outcome: Outcome, outputs: Sequence[tuple[str, Datum]]) -> None:
        for name, datum in [*outputs, (RETURN, outcome.returned)]:
            binding = function.outputs.get(name)
            if binding is None:
                continue
            if binding["type"] == Output.HTTP:
                outcome.response = datum
                continue
            messages = queue_messages(datum)
            if messages:
                await self._sink.send(binding, messages)

    def _report(self, function: Function, outcome: Outcome, started: float, success_level: int) -> None:
        logger = self._loggers.get(function.name)
        if logger is None:
            logger = self._loggers[function.name] = logging.getLogger(f"Function.{function.name}")
        level = success_level if outcome.error is None else logging.ERROR
        if not logger.isEnabledFor(level):
            return
        milliseconds = round((time.perf_counter() - started) * 1000, 1)
        extra = {"invocation_id": outcome.invocation_id, "duration_ms": milliseconds}
        if outcome.error is None:
            logger.log(level, "Executed '%s' (Succeeded)", function.name, extra=extra)
        else:
            logger.log(
                level,
                "Executed '%s' (Failed): %s: %s",
                function.name,
                type(outcome.error).__name__,
                outcome.error,
                extra=extra,
                exc_info=(type(outcome.error), outcome.error, outcome.error.__traceback__),
            )
