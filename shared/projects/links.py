"""Makes the links people follow, and the signatures that let a link's holder read one project and nothing else."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime
from urllib.parse import quote, urlencode


class Links:
    """Addresses of this app, and signed capabilities. A capability is read-only, names its object, and is revoked by
    rotating the signing key."""

    def __init__(self, public_url: str, key: bytes) -> None:
        self._base = public_url.rstrip("/")
        self._key = key

    def status(self, project: str) -> str:
        """The status page of a project, readable by whoever holds the link."""
        return f"{self._base}/api/view/{quote(project, safe='')}?{urlencode({'token': self.token('view', project)})}"

    def review(self, review: str) -> str:
        """The page of a review, readable by whoever holds the link."""
        return f"{self._base}/api/view/reviews/{quote(review, safe='=')}?{urlencode({'token': self.token('review', review)})}"

    def api(self, path: str) -> str:
        """An address of the API."""
        return f"{self._base}/api/{path.lstrip('/')}"

    def token(self, purpose: str, value: str) -> str:
        """The signature of ``value`` for ``purpose``, 32 hex digits."""
        return hmac.digest(self._key, f"{purpose}\0{value}".encode(), hashlib.sha256).hex()[:32]

    def token_is_valid(self, purpose: str, value: str, token: str) -> bool:
        """Whether ``token`` was made by ``token(purpose, value)``, in constant time."""
        return hmac.compare_digest(self.token(purpose, value).encode(), token.encode("utf-8", "replace"))

    def state(self, purpose: str, value: str, expires: datetime) -> str:
        """A signed, expiring state for a redirect: ``value.expiry.signature``."""
        body = f"{value}.{int(expires.timestamp())}"
        return f"{body}.{self.token(purpose, body)}"

    def value_of_state(self, purpose: str, state: str, now: datetime) -> str | None:
        """The value of a state that is ours and has not expired, else ``None``."""
        body, _, token = state.rpartition(".")
        value, _, expiry = body.rpartition(".")
        if not value or not self.token_is_valid(purpose, body, token) or not expiry.isdigit():
            return None
        return value if int(expiry) >= now.timestamp() else None
