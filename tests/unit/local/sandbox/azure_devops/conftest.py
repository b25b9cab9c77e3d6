"""A simulator on a real socket and the official client connected to it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.local.sandbox.azure_devops.support import Raw, Receiver, Simulator, connector


@pytest.fixture(scope="session", autouse=True)
def location_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The package reads this once, at import; a cache of an earlier run would hold other locations."""
    directory = tmp_path_factory.mktemp("azure-devops-cache")
    os.environ["AZURE_DEVOPS_CACHE_DIR"] = str(directory)
    return directory


@pytest.fixture(scope="module")
def simulator(location_cache: Path) -> Iterator[Simulator]:
    running = Simulator().start()
    yield running
    running.stop()


@pytest.fixture(scope="module")
def connect(simulator: Simulator) -> Callable[..., Any]:
    """A connection of the official package as one of the seeded people."""
    return connector(simulator)


@pytest.fixture(scope="module")
def clients(connect: Callable[..., Any]) -> Any:
    """The 7.1 clients of the administrator."""
    return connect().clients_v7_1


@pytest.fixture(scope="module")
def raw(simulator: Simulator) -> Iterator[Raw]:
    """Plain HTTP to the simulator."""
    made = Raw(simulator)
    yield made
    made.client.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Where service hooks are sent."""
    made = Receiver()
    yield made
    made.stop()
