"""What most tests of adapters stand on."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.adapters.azure_sandbox import AzureSandbox, sandbox_with_contract


@pytest.fixture
def sandbox() -> Iterator[AzureSandbox]:
    """Azure DevOps' simulator, held to the contract to the end of the test; tests of GitHub have their own."""
    with sandbox_with_contract() as sandbox:
        yield sandbox
        assert sandbox.violations() == []
