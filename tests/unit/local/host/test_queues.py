"""A message is gone once its function succeeded; whatever fails leaves it to come again or in the poison queue."""

import asyncio
import base64
import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from azure_functions_runtime.bindings.datumdef import Datum

from local.host.app import Function, Trigger
from local.host.invoke import Outcome
from local.host.queue_outputs import QueueOutputs
from local.host.queues import QueueListener, QueueListeners
from local.host.settings import QueueSettings, SettingsError
from local.host.storage_queue import Account, ReceivedMessage, StorageError

MOMENT = datetime(2026, 1, 1, tzinfo=UTC)
BINDING = {"type": "queueTrigger", "name": "message", "queueName": "Orders", "connection": ""}
FUNCTION = Function(
    name="take",
    function_id="take",
    directory="",
    trigger=Trigger.QUEUE,
    trigger_name="message",
    binding=BINDING,
    outputs={},
    client_inputs=(),
    bindings=(BINDING,),
    is_async=True,
    delivers=False,
)
GONE = StorageError(404, "QueueNotFound", "getting")
BROKEN = StorageError(500, "InternalError", "getting")


def message(text: str = "hello", *, count: int = 1, encoded: bool = True) -> ReceivedMessage:
    content = base64.b64encode(text.encode()).decode() if encoded else text
    return ReceivedMessage("id-" + text, "receipt-0", count, content, MOMENT, MOMENT, MOMENT)


class FakeService:
    """A queue account in memory that notes every call and fails those it is told to."""

    account = Account("a", "http://127.0.0.1:1/a", b"", None)

    def __init__(self, *waiting: ReceivedMessage) -> None:
        self.waiting = list(waiting)
        self.failures: dict[str, list[Exception]] = {}
        self.calls: list[tuple[Any, ...]] = []
        self.receipts = 0

    def _note(self, *call: Any) -> None:
        self.calls.append(call)
        if failures := self.failures.get(call[0]):
            raise failures.pop(0)

    def called(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]

    async def get(self, queue: str, count: int, lease: int) -> list[ReceivedMessage]:
        self._note("get", queue)
        taken, self.waiting = self.waiting[:count], self.waiting[count:]
        return taken

    async def put(self, queue: str, text: str) -> None:
        self._note("put", queue, text)

    async def delete(self, queue: str, message_id: str, receipt: str) -> None:
        self._note("delete", queue, message_id, receipt)

    async def extend(self, queue: str, message_id: str, receipt: str, seconds: int) -> str:
        self._note("extend", queue, receipt, seconds)
        self.receipts += 1
        return f"receipt-{self.receipts}"

    async def create_queue(self, queue: str) -> None:
        self._note("create", queue)


class FakeOutputs(QueueOutputs):
    """The real outputs over the account in memory."""

    def __init__(self, service: FakeService) -> None:
        super().__init__(QueueSettings(), {})
        self._fake: Any = service

    def service(self, connection: str) -> Any:
        return self._fake


class FakeInvoker:
    """Runs what the test says in place of the function."""

    def __init__(self, work: Callable[[], Any] | None = None) -> None:
        self.work = work
        self.seen: list[Any] = []

    async def run(self, function: Function, trigger: Datum, correlation_id: str, metadata: Any = None) -> Outcome:
        self.seen.append((trigger.value, correlation_id, metadata))
        try:
            if self.work is not None:
                await self.work()
        except ValueError as error:
            return Outcome("id", error=error)
        return Outcome("id")


async def fails() -> None:
    raise ValueError("not this one")


def listener(service: FakeService, invoker: FakeInvoker, *, lease: int = 60, **settings: Any) -> QueueListener:
    outputs = FakeOutputs(service)
    return QueueListener(FUNCTION, invoker, outputs, QueueSettings(**settings), lease)  # type: ignore[arg-type]


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            await asyncio.sleep(0.005)


async def serve(made: QueueListener, condition: Callable[[], Any]) -> None:
    """Poll until the condition holds."""
    made.start()
    try:
        await until(condition)
    finally:
        await made.stop(5)


async def test_a_message_is_deleted_once_its_function_succeeded() -> None:
    service, invoker = FakeService(message()), FakeInvoker()
    await serve(listener(service, invoker), lambda: service.called("delete"))
    assert service.called("delete") == [("orders", "id-hello", "receipt-0")]
    value, correlation_id, metadata = invoker.seen[0]
    assert (value, correlation_id) == ("hello", "id-hello")
    assert metadata["DequeueCount"].value == "1"
    assert metadata["PopReceipt"].value == "receipt-0"


async def test_a_failed_message_reappears_after_the_visibility_timeout() -> None:
    service = FakeService(message())
    made = listener(service, FakeInvoker(fails), visibility_timeout="00:00:07")
    await serve(made, lambda: service.called("extend"))
    assert service.called("extend") == [("orders", "receipt-0", 7)]
    assert not service.called("delete")


@pytest.mark.parametrize(
    ("bad", "runs"),
    [
        (message(count=5), 1),  # the last attempt fails
        (message(count=6), 0),  # a host died in the last attempt
        (message("%%%", encoded=False), 0),  # no attempt could ever succeed
    ],
)
async def test_what_cannot_succeed_goes_to_the_poison_queue_before_it_leaves_its_own(
    bad: ReceivedMessage, runs: int
) -> None:
    service, invoker = FakeService(bad), FakeInvoker(fails)
    service.failures["put"] = [GONE]  # the poison queue does not exist yet
    await serve(listener(service, invoker), lambda: service.called("delete"))
    assert len(invoker.seen) == runs
    changes = [call[:2] for call in service.calls if call[0] != "get"]
    poison = "orders-poison"
    assert changes == [("put", poison), ("create", poison), ("put", poison), ("delete", "orders")]
    assert service.called("put")[-1] == (poison, bad.text)


async def test_polling_goes_on_after_every_failure_and_creates_a_queue_that_is_gone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service, invoker = FakeService(message()), FakeInvoker()
    service.failures["get"] = [GONE, BROKEN, RuntimeError("a defect of ours")]
    service.failures["create"] = [BROKEN]
    await serve(listener(service, invoker), lambda: service.called("delete"))
    assert service.called("create") == [("orders",)]
    assert "getting: the queue service answered 500 InternalError" in caplog.text
    assert "Polling queue orders failed" in caplog.text


@pytest.mark.parametrize(
    ("failing", "work", "said"),
    [("delete", None, "was not settled (getting"), ("put", fails, "was not settled; it will reappear")],
)
async def test_a_message_that_cannot_be_settled_is_logged_and_the_next_one_served(
    failing: str, work: Any, said: str, caplog: pytest.LogCaptureFixture
) -> None:
    service = FakeService(message("first", count=5), message("second", count=5))
    service.failures[failing] = [BROKEN]
    await serve(listener(service, FakeInvoker(work)), lambda: service.called("delete") and said in caplog.text)
    assert caplog.text.count(said) == 1
    assert "id-second" in {identifier for _, identifier, _ in service.called("delete")}


async def test_a_long_run_keeps_its_message_and_settles_it_with_the_newest_receipt(
    caplog: pytest.LogCaptureFixture,
) -> None:
    service = FakeService(message())
    service.failures["extend"] = [BROKEN]

    async def long() -> None:
        await until(lambda: service.receipts >= 1)

    await serve(listener(service, FakeInvoker(long), lease=1), lambda: service.called("delete"))
    assert service.called("delete")[0][2] == "receipt-1"
    assert "could not be renewed" in caplog.text


async def test_no_batch_is_fetched_while_too_many_messages_are_in_work() -> None:
    service = FakeService(message("first"), message("second"))
    released = asyncio.Event()
    invoker = FakeInvoker(released.wait)
    made = listener(service, invoker, batch_size=1, new_batch_threshold=0)
    made.start()
    await until(lambda: invoker.seen)
    for _ in range(20):
        await asyncio.sleep(0)
    assert len(service.called("get")) == 1
    released.set()
    await until(lambda: len(service.called("delete")) == 2)
    await made.stop(5)
    assert [value for value, _, _ in invoker.seen] == ["first", "second"]


async def test_a_stop_lets_messages_in_work_end_and_leaves_the_rest_to_reappear() -> None:
    service, invoker = FakeService(message()), FakeInvoker(asyncio.Event().wait)
    made = listener(service, invoker)
    await made.stop(0)  # never started: nothing to stop
    made.start()
    await until(lambda: invoker.seen)
    await made.stop(0)
    await asyncio.sleep(0.01)
    assert not service.called("delete")
    assert not service.called("extend")


async def test_a_message_put_by_this_host_wakes_its_listener() -> None:
    service = FakeService()
    outputs = FakeOutputs(service)
    arrived = outputs.listen(service, "orders")  # type: ignore[arg-type]
    await outputs.send(BINDING, ["text", b"\xff"])
    assert arrived.is_set()
    assert service.called("put") == [("orders", "dGV4dA=="), ("orders", "/w==")]
    service.failures["put"] = [BROKEN]
    with pytest.raises(StorageError):
        await outputs.send(BINDING, ["text"])
    assert not service.called("create")


async def test_a_connection_string_that_is_none_is_named_by_its_setting() -> None:
    outputs = QueueOutputs(QueueSettings(), {"AzureWebJobsStorage": "nonsense", "Other": "nonsense"})
    with pytest.raises(SettingsError, match="AzureWebJobsStorage: "):
        outputs.service("")
    with pytest.raises(SettingsError, match="Other: "):
        outputs.service("Other")


async def test_all_listeners_together() -> None:
    service, invoker = FakeService(message()), FakeInvoker()
    made = QueueListeners([FUNCTION], invoker, FakeOutputs(service), QueueSettings(), {})  # type: ignore[arg-type]
    service.failures["create"] = [BROKEN]
    with pytest.raises(SettingsError, match="is the storage of AzureWebJobsStorage running"):
        await made.prepare()
    await made.prepare()
    made.start()
    await until(lambda: service.called("delete"))
    await made.stop(5)
    await made.run_by_hand(FUNCTION, {"order": 1}, "by-hand")
    await made.run_by_hand(FUNCTION, "text", "by-hand")
    assert [(value, correlation_id) for value, correlation_id, _ in invoker.seen[1:]] == [
        ('{"order": 1}', "by-hand"),
        ("text", "by-hand"),
    ]


@pytest.mark.parametrize("text", ["1", "3601", "soon", "-5", ""])
def test_a_lease_that_is_no_number_of_seconds_is_refused(text: str) -> None:
    environment = {"DONERIGHT_HOST_QUEUE_LEASE_SECONDS": text}
    with pytest.raises(SettingsError, match="DONERIGHT_HOST_QUEUE_LEASE_SECONDS"):
        QueueListeners([], FakeInvoker(), FakeOutputs(FakeService()), QueueSettings(), environment)  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def _heard(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)


async def test_a_renewal_under_way_when_the_function_ends_gives_the_receipt_to_settle_with() -> None:
    renewing = asyncio.Event()

    class Slow(FakeService):
        async def extend(self, queue: str, message_id: str, receipt: str, seconds: int) -> str:
            renewing.set()
            await asyncio.sleep(0.05)
            return await super().extend(queue, message_id, receipt, seconds)

    service = Slow(message())
    await serve(listener(service, FakeInvoker(renewing.wait), lease=1), lambda: service.called("delete"))
    assert service.called("delete") == [("orders", "id-hello", "receipt-1")]
