"""Runs orchestrators turn by turn with the SDK's own executor, a clock that only timers move, and activities at hand.

What it records of an instance is what a real engine keeps: the history events of every turn, and the actions the
orchestrator answered with. Replaying is executing each turn again over the recorded events and comparing the actions.
"""

from __future__ import annotations

import json
import logging
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import durabletask.internal.helpers as events
from durabletask.internal import orchestrator_service_pb2 as pb
from durabletask.serialization import JsonDataConverter
from durabletask.worker import _OrchestrationExecutor, _Registry
from google.protobuf.json_format import MessageToDict, ParseDict

T0 = datetime(2026, 1, 31, 8, 0, tzinfo=UTC)
_log = logging.getLogger("tests.replay")

type Runbook = Callable[..., Any]
type Activity = Callable[[dict[str, Any]], Any]


@dataclass
class Turn:
    """What an orchestrator was told at once, and what it asked for."""

    events: list[pb.HistoryEvent]
    actions: list[str]


@dataclass
class Instance:
    """One orchestration."""

    id: str
    name: str
    parent: tuple[str, int] | None = None
    turns: list[Turn] = field(default_factory=list)
    inbox: list[pb.HistoryEvent] = field(default_factory=list)
    past: list[pb.HistoryEvent] = field(default_factory=list)
    status: Any = None
    output: Any = None
    failure: str = ""
    shown: list[Any] = field(default_factory=list)
    """Every custom status it set, in order."""

    @property
    def completed(self) -> bool:
        return self.status == pb.ORCHESTRATION_STATUS_COMPLETED

    def recorded(self) -> dict[str, Any]:
        """The history as JSON."""
        turns = [{"events": [MessageToDict(e) for e in turn.events], "actions": turn.actions} for turn in self.turns]
        return {"instance": self.id, "name": self.name, "turns": turns}


class Engine:
    """Drives instances until none has anything to do."""

    def __init__(self, runbooks: Mapping[str, Runbook], activities: Mapping[str, Activity], *, latest: int = 0) -> None:
        self.now = T0
        self.instances: dict[str, Instance] = {}
        self.called: list[tuple[str, dict[str, Any]]] = []
        self.waits: list[float] = []
        self._runbooks = runbooks
        self._activities = activities
        self.scripted_events: dict[str, list[str]] = {}
        """By instance: events people raise, each as soon as nothing but a timer is left to wait for."""
        self._latest = latest
        """Which of the waiting activities ends next: 0 the first, -1 the last."""
        self._tasks: deque[tuple[str, int, str, str]] = deque()
        self._timers: list[tuple[datetime, int, str, int]] = []

    def run(self, name: str, instance: str, payload: Any) -> Instance:
        """Start and drive to the end; the instance, with its children in ``instances``."""
        self._start(name, instance, json.dumps(payload), None)
        while self._step():
            pass
        return self.instances[instance]

    def names(self) -> list[str]:
        """The activities called, in order."""
        return [name for name, _ in self.called]

    def _start(self, name: str, instance: str, encoded: str, parent: tuple[str, int] | None) -> None:
        assert instance not in self.instances, f"{instance} was started twice"
        begun = events.new_execution_started_event(name, instance, encoded)
        self.instances[instance] = Instance(instance, name, parent, inbox=[begun])

    def _step(self) -> bool:
        for instance in list(self.instances.values()):
            if instance.inbox and instance.status is None:
                self._turn(instance)
                return True
        if self._tasks:
            self._tasks.rotate(-self._latest if self._latest else 0)
            self._perform(*self._tasks.popleft())
            return True
        for instance_id, raised in self.scripted_events.items():
            if raised and self.instances[instance_id].status is None:
                self.instances[instance_id].inbox.append(events.new_event_raised_event(raised.pop(0), json.dumps({})))
                return True
        if self._timers:
            self._timers.sort()
            due, _, instance_id, timer = self._timers.pop(0)
            self.waits.append((due - self.now).total_seconds())
            self.now = max(self.now, due)
            self.instances[instance_id].inbox.append(events.new_timer_fired_event(timer, due))
            return True
        return False

    def _turn(self, instance: Instance) -> None:
        told = [events.new_orchestrator_started_event(self.now), *instance.inbox]
        instance.inbox = []
        actions, status = execute(self._runbooks, instance.id, instance.past, told)
        instance.turns.append(Turn(told, [in_words(action) for action in actions]))
        instance.past += told
        if status is not None:
            instance.shown.append(json.loads(status))
        for action in actions:
            self._begin(instance, action)

    def _begin(self, instance: Instance, action: pb.OrchestratorAction) -> None:
        match action.WhichOneof("orchestratorActionType"):
            case "scheduleTask":
                task = action.scheduleTask
                instance.past.append(events.new_task_scheduled_event(action.id, task.name, task.input.value))
                self._tasks.append((instance.id, action.id, task.name, task.input.value))
            case "createTimer":
                due = action.createTimer.fireAt.ToDatetime(UTC)
                instance.past.append(events.new_timer_created_event(action.id, due))
                self._timers.append((due, len(self.waits) + len(self._timers), instance.id, action.id))
            case "createSubOrchestration":
                child = action.createSubOrchestration
                made = events.new_sub_orchestration_created_event(
                    action.id, child.name, child.instanceId, child.input.value
                )
                instance.past.append(made)
                self._start(child.name, child.instanceId, child.input.value, (instance.id, action.id))
            case "completeOrchestration":
                self._complete(instance, action.completeOrchestration)
            case other:
                raise NotImplementedError(f"no orchestrator of ours asks for {other}")

    def _complete(self, instance: Instance, done: pb.CompleteOrchestrationAction) -> None:
        instance.status = done.orchestrationStatus
        instance.output = json.loads(done.result.value) if done.result.value else None
        instance.failure = done.failureDetails.errorMessage
        if instance.parent:
            parent, number = instance.parent
            answer = (
                events.new_sub_orchestration_completed_event(number, done.result.value)
                if instance.completed
                else events.new_sub_orchestration_failed_event(number, RuntimeError(instance.failure))
            )
            self.instances[parent].inbox.append(answer)

    def _perform(self, instance: str, number: int, name: str, encoded: str) -> None:
        payload = json.loads(encoded)
        self.called.append((name, payload))
        try:
            result = self._activities[name](payload)
        except Exception as error:  # noqa: BLE001 - as an engine takes whatever an activity raises
            answer = events.new_task_failed_event(number, error)
        else:
            answer = events.new_task_completed_event(number, json.dumps(result))
        self.instances[instance].inbox.append(answer)


def execute(
    runbooks: Mapping[str, Runbook], instance: str, past: list[pb.HistoryEvent], told: list[pb.HistoryEvent]
) -> tuple[list[pb.OrchestratorAction], str | None]:
    """One turn: what the orchestrator asks for, and its custom status."""
    registry = _Registry()
    for name, runbook in runbooks.items():
        registry.add_named_orchestrator(name, runbook)
    result = _OrchestrationExecutor(registry, _log, JsonDataConverter()).execute(instance, past, told)
    return list(result.actions), result.encoded_custom_status


def in_words(action: pb.OrchestratorAction) -> str:
    """What an action asks for, without its inputs: those may gain fields, their order may not change."""
    match action.WhichOneof("orchestratorActionType"):
        case "scheduleTask":
            return f"{action.id}: call activity {action.scheduleTask.name}"
        case "createTimer":
            return f"{action.id}: wait on a timer"
        case "createSubOrchestration":
            child = action.createSubOrchestration
            return f"{action.id}: start runbook {child.name} as {child.instanceId}"
        case "completeOrchestration":
            done = action.completeOrchestration
            status = pb.OrchestrationStatus.Name(done.orchestrationStatus).removeprefix("ORCHESTRATION_STATUS_").lower()
            return f"end {status}" + (
                f": {done.failureDetails.errorMessage}" if done.failureDetails.errorMessage else ""
            )
        case other:
            return f"{action.id}: {other}"


def replayed(history: Mapping[str, Any], runbooks: Mapping[str, Runbook]) -> str:
    """Where today's code departs from ``history``, in words; empty when it does not."""
    past: list[pb.HistoryEvent] = []
    for number, turn in enumerate(history["turns"], 1):
        told = [ParseDict(event, pb.HistoryEvent()) for event in turn["events"]]
        actions, _ = execute(runbooks, history["instance"], past, told)
        today = [in_words(action) for action in actions]
        if today != turn["actions"]:
            return (
                f"{history['name']} {history['instance']} departs from its recorded history in turn {number}.\n"
                f"  recorded: {turn['actions']}\n  today:    {today}\n"
                "Runs that are under way would break. Keep the order of calls, or give the new order a new runbook name;"
                " when no run can be under way, record anew: python -m tests.replay.record"
            )
        past += told
        for action in actions:
            past += _kept(action)
    return ""


def _kept(action: pb.OrchestratorAction) -> list[pb.HistoryEvent]:
    match action.WhichOneof("orchestratorActionType"):
        case "scheduleTask":
            return [
                events.new_task_scheduled_event(action.id, action.scheduleTask.name, action.scheduleTask.input.value)
            ]
        case "createTimer":
            return [events.new_timer_created_event(action.id, action.createTimer.fireAt.ToDatetime(UTC))]
        case "createSubOrchestration":
            child = action.createSubOrchestration
            return [
                events.new_sub_orchestration_created_event(action.id, child.name, child.instanceId, child.input.value)
            ]
    return []
