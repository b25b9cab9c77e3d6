"""Connection strings, message encodings and the errors of the queue client."""

import base64

import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from local.host.message_text import decode_text, encode_text
from local.host.settings import MessageEncoding
from local.host.storage_queue import Account, ConnectionStringError, QueueService, StorageError

KEY = base64.b64encode(b"key").decode()


def test_connection_strings() -> None:
    account = Account.parse(f"AccountName=shop;AccountKey={KEY};EndpointSuffix=core.windows.net")
    assert (account.name, account.endpoint, account.key) == ("shop", "https://shop.queue.core.windows.net", b"key")
    local = Account.parse("UseDevelopmentStorage=true")
    assert local.endpoint == "http://127.0.0.1:10001/devstoreaccount1"
    signed = Account.parse("QueueEndpoint=http://q/;SharedAccessSignature=?sv=1&sig=a%3D")
    assert (signed.endpoint, signed.key, signed.signature) == ("http://q", None, "sv=1&sig=a%3D")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "AccountName=a",
        f"AccountKey={KEY}",
        "AccountName=a;AccountKey=***",
        f"QueueEndpoint=http://q;AccountKey={KEY}",
    ],
)
def test_what_is_no_connection_string_is_refused(text: str) -> None:
    with pytest.raises(ConnectionStringError):
        Account.parse(text)


@given(st.text())
def test_text_survives_both_encodings(text: str) -> None:
    assert decode_text(encode_text(text, MessageEncoding.BASE64), MessageEncoding.BASE64) == text
    assert decode_text(encode_text(text, MessageEncoding.NONE), MessageEncoding.NONE) == text


def test_bytes_survive_base64_only() -> None:
    assert decode_text(encode_text(b"\xff\x00", MessageEncoding.BASE64), MessageEncoding.BASE64) == b"\xff\x00"
    with pytest.raises(ValueError, match="utf-8"):
        encode_text(b"\xff", MessageEncoding.NONE)
    with pytest.raises(ValueError, match="base64"):
        decode_text("%%%", MessageEncoding.BASE64)


async def test_errors_of_the_service_carry_their_code() -> None:
    async def refuse(_: web.Request) -> web.Response:
        return web.Response(status=404, headers={"x-ms-error-code": "QueueNotFound"})

    application = web.Application()
    application.router.add_route("*", "/{tail:.*}", refuse)
    runner = web.AppRunner(application)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    async with QueueService(
        Account.parse(f"QueueEndpoint=http://127.0.0.1:{port}/a;AccountName=a;AccountKey={KEY}")
    ) as service:
        with pytest.raises(StorageError) as refused:
            await service.put("orders", "text")
        assert (refused.value.status, refused.value.code) == (404, "QueueNotFound")
        await runner.cleanup()
        with pytest.raises(StorageError, match="no answer"):
            await service.put("orders", "text")
