"""Runs recorded earlier are replayed against today's code: a run that is under way survives a deployment."""

from __future__ import annotations

import json

import pytest

from orchestrations.durable import call
from shared.domain.run import Admission, DrawnPlan, RunInput
from shared.domain.run_activities import Claimed
from tests.replay import portfolio_story, review_story, story
from tests.replay.engine import replayed
from tests.replay.record import HISTORIES, STORIES

RUNBOOKS = story.RUNBOOKS | portfolio_story.RUNBOOKS | review_story.RUNBOOKS
FILES = sorted(HISTORIES.glob("*.json"))


def test_every_story_is_recorded():
    assert {path.stem for path in FILES} == set(STORIES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_todays_code_follows_the_recorded_history(path):
    instances = json.loads(path.read_text(encoding="utf-8"))
    assert instances
    for history in instances:
        assert history["turns"][-1]["actions"][-1].startswith("end ")
        if departure := replayed(history, RUNBOOKS):
            pytest.fail(departure)


def drawn_before_announced(context, payload):
    run = RunInput.model_validate(payload)
    admission = yield from call(context, "admit_request", run, Admission)
    claimed = Claimed(run=run, project=admission.project)
    yield from call(context, "draw_plan", claimed, DrawnPlan)
    yield from call(context, "announce_run", claimed, str)


def ended_early(context, payload):
    yield from call(context, "admit_request", RunInput.model_validate(payload), Admission)
    return {}


@pytest.mark.parametrize(
    ("changed", "today"), [(drawn_before_announced, "call activity draw_plan"), (ended_early, "end completed")]
)
def test_a_changed_order_of_calls_fails_with_where_and_what(changed, today):
    (history, *_) = json.loads((HISTORIES / "completed.json").read_text(encoding="utf-8"))
    departure = replayed(history, RUNBOOKS | {"bootstrap": changed})
    assert "bootstrap github-issue-77.1 departs from its recorded history in turn 2" in departure
    assert "recorded: ['2: call activity announce_run']" in departure
    assert today in departure
    assert "python -m tests.replay.record" in departure
