"""People stand in the log under pseudonyms that only the holder of the tenant's key can recompute."""

from __future__ import annotations

import hashlib
import hmac

from shared.audit.encoding import canonical_json
from shared.errors import DefectError

_LEAST_KEY_BYTES = 16


class Pseudonyms:
    """Stable pseudonyms by HMAC-SHA256; discarding the key makes every pseudonym anonymous for good.

    Args:
        key: secret bytes, at least 16, from the secret store.

    Raises:
        DefectError: the key is too short to keep anything secret.
    """

    def __init__(self, key: bytes) -> None:
        if len(key) < _LEAST_KEY_BYTES:
            raise DefectError(f"the pseudonym key has {len(key)} bytes; at least {_LEAST_KEY_BYTES} are needed")
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonyms(key=…)"

    def of(self, login: str, tenant: str) -> str:
        """``p-`` and 16 hex digits: the same for the same login (case does not count, as on both forges) and tenant."""
        message = canonical_json([tenant, login.casefold()])
        return "p-" + hmac.new(self._key, message, hashlib.sha256).hexdigest()[:16]
