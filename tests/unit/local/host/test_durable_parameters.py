"""What the durable HTTP API is asked is read without regard to case, or refused with the parameter's name."""

from collections.abc import Callable
from typing import Any

import pytest
from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf import wrappers_pb2

from local.host.durable_answers import parsed
from local.host.durable_parameters import (
    BadRequestError,
    continuation,
    flag,
    json_body,
    moment,
    positive,
    seconds,
    statuses,
)
from local.host.messages import Request

JSON = "application/json; charset=utf-8"


def request(query: str = "", body: bytes = b"", **headers: str) -> Request:
    encoded = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request("POST", "/", "/", query, encoded, body=body)


@pytest.mark.parametrize(
    ("body", "content_type", "required", "text"),
    [
        (b'{"a": 1}', JSON, True, '{"a": 1}'),
        (b"1", None, True, "1"),
        (b"1", "text/plain", False, "1"),
        (b"", JSON, True, "null"),
        (b"", None, False, None),
    ],
)
async def test_bodies(body: bytes, content_type: str | None, required: bool, text: str | None) -> None:
    headers = {"content_type": content_type} if content_type else {}
    assert await json_body(request(body=body, **headers), required=required) == text


@pytest.mark.parametrize(
    ("body", "content_type", "said"),
    [
        (b"", None, "Only application/json"),
        (b"1", "text/plain", "Only application/json"),
        (b"{", JSON, "Invalid JSON content"),
        (b"\xff", JSON, "Invalid JSON content"),
    ],
)
async def test_bodies_that_are_refused(body: bytes, content_type: str | None, said: str) -> None:
    headers = {"content_type": content_type} if content_type else {}
    with pytest.raises(BadRequestError, match=said):
        await json_body(request(body=body, **headers), required=True)


def test_what_is_not_given_has_its_default() -> None:
    empty = request()
    assert (flag(empty, "a"), flag(empty, "a", default=True), positive(empty, "a", 7)) == (False, True, 7)
    assert (seconds(empty, "a"), moment(empty, "a"), continuation(empty)) == (None, None, None)
    assert statuses(empty) == []


def test_what_is_given_is_read() -> None:
    given = request("SHOWINPUT=TRUE&top=3&timeout=1.5&runtimeStatus=running,%20Failed", x_ms_continuation_token="next")
    assert (flag(given, "showInput"), positive(given, "top", 7), seconds(given, "timeout")) == (True, 3, 1.5)
    assert statuses(given) == [pb.ORCHESTRATION_STATUS_RUNNING, pb.ORCHESTRATION_STATUS_FAILED]
    token = continuation(given)
    assert token is not None
    assert token.value == "next"


@pytest.mark.parametrize("text", ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00"])
def test_times_are_in_utc_where_they_name_no_zone(text: str) -> None:
    stamp = moment(request(f"from={text}"), "from")  # a plus that nobody encoded arrives as a space
    assert stamp is not None
    assert stamp.ToJsonString() == "2026-01-31T12:00:00Z"


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (flag, "yes"),
        (lambda asked, name: positive(asked, name, 1), "0"),
        (lambda asked, name: positive(asked, name, 1), "-1"),
        (seconds, "soon"),
        (seconds, "0"),
        (seconds, "231"),
        (moment, "yesterday"),
    ],
)
def test_a_parameter_that_is_refused_is_named_with_its_value(read: Callable[..., Any], value: str) -> None:
    with pytest.raises(BadRequestError, match=f"asked: '{value}'"):
        read(request(f"asked={value}"), "asked")


def test_an_unknown_status_is_refused_with_those_known() -> None:
    with pytest.raises(BadRequestError, match="'Lost' is none of Running, Completed"):
        statuses(request("runtimeStatus=Running,Lost"))


@pytest.mark.parametrize(("text", "value"), [("", None), ('{"a": 1}', {"a": 1}), ("no json", "no json")])
def test_payloads_that_are_no_json_stay_text(text: str, value: Any) -> None:
    assert parsed(wrappers_pb2.StringValue(value=text)) == value
