"""A failed run asks, waits for people or its deadline, tries again what failed, and takes back from the last step on."""

from __future__ import annotations

import pytest

from shared.domain.plan import SUCCEEDED
from tests.replay.story import GRAPH, RUN, Script, again, done, failing_with, outcome

FAILING = "azure_devops.repository"


def payloads(engine, activity):
    return [payload for name, payload in engine.called if name == activity]


def test_a_run_that_succeeds_asks_nobody():
    script = Script()
    script.decision_seconds = 3600
    engine, _ = script.play()
    assert "ask_for_decision" not in engine.names()


def test_a_run_without_time_for_a_decision_ends_as_it_did_before_there_were_decisions():
    script = failing_with("accept", events=["decision.1"])
    script.decision_seconds = 0
    engine, _ = script.play()
    assert "ask_for_decision" not in engine.names()
    assert payloads(engine, "conclude_run")[0]["choice"] is None


def test_a_retry_tries_only_what_did_not_succeed_and_goes_on_from_there():
    engine, run = failing_with("retry", events=["decision.1"]).play()
    tried = [(payload["task"]["step"], payload["task"]["round"]) for payload in payloads(engine, "apply_step")]
    below = [FAILING, "azure_devops.scaffold", "azure_devops.branch_rules"]
    assert [step for step, round_number in tried if round_number == 2] == below
    assert {step for step, round_number in tried if round_number == 1} == set(GRAPH) - set(below[1:])
    assert set(payloads(engine, "conclude_run")[0]["states"].values()) <= SUCCEEDED
    assert f"{RUN.instance}.{FAILING}.2" in engine.instances
    assert run.completed


def test_a_step_that_fails_again_asks_again():
    engine, _ = failing_with("retry", "retry", "accept", events=[f"decision.{n}" for n in (1, 2, 3)], failures=9).play()
    assert [payload["round"] for payload in payloads(engine, "ask_for_decision")] == [1, 2, 3]
    assert payloads(engine, "conclude_run")[0]["choice"] == "accept"


def test_compensation_takes_back_every_step_the_last_of_the_plan_first():
    engine, _ = failing_with("compensate", events=["decision.1"]).play()
    assert [payload["task"]["step"] for payload in payloads(engine, "reverse_step")] == list(reversed(GRAPH))
    assert payloads(engine, "conclude_run")[0]["choice"] == "compensate"
    assert engine.names()[-1] == "conclude_run"


def test_a_reversal_is_tried_until_it_ends_and_remembers_what_it_saw():
    script = failing_with("compensate", events=["decision.1"])
    script.reversals["azure_devops.project"] = [
        outcome("waiting", wait_seconds=7, observed={"operation": "42"}), outcome("removed"),
    ]  # fmt: skip
    engine, _ = script.play()
    tried = [p["task"] for p in payloads(engine, "reverse_step") if p["task"]["step"] == "azure_devops.project"]
    assert [(task["attempt"], task["memory"]) for task in tried] == [(1, {}), (2, {"operation": "42"})]


def test_a_reversal_that_never_ends_is_given_up_at_its_deadline():
    def patient(payload):
        return outcome("failed") if payload["task"]["last"] else outcome("waiting", wait_seconds=25)

    script = failing_with("compensate", events=["decision.1"])
    script.reversals["github.hook"] = [patient]
    engine, run = script.play()
    tries = [p["task"]["last"] for p in payloads(engine, "reverse_step") if p["task"]["step"] == "github.hook"]
    assert tries[-1] is True
    assert not any(tries[:-1])
    assert run.completed


def test_a_reversal_that_breaks_is_written_down_and_the_others_go_on():
    script = failing_with("compensate", events=["decision.1"])
    script.reversals["github.hook"] = [ValueError("broken")]
    engine, run = script.play()
    (ended,) = payloads(engine, "end_reversal")
    assert ended["task"]["step"] == "github.hook"
    assert "ValueError: broken" in ended["reason"]
    assert payloads(engine, "reverse_step")[-1]["task"]["step"] == "azure_devops.project"
    assert run.completed


def test_nobody_deciding_lets_the_deadline_decide():
    engine, _ = failing_with("compensate", events=[]).play()
    assert [payload["expired"] for payload in payloads(engine, "take_decision")] == [True]
    assert 3600 in engine.waits


def test_an_event_without_a_decision_goes_on_waiting():
    engine, _ = failing_with(None, "accept", events=["decision.1", "decision.1"]).play()
    assert [payload["expired"] for payload in payloads(engine, "take_decision")] == [False, False]


def test_an_event_of_an_earlier_round_decides_nothing_in_a_later_one():
    engine, _ = failing_with("retry", "compensate", events=["decision.1", "decision.1"], failures=9).play()
    assert [(p["round"], p["expired"]) for p in payloads(engine, "take_decision")] == [(1, False), (2, True)]


def test_a_lost_run_that_was_decided_before_it_was_lost_asks_nobody_again():
    script = failing_with("compensate", events=[])
    script.activities["ask_for_decision"] = lambda payload: done(False)
    engine, _ = script.play()
    assert [payload["expired"] for payload in payloads(engine, "take_decision")] == [False]


def test_a_lost_run_that_is_taken_up_in_a_later_round_goes_on_in_that_round():
    script = failing_with("accept", events=["decision.2"], failures=9)
    drawn = script.activities["draw_plan"]({})
    script.activities["draw_plan"] = lambda payload: done(drawn["done"] | {"round": 2})
    engine, _ = script.play()
    assert {payload["task"]["round"] for payload in payloads(engine, "apply_step")} == {2}
    assert [payload["round"] for payload in payloads(engine, "ask_for_decision")] == [2]


@pytest.mark.parametrize("activity", ["ask_for_decision", "take_decision"])
def test_a_forge_that_asks_for_patience_is_given_it(activity):
    script = failing_with("accept", events=["decision.1"])
    answer, asked = script.activities[activity], []

    def throttled_once(payload):
        asked.append(payload)
        return answer(payload) if len(asked) > 1 else again("throttled", 5)

    script.activities[activity] = throttled_once
    _, run = script.play()
    assert run.completed
