"""Gives each test an engine of its own on a free port, with the SDK's stock worker and client."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from durabletask.client import TaskHubGrpcClient
from durabletask.worker import TaskHubGrpcWorker

from local.engine import Engine

_QUIET = logging.getLogger("quiet")
_QUIET.setLevel(logging.CRITICAL)
_STOPPING: list[threading.Thread] = []


def _stop_aside(worker: TaskHubGrpcWorker) -> threading.Thread:
    """Stop a worker without waiting for it: the stock worker takes a second to notice."""
    thread = threading.Thread(target=worker.stop)
    thread.start()
    return thread


@pytest.fixture(scope="session", autouse=True)
def _workers_have_stopped() -> Iterator[None]:
    yield
    for thread in _STOPPING:
        thread.join()


class Bench:
    """Starts engines, workers and clients, and ends them all."""

    def __init__(self) -> None:
        self._ends: list[Callable[[], object]] = []
        self.address = ""

    def engine(self, state: Path | None = None, **options: float) -> Engine:
        engine = Engine(0, state, **options)  # type: ignore[arg-type]
        self.address = engine.start()
        self._ends.append(engine.stop)
        return engine

    def client(self) -> TaskHubGrpcClient:
        client = TaskHubGrpcClient(host_address=self.address, logger=_QUIET)
        self._ends.append(client.close)
        return client

    def worker(
        self, *, orchestrators: tuple = (), activities: tuple = (), entities: tuple = (), filtered: bool = False
    ) -> TaskHubGrpcWorker:
        worker = TaskHubGrpcWorker(host_address=self.address, logger=_QUIET)
        for one in orchestrators:
            worker.add_orchestrator(one)
        for one in activities:
            worker.add_activity(one)
        for one in entities:
            worker.add_entity(one)
        if filtered:
            worker.use_work_item_filters()
        worker.start()
        self._ends.append(lambda: _STOPPING.append(_stop_aside(worker)))
        return worker

    def close(self) -> None:
        for end in reversed(self._ends):
            end()


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], object]], None]:
    """Waits until something is true, for at most thirty seconds."""

    def wait(condition: Callable[[], object]) -> None:
        end = time.monotonic() + 30
        while not condition():
            assert time.monotonic() < end, "it never became true"
            time.sleep(0.01)

    return wait
