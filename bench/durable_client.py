"""Starts orchestrations and waits for all of them, from a process of its own: the same for both workers.

Run: ``python -m bench.durable_client HOST:PORT COUNT``; prints the seconds from the first start to the last end.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time

from durabletask.client import AsyncTaskHubGrpcClient, OrchestrationStatus

from bench.fan_out import expected

STARTERS = 20


async def run(address: str, count: int) -> float:
    """Seconds that ``count`` orchestrations took. Raises ``AssertionError`` when one ends otherwise than it should."""
    async with AsyncTaskHubGrpcClient(host_address=address) as client:
        numbers = iter(range(count))
        begun: list[tuple[int, str]] = []

        async def start() -> None:
            for number in numbers:
                begun.append((number, await client.schedule_new_orchestration("fan_out", input=number)))

        clock = time.perf_counter()
        await asyncio.gather(*(start() for _ in range(STARTERS)))
        # They end about in the order they began, so that most of these answers wait already.
        for number, instance in begun:
            state = await client.wait_for_orchestration_completion(instance, timeout=120)
            assert state is not None, f"orchestration {instance} is unknown"
            assert state.runtime_status is OrchestrationStatus.COMPLETED, f"{instance}: {state.failure_details}"
            assert state.get_output() == expected(number), f"{instance}: {state.serialized_output}"
        return time.perf_counter() - clock


if __name__ == "__main__":
    print(json.dumps({"seconds": asyncio.run(run(sys.argv[1], int(sys.argv[2])))}))
