"""Work items are answered until the engine has the answer, whatever the engine or the function does."""

import asyncio
import base64
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import grpc
import grpc.aio
import pytest
from azure_functions_runtime.bindings.datumdef import Datum
from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from google.protobuf import empty_pb2, wrappers_pb2

from local.host import durable, durable_completion
from local.host.app import App, Function, Trigger
from local.host.durable import DurableWorker
from local.host.durable_failures import failure_of
from local.host.invoke import Outcome
from local.host.settings import DurableSettings


class FakeEngine(stubs.TaskHubSidecarServiceServicer):
    """Hands out the given work items and notes the completions, after refusing some."""

    def __init__(self, items: Sequence[pb.WorkItem], refusals: Sequence[grpc.StatusCode] = ()) -> None:
        self.items = list(items)
        self.refusals = list(refusals)
        self.answers: asyncio.Queue[Any] = asyncio.Queue()
        self.attempts = 0
        self.streams = 0

    async def Hello(self, request: empty_pb2.Empty, context: Any) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    async def GetWorkItems(self, request: pb.GetWorkItemsRequest, context: Any) -> AsyncIterator[pb.WorkItem]:
        self.streams += 1
        while self.items:
            yield self.items.pop(0)
        if self.streams > 1:
            await asyncio.Event().wait()

    async def _note(self, request: Any, context: Any) -> pb.CompleteTaskResponse:
        self.attempts += 1
        if self.refusals:
            await context.abort(self.refusals.pop(0), "refused by the test")
        self.answers.put_nowait(request)
        return pb.CompleteTaskResponse()

    async def StreamInstanceHistory(
        self, request: pb.StreamInstanceHistoryRequest, context: Any
    ) -> AsyncIterator[pb.HistoryChunk]:
        assert request.forWorkItemProcessing
        for name in ("former", "plan"):
            yield pb.HistoryChunk(events=[helpers.new_execution_started_event(name, request.instanceId, None)])

    CompleteActivityTask = CompleteOrchestratorTask = CompleteEntityTask = _note


class FakeInvoker:
    """Answers in place of the functions."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self.answers = answers
        self.seen: list[tuple[str, str]] = []

    async def run(self, function: Function, trigger: Datum, correlation_id: str, **_: Any) -> Outcome:
        self.seen.append((function.name, trigger.value))
        answer = self.answers[function.name]
        if isinstance(answer, Exception):
            return Outcome("id", error=answer)
        return Outcome("id", returned=Datum(answer, "json"))


def declared(name: str, trigger: Trigger) -> Function:
    binding = {"type": trigger.value, "name": "x"}
    return Function(
        name=name,
        function_id=name,
        directory="",
        trigger=trigger,
        trigger_name="x",
        binding=binding,
        outputs={},
        client_inputs=(),
        bindings=(binding,),
        is_async=True,
        delivers=False,
    )


FUNCTIONS = {
    "work": declared("work", Trigger.ACTIVITY),
    "plan": declared("plan", Trigger.ORCHESTRATION),
    "Count": declared("Count", Trigger.ENTITY),
}


async def completed(engine: FakeEngine, invoker: FakeInvoker) -> Any:
    server = grpc.aio.server()
    stubs.add_TaskHubSidecarServiceServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    from pathlib import Path

    worker = DurableWorker(App(Path(), FUNCTIONS), invoker, DurableSettings(), f"127.0.0.1:{port}")  # type: ignore[arg-type]
    worker.start()
    try:
        async with asyncio.timeout(20):
            return await engine.answers.get()
    finally:
        await worker.stop(1)
        await server.stop(0)


def activity(name: str, value: str | None = '"in"') -> pb.WorkItem:
    return pb.WorkItem(
        completionToken="token",
        activityRequest=pb.ActivityRequest(
            name=name,
            taskId=3,
            input=wrappers_pb2.StringValue(value=value) if value is not None else None,
            orchestrationInstance=pb.OrchestrationInstance(instanceId="one"),
        ),
    )


def orchestration(name: str) -> pb.WorkItem:
    event = helpers.new_execution_started_event(name, "one", None)
    return pb.WorkItem(
        completionToken="token", orchestratorRequest=pb.OrchestratorRequest(instanceId="one", newEvents=[event])
    )


def entity(instance_id: str) -> pb.WorkItem:
    operation = pb.HistoryEvent(entityOperationSignaled=pb.EntityOperationSignaledEvent(requestId="r", operation="add"))
    return pb.WorkItem(
        completionToken="token",
        entityRequestV2=pb.EntityRequest(
            instanceId=instance_id, operationRequests=[operation], entityState=wrappers_pb2.StringValue(value="5")
        ),
    )


@pytest.mark.parametrize(
    ("value", "seen", "returned", "result"),
    [('"in"', '"in"', '{"a": 1}', '{"a": 1}'), (None, "null", "null", ""), ("", "", '""', '""')],
)
async def test_an_activity_gets_its_input_and_gives_its_result(
    value: str | None, seen: str, returned: str, result: str
) -> None:
    invoker = FakeInvoker({"work": returned})
    answer = await completed(FakeEngine([activity("work", value)]), invoker)
    assert invoker.seen == [("work", seen)]
    assert (answer.instanceId, answer.taskId, answer.completionToken) == ("one", 3, "token")
    assert answer.result.value == result
    assert answer.HasField("result") is bool(result)
    assert not answer.HasField("failureDetails")


async def test_a_failing_activity_says_type_message_and_stack() -> None:
    try:
        raise LookupError("not here")
    except LookupError as error:
        answer = await completed(FakeEngine([activity("work")]), FakeInvoker({"work": error}))
    assert answer.failureDetails.errorType.endswith("LookupError")
    assert answer.failureDetails.errorMessage == "not here"
    assert "test_durable.py" in answer.failureDetails.stackTrace.value


@pytest.mark.parametrize(
    ("item", "kind"),
    [(activity("absent"), "activity"), (orchestration("absent"), "orchestrator"), (entity("@absent@k"), "entity")],
)
async def test_an_unknown_name_fails_that_task(item: pb.WorkItem, kind: str) -> None:
    answer = await completed(FakeEngine([item]), FakeInvoker({}))
    if kind == "activity":
        details = answer.failureDetails
    elif kind == "orchestrator":
        assert answer.actions[0].completeOrchestration.orchestrationStatus == pb.ORCHESTRATION_STATUS_FAILED
        details = answer.actions[0].completeOrchestration.failureDetails
    else:
        assert answer.entityState.value == "5"
        assert [info.requestId for info in answer.operationInfos] == ["r"]
        details = answer.results[0].failure.failureDetails
    assert f"The function 'absent' doesn't exist, is disabled, or is not an {kind} function" in details.errorMessage
    assert answer.completionToken == "token"


async def test_an_orchestrator_and_an_entity_answer_in_base64() -> None:
    response = pb.OrchestratorResponse(instanceId="one", customStatus=wrappers_pb2.StringValue(value="s"))
    invoker = FakeInvoker({"plan": base64.b64encode(response.SerializeToString()).decode()})
    answer = await completed(FakeEngine([orchestration("plan")]), invoker)
    assert (answer.customStatus.value, answer.completionToken) == ("s", "token")
    sent = pb.OrchestratorRequest.FromString(base64.b64decode(invoker.seen[0][1]))
    assert sent.newEvents[0].executionStarted.name == "plan"

    result = pb.EntityBatchResult(entityState=wrappers_pb2.StringValue(value="6"))
    invoker = FakeInvoker({"Count": base64.b64encode(result.SerializeToString()).decode()})
    answer = await completed(FakeEngine([entity("@count@k")]), invoker)
    assert (answer.entityState.value, answer.completionToken) == ("6", "token")
    assert [info.requestId for info in answer.operationInfos] == ["r"]


@pytest.mark.parametrize("returned", ["not base64 !", "AAAA", None])
async def test_an_orchestrator_that_answers_nonsense_fails(returned: str | None) -> None:
    answer = await completed(FakeEngine([orchestration("plan")]), FakeInvoker({"plan": returned}))
    assert answer.actions[0].completeOrchestration.orchestrationStatus == pb.ORCHESTRATION_STATUS_FAILED


async def test_a_completion_is_sent_until_it_arrives() -> None:
    engine = FakeEngine(
        [activity("work")], [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.ABORTED, grpc.StatusCode.UNKNOWN]
    )
    answer = await completed(engine, FakeInvoker({"work": "1"}))
    assert answer.result.value == "1"
    assert engine.attempts == 4


async def test_a_result_the_engine_refuses_becomes_a_failure_that_says_so() -> None:
    engine = FakeEngine([activity("work")], [grpc.StatusCode.RESOURCE_EXHAUSTED])
    answer = await completed(engine, FakeInvoker({"work": "1"}))
    assert not answer.HasField("result")
    assert "was refused by the engine: refused by the test" in answer.failureDetails.errorMessage
    assert answer.failureDetails.isNonRetriable


async def test_a_stale_completion_is_given_up_and_the_next_item_served() -> None:
    engine = FakeEngine([activity("work"), activity("work", '"second"')], [grpc.StatusCode.NOT_FOUND])
    invoker = FakeInvoker({"work": "1"})
    answer = await completed(engine, invoker)
    assert answer.result.value == "1"
    assert engine.attempts == 2


async def test_a_closed_stream_is_opened_again() -> None:
    engine = FakeEngine([])

    async def later() -> None:
        while engine.streams == 0:
            await asyncio.sleep(0.01)
        engine.items.append(activity("work"))

    feeding = asyncio.create_task(later())
    answer = await completed(engine, FakeInvoker({"work": "1"}))
    await feeding
    assert answer.result.value == "1"
    assert engine.streams >= 2


async def test_a_streamed_history_reaches_the_orchestrator_whole() -> None:
    response = pb.OrchestratorResponse(instanceId="one")
    invoker = FakeInvoker({"plan": base64.b64encode(response.SerializeToString()).decode()})
    item = pb.WorkItem(
        completionToken="token",
        orchestratorRequest=pb.OrchestratorRequest(instanceId="one", requiresHistoryStreaming=True),
    )
    answer = await completed(FakeEngine([item]), invoker)
    assert answer.completionToken == "token"
    sent = pb.OrchestratorRequest.FromString(base64.b64decode(invoker.seen[0][1]))
    assert [event.executionStarted.name for event in sent.pastEvents] == ["former", "plan"]
    assert not sent.requiresHistoryStreaming


async def test_a_health_ping_and_an_item_that_breaks_the_host_are_passed_over() -> None:
    broken = pb.WorkItem(entityRequestV2=pb.EntityRequest(instanceId="no entity id"))
    engine = FakeEngine([pb.WorkItem(healthPing=pb.HealthPing()), broken, activity("work")])
    answer = await completed(engine, FakeInvoker({"work": "1"}))
    assert answer.result.value == "1"
    assert engine.attempts == 1


async def test_an_entity_batch_of_the_older_form_keeps_its_state_when_its_function_fails() -> None:
    request = pb.EntityBatchRequest(instanceId="@count@k", operations=[pb.OperationRequest(), pb.OperationRequest()])
    item = pb.WorkItem(completionToken="token", entityRequest=request)
    answer = await completed(FakeEngine([item]), FakeInvoker({"Count": ValueError("entity refused")}))
    assert [one.failure.failureDetails.errorMessage for one in answer.results] == ["entity refused"] * 2
    assert not answer.HasField("entityState")


@pytest.mark.parametrize("returned", ["not base64 !", "AAAA", None])
async def test_an_entity_that_answers_nonsense_fails_its_operations(returned: str | None) -> None:
    answer = await completed(FakeEngine([entity("@count@k")]), FakeInvoker({"Count": returned}))
    assert answer.results[0].HasField("failure")
    assert answer.entityState.value == "5"


async def test_an_entity_that_names_its_operations_itself_is_believed() -> None:
    own = pb.EntityBatchResult(operationInfos=[pb.OperationInfo(requestId="own")])
    invoker = FakeInvoker({"Count": base64.b64encode(own.SerializeToString()).decode()})
    answer = await completed(FakeEngine([entity("@count@k")]), invoker)
    assert [info.requestId for info in answer.operationInfos] == ["own"]


@pytest.mark.parametrize(("item", "name"), [(orchestration("plan"), "plan"), (entity("@count@k"), "Count")])
async def test_decisions_the_engine_refuses_become_a_failure_that_says_so(item: pb.WorkItem, name: str) -> None:
    engine = FakeEngine([item], [grpc.StatusCode.INVALID_ARGUMENT])
    answer = await completed(engine, FakeInvoker({name: ""}))
    details = (
        answer.actions[0].completeOrchestration.failureDetails
        if name == "plan"
        else answer.results[0].failure.failureDetails
    )
    assert "refused by the engine: refused by the test" in details.errorMessage


def test_an_error_that_is_no_exception_is_reported_by_its_words() -> None:
    details = failure_of(SystemExit(3))
    assert (details.errorType, details.errorMessage) == ("builtins.RuntimeError", "SystemExit(3)")


async def test_a_completion_that_always_fails_unexpectedly_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(durable_completion, "LAST_BACKOFF", 0.001)
    monkeypatch.setattr(durable_completion, "FIRST_BACKOFF", 0.001)
    metadata = grpc.aio.Metadata()
    attempts = 0

    async def deliver(response: Any, *, timeout: float) -> None:
        nonlocal attempts
        attempts += 1
        raise grpc.aio.AioRpcError(grpc.StatusCode.INTERNAL, metadata, metadata, "broken")

    await durable_completion.complete(deliver, "answer", lambda reason: reason)
    assert attempts == durable_completion.UNEXPECTED_ATTEMPTS + 1


async def test_a_refused_refusal_is_given_up() -> None:
    metadata = grpc.aio.Metadata()
    sent: list[Any] = []

    async def deliver(response: Any, *, timeout: float) -> None:
        sent.append(response)
        raise grpc.aio.AioRpcError(grpc.StatusCode.RESOURCE_EXHAUSTED, metadata, metadata, None)

    await durable_completion.complete(deliver, "answer", lambda reason: f"refused: {reason}")
    assert sent == ["answer", "refused: RESOURCE_EXHAUSTED"]


async def test_an_engine_that_does_not_answer_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from pathlib import Path

    monkeypatch.setattr(durable, "CONNECT_TIMEOUT", 0.05)
    with socket.socket() as taken:  # bound and not listening: nobody answers
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        worker = DurableWorker(App(Path(), FUNCTIONS), FakeInvoker({}), DurableSettings(), address)  # type: ignore[arg-type]
        worker.start()
        async with asyncio.timeout(20):
            while caplog.text.count("does not answer; retrying") < 2:
                await asyncio.sleep(0.01)
        assert not worker.connected.is_set()
        await worker.stop(0)


async def test_a_stop_gives_up_work_that_outlasts_its_grace() -> None:
    from pathlib import Path

    class StuckInvoker(FakeInvoker):
        async def run(self, function: Function, trigger: Datum, correlation_id: str, **_: Any) -> Outcome:
            self.seen.append((function.name, trigger.value))
            await asyncio.Event().wait()
            raise AssertionError("nothing sets it")

    engine, invoker = FakeEngine([activity("work")]), StuckInvoker({})
    server = grpc.aio.server()
    stubs.add_TaskHubSidecarServiceServicer_to_server(engine, server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    worker = DurableWorker(App(Path(), FUNCTIONS), invoker, DurableSettings(), f"127.0.0.1:{port}")  # type: ignore[arg-type]
    worker.start()
    async with asyncio.timeout(20):
        while not invoker.seen:
            await asyncio.sleep(0.01)
    await worker.stop(0)
    await server.stop(0)
    assert engine.attempts == 0
