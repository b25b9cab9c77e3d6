"""Serves the engine over gRPC on one event loop, so that thousands of waiting clients cost no threads."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import durabletask.internal.orchestrator_service_pb2 as pb
import durabletask.internal.orchestrator_service_pb2_grpc as stubs
import grpc
import grpc.aio

from .backend import Backend
from .records import Instance
from .refusals import Call, RefusalError

_log = logging.getLogger(__name__)

LONGEST_WAIT_SECONDS = 300.0
"""How long a wait without a deadline of its own may last."""

HEALTH_PING_SECONDS = 30.0
"""An idle stream hears from us this often; the stock worker reconnects after 120 s of silence."""

_SERVICE = "TaskHubSidecarService"
_STREAMING = {"GetWorkItems", "StreamInstanceHistory"}
_WAITING = {"WaitForInstanceStart", "WaitForInstanceCompletion"}


def encode_work_item(item: pb.WorkItem | bytes) -> bytes:
    """The bytes of a work item, which orchestration turns already are."""
    return item if isinstance(item, bytes) else item.SerializeToString()


class _HandlerTable:
    """Takes the handlers that the generated code would add to a server, so that one can be changed first."""

    def __init__(self) -> None:
        self.handlers: dict[str, grpc.RpcMethodHandler] = {}

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The generated code adds the same handlers twice; the other form is kept."""

    def add_registered_method_handlers(self, _service: str, handlers: dict[str, grpc.RpcMethodHandler]) -> None:
        """Keep the handlers."""
        self.handlers = dict(handlers)


class Service:
    """The protocol's methods as coroutines on top of a Backend. Lives on the loop it is made on."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._loop = asyncio.get_running_loop()
        self._loop_thread = threading.get_ident()
        self._closing = False
        self._waiting: set[asyncio.Future[pb.GetInstanceResponse | None]] = set()
        self._streams: set[asyncio.Event] = set()

    def close(self) -> None:
        """Let every open stream end, and tell every waiting client to come back later."""
        self._closing = True
        for work in self._streams:
            work.set()
        for answer in self._waiting:
            if not answer.done():
                answer.set_exception(RefusalError(grpc.StatusCode.UNAVAILABLE, "the engine is stopping"))

    def add_to(self, server: grpc.aio.Server) -> None:
        """Register every method of the protocol with the server."""
        table = _HandlerTable()
        # The generated code has no annotations.
        stubs.add_TaskHubSidecarServiceServicer_to_server(self, table)  # type: ignore[no-untyped-call]
        work = table.handlers["GetWorkItems"]
        table.handlers["GetWorkItems"] = grpc.unary_stream_rpc_method_handler(
            self.GetWorkItems,
            request_deserializer=work.request_deserializer,
            response_serializer=encode_work_item,
        )
        server.add_registered_method_handlers(_SERVICE, table.handlers)
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, table.handlers),))

    def __getattr__(self, method: str) -> Callable[[Any, Any], Awaitable[Any]]:
        """Every method not written out here is the backend's own, its refusals turned into gRPC errors."""
        if method.startswith("_") or not hasattr(stubs.TaskHubSidecarServiceServicer, method):
            raise AttributeError(method)
        answer = getattr(self._backend, method)
        call = Call()

        async def unary(request: Any, context: grpc.aio.ServicerContext[Any, Any]) -> Any:
            try:
                return answer(request, call)
            except RefusalError as refusal:
                await context.abort(refusal.code, refusal.detail)
            except Exception:
                _log.exception("a call failed", extra={"method": method})
                await context.abort(grpc.StatusCode.INTERNAL, f"the engine failed in {method}; its log says why")

        return unary

    def _on_loop(self, action: Callable[[], None]) -> None:
        if threading.get_ident() == self._loop_thread:
            action()
        elif not self._loop.is_closed():
            self._loop.call_soon_threadsafe(action)

    async def GetWorkItems(  # noqa: N802 - the protocol's name
        self, request: pb.GetWorkItemsRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """Stream work to a worker until it goes away; then what it had is given out again."""
        work = asyncio.Event()
        stream = self._backend.open_stream(request, lambda: self._on_loop(work.set))
        self._streams.add(work)
        try:
            while not self._closing:
                work.clear()
                item = self._backend.next_work_item(stream)
                if item is None:
                    try:
                        async with asyncio.timeout(HEALTH_PING_SECONDS):
                            await work.wait()
                    except TimeoutError:
                        item = pb.WorkItem(healthPing=pb.HealthPing())
                if item is not None:
                    await context.write(item)
        finally:
            self._streams.discard(work)
            self._backend.close_stream(stream)

    async def WaitForInstanceStart(  # noqa: N802 - the protocol's name
        self, request: pb.GetInstanceRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.GetInstanceResponse:
        """Answer once the instance has left the pending state."""
        return await self._wait(request, context, lambda one: one.status != pb.ORCHESTRATION_STATUS_PENDING, "start")

    async def WaitForInstanceCompletion(  # noqa: N802 - the protocol's name
        self, request: pb.GetInstanceRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> pb.GetInstanceResponse:
        """Answer once the instance has ended."""
        return await self._wait(request, context, lambda one: one.is_terminal, "complete")

    async def _wait(
        self,
        request: pb.GetInstanceRequest,
        context: grpc.aio.ServicerContext[Any, Any],
        predicate: Callable[[Instance], bool],
        verb: str,
    ) -> pb.GetInstanceResponse:
        answer: asyncio.Future[pb.GetInstanceResponse | None] = self._loop.create_future()

        def settle(response: pb.GetInstanceResponse | None) -> None:
            if not answer.done():
                answer.set_result(response)

        found = self._backend.watch(
            request.instanceId,
            predicate,
            lambda response: self._on_loop(lambda: settle(response)),
            with_payloads=request.getInputsAndOutputs,
        )
        if isinstance(found, pb.GetInstanceResponse):
            return found
        self._waiting.add(answer)
        left = context.time_remaining()
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS if left is None else min(left, LONGEST_WAIT_SECONDS)):
                response = await answer
        except TimeoutError:
            if self._backend.exists(request.instanceId):
                await context.abort(
                    grpc.StatusCode.DEADLINE_EXCEEDED,
                    f"Timed out waiting for instance '{request.instanceId}' to {verb}",
                )
            response = None
        except RefusalError as refusal:
            await context.abort(refusal.code, refusal.detail)
        finally:
            self._waiting.discard(answer)
            self._backend.unwatch(request.instanceId, found)
        return response if response is not None else pb.GetInstanceResponse(exists=False)

    async def StreamInstanceHistory(  # noqa: N802 - the protocol's name
        self, request: pb.StreamInstanceHistoryRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> None:
        """Stream an instance's history in messages that any client's channel takes."""
        try:
            for chunk in self._backend.history_chunks(request.instanceId):
                await context.write(chunk)
        except RefusalError as refusal:
            await context.abort(refusal.code, refusal.detail)
