"""Makes the simulators fail on demand, as the real services fail, by rules set at run time."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from typing import TYPE_CHECKING, Any

import httpx
from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from local.sandbox.fault_rule import WEBHOOK_KINDS, FaultKind, FaultRule, Forge
from local.sandbox.wording import failure

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTROL_PATHS = frozenset({"/_faults", "/_seed", "/_violations", "/_requests"})


class _Counted:
    def __init__(self, rule: FaultRule) -> None:
        self.rule = rule
        self.seen = 0
        self.fired = 0
        self.pattern = re.compile(rule.path)

    def meets(self, method: str, path: str) -> bool:
        return self.rule.method in {"*", method} and self.pattern.search(path) is not None

    def take(self) -> bool:
        """Count one match; whether the rule fires on it."""
        self.seen += 1
        if self.seen <= self.rule.skip or self.fired >= self.rule.count:
            return False
        self.fired += 1
        return True


_RULES: TypeAdapter[list[FaultRule]] = TypeAdapter(list[FaultRule])


class FaultRules:
    """The rules in force and how often each fired."""

    def __init__(self) -> None:
        """Start with no rules."""
        self._rules: list[_Counted] = []

    def add(self, *rules: FaultRule | dict[str, Any]) -> None:
        """Put rules in force after those there are; raises pydantic.ValidationError, then none is added."""
        plain = [rule.model_dump() if isinstance(rule, FaultRule) else rule for rule in rules]
        self._rules.extend(_Counted(rule) for rule in _RULES.validate_python(plain))

    def clear(self) -> None:
        """Forget every rule."""
        self._rules.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Each rule with `seen` (matches) and `fired` (hits)."""
        return [{**c.rule.model_dump(mode="json"), "seen": c.seen, "fired": c.fired} for c in self._rules]

    def for_request(self, method: str, path: str) -> list[FaultRule]:
        """The rules that fire on this request: latencies first, then at most one other."""
        fired: list[FaultRule] = []
        failing = False
        for counted in self._rules:
            if counted.rule.kind in WEBHOOK_KINDS or not counted.meets(method, path):
                continue
            latency = counted.rule.kind is FaultKind.LATENCY
            if failing and not latency:
                continue
            if counted.take():
                fired.append(counted.rule)
                failing = failing or not latency
        return sorted(fired, key=lambda rule: rule.kind is not FaultKind.LATENCY)

    def for_delivery(self, event: str, url: str) -> FaultRule | None:
        """The first webhook rule that fires on a delivery of `event` to `url`."""
        for counted in self._rules:
            if counted.rule.kind not in WEBHOOK_KINDS or counted.rule.event not in {None, event}:
                continue
            if counted.meets("POST", url) and counted.take():
                return counted.rule
        return None


def problem(status: int, title: str, errors: list[dict[str, str]]) -> Response:
    """An RFC 9457 answer naming each wrong field."""
    body = {"type": "about:blank", "title": title, "status": status, "errors": errors}
    return JSONResponse(body, status_code=status, media_type="application/problem+json")


class FaultMiddleware:
    """Applies the rules to requests and answers `/_faults`."""

    def __init__(self, app: ASGIApp, rules: FaultRules, forge: Forge = Forge.GITHUB) -> None:
        """Wrap `app`; `forge` chooses the wording of errors."""
        self.app = app
        self.rules = rules
        self.forge = forge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, failing it where a rule says so."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        remember_transport(scope, receive)
        if scope["path"] == "/_faults":
            response = await self._control(Request(scope, receive))
            await response(scope, receive, send)
            return
        if scope["path"] in CONTROL_PATHS:
            await self.app(scope, receive, send)
            return
        query = scope.get("query_string", b"").decode("latin-1")
        path = scope["path"] + (f"?{query}" if query else "")
        for rule in self.rules.for_request(scope["method"], path):
            if rule.kind is FaultKind.LATENCY:
                await asyncio.sleep(rule.seconds or 0)
            elif rule.kind is FaultKind.CONNECTION_RESET:
                await reset_connection(scope)
                return
            elif rule.kind is FaultKind.ANSWER_LOST:
                await self.app(scope, receive, _swallow)
                await reset_connection(scope)
                return
            else:
                await failure(rule, self.forge)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    async def _control(self, request: Request) -> Response:
        if request.method == "GET":
            return JSONResponse(self.rules.listing())
        if request.method == "DELETE":
            self.rules.clear()
            return Response(status_code=204)
        if request.method != "POST":
            return problem(405, "Use GET, POST or DELETE", [])
        try:
            given = await request.json()
        except ValueError as error:
            return problem(400, "The body is not JSON", [{"field": "body", "message": str(error)}])
        rules = given if isinstance(given, list) else [given]
        try:
            self.rules.add(*rules)
        except ValidationError as error:
            return problem(400, "These fault rules are not usable", field_errors(error))
        return JSONResponse(self.rules.listing()[-len(rules) :] if rules else [], status_code=201)


def field_errors(error: ValidationError) -> list[dict[str, str]]:
    """Field name and message of each validation error, list index included."""
    return [
        {"field": ".".join(str(part) for part in item["loc"]) or "body", "message": item["msg"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]


async def _swallow(message: Message) -> None:
    """Take an answer that shall never arrive."""
    del message


_TRANSPORT = "doneright.transport"


def remember_transport(scope: Scope, receive: Receive) -> None:
    """Keep uvicorn's transport in the scope, for middleware further in sees only wrapped callables."""
    transport = getattr(getattr(receive, "__self__", None), "transport", None)
    if transport is not None:
        scope.setdefault("extensions", {})[_TRANSPORT] = transport


async def reset_connection(scope: Scope) -> None:
    """Close the client's connection with a TCP reset and no answer; without a socket raises httpx.ReadError."""
    transport = scope.get("extensions", {}).get(_TRANSPORT)
    if transport is None:
        raise httpx.ReadError("connection reset by the sandbox")
    connection = transport.get_extra_info("socket")
    if connection is not None:
        # A zero linger time makes close() send RST instead of FIN.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()
    # The server learns of the loss in a later loop turn; returning sooner makes it log a missing response.
    await asyncio.sleep(0.01)
