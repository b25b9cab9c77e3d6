"""Says how the engine refuses a call: a gRPC status code and a sentence, never a traceback."""

from __future__ import annotations

from typing import NoReturn

import grpc

from . import limits


class RefusalError(Exception):
    """A call is refused: the gRPC status code and a sentence for the caller."""

    def __init__(self, code: grpc.StatusCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


class Call:
    """What the stock backend asks of a call's context: a way to refuse it."""

    def abort(self, code: grpc.StatusCode, details: str) -> NoReturn:
        """Refuse the call."""
        raise RefusalError(code, details)


def within_limit(what: str, text: str) -> None:
    """Refuse a text over the size limit.

    Raises:
        RefusalError: it is too large.
    """
    try:
        limits.check(what, text)
    except limits.PayloadTooLargeError as error:
        raise RefusalError(grpc.StatusCode.INVALID_ARGUMENT, str(error)) from error
