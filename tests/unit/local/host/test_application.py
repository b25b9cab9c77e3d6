"""Every request gets one complete answer with a correlation id, whatever the section or the client does."""

import logging
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest

from local.host.app import App, Function, Trigger
from local.host.cors import CorsPolicy
from local.host.http import HostApplication
from local.host.keys import HostKeys
from local.host.messages import Request, Response
from local.host.routes import Router

KEYS = HostKeys(masterKey="master", systemKeys={"durabletask_extension": "durable"})  # type: ignore[call-arg]
BINDING = {"type": "httpTrigger", "name": "req", "route": "<b>", "methods": ["GET"], "authLevel": "function"}
HELLO = Function(
    name="<hello>",
    function_id="hello",
    directory="",
    trigger=Trigger.HTTP,
    trigger_name="req",
    binding=BINDING,
    outputs={},
    client_inputs=(),
    bindings=(BINDING,),
    is_async=True,
    delivers=False,
)


async def section(request: Request) -> Response:
    match request.path:
        case "/own/breaks":
            raise LookupError("a defect of ours")
        case "/own/reads":
            return Response(200, await request.body())
        case _:
            return Response(204, b"never sent")


async def ask(
    method: str, path: str, *, headers: dict[str, str] | None = None, chunks: tuple[bytes, ...] = (), cors: str = ""
) -> tuple[int, dict[str, str], bytes] | None:
    """One request through ASGI; None when no answer was sent."""
    functions = {HELLO.name: HELLO, "tick": HELLO}
    application = HostApplication(
        App(Path(), functions),
        Router([HELLO], "api"),
        KEYS,
        invoker=None,  # type: ignore[arg-type]
        cors=CorsPolicy(cors, credentials=False) if cors else None,
    )
    application.mount("/own", section)
    sent: list[MutableMapping[str, Any]] = []
    parts = list(chunks)

    async def receive() -> MutableMapping[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    encoded = [(name.lower().encode(), value.encode()) for name, value in (headers or {}).items()]
    scope = {"type": "http", "method": method, "path": path, "query_string": b"", "headers": encoded}
    await application(scope, receive, send)
    await application({"type": "lifespan"}, receive, send)  # not spoken: adds nothing
    if not sent:
        return None
    start, body = sent
    return start["status"], {name.decode(): value.decode() for name, value in start["headers"]}, body["body"]


async def test_the_home_page_lists_functions_and_escapes_their_names() -> None:
    answer = await ask("GET", "/")
    assert answer is not None
    status, headers, body = answer
    assert status == 200
    assert headers["content-type"] == "text/html; charset=utf-8"
    assert b"&lt;hello&gt;" in body
    assert b"GET /api/&lt;b&gt; (function)" in body
    assert b"<b>" not in body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("POST", "/", 404),
        ("GET", "/owner", 404),
        ("GET", "/OWN", 204),
        ("GET", "/api/<b>", 401),
    ],
)
async def test_what_is_answered_where(method: str, path: str, status: int) -> None:
    answer = await ask(method, path, headers={"x-request-id": "chosen"})
    assert answer is not None
    assert answer[0] == status
    assert answer[1]["x-correlation-id"]
    assert ("content-length" in answer[1]) is (status != 204)
    assert answer[2] == b""


async def test_a_defect_of_the_host_is_a_500_that_says_nothing_but_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.ERROR):
        answer = await ask("GET", "/own/breaks")
    assert answer is not None
    assert (answer[0], answer[2]) == (500, b"")
    assert "GET /own/breaks failed in the host" in caplog.text
    assert "a defect of ours" in caplog.text


async def test_bodies() -> None:
    answer = await ask("POST", "/own/reads", headers={"transfer-encoding": "chunked"}, chunks=(b"a", b"b"))
    assert answer is not None
    assert (answer[0], answer[2]) == (200, b"ab")
    too_large = await ask("POST", "/own/reads", headers={"content-length": str(1024**3)}, chunks=(b"a",))
    assert too_large is not None
    assert too_large[0] == 413
    assert await ask("POST", "/own/reads", headers={"content-length": "3"}) is None


async def test_a_preflight_is_answered_before_any_function() -> None:
    asked = {"origin": "http://a", "access-control-request-method": "GET"}
    allowed = await ask("OPTIONS", "/api/<b>", headers=asked, cors="http://a")
    assert allowed is not None
    assert allowed[0] == 204
    assert allowed[1]["access-control-allow-origin"] == "http://a"
    foreign = await ask("OPTIONS", "/api/<b>", headers=asked, cors="http://other")
    assert foreign is not None
    assert "access-control-allow-origin" not in foreign[1]
    plain = await ask("GET", "/nowhere", cors="http://a")
    assert plain is not None
    assert (plain[0], "access-control-allow-origin" in plain[1]) == (404, False)


def test_a_request_without_a_host_header_names_the_listener() -> None:
    assert Request("GET", "/a", "/a", "", [], server=("127.0.0.1", 81)).url == "http://127.0.0.1:81/a"
    assert Request("GET", "/a", "/a", "q=1", []).url == "http://127.0.0.1:80/a?q=1"
