"""Webhooks: believed only with proof, queued before anything else, answered 202; every refusal says why."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest

from functions import intake
from functions.problems import correlation_of
from shared.domain.delivery import Envelope
from shared.errors import TransientError
from shared.intake.envelopes import LARGEST_BODY
from shared.settings import settings
from tests.unit.functions.conftest import answered, request, user_function

SECRET = "github-secret-one"


class Out:
    def __init__(self) -> None:
        self.value: str | None = None

    def set(self, value: str) -> None:
        self.value = value


def github(body: bytes, **headers):
    given = {
        "X-Hub-Signature-256": "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest(),
        "X-GitHub-Delivery": "d-1",
        "X-GitHub-Event": "issues",
        "Content-Type": "application/json",
    } | {name.replace("_", "-"): value for name, value in headers.items()}
    return request("POST", body, headers={name: value for name, value in given.items() if value is not None})


async def post(builder, req):
    out = Out()
    answer = answered(await user_function(builder)(req, out))
    return answer, Envelope.model_validate_json(out.value) if out.value else None


async def test_a_signed_delivery_is_queued(app):
    answer, envelope = await post(intake.receive_github, github(b'{"a": 1}'))
    assert (answer.status, answer.body) == (202, {"accepted": "d-1", "event": "issues"})
    assert envelope
    assert (envelope.id, envelope.event, envelope.body, envelope.correlation) == ("d-1", "issues", '{"a": 1}', "d-1")


@pytest.mark.parametrize("size", [20_000, 1_000_000, LARGEST_BODY - 20])
async def test_large_bodies_travel_by_reference(app, size):
    body = b'{"a":"' + b"x" * size + b'"}'
    answer, envelope = await post(intake.receive_github, github(body))
    assert answer.status == 202
    assert bool(envelope.claim) == (size > 24 * 1024)
    if envelope.claim:
        assert app.artifacts.get(envelope.claim) == body


@pytest.mark.parametrize("signature", [None, "", "sha256=" + "0" * 64, "sha1=0", "sha256=é"])
async def test_what_proves_nothing_is_refused_and_not_queued(app, signature):
    answer, envelope = await post(intake.receive_github, github(b"{}", X_Hub_Signature_256=signature))
    assert answer.status == 401
    assert answer.type == "application/problem+json"
    assert answer.body["remedy"]
    assert envelope is None


async def test_without_secrets_everything_is_refused(app, monkeypatch):
    bare = app.services(github_webhook_secrets=(), azure_devops_webhook_secrets=())
    monkeypatch.setattr("functions.intake.settings", lambda: bare.settings)
    assert (await post(intake.receive_github, github(b"{}")))[0].status == 401


async def test_too_large_a_body_is_refused_before_it_is_proved(app):
    answer, envelope = await post(intake.receive_github, github(b"x" * (LARGEST_BODY + 1)))
    assert answer.status == 413
    assert str(LARGEST_BODY) in answer.body["detail"]
    assert envelope is None


@pytest.mark.parametrize("body", [b"", b"nope", b"[]", b"\xff\xfe"])
async def test_what_is_no_payload_is_refused(app, body):
    assert (await post(intake.receive_github, github(body)))[0].status == 400


@pytest.mark.parametrize("missing", ["X_GitHub_Delivery", "X_GitHub_Event"])
async def test_a_delivery_without_its_headers_is_refused(app, missing):
    answer, _ = await post(intake.receive_github, github(b"{}", **{missing: None}))
    assert answer.status == 400
    assert "must both be given" in answer.body["detail"]


async def test_storage_that_does_not_answer_asks_for_patience(app, monkeypatch):
    def away(*given):
        raise TransientError("storage is away", 12)

    monkeypatch.setattr(app.artifacts, "put", away)
    answer, _ = await post(intake.receive_github, github(b'{"a":"' + b"x" * 100_000 + b'"}'))
    assert (answer.status, answer.headers["Retry-After"]) == (503, "12")


async def test_a_wrong_setting_is_our_mistake_and_logged_under_the_correlation(app, monkeypatch, caplog):
    from shared.settings import Settings

    monkeypatch.setattr("functions.intake.settings", lambda: Settings(request_label=""))
    answer, _ = await post(intake.receive_github, github(b"{}", X_Correlation_ID="corr-7"))
    assert answer.status == 500
    assert "request_label" not in json.dumps(answer.body)
    (record,) = [record for record in caplog.records if record.name == "functions.problems"]
    assert record.correlation == answer.body["correlation"] == "corr-7"


def azure(body: bytes, **headers):
    return request("POST", body, headers={name.replace("_", "-"): value for name, value in headers.items()})


PAYLOAD = json.dumps({"id": "e", "eventType": "git.push", "subscriptionId": "s", "notificationId": 1}).encode()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Basic " + base64.b64encode(b"x:azure-secret-one!").decode()},
        {"X_Doneright_Secret": "azure-secret-one!"},
    ],
)
async def test_azure_devops_proves_itself_by_password_or_header(app, headers):
    answer, envelope = await post(intake.receive_azure_devops, azure(PAYLOAD, **headers))
    assert answer.status == 202
    assert (envelope.id, envelope.event) == ("s-1-e", "git.push")


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic é"}, {"X_Doneright_Secret": SECRET}])
async def test_anybody_else_is_refused_and_asked_for_credentials(app, headers):
    answer, envelope = await post(intake.receive_azure_devops, azure(PAYLOAD, **headers))
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Basic")
    assert envelope is None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Correlation-ID": "abc"}, "abc"),
        ({"X-GitHub-Delivery": "72d3"}, "72d3"),
        ({"X-Correlation-ID": "bad id\n", "X-GitHub-Delivery": "72d3"}, "72d3"),
        ({"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"}, "a" * 32),
    ],
)
def test_the_callers_correlation_id_is_kept_when_it_is_sane(headers, expected):
    assert correlation_of(request(headers=headers)) == expected


def test_else_a_new_one_is_made():
    assert correlation_of(request(headers={"traceparent": "x"})) != correlation_of(request())


@pytest.mark.parametrize("receive", [intake.receive_github, intake.receive_azure_devops])
async def test_wrong_settings_are_told_to_the_log_and_not_to_the_caller(monkeypatch, caplog, receive):
    monkeypatch.setenv("DONERIGHT_GITHUB_WEBHOOK_SECRETS", "secret-one-secret-one secret-two-secret-two third")
    settings.cache_clear()
    try:
        answer, envelope = await post(receive, github(b"{}"))
    finally:
        settings.cache_clear()
    assert (answer.status, answer.type, envelope) == (500, "application/problem+json", None)
    assert "DONERIGHT_" not in str(answer.body)
    assert "DONERIGHT_GITHUB_WEBHOOK_SECRETS is wrong: 3 secrets given" in caplog.text
    assert "secret-two" not in str(answer.body) + caplog.text
