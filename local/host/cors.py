"""Decides which CORS headers an answer carries, and what is a browser's question before its request."""

from local.host.messages import Headers, Request


class CorsPolicy:
    """``Host.CORS`` of local.settings.json: a comma-separated list of origins, or ``*``."""

    def __init__(self, origins: str, credentials: bool) -> None:
        self._origins = {origin.strip() for origin in origins.split(",") if origin.strip()}
        self._credentials = credentials

    def is_preflight(self, request: Request) -> bool:
        """Whether a browser asks what it may send."""
        return (
            request.method == "OPTIONS"
            and b"origin" in request.headers
            and b"access-control-request-method" in request.headers
        )

    def headers(self, request: Request) -> Headers:
        """The CORS headers of the answer; none for an origin that is not allowed."""
        origin = request.headers.get(b"origin")
        if origin is None:
            return []
        everyone = "*" in self._origins
        if not everyone and origin.decode("latin-1") not in self._origins:
            return []
        allowed = b"*" if everyone and not self._credentials else origin
        headers: Headers = [(b"access-control-allow-origin", allowed), (b"vary", b"Origin")]
        if self._credentials:
            headers.append((b"access-control-allow-credentials", b"true"))
        if self.is_preflight(request):
            headers.append((b"access-control-allow-methods", request.headers[b"access-control-request-method"]))
            if asked := request.headers.get(b"access-control-request-headers"):
                headers.append((b"access-control-allow-headers", asked))
        return headers
