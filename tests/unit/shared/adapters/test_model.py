from __future__ import annotations

import asyncio
import subprocess
import sys

import pytest
from pydantic import SecretStr

from shared.adapters.model import SCOPE, OpenAIModel
from shared.errors import RefusedError


class Issued:
    token = "entra-token-1"


class Identity:
    def __init__(self) -> None:
        self.scopes: list[tuple[str, ...]] = []

    def get_token(self, *scopes: str) -> Issued:
        self.scopes.append(scopes)
        return Issued()


def address(url: str) -> str:
    return OpenAIModel(url, "m")._url


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://models.example/v1", "https://models.example/v1/"),
        ("https://models.example/v1/", "https://models.example/v1/"),
        (" https://models.example:8443/a/v1 ", "https://models.example:8443/a/v1/"),
        ("http://127.0.0.1:11434/v1", "http://127.0.0.1:11434/v1/"),
        ("http://localhost:11434/v1", "http://localhost:11434/v1/"),
        ("http://[::1]:11434/v1", "http://[::1]:11434/v1/"),
        ("https://desk.openai.azure.com", "https://desk.openai.azure.com/openai/v1/"),
        ("https://desk.openai.azure.com/", "https://desk.openai.azure.com/openai/v1/"),
        ("https://desk.services.ai.azure.com/openai/v1", "https://desk.services.ai.azure.com/openai/v1/"),
    ],
)
def test_addresses_of_models(url, base):
    assert address(url) == base


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("", "address is none"),
        ("models.example/v1", "address is none"),
        ("ftp://models.example", "address is none"),
        ("https://", "address is none"),
        ("https://u:p@models.example", "address is none"),
        ("https://models.example/v1?key=1", "address is none"),
        ("https://models.example/v1#x", "address is none"),
        ("https://models.example:99999/v1", "address is none"),
        ("http://models.example/v1", "not encrypted"),
        ("http://127.0.0.1.evil.example/v1", "not encrypted"),
    ],
)
def test_addresses_that_no_change_is_sent_to_are_refused(url, reason):
    with pytest.raises(RefusedError, match=reason) as refused:
        address(url)
    assert "DONERIGHT_MODEL_URL" in refused.value.remedy or "https" in refused.value.remedy


@pytest.mark.parametrize(("rest", "reason"), [({"budget": 999}, "999 tokens"), ({"timeout": 0}, "0 seconds")])
def test_bounds_that_let_nothing_be_answered_are_refused(rest, reason):
    with pytest.raises(RefusedError, match=reason):
        OpenAIModel("https://models.example/v1", "m", **rest)


def test_a_model_without_a_name_is_refused():
    with pytest.raises(RefusedError, match="no model is named"):
        OpenAIModel("https://models.example/v1", " ")


def credential(model: OpenAIModel) -> str:
    found = model._credential()
    return found if isinstance(found, str) else asyncio.run(found())


def test_azure_openai_is_asked_by_identity_where_there_is_no_key():
    identity = Identity()
    model = OpenAIModel("https://desk.openai.azure.com", "gpt", identity=identity)
    assert credential(model) == "entra-token-1"
    assert identity.scopes == [(SCOPE,)]


def test_a_key_goes_before_an_identity_and_no_identity_goes_anywhere_else():
    identity = Identity()
    keyed = OpenAIModel("https://desk.openai.azure.com", "gpt", key=SecretStr("the-key"), identity=identity)
    assert credential(keyed) == "the-key"
    assert credential(OpenAIModel("https://desk.openai.azure.com.evil.example", "gpt", identity=identity)) == "none"
    assert identity.scopes == []


def test_a_key_shows_nowhere():
    assert "the-key" not in repr(vars(OpenAIModel("https://models.example/v1", "m", key=SecretStr("the-key"))))


def test_loading_it_loads_no_sdk():
    program = "import shared.adapters.model, shared.agents.hearing, sys; from shared.agents import agents; agents(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert "shared.agents.quality" in loaded
    assert not loaded & {"openai", "pydantic_ai", "azure.identity", "azure.core", "detect_secrets", "httpx2"}
