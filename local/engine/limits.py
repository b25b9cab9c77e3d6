"""Refuses payloads over 1 MiB, as Azure's Durable Task Scheduler does, with the size, the limit and the remedy."""

from __future__ import annotations

from collections.abc import Iterator

import durabletask.internal.orchestrator_service_pb2 as pb

MAX_PAYLOAD_BYTES = 1024 * 1024
"""Largest input, output, event, result or status, in bytes of UTF-8.

Source: Durable Task Scheduler service limits (a message is capped near 1 MiB)."""

DEFAULT_CHANNEL_BYTES = 4 * 1024 * 1024
"""What a gRPC client accepts in one message unless it is told otherwise (gRPC's own default)."""

TOO_LARGE_ERROR = "PayloadTooLarge"
_REMEDY = "Store the content elsewhere (a blob) and pass a reference to it (the claim check pattern)."


class PayloadTooLargeError(ValueError):
    """A payload is over the limit; the message says which, its size, the limit and the remedy."""


def too_large(what: str, size: int) -> str:
    """The sentence shown for a payload `what` of `size` bytes that is over the limit."""
    return f"{what} is {size} bytes, over the limit of {MAX_PAYLOAD_BYTES} bytes. {_REMEDY}"


def oversize(text: str) -> int:
    """The size in bytes of a text that is over the limit, or 0 when it is within it."""
    length = len(text)
    if length * 4 <= MAX_PAYLOAD_BYTES:
        return 0
    size = len(text.encode("utf-8", "surrogatepass"))
    return size if size > MAX_PAYLOAD_BYTES else 0


def check(what: str, text: str) -> None:
    """Raise PayloadTooLargeError when the text is over the limit."""
    size = oversize(text)
    if size:
        raise PayloadTooLargeError(too_large(what, size))


def failure(message: str) -> pb.TaskFailureDetails:
    """Failure details for a payload over the limit: trying again cannot help."""
    return pb.TaskFailureDetails(errorType=TOO_LARGE_ERROR, errorMessage=message, isNonRetriable=True)


def bounded(what: str, details: pb.TaskFailureDetails) -> pb.TaskFailureDetails:
    """The failure details themselves, or a short stand-in when they are over the limit."""
    size = details.ByteSize()
    if size <= MAX_PAYLOAD_BYTES:
        return details
    return pb.TaskFailureDetails(
        errorType=details.errorType[:500],
        errorMessage=f"{details.errorMessage[:1000]} […] ({too_large(what, size)})",
        isNonRetriable=details.isNonRetriable,
    )


def check_response(response: pb.OrchestratorResponse) -> None:
    """Raise PayloadTooLargeError when the custom status or any action of an orchestration's turn is over the limit."""
    check("The custom status", response.customStatus.value)
    for action in response.actions:
        for what, text in _action_payloads(action):
            check(what, text)


def _action_payloads(action: pb.OrchestratorAction) -> Iterator[tuple[str, str]]:
    match action.WhichOneof("orchestratorActionType"):
        case "scheduleTask":
            yield f"The input of activity '{action.scheduleTask.name}'", action.scheduleTask.input.value
        case "createSubOrchestration":
            child = action.createSubOrchestration
            yield f"The input of sub-orchestration '{child.name}'", child.input.value
        case "sendEvent":
            yield f"The data of event '{action.sendEvent.name}'", action.sendEvent.data.value
        case "completeOrchestration":
            complete = action.completeOrchestration
            again = complete.orchestrationStatus == pb.ORCHESTRATION_STATUS_CONTINUED_AS_NEW
            yield (
                ("The input of continue-as-new" if again else "The output of the orchestration"),
                complete.result.value,
            )
            yield "The details of the orchestration's end", complete.details.value
        case "terminateOrchestration":
            yield "The reason of a termination", action.terminateOrchestration.reason.value
        case "sendEntityMessage":
            message = action.sendEntityMessage
            for operation in (message.entityOperationSignaled, message.entityOperationCalled):
                yield f"The input of entity operation '{operation.operation}'", operation.input.value
        case _:
            return


def check_entity_batch(result: pb.EntityBatchResult) -> None:
    """Raise PayloadTooLargeError when an entity's new state or any message it sends is over the limit."""
    check("The entity's state", result.entityState.value)
    for action in result.actions:
        if action.HasField("sendSignal"):
            check(f"The input of signal '{action.sendSignal.name}'", action.sendSignal.input.value)
        elif action.HasField("startNewOrchestration"):
            start = action.startNewOrchestration
            check(f"The input of orchestration '{start.name}'", start.input.value)
