"""Holds every request to the official contract, and keeps what was asked and what was refused."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.sandbox.faults import CONTROL_PATHS, remember_transport

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT_REQUESTS = 20_000
"""The newest that ``/_requests`` shows; two hundred reviews make five thousand."""


@runtime_checkable
class Contract(Protocol):
    """What the vendor says may be asked."""

    def check(
        self, method: str, path: str, query: Mapping[str, list[str]], headers: Mapping[str, str], body: bytes
    ) -> list[str]:
        """Name each way in which the request violates the contract; none when it is fine.

        Header names are lower-case. A request the contract does not know is a violation.
        """
        ...


class ContractMiddleware:
    """Records each request; refuses with 501 those that violate `contract` (when there is one)."""

    def __init__(self, app: ASGIApp, contract: Contract | None = None) -> None:
        """Wrap `app`."""
        self.app = app
        self.contract = contract
        self.requests: deque[dict[str, Any]] = deque(maxlen=KEPT_REQUESTS)
        self.violations: list[dict[str, Any]] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        remember_transport(scope, receive)
        if scope["path"] in CONTROL_PATHS:
            response = self._control(Request(scope))
            await (response or self.app)(scope, receive, send)
            return
        query = scope.get("query_string", b"").decode("latin-1")
        entry: dict[str, Any] = {
            "time": datetime.now(UTC).isoformat(),
            "method": scope["method"],
            "path": scope["path"] + (f"?{query}" if query else ""),
            "status": None,
            "ms": None,
        }
        self.requests.append(entry)
        started = time.perf_counter()

        async def noting(message: Message) -> None:
            if message["type"] == "http.response.start":
                entry["status"] = message["status"]
            await send(message)

        try:
            await self._serve(scope, receive, noting, query)
        finally:
            entry["ms"] = round((time.perf_counter() - started) * 1000, 3)

    async def _serve(self, scope: Scope, receive: Receive, send: Send, query: str) -> None:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        # Browsers ask for pages, which no REST contract knows.
        if self.contract is None or "text/html" in headers.get("accept", ""):
            await self.app(scope, receive, send)
            return
        body = await Request(scope, receive).body()
        parsed = parse_qs(query, keep_blank_values=True)
        violations = self.contract.check(scope["method"], scope["path"], parsed, headers, body)
        if violations:
            kept = {"method": scope["method"], "path": scope["path"], "query": query, "violations": violations}
            self.violations.append(kept)
            await JSONResponse({"message": "The request violates the contract", **kept}, 501)(scope, receive, send)
            return
        await self.app(scope, _replayed(body, receive), send)

    def _control(self, request: Request) -> Response | None:
        """Answer `/_requests` and `/_violations`; None for the other control paths."""
        kept = {"/_requests": self.requests, "/_violations": self.violations}.get(request.url.path)
        if kept is None:
            return None
        if request.method == "GET":
            return JSONResponse(list(kept))
        if request.method == "DELETE":
            kept.clear()
            return Response(status_code=204)
        return JSONResponse({"message": "Use GET or DELETE"}, 405)


def _replayed(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replay() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    # uvicorn's transport is found through the bound method; middleware further in still needs it.
    return replay
