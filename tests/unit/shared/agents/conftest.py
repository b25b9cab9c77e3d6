"""No test of agents asks a model; the suite that does talks to a local server, in tests/integration/agents."""

from __future__ import annotations

import sys

import pytest

from shared.adapters.model import OpenAIModel


@pytest.fixture(autouse=True)
def no_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one door to models is shut, and pydantic-ai's own where it is loaded."""

    def refused(*_: object) -> None:
        pytest.fail("a unit test asked a model")

    monkeypatch.setattr(OpenAIModel, "ask", refused)
    if "pydantic_ai.models" in sys.modules:
        monkeypatch.setattr(sys.modules["pydantic_ai.models"], "ALLOW_MODEL_REQUESTS", False)
