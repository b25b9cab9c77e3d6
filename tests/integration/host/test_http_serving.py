"""HTTP functions, keys, admin pages and queues behave over real sockets as Azure's host does."""

import base64
import json
import re
import socket
import uuid
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.stack


def test_plain_answer_carries_a_correlation_id(stack: Any) -> None:
    answer = stack.request("GET", "/api/noop")
    assert (answer.status_code, answer.text) == (200, "ok")
    assert re.fullmatch(r"[0-9a-f]{32}", answer.headers["x-correlation-id"])


@pytest.mark.parametrize(
    ("header", "value", "expected"),
    [
        ("x-correlation-id", "given", "given"),
        ("x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958", "72d3162e-cc78-11e3-81ab-4c9367dc0958"),
        ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"),
    ],
)
def test_correlation_id_is_taken_from_the_request(stack: Any, header: str, value: str, expected: str) -> None:
    assert stack.request("GET", "/api/noop", headers={header: value}).headers["x-correlation-id"] == expected


def test_route_query_body_and_headers_reach_the_function(stack: Any) -> None:
    answer = stack.request("POST", "/API/Echo/12?a=1&a=2&b=%20", content="body é".encode(), headers={"x-sample": "s"})
    assert answer.json() == {
        "route": {"id": "12"},
        "query": {"a": "1,2", "b": " "},
        "body": "body é",
        "method": "POST",
        "url": f"{stack.url}/API/Echo/12?a=1&a=2&b=%20",
        "header": "s",
    }


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/echo/not-a-number", 404),  # the constraint does not hold, and the other route takes PUT only
        ("DELETE", "/api/echo/12", 404),  # a known route with another method is 404 in Azure, not 405
        ("PUT", "/api/echo/name", 201),
        ("GET", "/api/unknown", 404),
        ("GET", "/noop", 404),  # without the prefix
        ("GET", "/api/files/a/b.txt", 200),
        ("GET", "/api/maybe", 200),
        ("GET", "/api/maybe/7", 200),
        ("GET", "/api/maybe/7/8", 404),
    ],
)
def test_routing(stack: Any, method: str, path: str, status: int) -> None:
    assert stack.request(method, path).status_code == status


def test_catch_all_and_optional_segments(stack: Any) -> None:
    assert stack.request("GET", "/api/files/a/b%20c.txt").text == "a/b c.txt"
    assert stack.request("GET", "/api/maybe").text == "none"
    assert stack.request("GET", "/api/maybe/7").text == "7"


def test_bytes_charset_and_cookies(stack: Any) -> None:
    answer = stack.request("GET", "/api/bytes")
    assert answer.content == bytes(range(256))
    assert answer.headers["content-type"] == "application/octet-stream"
    text = stack.request("GET", "/api/text")
    assert text.headers["content-type"] == "text/plain; charset=latin-1"
    assert text.content == "naïve".encode("latin-1")
    cookies = stack.request("GET", "/api/cookies").headers.get_list("set-cookie")
    assert [cookie.split(";")[0] for cookie in cookies] == ["a=1", "b=2"]
    assert "HttpOnly" in cookies[0]
    assert "SameSite=Lax" in cookies[1]


def test_unhandled_exception_is_an_empty_500_with_a_trace_in_the_log(stack: Any) -> None:
    answer = stack.request("GET", "/api/fail", headers={"x-correlation-id": "failing-call"})
    assert (answer.status_code, answer.content) == (500, b"")
    line = next(line for line in stack.logged() if line.get("correlation_id") == "failing-call")
    assert (line["level"], line["function"]) == ("error", "fail")
    assert "RuntimeError: failed on purpose" in line["trace"]


def test_what_a_synchronous_function_logs_names_its_invocation(stack: Any) -> None:
    invocation_id = stack.request("GET", "/api/log", headers={"x-correlation-id": "logging-call"}).text
    line = next(line for line in stack.logged() if line.get("invocation_id") == invocation_id)
    assert (line["message"], line["level"]) == ("said inside", "warning")
    assert (line["function"], line["correlation_id"]) == ("log", "logging-call")


def test_keys(stack: Any) -> None:
    before = len(stack.traced("secret"))
    assert stack.request("GET", "/api/secret").status_code == 401
    assert stack.request("GET", "/api/secret?code=wrong").status_code == 401
    assert stack.request("GET", "/api/secret", headers={"x-functions-key": "durable-key"}).status_code == 401
    assert len(stack.traced("secret")) == before
    assert stack.request("GET", "/api/secret?code=function-key").text == "secret"
    assert stack.request("GET", "/api/secret", headers={"x-functions-key": "function-key"}).status_code == 200
    assert stack.request("GET", "/api/secret?code=master-key").status_code == 200
    assert stack.request("GET", "/api/admin-only?code=function-key").status_code == 401
    assert stack.request("GET", "/api/admin-only?code=master-key").text == "admin"
    wrong_header = stack.request("GET", "/api/secret?code=function-key", headers={"x-functions-key": "wrong"})
    assert wrong_header.status_code == 401


def test_body_over_100_mib_is_refused(stack: Any) -> None:
    host, port = stack.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        connection.sendall(
            f"POST /api/echo/1 HTTP/1.1\r\nHost: x\r\nContent-Length: {100 * 1024 * 1024 + 1}\r\n\r\n".encode()
        )
        assert connection.recv(64).startswith(b"HTTP/1.1 413")


def test_home_page_lists_functions(stack: Any) -> None:
    page = stack.request("GET", "/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "<td>say_hello</td>" in page.text
    assert "/api/echo/{id:int}" in page.text


def test_admin_api(stack: Any, until: Callable[..., Any]) -> None:
    master = {"x-functions-key": "master-key"}
    assert stack.request("GET", "/admin/host/ping").status_code == 200
    assert stack.request("GET", "/admin/host/status").status_code == 401
    assert stack.request("GET", "/admin/host/status", headers=master).json()["state"] == "Running"
    functions = {item["name"]: item for item in stack.request("GET", "/admin/functions", headers=master).json()}
    assert functions["tick"]["config"]["bindings"][0]["type"] == "timerTrigger"
    assert functions["noop"]["invoke_url_template"] == f"{stack.url}/api/noop"
    assert stack.request("GET", "/admin/functions/nothing", headers=master).status_code == 404
    ticks = len(stack.traced("tick"))
    assert stack.request("POST", "/admin/functions/tick", headers=master, json={}).status_code == 202
    until(lambda: len(stack.traced("tick")) > ticks)
    assert (
        stack.request("POST", "/admin/functions/on_message", headers=master, json={"input": "by-hand"}).status_code
        == 202
    )
    until(lambda: stack.traced("message by-hand"))
    assert stack.request("POST", "/admin/functions/tick", headers=master, content="[").status_code == 400
    assert stack.request("POST", "/admin/functions/say_hello", headers=master, json={}).status_code == 400
    assert stack.request("POST", "/admin/functions/tick", json={}).status_code == 401


def test_queue_message_reaches_its_function_with_metadata(stack: Any, until: Callable[..., Any]) -> None:
    word = f"hello-{uuid.uuid4().hex}"
    assert stack.request("POST", "/api/enqueue", content=word).status_code == 202
    (line,) = until(lambda: stack.traced(f"message {word} "))
    _, _, count, message_id, has_receipt, inserted = line.split(" ", 5)
    assert count == "1"
    assert uuid.UUID(message_id)
    assert has_receipt == "True"
    assert inserted.startswith("20")


def test_many_messages_and_a_returned_message(stack: Any, until: Callable[..., Any]) -> None:
    assert stack.request("POST", "/api/enqueue-many").status_code == 202
    until(lambda: len(stack.traced("many m")) >= 3)
    assert {"many m0", "many m1", "many m2"} <= set(stack.traced("many"))
    until(lambda: len(peek(stack, "sample-out")) >= 3)
    assert {"out m0", "out m1", "out m2"} <= set(peek(stack, "sample-out"))


def test_failing_output_is_a_500(stack: Any) -> None:
    answer = stack.request("POST", "/api/enqueue-broken")
    assert (answer.status_code, answer.content) == (500, b"")


def test_poisoned_message_is_tried_and_kept(stack: Any, until: Callable[..., Any]) -> None:
    word = f"fail-{uuid.uuid4().hex}"
    stack.request("POST", "/api/enqueue", content=word)
    until(lambda: word in peek(stack, "sample-in-poison"))
    assert [line.split(" ")[2] for line in stack.traced(f"message {word}")] == ["1", "2", "3"]


def test_a_message_that_is_not_base64_is_poisoned(stack: Any, until: Callable[..., Any]) -> None:
    from azure.storage.queue import QueueClient

    with QueueClient.from_connection_string(stack.storage, "sample-in") as queue:
        queue.send_message("not base64 !")
    until(lambda: "not base64 !" in peek(stack, "sample-in-poison", decode=False))


def test_a_message_handled_longer_than_its_lease_is_handled_once(stack: Any, until: Callable[..., Any]) -> None:
    stack.request("POST", "/api/enqueue", content="slow 3.5")  # the lease is 2 s
    until(lambda: stack.traced("done slow 3.5"))
    assert len(stack.traced("message slow 3.5")) == 1


def test_the_event_loop_answers_while_synchronous_functions_sleep(stack: Any) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        slow = [pool.submit(stack.request, "GET", "/api/slow-sync") for _ in range(8)]
        assert stack.request("GET", "/api/noop").status_code == 200
        assert not all(call.done() for call in slow)
        assert [call.result().text for call in slow] == ["slow"] * 8


def peek(stack: Any, name: str, *, decode: bool = True) -> list[str]:
    """The texts on a queue, without taking them."""
    from azure.core.exceptions import ResourceNotFoundError
    from azure.storage.queue import QueueClient

    with QueueClient.from_connection_string(stack.storage, name) as queue:
        try:
            texts = [message.content for message in queue.peek_messages(32)]
        except ResourceNotFoundError:
            return []
    return [base64.b64decode(text).decode() if decode and "!" not in text else text for text in texts]


def test_every_log_line_is_json(stack: Any) -> None:
    assert all({"time", "level", "logger", "message"} <= line.keys() for line in stack.logged())
    assert json.dumps(stack.logged()).count("function-key") == 0
