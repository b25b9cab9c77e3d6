"""The entities' part of the durable HTTP API: reads, signals and lists them as Azure's extension does."""

import uuid
from collections.abc import Collection
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf import timestamp_pb2, wrappers_pb2

from local.host.durable_answers import iso, page, parsed, problem
from local.host.durable_channel import RPC_TIMEOUT
from local.host.durable_parameters import BadRequestError, continuation, flag, json_body, moment, positive
from local.host.messages import Request, Response


class EntityApi:
    """What the durable HTTP API does with entities; ``declared`` are the app's, in lower case."""

    def __init__(self, stub: Any, declared: Collection[str]) -> None:
        self._stub = stub
        self._declared = declared

    async def read(self, name: str, key: str) -> Response:
        """The state of one entity."""
        answer = await self._stub.GetEntity(
            pb.GetEntityRequest(instanceId=f"@{name.lower()}@{key}", includeState=True), timeout=RPC_TIMEOUT
        )
        if not answer.exists:
            return problem(404, f"no entity {name!r} with key {key!r}")
        return Response.json(200, parsed(answer.entity.serializedState))

    async def signal(self, request: Request, name: str, key: str) -> Response:
        """Send one entity an operation; the answer does not wait for it.

        Raises:
            BadRequestError: the app declares no such entity, or the body is not JSON.
        """
        if name.lower() not in self._declared:
            raise BadRequestError(f"The function {name!r} doesn't exist or is not an entity function")
        value = await json_body(request, required=False)
        now = timestamp_pb2.Timestamp()
        now.GetCurrentTime()
        await self._stub.SignalEntity(
            pb.SignalEntityRequest(
                instanceId=f"@{name.lower()}@{key}",
                name=request.query.get("op", ""),
                input=wrappers_pb2.StringValue(value=value) if value is not None else None,
                requestId=str(uuid.uuid4()),
                requestTime=now,
            ),
            timeout=RPC_TIMEOUT,
        )
        return Response(202)

    async def list(self, request: Request, name: str | None) -> Response:
        """A page of all entities, or of those of one name."""
        fetch_state = flag(request, "fetchState")
        answer = await self._stub.QueryEntities(
            pb.QueryEntitiesRequest(
                query=pb.EntityQuery(
                    instanceIdStartsWith=wrappers_pb2.StringValue(value=f"@{name.lower()}@") if name else None,
                    lastModifiedFrom=moment(request, "lastOperationTimeFrom"),
                    lastModifiedTo=moment(request, "lastOperationTimeTo"),
                    includeState=fetch_state,
                    pageSize=wrappers_pb2.Int32Value(value=positive(request, "top", 100)),
                    continuationToken=continuation(request),
                )
            ),
            timeout=RPC_TIMEOUT,
        )
        listed = []
        for entity in answer.entities:
            _, entity_name, key = entity.instanceId.split("@", 2)
            item: dict[str, Any] = {
                "entityId": {"name": entity_name, "key": key},
                "lastOperationTime": iso(entity.lastModifiedTime),
            }
            if fetch_state:
                item["state"] = parsed(entity.serializedState)
            listed.append(item)
        return page(listed, answer)
