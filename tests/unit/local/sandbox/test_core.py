"""State, fault rules and webhook delivery on their own."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from local.sandbox.fault_rule import FaultKind, FaultRule, Forge
from local.sandbox.faults import FaultRules
from local.sandbox.hooks import DROPPED, HookSender
from local.sandbox.state import State, StateUnreadableError
from local.sandbox.wording import failure

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=25, deadline=None)
@given(data=st.dictionaries(st.text(), _JSON))
def test_what_is_saved_is_loaded(tmp_path_factory, data):
    path = tmp_path_factory.mktemp("state") / "deep" / "s.json"
    state = State(data)
    state.save(path)
    assert State.load(path).data == json.loads(json.dumps(data))
    assert [p.name for p in path.parent.iterdir()] == ["s.json"]


def test_ids_and_dirt(tmp_path):
    state = State.load(None)
    assert (state.empty, state.dirty) == (True, False)
    assert [state.next_id("a"), state.next_id("a"), state.next_id("b", 10)] == [1, 2, 10]
    assert state.dirty
    state.save(tmp_path / "s.json")
    assert not state.dirty
    assert State.load(tmp_path / "s.json").next_id("b", 10) == 11
    assert State.load(tmp_path / "absent.json").empty


@pytest.mark.parametrize("text", ["{", "[]", "\x00"])
def test_an_unreadable_state_is_named(tmp_path, text):
    path = tmp_path / "s.json"
    path.write_text(text)
    with pytest.raises(StateUnreadableError, match="remove the file"):
        State.load(path)


@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "latency"},
        {"kind": "server_error", "count": 0},
        {"kind": "server_error", "event": "push"},
        {"kind": "server_error", "status": 403},
        {"kind": "rate_limited", "status": 500},
        {"kind": "server_error", "method": "BREW"},
        {"kind": "server_error", "more": 1},
    ],
)
def test_rules_that_cannot_mean_anything_are_refused(wrong):
    rules = FaultRules()
    with pytest.raises(ValidationError):
        rules.add({"kind": "server_error"}, wrong)
    assert rules.listing() == []


def test_rules_skip_count_and_match():
    rules = FaultRules()
    rules.add({"kind": "server_error", "method": "post", "path": r"/x\?a=1", "skip": 1, "count": 2})
    fired = [bool(rules.for_request("POST", "/x?a=1")) for _ in range(4)]
    assert fired == [False, True, True, False]
    assert not rules.for_request("GET", "/x?a=1")
    rules.clear()
    rules.add({"kind": "server_error"}, {"kind": "latency", "seconds": 0})
    assert [r.kind for r in rules.for_request("GET", "/")] == [FaultKind.LATENCY, FaultKind.SERVER_ERROR]


def test_each_forge_words_its_failures():
    expired = FaultRule(kind=FaultKind.EXPIRED_TOKEN)
    assert (failure(expired, Forge.GITHUB).status_code, failure(expired, Forge.AZURE_DEVOPS).status_code) == (401, 203)
    assert failure(expired, Forge.AZURE_DEVOPS).headers["content-type"].startswith("text/html")
    limited = failure(FaultRule(kind=FaultKind.RATE_LIMITED, seconds=3), Forge.AZURE_DEVOPS)
    assert (limited.status_code, limited.headers["retry-after"], limited.headers["x-ratelimit-delay"]) == (
        429,
        "3",
        "3",
    )
    for kind, status in ((FaultKind.UNAVAILABLE, 503), (FaultKind.SERVER_ERROR, 500)):
        for forge in Forge:
            answer = failure(FaultRule(kind=kind, seconds=2), forge)
            assert answer.status_code == status
            assert json.loads(answer.body)["message"]


class _Target:
    def __init__(self, *answers):
        self.answers = list(answers)
        self.got = []

    def __call__(self, request):
        self.got.append(request.content.decode())
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer)


async def _send(rules, target, *bodies):
    sender = HookSender(State(), rules, httpx.AsyncClient(transport=httpx.MockTransport(target)))
    told = []
    for body in bodies:
        sender.enqueue(
            event="push",
            url="http://127.0.0.1/hook",
            headers={},
            body=body.encode(),
            record=lambda *a: told.append(a[:2]),
        )
    await sender.drain()
    await sender.aclose()
    return told


async def test_deliveries_keep_their_order_and_outcome():
    target = _Target(200, 500, httpx.ConnectError("refused"), httpx.ReadTimeout("slow"))
    told = await _send(FaultRules(), target, "a", "b", "c", "d")
    assert target.got == ["a", "b", "c", "d"]
    assert told == [(200, None), (500, None), (None, "failed to connect to host: refused"), (None, "timed out")]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("webhook_duplicated", ["a", "a", "b"]), ("webhook_reordered", ["b", "a"]), ("webhook_dropped", ["b"])],
)
async def test_webhook_faults(kind, expected):
    rules, target = FaultRules(), _Target()
    rules.add({"kind": kind, "event": "push"})
    told = await _send(rules, target, "a", "b")
    assert target.got == expected
    assert ((None, DROPPED) in told) == (kind == "webhook_dropped")


async def test_a_held_delivery_without_a_successor_still_arrives():
    rules, target = FaultRules(), _Target()
    rules.add({"kind": "webhook_reordered"})
    await _send(rules, target, "alone")
    assert target.got == ["alone"]
