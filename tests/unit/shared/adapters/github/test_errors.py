from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.adapters.github.errors import (
    AlreadyThereError,
    CredentialError,
    EmptyRepositoryError,
    NotFoundError,
    UnprocessableError,
    translated,
)
from shared.errors import DonerightError, NotSupportedError, RefusedError, TransientError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def _translated(
    status: int, message: str = "", headers: dict[str, str] | None = None, **body: object
) -> DonerightError:
    return translated(status, headers or {}, {"message": message, **body}, action="POST /x", now=NOW)


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        (429, {"retry-after": "7"}, "slow down", 7),
        (403, {"retry-after": "30"}, "You have exceeded a secondary rate limit.", 30),
        (403, {"retry-after": format_datetime(NOW + timedelta(seconds=90), usegmt=True)}, "", 90),
        (403, {}, "You have exceeded a secondary rate limit.", 60),
        (
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 300)},
            "API rate limit exceeded for installation ID 1.",
            300,
        ),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1"}, "API rate limit exceeded", 1),
        (503, {"retry-after": "5"}, "down", 5),
        (502, {}, "", None),
        (500, {"retry-after": "soon"}, "", None),
    ],
)
def test_what_passes_is_transient_with_the_wait_github_asks_for(status, headers, message, wait):
    error = _translated(status, message, headers)
    assert type(error) is TransientError
    assert error.retry_after == wait


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (401, "Bad credentials", CredentialError),
        (404, "Not Found", NotFoundError),
        (403, "Upgrade to GitHub Pro or make this repository public to enable this feature.", NotSupportedError),
        (409, "Git Repository is empty.", EmptyRepositoryError),
        (422, "Reference already exists", AlreadyThereError),
        (400, "Problems parsing JSON", UnprocessableError),
    ],
)
def test_each_refusal_is_of_its_kind_and_names_a_remedy(status, message, kind):
    error = _translated(status, message)
    assert type(error) is kind
    assert message in str(error) or kind is EmptyRepositoryError
    assert error.remedy


def test_an_expired_credential_is_called_that():
    error = _translated(401, "Bad credentials")
    assert "expired or revoked" in str(error)


def test_a_missing_permission_is_named_from_githubs_headers():
    headers = {"x-accepted-github-permissions": "administration=write", "x-accepted-oauth-scopes": "admin:org, repo"}
    error = _translated(403, "Resource not accessible by integration", headers)
    assert type(error) is RefusedError
    assert "administration=write" in error.remedy
    assert "admin:org, repo" in error.remedy


def test_a_validation_lists_every_field():
    errors = [
        {"resource": "Repository", "field": "name", "code": "custom", "message": "name is too long"},
        {"resource": "Repository", "field": "visibility", "code": "invalid"},
        "something else",
    ]
    reason = _translated(422, "Repository creation failed.", errors=errors).reason
    assert "Repository.name: name is too long" in reason
    assert "Repository.visibility: invalid" in reason
    assert "something else" in reason


@pytest.mark.parametrize("status", [403, 422])
def test_comments_made_too_fast_are_made_later(status):
    error = _translated(
        status, "Validation Failed", errors=[{"message": "was submitted too quickly after a previous comment"}]
    )
    assert isinstance(error, TransientError)
    assert error.retry_after == 60


def test_an_existing_name_is_told_from_another_bad_name():
    taken = [
        {"resource": "Repository", "field": "name", "code": "custom", "message": "name already exists on this account"}
    ]
    assert isinstance(_translated(422, "Repository creation failed.", errors=taken), AlreadyThereError)
    coded = [{"resource": "Label", "field": "name", "code": "already_exists"}]
    assert isinstance(_translated(422, "Validation Failed", errors=coded), AlreadyThereError)


def test_a_push_of_workflows_without_the_permission_names_it():
    error = _translated(
        403, "refusing to allow a GitHub App to create or update workflow `.github/workflows/a.yml` without `workflows`"
    )
    assert isinstance(error, RefusedError)
    assert "workflows=write" in error.remedy


def test_another_conflict_may_pass():
    assert type(_translated(409, "main is at 1 but expected 2")) is TransientError


@given(
    status=st.integers(400, 599),
    body=st.recursive(
        st.none() | st.text() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(["message", "errors", "code", "field"]), inner),
        max_leaves=8,
    ),
    headers=st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset", "x-accepted-oauth-scopes"]),
        st.text(),
    ),
)
def test_no_answer_whatever_its_shape_escapes_translation(status, body, headers):
    error = translated(status, headers, body, action="GET /x", now=NOW)
    assert isinstance(error, TransientError | RefusedError)
    if isinstance(error, TransientError) and error.retry_after is not None:
        assert error.retry_after >= 0
