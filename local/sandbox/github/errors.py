"""Words refusals as GitHub's REST API words them."""

from __future__ import annotations

from typing import Any

DOCS = "https://docs.github.com/rest"


class ApiError(Exception):
    """An answer other than success; `errors` is the list GitHub adds to "Validation Failed"."""

    def __init__(
        self,
        status: int,
        message: str,
        errors: list[dict[str, Any] | str] | None = None,
        headers: dict[str, str] | None = None,
        docs: str = DOCS,
    ) -> None:
        """`status` is the HTTP status."""
        super().__init__(message)
        self.status = status
        self.message = message
        self.errors = errors
        self.headers = headers or {}
        self.docs = docs

    def body(self) -> dict[str, Any]:
        """The JSON body."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors is not None:
            body["errors"] = self.errors
        return {**body, "documentation_url": self.docs, "status": str(self.status)}


def not_found() -> ApiError:
    """What is not there, and what the caller must not learn of."""
    return ApiError(404, "Not Found")


def invalid(resource: str, field: str, code: str = "invalid", message: str | None = None) -> ApiError:
    """A "Validation Failed" for one field."""
    error: dict[str, Any] = {"resource": resource, "code": code, "field": field}
    if message is not None:
        error["message"] = message
    return ApiError(422, "Validation Failed", [error])


def bad_request(message: str) -> ApiError:
    """A body that does not fit the schema; GitHub answers 422 and says where."""
    return ApiError(422, f"Invalid request.\n\n{message}")


def requires_authentication() -> ApiError:
    """No credentials were sent where some are needed."""
    return ApiError(401, "Requires authentication")


def bad_credentials() -> ApiError:
    """The credentials are unknown, revoked or expired."""
    return ApiError(401, "Bad credentials")
