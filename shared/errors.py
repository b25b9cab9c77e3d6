"""Every way a call into Doneright can fail, and what the caller should do about it.

* ``DonerightError`` — base of the tree; nothing raises it directly.

  * ``TransientError`` — the same call may succeed later: a forge throttles, answers 5xx, resets the connection.
    The runbook waits ``retry_after`` seconds (or backs off) and calls again.

    * ``ConflictError`` — somebody else changed the record first; read it again and retry at once.

  * ``RefusedError`` — the outside world said no and will say no again: a missing permission, an invalid value, an
    expired credential. Carries the reason and the remedy; at the edge of an activity it becomes a ``Refused`` value.

    * ``NotSupportedError`` — the forge's plan or licence lacks the feature; the step ends *not supported*, not failed.

  * ``DefectError`` — our own code is wrong (an impossible state, a broken contract). Fails loudly, is never retried.

An unmet gate is not an error: it is a finding, a value.
"""

from __future__ import annotations


class DonerightError(Exception):
    """Base of every error Doneright raises on purpose."""


class TransientError(DonerightError):
    """The same call may succeed later.

    Args:
        reason: what happened, in words for an operator.
        retry_after: seconds to wait before the next try, when the other side said so.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class ConflictError(TransientError):
    """A record changed between read and write (ETag mismatch) or already exists; read again, then decide."""


class RefusedError(DonerightError):
    """The outside world said no, and will again until somebody applies the remedy."""

    def __init__(self, reason: str, remedy: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class NotSupportedError(RefusedError):
    """The forge's plan or licence does not offer this feature."""


class DefectError(DonerightError):
    """Our own code broke a promise; retrying cannot help."""
