"""Says how the durable HTTP API shows instances, pages and refusals, in the documents of Azure's extension."""

import json
from datetime import UTC
from typing import Any

from durabletask.internal import orchestrator_service_pb2 as pb
from google.protobuf import timestamp_pb2, wrappers_pb2

from local.host.messages import Response

CONTINUATION = "x-ms-continuation-token"
STATUS_NAMES = {
    pb.ORCHESTRATION_STATUS_RUNNING: "Running",
    pb.ORCHESTRATION_STATUS_COMPLETED: "Completed",
    pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW: "ContinuedAsNew",
    pb.ORCHESTRATION_STATUS_FAILED: "Failed",
    pb.ORCHESTRATION_STATUS_CANCELED: "Canceled",
    pb.ORCHESTRATION_STATUS_TERMINATED: "Terminated",
    pb.ORCHESTRATION_STATUS_PENDING: "Pending",
    pb.ORCHESTRATION_STATUS_SUSPENDED: "Suspended",
}
ENDED = {
    pb.ORCHESTRATION_STATUS_COMPLETED,
    pb.ORCHESTRATION_STATUS_FAILED,
    pb.ORCHESTRATION_STATUS_CANCELED,
    pb.ORCHESTRATION_STATUS_TERMINATED,
}


def problem(status: int, message: str) -> Response:
    """A refusal and its reason."""
    return Response.json(status, {"Message": message})


def describe(state: pb.OrchestrationState, *, show_input: bool) -> dict[str, Any]:
    """The status document of an instance."""
    output = parsed(state.output) if state.HasField("output") else None
    if output is None and state.HasField("failureDetails"):
        output = f"{state.failureDetails.errorType}: {state.failureDetails.errorMessage}"
    return {
        "name": state.name,
        "instanceId": state.instanceId,
        "runtimeStatus": STATUS_NAMES.get(state.orchestrationStatus, "Unknown"),
        "input": parsed(state.input) if show_input else None,
        "customStatus": parsed(state.customStatus),
        "output": output,
        "createdTime": iso(state.createdTimestamp),
        "lastUpdatedTime": iso(state.lastUpdatedTimestamp),
    }


def parsed(value: wrappers_pb2.StringValue) -> Any:
    """A payload as JSON; one that is no JSON stays text."""
    if not value.value:
        return None
    try:
        return json.loads(value.value)
    except ValueError:
        return value.value


def iso(stamp: timestamp_pb2.Timestamp) -> str:
    """A time in UTC to the second, ISO 8601."""
    return str(stamp.ToDatetime(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))


def page(items: list[dict[str, Any]], answer: pb.QueryInstancesResponse | pb.QueryEntitiesResponse) -> Response:
    """One page of a list; the header names where the next begins."""
    following = answer.continuationToken.value if answer.HasField("continuationToken") else ""
    return Response.json(200, items, {CONTINUATION: following} if following else {})
