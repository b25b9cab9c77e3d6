"""Requests and responses of the ASGI side: limits, CORS and what a return value becomes."""

from collections.abc import MutableMapping
from typing import Any

import pytest
from azure_functions_runtime.bindings.datumdef import Datum

from local.host import messages
from local.host.cors import CorsPolicy
from local.host.http import to_response
from local.host.invoke import queue_messages
from local.host.messages import BodyTooLargeError, ClientGoneError, Request


def request(
    method: str = "POST", headers: list[tuple[bytes, bytes]] | None = None, chunks: list[bytes] | None = None
) -> Request:
    parts = list(chunks or [])

    async def receive() -> MutableMapping[str, Any]:
        if not parts:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": parts.pop(0), "more_body": bool(parts)}

    return Request(method, "/a", "/a", "x=1&x=2&y=", headers or [], receive=receive)


async def test_a_body_in_chunks_is_joined() -> None:
    assert await request(headers=[(b"transfer-encoding", b"chunked")], chunks=[b"a", b"", b"b"]).body() == b"ab"


async def test_a_chunked_body_over_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "MAX_BODY", 3)
    with pytest.raises(BodyTooLargeError):
        await request(headers=[(b"transfer-encoding", b"chunked")], chunks=[b"ab", b"cd"]).body()
    with pytest.raises(BodyTooLargeError):
        await request(headers=[(b"content-length", b"4")], chunks=[b"abcd"]).body()


async def test_a_client_that_goes_away_is_noticed() -> None:
    with pytest.raises(ClientGoneError):
        await request(headers=[(b"content-length", b"4")]).body()


def test_repeated_headers_and_parameters_are_joined() -> None:
    made = request(headers=[(b"a", b"1"), (b"a", b"2"), (b"host", b"h:1")])
    assert made.headers[b"a"] == b"1,2"
    assert made.query == {"x": "1,2", "y": ""}
    assert made.url == "http://h:1/a?x=1&x=2&y="


def test_return_values() -> None:
    assert (to_response(None).status, to_response(None).body) == (200, b"")
    text = to_response(Datum("hé", "string"))
    assert text.body == "hé".encode()
    assert text.headers == [(b"content-type", b"text/plain; charset=utf-8")]
    made = to_response(
        Datum(
            {
                "status_code": Datum("418", "string"),
                "headers": {"X-A": Datum("b", "string"), "Content-Length": Datum("99", "string")},
                "cookies": None,
                "body": Datum(b"tea", "bytes"),
            },
            "http",
        )
    )
    assert (made.status, made.body, made.headers) == (418, b"tea", [(b"x-a", b"b")])


@pytest.mark.parametrize(
    ("datum", "messages"),
    [
        (None, []),
        (Datum(None, None), []),
        (Datum("a", "string"), ["a"]),
        (Datum(b"a", "bytes"), [b"a"]),
        (Datum('["a", {"id": null, "body": "b"}, {"c": 1}]', "json"), ["a", "b", '{"c": 1}']),
        (Datum('{"id": "1", "body": "b"}', "json"), ["b"]),
        (Datum({"a": 1}, "dict"), ['{"a": 1}']),
    ],
)
def test_what_a_queue_output_puts(datum: Datum | None, messages: list[str | bytes]) -> None:
    assert queue_messages(datum) == messages


def test_cors() -> None:
    policy = CorsPolicy("http://a, http://b", credentials=True)
    preflight = request("OPTIONS", [(b"origin", b"http://b"), (b"access-control-request-method", b"PUT")])
    assert policy.is_preflight(preflight)
    headers = dict(policy.headers(preflight))
    assert headers[b"access-control-allow-origin"] == b"http://b"
    assert headers[b"access-control-allow-methods"] == b"PUT"
    assert headers[b"access-control-allow-credentials"] == b"true"
    assert policy.headers(request(headers=[(b"origin", b"http://c")])) == []
    assert policy.headers(request()) == []
    assert dict(CorsPolicy("*", credentials=False).headers(preflight))[b"access-control-allow-origin"] == b"*"


def test_a_status_http_does_not_know_is_refused() -> None:
    datum = Datum(
        {"status_code": Datum("999", "string"), "headers": {}, "cookies": None, "body": Datum(b"", "bytes")}, "http"
    )
    with pytest.raises(ValueError, match="999"):
        to_response(datum)
