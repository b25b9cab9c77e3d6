"""Serves the durable HTTP API under /runtime/webhooks/durabletask with the statuses, headers and bodies of Azure's extension."""

import asyncio
import json
import logging
import uuid
from collections.abc import Collection
from typing import Any
from urllib.parse import quote, unquote

import grpc
import grpc.aio
from azure.durable_functions.internal.compat.history_projection import project_history
from durabletask import history
from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf import wrappers_pb2

from local.host.durable_answers import ENDED, describe, page, parsed, problem
from local.host.durable_channel import RPC_TIMEOUT
from local.host.durable_client import WEBHOOK_PATH
from local.host.durable_entities import EntityApi
from local.host.durable_parameters import (
    BadRequestError,
    continuation,
    flag,
    json_body,
    moment,
    positive,
    seconds,
    statuses,
)
from local.host.keys import HostKeys, presented_key
from local.host.messages import Request, Response
from local.host.settings import DurableSettings

LOGGER = logging.getLogger("Host.Triggers.DurableTask")
RETRY_AFTER = "10"
RPC_STATUS = {
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.FAILED_PRECONDITION: 410,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 413,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
}


class DurableHttpApi:
    """The section of the host that manages orchestrations and entities over HTTP."""

    def __init__(
        self,
        stub: Any,
        keys: HostKeys,
        settings: DurableSettings,
        orchestrators: Collection[str],
        entities: Collection[str],
    ) -> None:
        self._stub = stub
        self._keys = keys
        self._settings = settings
        self._orchestrators = orchestrators
        self._entities = EntityApi(stub, entities)

    async def __call__(self, request: Request) -> Response:
        """Answer one request under the webhook path."""
        if not self._keys.permits_durable(presented_key(request.headers, request.query)):
            return Response(401)
        # Instance ids may hold an encoded slash, so segments are split before they are decoded.
        parts = [unquote(part) for part in request.raw_path[len(WEBHOOK_PATH) :].split("/") if part]
        try:
            return await self._route(request, parts)
        except BadRequestError as error:
            return problem(400, str(error))
        except grpc.aio.AioRpcError as error:
            status = RPC_STATUS.get(error.code(), 500)
            if status >= 500:
                LOGGER.error(
                    "%s %s: the engine answered %s %s", request.method, request.path, error.code().name, error.details()
                )
            return problem(status, error.details() or error.code().name)

    async def _route(self, request: Request, parts: list[str]) -> Response:  # noqa: PLR0911, PLR0912 - one case an operation
        match request.method, parts:
            case "POST", ["orchestrators", name]:
                return await self._start(request, name, None)
            case "POST", ["orchestrators", name, instance_id]:
                return await self._start(request, name, instance_id)
            case "GET", ["instances"]:
                return await self._list(request)
            case "DELETE", ["instances"]:
                return await self._purge_many(request)
            case "GET" | "HEAD", ["instances", instance_id]:
                return await self._status(request, instance_id)
            case "DELETE", ["instances", instance_id]:
                return await self._purge_one(instance_id)
            case "POST", ["instances", instance_id, "raiseEvent", event]:
                return await self._raise_event(request, instance_id, event)
            case "POST", ["instances", instance_id, ("terminate" | "suspend" | "resume" | "rewind") as operation]:
                return await self._operate(request, instance_id, operation)
            case "POST", ["instances", instance_id, "restart"]:
                return await self._restart(request, instance_id)
            case "GET", ["entities"]:
                return await self._entities.list(request, None)
            case "GET", ["entities", name]:
                return await self._entities.list(request, name)
            case "GET", ["entities", name, key]:
                return await self._entities.read(name, key)
            case "POST", ["entities", name, key]:
                return await self._entities.signal(request, name, key)
            case _:
                return problem(404, "no such operation of the durable HTTP API")

    async def _start(self, request: Request, name: str, instance_id: str | None) -> Response:
        if name not in self._orchestrators:
            known = ", ".join(sorted(self._orchestrators)) or "none"
            raise BadRequestError(
                f"The function {name!r} doesn't exist or is not an orchestrator function. Known: {known}"
            )
        value = await json_body(request, required=False)
        wait = seconds(request, "timeout")
        interval = seconds(request, "pollingInterval") or 1.0
        created = await self._stub.StartInstance(
            pb.CreateInstanceRequest(
                instanceId=instance_id or uuid.uuid4().hex,
                name=name,
                input=wrappers_pb2.StringValue(value=value) if value is not None else None,
            ),
            timeout=RPC_TIMEOUT,
        )
        if wait is not None:
            state = await self._wait(created.instanceId, wait, interval)
            if state is not None:
                if state.orchestrationStatus == pb.ORCHESTRATION_STATUS_COMPLETED:
                    return Response.json(200, parsed(state.output))
                return Response.json(500, describe(state, show_input=True))
        return self._check_status(request, created.instanceId)

    async def _wait(self, instance_id: str, wait: float, interval: float) -> pb.OrchestrationState | None:
        deadline = asyncio.get_running_loop().time() + wait
        while True:
            state = await self._get(instance_id, payloads=True)
            if state is not None and state.orchestrationStatus in ENDED:
                return state
            remaining = deadline - asyncio.get_running_loop().time()
            if remaining <= 0:
                return None
            await asyncio.sleep(min(interval, remaining))

    def _check_status(self, request: Request, instance_id: str) -> Response:
        urls = self._management_urls(request, instance_id)
        return Response.json(
            202, {"id": instance_id, **urls}, {"Location": urls["statusQueryGetUri"], "Retry-After": RETRY_AFTER}
        )

    def _management_urls(self, request: Request, instance_id: str) -> dict[str, str]:
        base = f"{request.origin}{WEBHOOK_PATH}/instances/{quote(instance_id, safe='')}"
        query = f"taskHub={quote(self._settings.hub_name)}&connection=Storage&code={quote(self._keys.durable_key)}"
        urls = {
            "statusQueryGetUri": f"{base}?{query}",
            "sendEventPostUri": f"{base}/raiseEvent/{{eventName}}?{query}",
            "terminatePostUri": f"{base}/terminate?reason={{text}}&{query}",
            "purgeHistoryDeleteUri": f"{base}?{query}",
            "restartPostUri": f"{base}/restart?{query}",
        }
        for operation in ("rewind", "suspend", "resume"):
            urls[f"{operation}PostUri"] = f"{base}/{operation}?reason={{text}}&{query}"
        return urls

    async def _get(self, instance_id: str, *, payloads: bool = False) -> pb.OrchestrationState | None:
        found = await self._stub.GetInstance(
            pb.GetInstanceRequest(instanceId=instance_id, getInputsAndOutputs=payloads), timeout=RPC_TIMEOUT
        )
        return found.orchestrationState if found.exists else None

    async def _status(self, request: Request, instance_id: str) -> Response:
        state = await self._get(instance_id, payloads=True)
        if state is None:
            return problem(404, f"no instance {instance_id!r}")
        if (wanted := statuses(request)) and state.orchestrationStatus not in wanted:
            return problem(404, f"instance {instance_id!r} has none of the asked runtime statuses")
        show_input = flag(request, "showInput", default=True)
        body = describe(state, show_input=show_input)
        if flag(request, "showHistory"):
            body["historyEvents"] = await self._history(request, instance_id, show_input=show_input)
        if state.orchestrationStatus not in ENDED:
            return Response.json(
                202, body, {"Location": f"{request.origin}{request.target}", "Retry-After": RETRY_AFTER}
            )
        failed = state.orchestrationStatus == pb.ORCHESTRATION_STATUS_FAILED
        return Response.json(500 if failed and flag(request, "returnInternalServerErrorOnFailure") else 200, body)

    async def _history(self, request: Request, instance_id: str, *, show_input: bool) -> list[dict[str, Any]]:
        events: list[history.HistoryEvent] = []
        call = self._stub.StreamInstanceHistory(
            pb.StreamInstanceHistoryRequest(instanceId=instance_id, forWorkItemProcessing=False), timeout=RPC_TIMEOUT
        )
        async for chunk in call:
            events.extend(history._from_protobuf(event) for event in chunk.events)
        return project_history(events, show_input=show_input, show_history_output=flag(request, "showHistoryOutput"))

    async def _list(self, request: Request) -> Response:
        prefix = request.query.get("instanceIdPrefix")
        answer = await self._stub.QueryInstances(
            pb.QueryInstancesRequest(
                query=pb.InstanceQuery(
                    runtimeStatus=statuses(request),
                    createdTimeFrom=moment(request, "createdTimeFrom"),
                    createdTimeTo=moment(request, "createdTimeTo"),
                    maxInstanceCount=positive(request, "top", 100),
                    continuationToken=continuation(request),
                    instanceIdPrefix=wrappers_pb2.StringValue(value=prefix) if prefix else None,
                    fetchInputsAndOutputs=True,
                )
            ),
            timeout=RPC_TIMEOUT,
        )
        show_input = flag(request, "showInput", default=True)
        states = [describe(state, show_input=show_input) for state in answer.orchestrationState]
        return page(states, answer)

    async def _purge_one(self, instance_id: str) -> Response:
        answer = await self._stub.PurgeInstances(pb.PurgeInstancesRequest(instanceId=instance_id), timeout=RPC_TIMEOUT)
        if answer.deletedInstanceCount == 0:
            return problem(404, f"no ended instance {instance_id!r}")
        return Response.json(200, {"instancesDeleted": answer.deletedInstanceCount})

    async def _purge_many(self, request: Request) -> Response:
        created_from = moment(request, "createdTimeFrom")
        if created_from is None:
            raise BadRequestError("createdTimeFrom: the filter needs it; give a time such as 2026-01-31T00:00:00Z")
        chosen = pb.PurgeInstanceFilter(
            createdTimeFrom=created_from,
            createdTimeTo=moment(request, "createdTimeTo"),
            runtimeStatus=statuses(request),
        )
        answer = await self._stub.PurgeInstances(
            pb.PurgeInstancesRequest(purgeInstanceFilter=chosen), timeout=RPC_TIMEOUT
        )
        if answer.deletedInstanceCount == 0:
            return problem(404, "no instance matches the filter")
        return Response.json(200, {"instancesDeleted": answer.deletedInstanceCount})

    async def _raise_event(self, request: Request, instance_id: str, event: str) -> Response:
        value = await json_body(request, required=True)
        if (ended := await self._gone(instance_id)) is not None:
            return ended
        await self._stub.RaiseEvent(
            pb.RaiseEventRequest(
                instanceId=instance_id, name=event, input=wrappers_pb2.StringValue(value=value or "null")
            ),
            timeout=RPC_TIMEOUT,
        )
        return Response(202)

    async def _gone(self, instance_id: str, still_open: Collection[int] = ()) -> Response | None:
        state = await self._get(instance_id)
        if state is None:
            return problem(404, f"no instance {instance_id!r}")
        if state.orchestrationStatus in ENDED and state.orchestrationStatus not in still_open:
            return Response(410)
        return None

    async def _operate(self, request: Request, instance_id: str, operation: str) -> Response:
        rewinding = operation == "rewind"
        if (ended := await self._gone(instance_id, {pb.ORCHESTRATION_STATUS_FAILED} if rewinding else ())) is not None:
            return ended
        text = request.query.get("reason")
        reason = wrappers_pb2.StringValue(value=text) if text else None
        if operation == "terminate":
            output = wrappers_pb2.StringValue(value=json.dumps(text)) if text else None
            call = self._stub.TerminateInstance(
                pb.TerminateRequest(instanceId=instance_id, output=output, recursive=True), timeout=RPC_TIMEOUT
            )
        elif operation == "suspend":
            call = self._stub.SuspendInstance(
                pb.SuspendRequest(instanceId=instance_id, reason=reason), timeout=RPC_TIMEOUT
            )
        elif operation == "resume":
            call = self._stub.ResumeInstance(
                pb.ResumeRequest(instanceId=instance_id, reason=reason), timeout=RPC_TIMEOUT
            )
        else:
            call = self._stub.RewindInstance(
                pb.RewindInstanceRequest(instanceId=instance_id, reason=reason), timeout=RPC_TIMEOUT
            )
        await call
        return Response(202)

    async def _restart(self, request: Request, instance_id: str) -> Response:
        answer = await self._stub.RestartInstance(
            pb.RestartInstanceRequest(
                instanceId=instance_id,
                restartWithNewInstanceId=flag(request, "restartWithNewInstanceId", default=True),
            ),
            timeout=RPC_TIMEOUT,
        )
        return self._check_status(request, answer.instanceId)
