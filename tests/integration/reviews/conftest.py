"""Both simulators, served once for the tests of a worker and set back before each."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.bootstrap.forges import Sandboxes, both_forges


@pytest.fixture(scope="session")
def review_sandboxes() -> Iterator[Sandboxes]:
    """Served for as long as the worker runs."""
    with both_forges() as made:
        yield made
