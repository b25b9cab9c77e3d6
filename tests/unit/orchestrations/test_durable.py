"""The edge between runbooks and activities: plain JSON, patience as a value, starts that happen once."""

from __future__ import annotations

import json
import re
from pathlib import Path

import grpc
import pytest

from orchestrations import activities
from orchestrations.durable import dump, edge, start, steps_shown
from shared.domain.plan import StepOutcome, StepState
from shared.domain.project import RequestOrigin
from shared.domain.run import ProjectState
from shared.errors import ConflictError, DefectError, NotSupportedError, RefusedError, TransientError
from tests.replay.story import RUN


def raising(error):
    def action():
        raise error

    return action


@pytest.mark.parametrize(
    ("result", "plain"),
    [
        (None, None),
        ("text", "text"),
        (ProjectState.FAILED, "failed"),
        (
            RequestOrigin(subject="s", requester="r"),
            {"subject": "s", "requester": "r", "repository": "", "issue": 0, "url": ""},
        ),
    ],
)
def test_results_cross_as_plain_json(result, plain):
    assert edge(lambda: result) == {"done": plain}


def test_models_cross_as_plain_json():
    dumped = dump(StepOutcome(state=StepState.WAITING, observed={"a": [1]}))
    assert json.loads(json.dumps(dumped)) == dumped


@pytest.mark.parametrize(("error", "after"), [(TransientError("busy", 7), 7), (ConflictError("changed"), None)])
def test_patience_is_a_value(error, after):
    assert edge(raising(error)) == {"again": {"reason": str(error), "after": after}}


@pytest.mark.parametrize("error", [RefusedError("no"), NotSupportedError("no"), DefectError("bug"), KeyError("x")])
def test_everything_else_is_raised(error):
    with pytest.raises(type(error)):
        edge(raising(error))


class Rpc(grpc.RpcError):
    def __init__(self, code, details=""):
        self._code, self._details = code, details

    def code(self):
        return self._code

    def details(self):
        return self._details


class Client:
    def __init__(self, error=None):
        self.error, self.started = error, []

    def schedule_new_orchestration(self, name, *, input, instance_id):
        if self.error:
            raise self.error
        self.started.append((name, input, instance_id))


def test_a_run_is_started_under_its_own_id():
    client = Client()
    assert start(client, "bootstrap", RUN.instance, RUN)
    assert client.started == [("bootstrap", RUN.model_dump(mode="json"), RUN.instance)]


@pytest.mark.parametrize(
    "error",
    [Rpc(grpc.StatusCode.ALREADY_EXISTS), Rpc(grpc.StatusCode.UNKNOWN, "Orchestration instance 'x' Already Exists")],
)
def test_a_run_that_was_started_is_not_started_again(error):
    assert not start(Client(error), "bootstrap", RUN.instance, RUN)


def test_an_engine_that_does_not_answer_is_waited_for():
    with pytest.raises(TransientError, match="UNAVAILABLE: no route"):
        start(Client(Rpc(grpc.StatusCode.UNAVAILABLE, "no route")), "bootstrap", RUN.instance, RUN)


def test_every_activity_is_registered_and_called_by_a_runbook():
    names = {activity.__name__ for activity in activities.ACTIVITIES}
    runbooks = [path for path in Path(activities.__file__).parent.glob("*.py") if path.stem != "activities"]
    source = "\n".join(path.read_text("utf-8") for path in runbooks)
    called = set(re.findall(r'call\(\s*context,\s*"(\w+)"', source))
    assert {"apply_step", "offer_scaffold_update"} <= called <= names
    assert [name for name in sorted(names) if f'"{name}"' not in source] == []
    assert all(activity.__doc__ for activity in activities.ACTIVITIES)


def test_a_custom_status_names_each_step_until_durable_functions_would_not_take_it():
    few = {f"github.repository.{number}": StepState.APPLIED.value for number in range(100)}
    assert steps_shown(few) == {"steps": few}
    many = few | {f"github.repository.{'x' * 60}{number}": StepState.RUNNING.value for number in range(200)}
    assert steps_shown(many) == {"counts": {"applied": 100, "running": 200}}
