"""What most tests of adapters stand on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from shared.domain.forge import ForgeName
from tests.integration.adapters.azure_reviews import desk
from tests.integration.adapters.azure_sandbox import AzureSandbox, sandbox_with_contract
from tests.integration.adapters.github_reviews import world
from tests.integration.adapters.places import Place


@pytest.fixture
def sandbox() -> Iterator[AzureSandbox]:
    """Azure DevOps' simulator, held to the contract to the end of the test; tests of GitHub have their own."""
    with sandbox_with_contract() as sandbox:
        yield sandbox
        assert sandbox.violations() == []


@pytest.fixture(scope="module", params=list(ForgeName))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    """A repository on each simulator in turn, for all tests of a module."""
    with ExitStack() as stack:
        made: Any = stack.enter_context(world() if request.param is ForgeName.GITHUB else desk())
        yield Place(request.param, made)
