"""Settings are read once from the environment; a wrong one is refused with its name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared import settings as module
from shared.settings import Settings, WrongSettingsError, settings


def given(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    import os

    for name in [name for name in os.environ if name.startswith("DONERIGHT_")]:
        monkeypatch.delenv(name)
    for name, value in values.items():
        monkeypatch.setenv(f"DONERIGHT_{name.upper()}", value)


def read(monkeypatch: pytest.MonkeyPatch, **values: str) -> Settings:
    given(monkeypatch, **values)
    return Settings()


def test_defaults_refuse_every_webhook(monkeypatch):
    found = read(monkeypatch)
    assert found.github_webhook_secrets == found.azure_devops_webhook_secrets == ()
    assert found.signing_key is None
    assert found.request_label == "new-project"


@pytest.mark.parametrize("text", ["one-secret-of-16+", "one-secret-of-16+ two-secret-of-16+", "  one-secret-of-16+\n"])
def test_one_secret_or_two_while_rotating(monkeypatch, text):
    found = read(monkeypatch, github_webhook_secrets=text)
    assert [secret.get_secret_value() for secret in found.github_webhook_secrets] == text.split()
    assert "secret-of" not in repr(found)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("github_webhook_secrets", "a" * 16 + " " + "b" * 16 + " " + "c" * 16),
        ("azure_devops_webhook_secrets", "short"),
        ("signing_key", "short"),
        ("public_url", "doneright.example"),
        ("public_url", "https://doneright.example/path"),
        ("large_body_bytes", "0"),
        ("large_body_bytes", "40000"),
        ("step_deadline_seconds", "-1"),
        ("sweep_lookback_hours", "73"),
        ("request_label", ""),
    ],
)
def test_a_wrong_setting_is_refused_with_its_name(monkeypatch, name, value):
    with pytest.raises(ValidationError) as caught:
        read(monkeypatch, **{name: value})
    assert [error["loc"] for error in caught.value.errors()] == [(name,)]


@pytest.mark.parametrize("name", ["signing_key", "github_webhook_secrets"])
def test_the_refusal_of_a_secret_does_not_hold_it(monkeypatch, name):
    with pytest.raises(ValidationError) as caught:
        read(monkeypatch, **{name: "p4ssw0rd"})
    assert "p4ssw0rd" not in str(caught.value)


THREE = "a" * 16 + " " + "b" * 16 + " " + "c" * 16


@pytest.mark.parametrize(
    ("name", "value", "problem", "remedy"),
    [
        ("github_webhook_secrets", THREE, "3 secrets given", "leave the new one and the one before it"),
        ("azure_devops_webhook_secrets", "p4ssw0rd", "shorter than 16 characters", "openssl rand -hex 32"),
        ("signing_key", "p4ssw0rd", "shorter than 32 characters", "openssl rand -hex 32"),
        ("large_body_bytes", "40000", "less than or equal to 30720", "or leave it out for 24576. Webhook bodies"),
        ("app_service_authentication", "perhaps", "valid boolean", "or leave it out for false. Believe"),
        ("public_url", "doneright.example", "should match", "or leave it out for http://127.0.0.1:7071. Where"),
    ],
)
def test_what_is_wrong_and_what_to_do_is_one_line_without_the_value(monkeypatch, name, value, problem, remedy):
    given(monkeypatch, **{name: value})
    with pytest.raises(WrongSettingsError) as caught:
        module.read()
    said = str(caught.value)
    assert said.startswith(f"DONERIGHT_{name.upper()} is wrong: ")
    assert problem in said
    assert remedy in said
    assert "\n" not in said
    assert not any(word in said for word in value.split())


def test_every_setting_at_fault_has_a_line(monkeypatch):
    given(monkeypatch, signing_key="short", sweep_lookback_hours="73", step_deadline_seconds="soon")
    with pytest.raises(WrongSettingsError) as caught:
        module.read()
    assert [line.split()[0] for line in str(caught.value).splitlines()] == [
        "DONERIGHT_SIGNING_KEY",
        "DONERIGHT_STEP_DEADLINE_SECONDS",
        "DONERIGHT_SWEEP_LOOKBACK_HOURS",
    ]


def test_a_given_environment_counts_alone(monkeypatch):
    given(monkeypatch, request_label="of-the-process", signing_key="short")
    found = module.read({"DONERIGHT_GITHUB_WEBHOOK_SECRETS": "new-secret-of-16+ old-secret-of-16+", "PATH": "/bin"})
    assert [secret.get_secret_value() for secret in found.github_webhook_secrets] == [
        "new-secret-of-16+",
        "old-secret-of-16+",
    ]
    assert (found.request_label, found.signing_key) == ("new-project", None)
    with pytest.raises(WrongSettingsError, match="DONERIGHT_REQUEST_LABEL"):
        module.read({"DONERIGHT_REQUEST_LABEL": ""})


def test_the_log_tells_what_the_caller_is_not_told(monkeypatch, caplog):
    given(monkeypatch, github_webhook_secrets=THREE)
    settings.cache_clear()
    with pytest.raises(WrongSettingsError):
        settings()
    assert [record.getMessage().split(":")[0] for record in caplog.records] == [
        "DONERIGHT_GITHUB_WEBHOOK_SECRETS is wrong"
    ]
    # A wrong setting is not remembered: the process that was given right ones goes on.
    given(monkeypatch, github_webhook_secrets="a" * 16)
    try:
        assert len(settings().github_webhook_secrets) == 1
    finally:
        settings.cache_clear()


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_are_read_once():
    settings.cache_clear()
    try:
        assert settings() is settings()
    finally:
        settings.cache_clear()


@pytest.mark.parametrize(("tokens", "right"), [("999", False), ("0", False), ("1000", True)])
def test_a_model_gets_a_thousand_tokens_or_is_refused_by_the_settings_name(monkeypatch, tokens, right):
    given(monkeypatch, model_budget_tokens=tokens)
    if right:
        assert module.read().model_budget_tokens == 1000
        return
    with pytest.raises(WrongSettingsError, match="DONERIGHT_MODEL_BUDGET_TOKENS is wrong"):
        module.read()
