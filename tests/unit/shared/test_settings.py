"""Settings are read once from the environment; a wrong one is refused with its name."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.settings import Settings, settings


def read(monkeypatch: pytest.MonkeyPatch, **given: str) -> Settings:
    import os

    for name in [name for name in os.environ if name.startswith("DONERIGHT_")]:
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(f"DONERIGHT_{name.upper()}", value)
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


def test_every_setting_is_described():
    assert all(field.description for field in Settings.model_fields.values())


def test_settings_are_read_once():
    settings.cache_clear()
    try:
        assert settings() is settings()
    finally:
        settings.cache_clear()
