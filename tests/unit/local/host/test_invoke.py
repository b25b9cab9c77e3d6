"""An invocation counts as done when its outputs are delivered; each way to fail is in its outcome."""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from azure_functions_runtime.bindings.datumdef import Datum

from local.host import invoke
from local.host.app import Function, Trigger
from local.host.invoke import FunctionTimeoutError, Invoker
from local.host.logs import ACTIVE

QUEUE = {"type": "queue", "name": "messages", "queueName": "q", "connection": ""}
OUTPUTS: dict[str, Mapping[str, Any]] = {
    "messages": QUEUE,
    "answer": {"type": "http", "name": "answer"},
    "$return": {**QUEUE, "name": "$return", "queueName": "returned"},
}
FUNCTION = Function(
    name="work",
    function_id="work",
    directory="",
    trigger=Trigger.HTTP,
    trigger_name="req",
    binding={"type": "httpTrigger", "name": "req"},
    outputs=OUTPUTS,
    client_inputs=("client",),
    bindings=(),
    is_async=True,
    delivers=True,
)
TRIGGER = Datum("in", "string")


class FakeSink:
    """Notes what output bindings deliver."""

    def __init__(self, error: Exception | None = None) -> None:
        self.sent: list[tuple[str, list[str | bytes]]] = []
        self.error = error

    async def send(self, binding: Mapping[str, Any], messages: Sequence[str | bytes]) -> None:
        if self.error is not None:
            raise self.error
        self.sent.append((binding["queueName"], list(messages)))


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Puts a function in place of the worker library's."""

    def install(run: Callable[..., Any]) -> None:
        monkeypatch.setattr(invoke, "invocation_request_native", run)

    return install


def answers(ok: bool, returned: Any = None, outputs: Sequence[tuple[str, Datum]] = (), error: str = "") -> Any:
    async def run(*_: Any) -> Any:
        return ok, returned, outputs, error, None

    return run


async def test_outputs_are_delivered_and_the_http_one_is_the_response(worker: Any) -> None:
    asked: list[Any] = []

    async def run(*arguments: Any) -> Any:
        asked.append(arguments)
        outputs = [("messages", Datum('["a", {"id": "1", "body": "b"}, 3]', "json")), ("unbound", Datum("x", "string"))]
        return True, Datum(b"\x00", "bytes"), [*outputs, ("answer", Datum("said", "string"))], "", None

    worker(run)
    sink = FakeSink()
    invoker = Invoker(sink)
    invoker.bind_durable_client("{}")
    outcome = await invoker.run(FUNCTION, TRIGGER, "correlation", trace_parent="parent", retry_count=1)
    assert outcome.error is None
    assert outcome.response is not None
    assert outcome.response.value == "said"
    assert sink.sent == [("q", ["a", "b", "3"]), ("returned", [b"\x00"])]
    (arguments,) = asked
    assert [(name, datum.value) for name, datum in arguments[2]] == [("req", "in"), ("client", "{}")]
    assert arguments[4:] == ("parent", "", 1, 0)
    assert (invoker.running, ACTIVE) == (0, {})


async def test_an_output_that_cannot_be_delivered_fails_the_invocation(worker: Any) -> None:
    worker(answers(True, Datum("text", "string")))
    outcome = await Invoker(FakeSink(ConnectionError("no queue"))).run(FUNCTION, TRIGGER, "c")
    assert isinstance(outcome.error, ConnectionError)


async def test_a_failure_keeps_the_exception_the_worker_library_only_logs(
    worker: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async def run(*_: Any) -> Any:
        try:
            raise LookupError("not here")
        except LookupError as error:
            told = (LookupError, error, error.__traceback__)
            for path in ("native_invocation.py", "function_app.py"):
                record = logging.LogRecord("azure.functions", logging.ERROR, path, 1, f"in {path}", (), told)
                logging.getLogger("azure.functions").handle(record)
        return False, None, [], "LookupError: not here", None

    worker(run)
    outcome = await Invoker(FakeSink()).run(FUNCTION, TRIGGER, "c")
    assert isinstance(outcome.error, LookupError)
    assert "in function_app.py" in caplog.text  # what the app says there itself stays
    assert "in native_invocation.py" not in caplog.text
    assert "Executed 'work' (Failed): LookupError: not here" in caplog.text


async def test_a_failure_without_an_exception_says_its_text(worker: Any) -> None:
    worker(answers(False, error="the binding is wrong"))
    outcome = await Invoker(FakeSink()).run(FUNCTION, TRIGGER, "c")
    assert isinstance(outcome.error, RuntimeError)
    assert str(outcome.error) == "the binding is wrong"


async def test_a_function_that_takes_too_long_is_ended_and_named(worker: Any) -> None:
    async def run(*_: Any) -> Any:
        await asyncio.Event().wait()

    worker(run)
    outcome = await Invoker(FakeSink(), timedelta(milliseconds=10)).run(FUNCTION, TRIGGER, "c")
    assert isinstance(outcome.error, FunctionTimeoutError)
    assert "work ran longer than functionTimeout, 0.01 s" in str(outcome.error)


async def test_a_timeout_of_the_functions_own_is_not_the_hosts(worker: Any) -> None:
    async def run(*_: Any) -> Any:
        raise TimeoutError("the database")

    worker(run)
    outcome = await Invoker(FakeSink(), timedelta(minutes=5)).run(FUNCTION, TRIGGER, "c")
    assert type(outcome.error) is TimeoutError


async def test_a_function_within_its_time_succeeds(worker: Any) -> None:
    worker(answers(True, Datum("text", "string")))
    outcome = await Invoker(FakeSink(), timedelta(minutes=5)).run(FUNCTION, TRIGGER, "c")
    assert outcome.error is None


async def test_a_cancelled_invocation_ends_and_is_reported(worker: Any, caplog: pytest.LogCaptureFixture) -> None:
    started = asyncio.Event()

    async def run(*_: Any) -> Any:
        started.set()
        await asyncio.Event().wait()

    worker(run)
    invoker = Invoker(FakeSink())
    running = asyncio.create_task(invoker.run(FUNCTION, TRIGGER, "c"))
    await started.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert (invoker.running, ACTIVE) == (0, {})
    assert "Executed 'work' (Failed): CancelledError" in caplog.text


async def test_no_success_is_logged_below_the_functions_level(worker: Any, caplog: pytest.LogCaptureFixture) -> None:
    worker(answers(True))
    with caplog.at_level(logging.DEBUG, "Function.work"):
        invoker = Invoker(FakeSink())
        await invoker.run(FUNCTION, TRIGGER, "c")
        assert "Executed 'work' (Succeeded)" in caplog.text
        caplog.clear()
    with caplog.at_level(logging.ERROR, "Function.work"):
        await invoker.run(FUNCTION, TRIGGER, "c")
        assert caplog.text == ""
