"""Takes durable work items from the engine, runs them as functions, and answers each of them."""

import asyncio
import base64
import binascii
import logging
import random
from collections.abc import AsyncIterator
from typing import Any

import grpc
import grpc.aio
from azure_functions_runtime.bindings.datumdef import Datum
from durabletask.entities import EntityInstanceId
from durabletask.grpc_options import GrpcChannelOptions
from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.internal import orchestrator_service_pb2_grpc as stubs
from google.protobuf import empty_pb2

from local.host.app import App, Function, Trigger
from local.host.durable_channel import open_channel
from local.host.durable_completion import FIRST_BACKOFF, LAST_BACKOFF, complete
from local.host.durable_failures import failure_of, refusal, unknown
from local.host.invoke import Invoker, Outcome
from local.host.settings import DurableSettings

LOGGER = logging.getLogger("Host.Triggers.DurableTask")
CONNECT_TIMEOUT = 10.0  # seconds


class DurableWorker:
    """Streams work items of one engine into the functions of one app."""

    def __init__(self, app: App, invoker: Invoker, settings: DurableSettings, address: str) -> None:
        self._invoker = invoker
        self._settings = settings
        self._address = address
        self._orchestrators = {function.durable_name: function for function in app.of(Trigger.ORCHESTRATION)}
        self._activities = {function.durable_name: function for function in app.of(Trigger.ACTIVITY)}
        self._entities = {function.durable_name.lower(): function for function in app.of(Trigger.ENTITY)}
        self._limits = {
            "orchestratorRequest": asyncio.Semaphore(settings.max_concurrent_orchestrator_functions),
            "activityRequest": asyncio.Semaphore(settings.max_concurrent_activity_functions),
            "entityRequest": asyncio.Semaphore(settings.max_concurrent_entity_functions),
            "entityRequestV2": asyncio.Semaphore(settings.max_concurrent_entity_functions),
        }
        self._channel = open_channel(address)
        # Client bindings open a channel per invocation. gRPC shares the connection below among channels of equal
        # target and options for as long as one of them lives, so one kept open saves a TCP and HTTP/2 handshake each.
        size = settings.max_grpc_message_size_in_bytes
        self._kept_open = grpc.aio.insecure_channel(
            address,
            options=GrpcChannelOptions(max_receive_message_length=size, max_send_message_length=size).to_grpc_options(),
        )
        self._stub: Any = stubs.TaskHubSidecarServiceStub(self._channel)  # type: ignore[no-untyped-call]
        self._tasks: set[asyncio.Task[None]] = set()
        self._stream: asyncio.Task[None] | None = None
        self._stopping = False
        self.connected = asyncio.Event()

    @property
    def stub(self) -> Any:
        """The engine's service, for the durable HTTP API."""
        return self._stub

    def start(self) -> None:
        """Begin to take work."""
        self._stream = asyncio.create_task(self._take_work(), name="durable work items")

    async def stop(self, grace: float) -> None:
        """Take no more work, let what runs end for up to ``grace`` seconds; the engine redelivers the rest."""
        self._stopping = True
        if self._stream is not None:
            self._stream.cancel()
            await asyncio.gather(self._stream, return_exceptions=True)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=grace)
        for task in self._tasks:
            task.cancel()
        await self._kept_open.close()
        await self._channel.close()

    async def _take_work(self) -> None:
        backoff = FIRST_BACKOFF
        while not self._stopping:
            try:
                async with asyncio.timeout(CONNECT_TIMEOUT):
                    await self._kept_open.channel_ready()
                await self._stub.Hello(empty_pb2.Empty(), timeout=10)
                LOGGER.info("Connected to the durable engine at %s", self._address)
                request = pb.GetWorkItemsRequest(
                    maxConcurrentOrchestrationWorkItems=self._settings.max_concurrent_orchestrator_functions,
                    maxConcurrentActivityWorkItems=self._settings.max_concurrent_activity_functions,
                    maxConcurrentEntityWorkItems=self._settings.max_concurrent_entity_functions,
                )
                call: AsyncIterator[pb.WorkItem] = self._stub.GetWorkItems(request)
                self.connected.set()
                async for item in call:
                    backoff = FIRST_BACKOFF
                    task = asyncio.create_task(self._work(item))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
                LOGGER.warning("The durable engine closed the stream of work items; reconnecting")
            except grpc.aio.AioRpcError as error:
                LOGGER.warning(
                    "Lost the durable engine at %s (%s %s); retrying", self._address, error.code().name, error.details()
                )
            except asyncio.CancelledError:
                raise
            except TimeoutError:
                LOGGER.warning("The durable engine at %s does not answer; retrying", self._address)
            except Exception:
                LOGGER.exception("Taking durable work items failed; retrying")
            self.connected.clear()
            await asyncio.sleep(backoff * random.uniform(0.8, 1.2))
            backoff = min(backoff * 2, LAST_BACKOFF)

    async def _work(self, item: pb.WorkItem) -> None:
        kind = item.WhichOneof("request")
        limit = self._limits.get(kind or "")
        if limit is None:
            return  # a health ping needs no answer
        try:
            async with limit:
                if kind == "activityRequest":
                    await self._run_activity(item.activityRequest, item.completionToken)
                elif kind == "orchestratorRequest":
                    await self._run_orchestrator(item.orchestratorRequest, item.completionToken)
                elif kind == "entityRequestV2":
                    batch, infos = helpers.convert_to_entity_batch_request(item.entityRequestV2)
                    await self._run_entity(batch, infos, item.completionToken)
                else:
                    await self._run_entity(item.entityRequest, [], item.completionToken)
        except Exception:
            LOGGER.exception("A durable work item (%s) failed in the host; the engine will deliver it again", kind)

    async def _run_activity(self, request: pb.ActivityRequest, token: str) -> None:
        instance_id = request.orchestrationInstance.instanceId

        def answer(result: str | None = None, failure: pb.TaskFailureDetails | None = None) -> pb.ActivityResponse:
            return pb.ActivityResponse(
                instanceId=instance_id,
                taskId=request.taskId,
                result=helpers.get_string_value(result),
                failureDetails=failure,
                completionToken=token,
            )

        function = self._activities.get(request.name)
        if function is None:
            response = answer(failure=unknown("activity", request.name, self._activities))
        else:
            value = request.input.value if request.HasField("input") else "null"
            outcome = await self._invoke(function, value, instance_id)
            if outcome.error is not None:
                response = answer(failure=failure_of(outcome.error))
            else:
                returned = outcome.returned.value if outcome.returned is not None else None
                response = answer(None if returned == "null" else returned)

        def refused(reason: str) -> pb.ActivityResponse:
            return answer(
                failure=refusal(f"the result of activity {request.name!r} was refused by the engine: {reason}")
            )

        await complete(self._stub.CompleteActivityTask, response, refused)

    async def _run_orchestrator(self, request: pb.OrchestratorRequest, token: str) -> None:
        if request.requiresHistoryStreaming:
            history = self._stub.StreamInstanceHistory(
                pb.StreamInstanceHistoryRequest(
                    instanceId=request.instanceId, executionId=request.executionId, forWorkItemProcessing=True
                )
            )
            async for chunk in history:
                request.pastEvents.extend(chunk.events)
            request.requiresHistoryStreaming = False

        def failed(details: pb.TaskFailureDetails) -> pb.OrchestratorResponse:
            action = helpers.new_complete_orchestration_action(
                -1, pb.ORCHESTRATION_STATUS_FAILED, failure_details=details
            )
            return pb.OrchestratorResponse(instanceId=request.instanceId, actions=[action], completionToken=token)

        name = _orchestrator_name(request)
        function = self._orchestrators.get(name)
        if function is None:
            response = failed(unknown("orchestrator", name, self._orchestrators))
        else:
            encoded = base64.b64encode(request.SerializeToString()).decode("ascii")
            outcome = await self._invoke(function, encoded, request.instanceId)
            if outcome.error is None:
                try:
                    response = pb.OrchestratorResponse.FromString(_decoded(outcome))
                    response.completionToken = token
                except Exception as error:
                    outcome.error = error
            if outcome.error is not None:
                response = failed(failure_of(outcome.error))

        def refused(reason: str) -> pb.OrchestratorResponse:
            return failed(refusal(f"the decisions of orchestrator {name!r} were refused by the engine: {reason}"))

        await complete(self._stub.CompleteOrchestratorTask, response, refused)

    async def _run_entity(self, request: pb.EntityBatchRequest, infos: list[pb.OperationInfo], token: str) -> None:
        def failed(details: pb.TaskFailureDetails) -> pb.EntityBatchResult:
            result = pb.OperationResult(failure=pb.OperationResultFailure(failureDetails=details))
            return pb.EntityBatchResult(
                results=[result for _ in request.operations],
                entityState=request.entityState if request.HasField("entityState") else None,
                completionToken=token,
                operationInfos=infos,
            )

        name = EntityInstanceId.parse(request.instanceId).entity
        function = self._entities.get(name.lower())
        if function is None:
            response = failed(unknown("entity", name, self._entities))
        else:
            encoded = base64.b64encode(request.SerializeToString()).decode("ascii")
            outcome = await self._invoke(function, encoded, request.instanceId)
            if outcome.error is None:
                try:
                    response = pb.EntityBatchResult.FromString(_decoded(outcome))
                    response.completionToken = token
                    if not response.operationInfos:
                        response.operationInfos.extend(infos)
                except Exception as error:
                    outcome.error = error
            if outcome.error is not None:
                response = failed(failure_of(outcome.error))

        def refused(reason: str) -> pb.EntityBatchResult:
            return failed(refusal(f"the answer of entity {name!r} was refused by the engine: {reason}"))

        await complete(self._stub.CompleteEntityTask, response, refused)

    async def _invoke(self, function: Function, value: str, instance_id: str) -> Outcome:
        return await self._invoker.run(function, Datum(value, "string"), instance_id, success_level=logging.DEBUG)


def _orchestrator_name(request: pb.OrchestratorRequest) -> str:
    name = ""
    for events in (request.pastEvents, request.newEvents):
        for event in events:
            if event.HasField("executionStarted"):
                name = event.executionStarted.name
    return name


def _decoded(outcome: Outcome) -> bytes:
    if outcome.returned is None or not isinstance(outcome.returned.value, str):
        raise TypeError("the function returned no durable response; was it declared by azure-functions-durable 2.x?")
    try:
        return base64.b64decode(outcome.returned.value, validate=True)
    except binascii.Error as error:
        raise TypeError("the function returned something other than a base64 durable response") from error
