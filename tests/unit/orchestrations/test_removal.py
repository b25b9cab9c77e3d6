"""A removal takes back every step of the plan, the last first, as the whole project's; what breaks is written down."""

from __future__ import annotations

from orchestrations.removal import removal
from shared.domain.run import Runbook
from tests.fakes.app import a_request
from tests.replay.engine import Engine
from tests.replay.story import GRAPH, RUN, done, outcome

REMOVAL = RUN.model_copy(
    update={"instance": "remove-order-desk.1", "runbook": Runbook.REMOVAL, "request": a_request()}
).model_dump(mode="json")
PLAN = done(
    {
        "digest": "sha256:" + "1" * 64,
        "steps": [{"id": name, "depends_on": list(needs)} for name, needs in GRAPH.items()],
    }
)


def played(reverse, drawn=PLAN, state="removed"):
    def draw(_):
        if isinstance(drawn, Exception):
            raise drawn
        return drawn

    activities = {
        "draw_removal": draw,
        "reverse_step": reverse,
        "end_reversal": lambda _: done(),
        "conclude_run": lambda _: done(state),
    }
    engine = Engine({"removal": removal}, activities)
    return engine, engine.run("removal", REMOVAL["instance"], REMOVAL)


def payloads(engine, activity):
    return [payload for name, payload in engine.called if name == activity]


def test_every_step_is_taken_back_the_last_first_and_as_the_whole_projects():
    engine, run = played(lambda _: outcome("removed"))
    tasks = [payload["task"] for payload in payloads(engine, "reverse_step")]
    assert [task["step"] for task in tasks] == list(reversed(GRAPH))
    assert {task["whole"] for task in tasks} == {True}
    assert run.output == {"state": "removed", "project": "order-desk", "reason": ""}


def test_a_step_that_breaks_is_written_down_and_the_others_go_on():
    def reverse(payload):
        if payload["task"]["step"] == "github.hook":
            raise ValueError("broken")
        return outcome("removed")

    engine, run = played(reverse, state="failed")
    assert [payload["task"]["step"] for payload in payloads(engine, "end_reversal")] == ["github.hook"]
    assert len({payload["task"]["step"] for payload in payloads(engine, "reverse_step")}) == len(GRAPH)
    assert run.output["state"] == "failed"


def test_a_plan_that_cannot_be_laid_out_ends_with_the_reason_on_record():
    engine, run = played(lambda _: outcome("removed"), drawn=ValueError("no plan"), state="failed")
    assert payloads(engine, "reverse_step") == []
    assert "no plan" in payloads(engine, "conclude_run")[0]["reason"]
    assert "no plan" in run.output["reason"]
