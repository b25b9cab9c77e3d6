"""Payloads over 1 MiB are refused with size, limit and remedy, and never leave anything stuck."""

from __future__ import annotations

import durabletask.internal.orchestrator_service_pb2 as pb
import grpc
import pytest
from durabletask import task
from durabletask.client import OrchestrationStatus
from durabletask.entities import DurableEntity, EntityInstanceId
from hypothesis import given
from hypothesis import strategies as st

from local.engine import limits, orchestrations

LIMIT = limits.MAX_PAYLOAD_BYTES
BIG = "x" * (LIMIT + 1)


@given(st.text(max_size=40), st.integers(0, 3))
def test_size_is_counted_in_bytes(text, spare):
    repeated = text * (LIMIT // max(1, len(text.encode())) + spare)
    size = len(repeated.encode())
    assert limits.oversize(repeated) == (size if size > LIMIT else 0)


def test_exactly_the_limit_passes():
    limits.check("It", "x" * LIMIT)
    with pytest.raises(limits.PayloadTooLargeError, match=rf"It is {LIMIT + 1} bytes.*limit of {LIMIT}.*claim check"):
        limits.check("It", BIG)
    assert limits.oversize("é" * (LIMIT // 2 + 1)) == LIMIT + 2


def test_failure_details_are_bounded():
    small = pb.TaskFailureDetails(errorMessage="short")
    assert limits.bounded("It", small) is small
    cut = limits.bounded("It", pb.TaskFailureDetails(errorType="E", errorMessage=BIG, isNonRetriable=True))
    assert cut.ByteSize() < 5000
    assert cut.isNonRetriable
    assert "claim check" in cut.errorMessage


def echo(ctx, value):
    return value


def makes_big(ctx, _):
    return BIG


def test_start_event_and_signal_are_refused(bench):
    bench.engine()
    client = bench.client()
    client.schedule_new_orchestration("waits", instance_id="i")
    attempts = (
        lambda: client.schedule_new_orchestration("waits", input=BIG),
        lambda: client.raise_orchestration_event("i", "e", data=BIG),
        lambda: client.signal_entity(EntityInstanceId("counter", "k"), "add", input=BIG),
        lambda: client.terminate_orchestration("i", output=BIG),
        lambda: client.suspend_orchestration("i") or client.raise_orchestration_event("i", "e", data="x" * 5_000_000),
    )
    for attempt in attempts:
        with pytest.raises(grpc.RpcError) as refused:
            attempt()
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert "claim check" in refused.value.details()


@pytest.mark.parametrize("size", [LIMIT, 5_000_000])
def test_large_activity_result_fails_the_task_only(bench, size):
    def large(ctx, _):
        return "x" * size

    def tries(ctx, _):
        try:
            yield ctx.call_activity(large)
        except task.TaskFailedError as error:
            return [error.details.error_type, error.details.message]

    bench.engine()
    bench.worker(orchestrators=(tries,), activities=(large,))
    client = bench.client()
    state = client.wait_for_orchestration_completion(client.schedule_new_orchestration(tries), timeout=10)
    kind, message = state.get_output()
    assert kind == limits.TOO_LARGE_ERROR
    assert f"{size + 2} bytes" in message
    assert "claim check" in message


def returns_big(ctx, _):
    return BIG


def status_big(ctx, _):
    ctx.set_custom_status(BIG)
    return 1


def activity_input_big(ctx, _):
    yield ctx.call_activity(makes_big, input=BIG)


def child_input_big(ctx, _):
    yield ctx.call_sub_orchestrator(returns_big, input=BIG)


def event_big(ctx, _):
    ctx.send_event("someone", "e", data=BIG)
    yield ctx.wait_for_external_event("never")


def renews_big(ctx, _):
    ctx.continue_as_new(BIG)


def entity_big(ctx, _):
    ctx.signal_entity(EntityInstanceId("counter", "k"), "add", BIG)
    yield ctx.wait_for_external_event("never")


@pytest.mark.parametrize(
    "orchestrator",
    [returns_big, status_big, activity_input_big, child_input_big, event_big, renews_big, entity_big],
    ids=lambda function: function.__name__,
)
def test_large_orchestrator_action_fails_the_instance(bench, orchestrator):
    bench.engine()
    bench.worker(orchestrators=(orchestrator,), activities=(makes_big,))
    client = bench.client()
    state = client.wait_for_orchestration_completion(client.schedule_new_orchestration(orchestrator), timeout=10)
    assert state.runtime_status is OrchestrationStatus.FAILED
    assert state.failure_details.error_type == limits.TOO_LARGE_ERROR
    assert "1048576" in state.failure_details.message
    assert "claim check" in state.failure_details.message


class Notes(DurableEntity):
    def keep(self, text):
        self.set_state(text * LIMIT)
        return "kept"

    def tell(self, _):
        return BIG

    def size(self, _=None):
        return len(self.get_state(str, ""))


def test_large_entity_state_or_result_fails_the_call_and_keeps_the_state(bench):
    entity = EntityInstanceId("Notes", "n")

    def uses(ctx, _):
        outcomes = []
        for operation in ("keep", "tell"):
            try:
                outcomes.append((yield ctx.call_entity(entity, operation, "ab")))
            except task.TaskFailedError as error:
                outcomes.append(str(error))
        outcomes.append((yield ctx.call_entity(entity, "size")))
        return outcomes

    bench.engine()
    bench.worker(orchestrators=(uses,), entities=(Notes,))
    client = bench.client()
    state = client.wait_for_orchestration_completion(client.schedule_new_orchestration(uses), timeout=10)
    kept, told, size = state.get_output()
    assert "claim check" in kept
    assert "claim check" in told
    assert size == 0


def test_history_that_a_worker_cannot_receive_fails_the_instance(bench, monkeypatch):
    monkeypatch.setattr(orchestrations, "_LOST_DELIVERIES_ALLOWED", 1)  # the stock worker waits longer each time

    def megabyte(ctx, _):
        return "x" * (LIMIT - 10)

    def hoards(ctx, _):
        for _ in range(6):
            yield ctx.call_activity(megabyte)

    bench.engine()
    bench.worker(orchestrators=(hoards,), activities=(megabyte,))
    client = bench.client()
    instance = client.schedule_new_orchestration(hoards)
    state = client.wait_for_orchestration_completion(instance, timeout=30)
    assert state.runtime_status is OrchestrationStatus.FAILED
    assert "max_receive_message_length" in state.failure_details.message
