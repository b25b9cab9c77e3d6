"""Indexes function_app.py with Microsoft's loader and says, as data, which functions it declares and how they are bound."""

import importlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from azure_functions_runtime import handle_event, loader
from azure_functions_runtime.bindings.meta import load_binding_registry

RETURN = "$return"


class Trigger(StrEnum):
    """The triggers this host runs."""

    HTTP = "httpTrigger"
    QUEUE = "queueTrigger"
    TIMER = "timerTrigger"
    ORCHESTRATION = "orchestrationTrigger"
    ACTIVITY = "activityTrigger"
    ENTITY = "entityTrigger"


class Output(StrEnum):
    """The output bindings this host runs."""

    HTTP = "http"
    QUEUE = "queue"


DURABLE_CLIENT = "durableClient"


class IndexingError(Exception):
    """function_app.py could not be indexed; the cause is the app's own exception, where there is one."""


@dataclass(frozen=True, slots=True)
class Function:
    """One indexed function with its bindings as function.json would show them."""

    name: str
    function_id: str
    directory: str
    trigger: Trigger
    trigger_name: str
    binding: Mapping[str, Any]
    outputs: Mapping[str, Mapping[str, Any]]
    client_inputs: tuple[str, ...]
    bindings: tuple[Mapping[str, Any], ...]
    is_async: bool
    delivers: bool  # whether anything but the HTTP response is to be delivered
    retry: Mapping[str, Any] | None = None

    @property
    def durable_name(self) -> str:
        """The name orchestrators, activities and entities are called by (entities are case-insensitive)."""
        key = {Trigger.ORCHESTRATION: "orchestration", Trigger.ACTIVITY: "activity", Trigger.ENTITY: "entityName"}[
            self.trigger
        ]
        return str(self.binding.get(key) or self.name)


@dataclass(frozen=True, slots=True)
class App:
    """All functions of an app, by name."""

    directory: Path
    functions: Mapping[str, Function] = field(default_factory=dict)

    def of(self, trigger: Trigger) -> list[Function]:
        """The functions with this trigger, in the order of the app."""
        return [function for function in self.functions.values() if function.trigger is trigger]


# The loader builds its answer with the protobuf classes of the process that embeds it; these plain ones carry the same fields.
class _BindingInfo(SimpleNamespace):
    undefined = None
    out = 1
    inout = 2


_PROTOS = SimpleNamespace(
    BindingInfo=_BindingInfo, RpcFunctionMetadata=SimpleNamespace, RpcRetryOptions=SimpleNamespace
)


def index(directory: Path) -> App:
    """Import the app's script and index its functions, as the Python worker does at start.

    Changes the working directory to the app's and puts it first on ``sys.path``, as Core Tools does.

    Raises:
        IndexingError: the script is missing, raises, or uses a binding this host does not run.
    """
    script = directory / os.environ.get("PYTHON_SCRIPT_FILE_NAME", "function_app.py")
    if not script.is_file():
        raise IndexingError(f"{script} does not exist; --app must name the folder that holds {script.name}")
    os.chdir(directory)
    sys.path.insert(0, str(directory))
    importlib.invalidate_caches()
    load_binding_registry()
    try:
        indexed = loader.index_function_app(str(script))
        metadata, _ = loader.process_indexed_function(_PROTOS, _registry(), indexed, str(directory))
    except Exception as error:
        raise IndexingError(f"{script.name} could not be indexed: {type(error).__name__}: {error}") from error
    functions = {item.name: _describe(item) for item in metadata}
    return App(directory=directory, functions=functions)


def _registry() -> Any:
    # The worker library's own registry, which its type names no more closely than a mapping.
    return handle_event._functions


def _describe(item: Any) -> Function:
    info = _registry().get_function(item.function_id)
    if info is None:
        raise IndexingError(f"function {item.name}: the worker library did not register it")
    bindings = tuple(json.loads(raw) for raw in item.raw_bindings)
    trigger: Mapping[str, Any] | None = None
    outputs: dict[str, Mapping[str, Any]] = {}
    clients: list[str] = []
    for binding in bindings:
        kind = binding["type"]
        if kind in set(Trigger):
            trigger = binding
        elif kind == DURABLE_CLIENT:
            clients.append(binding["name"])
        elif str(binding.get("direction", "")).upper() == "OUT" and kind in set(Output):
            outputs[binding["name"]] = binding
        else:
            raise IndexingError(
                f"function {item.name}: the binding {binding['name']!r} of type {kind!r} is not run by this host; "
                f"it runs the triggers {', '.join(Trigger)}, the outputs {', '.join(Output)} and the input {DURABLE_CLIENT}"
            )
    if trigger is None:
        raise IndexingError(f"function {item.name}: it has no trigger")
    return Function(
        name=item.name,
        function_id=item.function_id,
        directory=item.directory,
        trigger=Trigger(trigger["type"]),
        trigger_name=trigger["name"],
        binding=trigger,
        outputs=outputs,
        client_inputs=tuple(clients),
        bindings=bindings,
        is_async=info.is_async,
        delivers=any(name != RETURN or binding["type"] != Output.HTTP for name, binding in outputs.items()),
        retry=vars(item.retry_options) if item.retry_options is not None else None,
    )
