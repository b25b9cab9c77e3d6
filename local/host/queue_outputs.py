"""Puts messages on queues, and guarantees that a missing queue is created rather than a message lost."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from local.host.message_text import encode_text
from local.host.settings import QueueSettings, SettingsError, connection_string, resolve
from local.host.storage_queue import Account, ConnectionStringError, QueueService, StorageError

QUEUE_GONE = "QueueNotFound"


class QueueOutputs:
    """Puts messages on queues for output bindings, creating a missing queue, and wakes this host's own listener."""

    def __init__(self, settings: QueueSettings, environment: Mapping[str, str]) -> None:
        self._settings = settings
        self._environment = environment
        self._services: dict[str, QueueService] = {}
        self._listeners: dict[tuple[str, str], asyncio.Event] = {}
        self._bound: dict[tuple[str, str], tuple[QueueService, str]] = {}

    def service(self, connection: str) -> QueueService:
        """The queue service of a connection setting; one pool per account.

        Raises:
            SettingsError: the setting is missing or no connection string.
        """
        text = connection_string(connection, self._environment)
        service = self._services.get(text)
        if service is None:
            try:
                service = self._services[text] = QueueService(Account.parse(text))
            except ConnectionStringError as error:
                raise SettingsError(f"{connection or 'AzureWebJobsStorage'}: {error}") from error
        return service

    def listen(self, service: QueueService, queue: str) -> asyncio.Event:
        """The event set whenever this host puts a message on the queue."""
        return self._listeners.setdefault((service.account.endpoint, queue), asyncio.Event())

    def resolved(self, binding: Mapping[str, Any]) -> tuple[QueueService, str]:
        """The service and queue of a binding, its %SETTING% resolved.

        Raises:
            SettingsError: a setting is missing.
        """
        key = (str(binding.get("connection") or ""), str(binding["queueName"]))
        bound = self._bound.get(key)
        if bound is None:
            bound = self._bound[key] = (self.service(key[0]), resolve(key[1], self._environment).lower())
        return bound

    async def send(self, binding: Mapping[str, Any], messages: Sequence[str | bytes]) -> None:
        """Put the messages of one output binding in order.

        Raises:
            StorageError: the queue service refused or did not answer.
        """
        service, queue = self.resolved(binding)
        for message in messages:
            await self.put(service, queue, encode_text(message, self._settings.message_encoding))

    async def put(self, service: QueueService, queue: str, text: str) -> None:
        """Put one wire text, creating the queue when it is missing."""
        try:
            await service.put(queue, text)
        except StorageError as error:
            if error.code != QUEUE_GONE:
                raise
            await service.create_queue(queue)
            await service.put(queue, text)
        event = self._listeners.get((service.account.endpoint, queue))
        if event is not None:
            event.set()

    async def close(self) -> None:
        """Close every connection."""
        for service in self._services.values():
            await service.close()
