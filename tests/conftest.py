"""What holds for every test: none is answered from what another one asked a forge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.adapters import looks


@pytest.fixture(autouse=True)
def nothing_remembered() -> Iterator[None]:
    """Each test begins as a thread that has no use case under way."""
    looks.end()
    yield
    looks.end()
