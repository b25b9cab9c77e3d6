"""Each way Azure says no becomes the right error."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from azure.core.exceptions import (
    ClientAuthenticationError,
    DecodeError,
    HttpResponseError,
    ServiceRequestError,
    ServiceResponseError,
)

from shared.adapters.storage.failures import storage_errors
from shared.errors import ConflictError, DefectError, DonerightError, RefusedError, TransientError


class Answer:
    """What azure-core reads of a response when it makes an error of it."""

    reason = "because"

    def __init__(self, status: int, **headers: str) -> None:
        self.status_code = status
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}

    def text(self, encoding: str | None = None) -> str:
        return f"a body that may hold anything, in {encoding}"


def answered(status: int, code: str = "", kind: Any = HttpResponseError, **headers: str) -> HttpResponseError:
    error: HttpResponseError = kind(message="the service's words", response=Answer(status, **headers))
    if code:
        error.error_code = code  # type: ignore[attr-defined]
    return error


def translated(error: Exception) -> DonerightError:
    with pytest.raises(DonerightError) as failure, storage_errors("do it", "the remedy"):
        raise error
    assert failure.value.__cause__ is error
    return failure.value


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, DefectError),
        (401, RefusedError),
        (403, RefusedError),
        (404, RefusedError),
        (408, TransientError),
        (409, ConflictError),
        (412, ConflictError),
        (413, DefectError),
        (429, TransientError),
        (500, TransientError),
        (503, TransientError),
    ],
)
def test_each_status_has_its_error(status: int, expected: type[DonerightError]) -> None:
    error = translated(answered(status, "SomeCode"))
    assert type(error) is expected
    assert str(error) == f"could not do it: the service answered {status} (SomeCode)"


def test_refusals_carry_the_remedy() -> None:
    error = translated(answered(403))
    assert isinstance(error, RefusedError) and error.remedy == "the remedy"


@pytest.mark.parametrize("code", ["TableBeingDeleted", "ContainerBeingDeleted", "QueueBeingDeleted"])
def test_what_is_being_deleted_is_no_conflict(code: str) -> None:
    assert type(translated(answered(409, code))) is TransientError


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"Retry_After": "7"}, 7.0),
        ({"x_ms_retry_after_ms": "1500", "Retry_After": "7"}, 1.5),
        ({"Retry_After": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0.0),
        ({"Retry_After": "soon"}, None),
        ({}, None),
    ],
)
def test_the_wait_the_service_asks_for_is_handed_on(headers: dict[str, str], seconds: float | None) -> None:
    error = translated(answered(503, **headers))
    assert isinstance(error, TransientError) and error.retry_after == seconds


def test_a_wait_until_a_date_is_in_seconds() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    error = translated(answered(503, Retry_After=later))
    assert isinstance(error, TransientError) and error.retry_after is not None
    assert 3000 < error.retry_after <= 3600


@pytest.mark.parametrize("error", [ServiceRequestError("refused"), ServiceResponseError("reset")])
def test_a_lost_connection_may_succeed_later(error: Exception) -> None:
    assert type(translated(error)) is TransientError


def test_an_answer_cut_short_may_succeed_later() -> None:
    assert type(translated(answered(200, kind=DecodeError))) is TransientError


def test_no_credential_is_refused() -> None:
    error = translated(ClientAuthenticationError(message="DefaultAzureCredential failed"))
    assert isinstance(error, RefusedError) and error.remedy == "the remedy"


def test_errors_of_others_pass() -> None:
    with pytest.raises(KeyError), storage_errors("do it"):
        raise KeyError("ours")
