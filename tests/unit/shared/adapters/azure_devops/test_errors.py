from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.azure_devops.errors import (
    AccessError,
    AlreadyThereError,
    CredentialError,
    NotFoundError,
    translated,
)
from shared.errors import ConflictError, NotSupportedError, RefusedError, TransientError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _translated(status, message="", type_key="", headers=None):
    return translated(
        status, headers or {}, {"message": message, "typeKey": type_key}, action="POST /org/_apis/x", now=NOW
    )


@pytest.mark.parametrize(
    ("status", "type_key", "kind"),
    [
        (404, "ProjectDoesNotExistWithNameException", NotFoundError),
        (400, "ProjectDoesNotExistException", NotFoundError),
        (404, "GitRepositoryNotFoundException", NotFoundError),
        (400, "ProjectAlreadyExistsException", AlreadyThereError),
        (409, "GitRepositoryNameAlreadyExistsException", AlreadyThereError),
        (409, "DefinitionExistsException", AlreadyThereError),
        (409, "GitReferenceStaleException", ConflictError),
        (412, "", ConflictError),
        (403, "AccessCheckException", AccessError),
        (403, "LicenseNotFoundException", NotSupportedError),
        (405, "", NotSupportedError),
        (400, "VssPropertyValidationException", RefusedError),
        (429, "RequestBlockedException", TransientError),
        (500, "Exception", TransientError),
        (503, "HostShutdownException", TransientError),
    ],
)
def test_each_type_key_becomes_its_kind_and_keeps_the_words(status, type_key, kind):
    error = _translated(status, "TF000: the words", type_key)
    assert type(error) is kind
    assert "TF000: the words" in str(error)
    if isinstance(error, RefusedError):
        assert error.remedy


@pytest.mark.parametrize(
    ("status", "headers"),
    [(203, {"Content-Type": "text/html"}), (200, {"content-type": "text/html; charset=utf-8"}), (401, {})],
)
def test_a_sign_in_page_is_an_expired_credential_with_the_way_out(status, headers):
    error = translated(status, headers, None, action="GET /org/_apis/projects", now=NOW)
    assert isinstance(error, CredentialError)
    assert "expired, revoked" in error.reason
    assert "2026-12-01" in error.remedy
    assert "Entra" in error.remedy


@pytest.mark.parametrize(
    ("value", "wait"),
    [
        ("12", 12),
        ("1.5", 1.5),
        (format_datetime(NOW + timedelta(seconds=40), usegmt=True), 40),
        ("²", None),
        ("", None),
    ],
)
def test_a_throttle_carries_the_wait_asked_for(value, wait):
    error = _translated(429, "TF400733", headers={"Retry-After": value})
    assert isinstance(error, TransientError)
    assert error.retry_after == wait


def test_a_sleeping_organization_is_refused_though_it_answers_503():
    error = _translated(503, "TF400664 ... has been deactivated due to inactivity. ...", "VssServiceException")
    assert isinstance(error, RefusedError)
    assert "owner" in error.remedy


def test_a_controllers_own_shape_of_error_keeps_its_words():
    body = {"count": 1, "value": {"Message": "No HTTP resource was found"}}
    error = translated(404, {}, body, action="GET /x", now=NOW)
    assert "No HTTP resource was found" in str(error)


def test_success_is_no_error():
    assert translated(200, {"content-type": "application/json"}, {}, action="GET /x", now=NOW) is None
    assert translated(204, {}, None, action="DELETE /x", now=NOW) is None


@given(
    status=st.integers(400, 599),
    body=st.none()
    | st.text()
    | st.dictionaries(st.sampled_from(["message", "typeKey", "value"]), st.none() | st.text()),
    wait=st.text(),
)
def test_no_error_answer_whatever_its_shape_escapes_translation(status, body, wait):
    error = translated(status, {"Retry-After": wait}, body, action="GET /x", now=NOW)
    assert isinstance(error, TransientError | RefusedError)
