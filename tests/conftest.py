"""What holds for every test: none is answered from what another one asked a forge, and none asks a model."""

from __future__ import annotations

import functools
import ssl
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from shared.adapters import looks
from shared.adapters.model import OpenAIModel

# How long an example takes says more of the machine than of the code; benchmarks measure time.
# What every change must pass tries the same examples each time, so that a change is refused for what it changed; the
# long run, `make test-all`, goes looking for new ones.
settings.register_profile("same", deadline=None, derandomize=True, max_examples=60)
settings.register_profile("searching", deadline=None)
settings.load_profile("same")


def pytest_make_parametrize_id(config: pytest.Config, val: object, argname: str) -> str | None:
    """Bytes that nobody reads name no test: packed ones hold the time of day, and two workers would differ."""
    del config
    return argname if isinstance(val, bytes) and not val.isascii() else None


# No test speaks TLS, yet each HTTP client reads the machine's certificates, which takes 20 ms, hundreds of times.
ssl.create_default_context = functools.cache(ssl.create_default_context)


@pytest.fixture(autouse=True)
def no_model_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one door to models is shut, and pydantic-ai's own where it is loaded.

    The one suite that asks a model, a local server over a socket, has a fixture of this name that leaves it open.
    """

    def refused(*_: object) -> None:
        pytest.fail("a test asked a model")

    monkeypatch.setattr(OpenAIModel, "ask", refused)
    if "pydantic_ai.models" in sys.modules:
        monkeypatch.setattr(sys.modules["pydantic_ai.models"], "ALLOW_MODEL_REQUESTS", False)


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each test begins as a thread that has no use case under way."""
    looks.end()
    yield
    looks.end()
