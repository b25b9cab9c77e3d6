"""Decides whether a webhook comes from who it says, in constant time, before anything else is done with it."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence


def github_signature_is_valid(secrets: Sequence[str], body: bytes, header: str | None) -> bool:
    """Whether ``X-Hub-Signature-256`` is the HMAC-SHA256 of the raw ``body`` under one of ``secrets``.

    Source: https://docs.github.com/webhooks/using-webhooks/validating-webhook-deliveries. Without a secret nothing is
    valid. Every secret is tried, so that the time taken does not tell which one matched.
    """
    if not header or not header.startswith("sha256="):
        return False
    given = header.removeprefix("sha256=").strip().lower().encode("ascii", "replace")
    valid = False
    for secret in secrets:
        expected = hmac.digest(secret.encode(), body, hashlib.sha256).hex().encode()
        valid |= hmac.compare_digest(expected, given)
    return valid


def azure_devops_secret_is_valid(secrets: Sequence[str], authorization: str | None, shared: str | None) -> bool:
    """Whether one of ``secrets`` came as the basic-auth password or in the ``X-Doneright-Secret`` header.

    Azure DevOps does not sign service hooks; it can send basic credentials and headers
    (https://learn.microsoft.com/azure/devops/service-hooks/services/webhooks). The user name does not matter.
    """
    candidates = [value for value in (_password(authorization), shared) if value]
    valid = False
    for secret in secrets:
        for candidate in candidates:
            valid |= hmac.compare_digest(secret.encode(), candidate.encode("utf-8", "surrogatepass"))
    return valid


def _password(authorization: str | None) -> str | None:
    scheme, _, encoded = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        _, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except ValueError:  # not base64, not ASCII, or not UTF-8 within
        return None
    return password if colon else None
