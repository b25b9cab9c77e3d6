"""Both simulators, served once for the tests of a worker and set back before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.bootstrap.forges import Sandboxes, both_forges
from tests.integration.bootstrap.runs import Player


@pytest.fixture(scope="session")
def served_forges() -> Iterator[Sandboxes]:
    """Served for as long as the worker runs."""
    with both_forges() as made:
        yield made


@pytest.fixture
def player(served_forges: Sandboxes, monkeypatch: pytest.MonkeyPatch) -> Player:
    """Forges on which nothing has happened yet."""
    served_forges.reset()
    return Player(served_forges, monkeypatch)
