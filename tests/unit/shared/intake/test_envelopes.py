"""Whatever body passes fits the queue, by itself or by reference, and comes out as it went in."""

from __future__ import annotations

import json
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.delivery import Envelope
from shared.domain.forge import ForgeName
from shared.domain.keys import encode_key
from shared.errors import RefusedError
from shared.intake.envelopes import azure_devops_identity, payload_text, unwrap, wrap
from tests.fakes.storage import MemoryArtifacts, MemoryClock, MemoryQueue

LARGE = 24 * 1024
NOW = MemoryClock().now()
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


def wrapped(text: str, artifacts: MemoryArtifacts, **changes: object) -> Envelope:
    given = {
        "forge": ForgeName.GITHUB,
        "delivery": "d-1",
        "event": "issues",
        "text": text,
        "received_at": NOW,
        "correlation": "c",
        "artifacts": artifacts,
        "large": LARGE,
    }
    return wrap(**(given | changes))


@given(st.dictionaries(st.text(max_size=8), JSON, max_size=5), st.sampled_from(["json", "form", "bom"]))
def test_a_payload_comes_out_as_it_went_in(payload, sent_as):
    text = json.dumps(payload)
    body, content_type = text.encode(), "application/json"
    if sent_as == "form":
        body = urlencode({"payload": text}).encode()
        content_type = "application/x-www-form-urlencoded; charset=utf-8"
    elif sent_as == "bom":
        body = b"\xef\xbb\xbf" + body
    artifacts = MemoryArtifacts()
    read = payload_text(body, content_type)
    assert unwrap(wrapped(read, artifacts), artifacts) == payload


@pytest.mark.parametrize("size", [LARGE - 1, LARGE, LARGE + 1, 100_000, 5_000_000])
def test_sizes_around_the_limit(size):
    text = '{"a":"' + "x" * (size - 8) + '"}'
    artifacts = MemoryArtifacts()
    envelope = wrapped(text, artifacts)
    assert len(text) == size
    assert bool(envelope.claim) == (size > LARGE)
    assert bool(envelope.body) != bool(envelope.claim)
    MemoryQueue().send(envelope.model_dump_json())
    assert unwrap(envelope, artifacts) == json.loads(text)


@pytest.mark.parametrize("letter", ['\\"', "\\\\", "\\n", "é", "漢", "😀", "\\u0000", "\x7f", "/"])
def test_escapes_never_make_a_message_too_large_for_the_queue(letter):
    count = (LARGE - 10) // len(letter.encode())
    text = '{"a":"' + letter * count + '"}'
    artifacts = MemoryArtifacts()
    envelope = wrapped(text, artifacts, correlation="é" * 300, event="漢" * 200, delivery="ü" * 40, large=30 * 1024)
    MemoryQueue().send(envelope.model_dump_json())
    assert unwrap(Envelope.model_validate_json(envelope.model_dump_json()), artifacts) == json.loads(text)


@pytest.mark.parametrize(
    ("body", "content_type", "problem"),
    [
        (b"", "application/json", "not JSON"),
        (b"{", "application/json", "not JSON"),
        (b"[]", "application/json", "not an object"),
        (b'"x"', "application/json", "not an object"),
        (b"null", "", "not an object"),
        (b"\xff{}", "application/json", "not UTF-8: byte 0"),
        ('{"a": 1}'.encode("utf-16"), "application/json", "not UTF-8"),
        (b"[" * 200_000, "application/json", "not JSON"),
        (b'{"a":' * 200_000, "application/json", "not JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "application/json", "not JSON"),
        (b"other=1", "application/x-www-form-urlencoded", "not JSON"),
        (b"payload=%7B", "application/x-www-form-urlencoded", "not JSON"),
        (b'{"a": 1}', "APPLICATION/X-WWW-FORM-URLENCODED", "not JSON"),
    ],
)
def test_what_is_no_payload_is_refused_with_the_reason(body, content_type, problem):
    with pytest.raises(RefusedError, match=problem):
        payload_text(body, content_type)


def test_a_form_may_hold_anything_percent_encoded():
    text = '{"a": "& = + % é"}'
    assert payload_text(f"x=1&payload={quote_plus(text)}".encode(), "application/x-www-form-urlencoded") == text


@pytest.mark.parametrize("delivery", ["x" * 201, "漢" * 150, "a\ud800", "x" * 5000 + "\ud800"])
def test_an_id_no_record_can_be_kept_under_is_replaced_by_its_digest(delivery):
    envelope = wrapped("{}", MemoryArtifacts(), delivery=delivery)
    assert envelope.id.startswith("sha256-")
    assert encode_key(envelope.id)
    assert envelope.id != wrapped("{}", MemoryArtifacts(), delivery="y" + delivery).id


def test_a_usual_id_stays():
    assert wrapped("{}", MemoryArtifacts(), delivery="72d3162e-cc78").id == "72d3162e-cc78"


def test_an_event_of_azure_devops_is_one_delivery_to_each_subscription():
    one = {"subscriptionId": "s1", "notificationId": 3, "id": "e", "eventType": "git.push"}
    assert azure_devops_identity(one, b"") == ("s1-3-e", "git.push")
    assert azure_devops_identity(one | {"subscriptionId": "s2"}, b"") == ("s2-3-e", "git.push")
    assert azure_devops_identity({"eventType": 7}, b"x") == azure_devops_identity({}, b"x")
    assert azure_devops_identity({}, b"x") != azure_devops_identity({}, b"y")


def test_a_kept_body_that_is_no_object_is_refused():
    with pytest.raises(RefusedError, match="not an object"):
        unwrap(Envelope(forge=ForgeName.GITHUB, id="x", event="issues", received_at=NOW, body="[]"), MemoryArtifacts())
