"""Azure Storage's and Key Vault's failures become the product's own errors here, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from shared.errors import ConflictError, DefectError, DonerightError, RefusedError, TransientError

if TYPE_CHECKING:
    from azure.core.exceptions import AzureError, HttpResponseError

_SOON = frozenset({408, 425, 429})
_BEING_DELETED = frozenset({"TableBeingDeleted", "ContainerBeingDeleted", "QueueBeingDeleted"})
_ROLES = (
    "grant the app's identity the roles Storage Blob, Queue and Table Data Contributor on the storage account, "
    "or correct the connection string"
)


@contextmanager
def storage_errors(action: str, remedy: str = _ROLES) -> Iterator[None]:
    """Translate what azure-core raises inside the block; ``action`` says what was being done, for the reader.

    * throttling, 5xx, lost connections → ``TransientError`` with ``retry_after`` in seconds when the service said it
    * 401, 403, no usable credential → ``RefusedError`` with ``remedy``
    * 404 → ``RefusedError``; callers to whom absence is an answer catch it before
    * 409, 412 → ``ConflictError``
    * any other refusal → ``DefectError``: we sent what the service does not accept
    """
    from azure.core.exceptions import AzureError

    try:
        yield
    except AzureError as error:
        raise _translated(error, action, remedy) from error


def error_code(error: HttpResponseError) -> str:
    """The service's own code of a failure, such as ``EntityAlreadyExists``; empty when it gave none."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _translated(error: AzureError, action: str, remedy: str) -> DonerightError:
    from azure.core.exceptions import ClientAuthenticationError, HttpResponseError

    if isinstance(error, HttpResponseError) and error.status_code:
        return _answered(error, error.status_code, action, remedy)
    if isinstance(error, ClientAuthenticationError):
        return RefusedError(f"no credential could be obtained to {action}", remedy)
    return TransientError(f"the connection failed while trying to {action} ({type(error).__name__})")


def _answered(error: HttpResponseError, status: int, action: str, remedy: str) -> DonerightError:
    code = error_code(error)
    reason = f"could not {action}: the service answered {status}{f' ({code})' if code else ''}"
    if status in _SOON or status >= 500 or status < 300 or code in _BEING_DELETED:  # 2xx: an answer cut short
        return TransientError(reason, _retry_after(error))
    if status in {401, 403}:
        return RefusedError(reason, remedy)
    if status == 404:
        return RefusedError(reason, "check the name, and that the account of the settings is the right one")
    if status in {409, 412}:
        return ConflictError(reason)
    return DefectError(reason)


def _retry_after(error: HttpResponseError) -> float | None:
    """Seconds from ``x-ms-retry-after-ms`` or ``Retry-After`` (seconds or an HTTP date, RFC 9110 §10.2.3)."""
    headers = getattr(error.response, "headers", None) or {}
    milliseconds = headers.get("x-ms-retry-after-ms") or ""
    if milliseconds.isdigit():
        return int(milliseconds) / 1000
    said = headers.get("Retry-After") or ""
    if said.isdigit():
        return float(said)
    try:
        return max(0.0, (parsedate_to_datetime(said) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return None
