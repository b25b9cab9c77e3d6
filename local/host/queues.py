"""Queue triggers: a message counts as handled only when its function and its outputs succeeded.

Visibility, poison queues and batching follow the Azure Functions queue storage extension.
"""

import asyncio
import contextlib
import json
import logging
import random
from collections.abc import Mapping, Sequence
from typing import Any

from azure_functions_runtime.bindings.datumdef import Datum

from local.host.app import Function
from local.host.invoke import Invoker
from local.host.logs import new_id
from local.host.message_text import decode_text
from local.host.queue_outputs import QUEUE_GONE, QueueOutputs
from local.host.settings import QueueSettings, SettingsError
from local.host.storage_queue import ReceivedMessage, StorageError

LOGGER = logging.getLogger("Host.Triggers.Queue")
FIRST_POLL = 0.1  # seconds, as Azure's minimum polling interval
POISON_SUFFIX = "-poison"
DEFAULT_LEASE = 30


class QueueListener:
    """Polls one queue for one function."""

    def __init__(
        self, function: Function, invoker: Invoker, outputs: QueueOutputs, settings: QueueSettings, lease: int
    ) -> None:
        self.function = function
        self._invoker = invoker
        self._outputs = outputs
        self._settings = settings
        self._lease = lease
        self._service, self.queue = outputs.resolved(function.binding)
        self._arrived = outputs.listen(self._service, self.queue)
        self._slot_freed = asyncio.Event()
        self._working: set[asyncio.Task[None]] = set()
        self._polling: asyncio.Task[None] | None = None

    async def prepare(self) -> None:
        """Create the queue when it is missing."""
        await self._service.create_queue(self.queue)

    def start(self) -> None:
        """Begin to poll."""
        self._polling = asyncio.create_task(self._poll(), name=f"queue {self.queue}")

    async def stop(self, grace: float) -> None:
        """Stop polling and let messages in work end; those that do not will reappear."""
        if self._polling is not None:
            self._polling.cancel()
            await asyncio.gather(self._polling, return_exceptions=True)
        if self._working:
            await asyncio.wait(self._working, timeout=grace)
        for task in self._working:
            task.cancel()

    async def _poll(self) -> None:
        longest = self._settings.max_polling_interval.total_seconds()
        pause = FIRST_POLL
        while True:
            if len(self._working) > self._settings.refill_at:
                self._slot_freed.clear()
                await self._slot_freed.wait()
                continue
            self._arrived.clear()
            try:
                messages = await self._service.get(self.queue, self._settings.batch_size, self._lease)
            except StorageError as error:
                messages = []
                if error.code == QUEUE_GONE:
                    with contextlib.suppress(StorageError):
                        await self.prepare()
                else:
                    LOGGER.warning("%s", error)
                    pause = max(pause, 0.5)
            except Exception:
                LOGGER.exception("Polling queue %s failed", self.queue)
                messages = []
            for message in messages:
                task = asyncio.create_task(self._handle(message))
                self._working.add(task)
                task.add_done_callback(self._finished)
            if messages:
                pause = FIRST_POLL
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause * random.uniform(0.9, 1.1)):
                    await self._arrived.wait()
            pause = FIRST_POLL if self._arrived.is_set() else min(pause * 2, longest)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._slot_freed.set()
        if not task.cancelled() and task.exception() is not None:
            LOGGER.error(
                "A message of queue %s was not settled; it will reappear", self.queue, exc_info=task.exception()
            )

    async def _handle(self, message: ReceivedMessage) -> None:
        try:
            body = decode_text(message.text, self._settings.message_encoding)
        except ValueError as error:
            LOGGER.error(
                "Message %s of queue %s cannot be decoded (%s); moving it to the poison queue",
                message.id,
                self.queue,
                error,
            )
            await self._poison(message, message.pop_receipt)
            return
        if message.dequeue_count > self._settings.max_dequeue_count:
            await self._poison(message, message.pop_receipt)
            return
        receipt = [message.pop_receipt]
        renewing = asyncio.create_task(self._renew(message, receipt))
        try:
            outcome = await self._invoker.run(self.function, *trigger_of(body, message))
        finally:
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
        if outcome.error is None:
            await self._settle(self._service.delete(self.queue, message.id, receipt[0]), message)
        elif message.dequeue_count >= self._settings.max_dequeue_count:
            LOGGER.error(
                "Message %s of queue %s failed %d times; moving it to %s",
                message.id,
                self.queue,
                message.dequeue_count,
                self.queue + POISON_SUFFIX,
            )
            await self._poison(message, receipt[0])
        else:
            seconds = int(self._settings.visibility_timeout.total_seconds())
            await self._settle(self._service.extend(self.queue, message.id, receipt[0], seconds), message)
            asyncio.get_running_loop().call_later(seconds, self._arrived.set)

    async def _renew(self, message: ReceivedMessage, receipt: list[str]) -> None:
        while True:
            await asyncio.sleep(self._lease / 2)
            renewal = asyncio.ensure_future(self._service.extend(self.queue, message.id, receipt[0], self._lease))
            try:
                # Shielded: a renewal cut off half-way would leave a receipt nobody knows.
                receipt[0] = await asyncio.shield(renewal)
            except asyncio.CancelledError:
                receipt[0] = await renewal
                raise
            except StorageError as error:
                LOGGER.warning("Message %s: its invisibility could not be renewed: %s", message.id, error)

    async def _settle(self, call: Any, message: ReceivedMessage) -> None:
        try:
            await call
        except StorageError as error:
            LOGGER.warning(
                "Message %s of queue %s was not settled (%s); it will reappear", message.id, self.queue, error
            )

    async def _poison(self, message: ReceivedMessage, receipt: str) -> None:
        # Put before delete: a crash in between leaves the message twice, never nowhere.
        await self._outputs.put(self._service, self.queue + POISON_SUFFIX, message.text)
        await self._settle(self._service.delete(self.queue, message.id, receipt), message)


def trigger_of(body: str | bytes, message: ReceivedMessage) -> tuple[Datum, str, dict[str, Datum]]:
    """The trigger datum, correlation id and trigger metadata of a message, as Azure's host passes them."""
    metadata = {
        "Id": Datum(message.id, "string"),
        "DequeueCount": Datum(str(message.dequeue_count), "json"),
        "InsertionTime": Datum(message.inserted.isoformat(), "string"),
        "ExpirationTime": Datum(message.expires.isoformat(), "string"),
        "NextVisibleTime": Datum(message.next_visible.isoformat(), "string"),
        "PopReceipt": Datum(message.pop_receipt, "string"),
    }
    return Datum(body, "bytes" if isinstance(body, bytes) else "string"), message.id, metadata


class QueueListeners:
    """All queue triggers of the app."""

    def __init__(
        self,
        functions: Sequence[Function],
        invoker: Invoker,
        outputs: QueueOutputs,
        settings: QueueSettings,
        environment: Mapping[str, str],
    ) -> None:
        self._invoker = invoker
        lease = _lease(environment)
        self._listeners = [QueueListener(function, invoker, outputs, settings, lease) for function in functions]

    async def prepare(self) -> None:
        """Create missing queues.

        Raises:
            SettingsError: the queue service cannot be reached.
        """
        try:
            for listener in self._listeners:
                await listener.prepare()
        except StorageError as error:
            raise SettingsError(f"{error}; is the storage of AzureWebJobsStorage running?") from error

    def start(self) -> None:
        """Begin to poll every queue."""
        for listener in self._listeners:
            listener.start()

    async def stop(self, grace: float) -> None:
        """Stop polling; messages in work get ``grace`` seconds to end."""
        await asyncio.gather(*(listener.stop(grace) for listener in self._listeners))

    async def run_by_hand(self, function: Function, value: Any, correlation_id: str) -> None:
        """Run a queue function with a message of the caller's making; nothing is taken from the queue."""
        text = value if isinstance(value, str) else json.dumps(value)
        metadata = {"Id": Datum(new_id(), "string"), "DequeueCount": Datum("1", "json")}
        await self._invoker.run(function, Datum(text, "string"), correlation_id, metadata)


def _lease(environment: Mapping[str, str]) -> int:
    text = environment.get("DONERIGHT_HOST_QUEUE_LEASE_SECONDS", str(DEFAULT_LEASE))
    if not text.isdigit() or not 2 <= int(text) <= 3600:
        raise SettingsError(f"DONERIGHT_HOST_QUEUE_LEASE_SECONDS: {text!r} is not a number of seconds from 2 to 3600")
    return int(text)
