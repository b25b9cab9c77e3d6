"""Says how a work item that brought no answer is reported to the engine: the error's own type, a refusal, an unknown name."""

from collections.abc import Iterable

from durabletask.internal import helpers
from durabletask.internal import orchestrator_service_pb2 as pb


class FunctionNotFoundError(Exception):
    """A work item names a function the app does not declare."""


def failure_of(error: BaseException) -> pb.TaskFailureDetails:
    """The failure a function's exception stands for."""
    wrapped = error if isinstance(error, Exception) else RuntimeError(repr(error))
    return helpers.new_failure_details(wrapped)


def refusal(message: str) -> pb.TaskFailureDetails:
    """The failure of a task whose answer the engine refuses; trying again would not help."""
    return pb.TaskFailureDetails(errorType="PayloadRefused", errorMessage=message, isNonRetriable=True)


def unknown(kind: str, name: str, known: Iterable[str]) -> pb.TaskFailureDetails:
    """The failure of a task whose function the app does not declare."""
    names = ", ".join(sorted(known)) or "none"
    message = f"The function {name!r} doesn't exist, is disabled, or is not an {kind} function. Known {kind} functions: {names}"
    return pb.TaskFailureDetails(errorType=FunctionNotFoundError.__name__, errorMessage=message, isNonRetriable=True)
