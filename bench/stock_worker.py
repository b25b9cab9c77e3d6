"""The stock ``TaskHubGrpcWorker`` with the bench's orchestration: ``python -m bench.stock_worker HOST:PORT``."""

from __future__ import annotations

import json
import signal
import sys
import threading

from durabletask.task import ActivityContext
from durabletask.worker import ConcurrencyOptions, TaskHubGrpcWorker

from bench.fan_out import doubled, fan_out

CONCURRENCY = 200
"""Of both workers: what the stock one takes by default on two cores."""


def double(_: ActivityContext, value: int) -> int:
    """The activity."""
    return doubled(value)


def main(address: str) -> int:
    """Work until SIGTERM."""
    ending = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ending.set())
    options = ConcurrencyOptions(
        maximum_concurrent_activity_work_items=CONCURRENCY, maximum_concurrent_orchestration_work_items=CONCURRENCY
    )
    with TaskHubGrpcWorker(host_address=address, concurrency_options=options) as worker:
        worker.add_orchestrator(fan_out)
        worker.add_activity(double)
        worker.start()  # type: ignore[no-untyped-call]
        print(json.dumps({"ready": True}), flush=True)
        ending.wait()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
