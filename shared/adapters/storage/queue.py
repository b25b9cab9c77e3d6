"""A storage queue written as Azure Functions reads it: base64 of UTF-8, small enough, in a queue that exists."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.adapters.storage.failures import storage_errors
from shared.errors import DefectError

if TYPE_CHECKING:
    from shared.adapters.storage.account import StorageAccount

LIMIT = 48 * 1024
"""Bytes of UTF-8: base64 makes four of three, and a message holds 64 KiB
(https://learn.microsoft.com/azure/storage/queues/scalability-targets)."""


def check_message(queue: str, message: str) -> None:
    """Refuse a message that the queue would not take.

    Raises:
        DefectError: too large, or not Unicode.
    """
    try:
        size = len(message.encode())
    except UnicodeEncodeError as error:
        raise DefectError(f"a message for queue {queue} is not Unicode: half of a surrogate pair") from error
    if size > LIMIT:
        raise DefectError(
            f"a message of {size} bytes is over the {LIMIT} that queue {queue} takes: "
            "use a claim check (store it as an artifact and send the digest)"
        )


class StorageQueue:
    """``ports.Queue`` on Azure Storage.

    Args:
        account: the storage account.
        name: lower-case letters, digits and single hyphens, 3 to 63.
    """

    def __init__(self, account: StorageAccount, name: str) -> None:
        self._account = account
        self._name = name

    def send(self, message: str) -> None:
        """Put ``message``.

        Raises:
            DefectError: it is larger than a queue takes; the remedy is the claim check.
            TransientError: storage does not answer; sending again may put the message twice.
        """
        check_message(self._name, message)
        with storage_errors(f"send to queue {self._name}"):
            self._account.queue(self._name).send_message(message)
