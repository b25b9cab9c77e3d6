"""The one suite that asks a model: a local server over a socket, and nothing beyond this machine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.agents.model_server import ModelServer, model_server


@pytest.fixture(autouse=True)
def nothing_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key or address of a real model, whoever's machine this is."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_ORG_ID", "AZURE_OPENAI_API_KEY", "AZURE_OPENAI_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(autouse=True)
def no_model_is_asked() -> None:
    """Here one is asked, on this machine."""


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """The model's server."""
    with model_server() as one:
        yield one
