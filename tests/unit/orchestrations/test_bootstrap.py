"""The runbook: what it calls in which order, and that every run ends with an answer, whatever its activities do."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrations.durable import CRASHED, MOST_TRIES
from shared.domain.plan import SUCCEEDED
from tests.replay.story import ADMITTED, GRAPH, REFUSED, Script, again, done, outcome


def conclusion(engine):
    (payload,) = [payload for name, payload in engine.called if name == "conclude_run"]
    return payload


def test_a_request_becomes_a_project():
    engine, run = Script().play()
    assert run.output == {"state": "completed", "project": "order-desk", "reason": ""}
    names = engine.names()
    assert names[:3] == ["admit_request", "announce_run", "draw_plan"]
    assert names[-1] == "conclude_run"
    assert names.count("apply_step") == len(GRAPH)
    assert conclusion(engine)["states"] == dict.fromkeys(GRAPH, "applied")


def test_independent_steps_are_started_at_once_and_dependants_as_soon_as_they_may():
    _, run = Script().play()
    started = [
        [a.split(" as github-issue-77.1.")[1] for a in turn.actions if "start runbook" in a] for turn in run.turns
    ]
    assert started[3] == ["azure_devops.project", "github.repository"]
    assert [group for group in started if group] == [
        ["azure_devops.project", "github.repository"],
        ["azure_devops.repository"],
        ["github.scaffold", "github.hook"],
        ["azure_devops.scaffold"],
        ["azure_devops.branch_rules"],
    ]


def test_progress_is_shown_while_it_runs():
    _, run = Script().play()
    assert run.shown[0] == {"project": "order-desk", "steps": {}}
    assert run.shown[-1]["steps"] == dict.fromkeys(GRAPH, "applied")


def test_a_refused_request_is_answered_and_nothing_else_happens():
    engine, run = Script(admit_request=[REFUSED]).play()
    assert engine.names() == ["admit_request", "refuse_request"]
    assert run.output == {"state": "refused", "reason": "you may not ask"}
    assert engine.called[1][1]["admission"]["remedy"] == "Ask an owner."


def test_an_advisory_plan_is_drawn_and_not_applied():
    engine, run = Script(advisory=True, conclude_run=[done("advised")]).play()
    assert engine.names() == ["admit_request", "announce_run", "draw_plan", "conclude_run"]
    assert run.output["state"] == "advised"
    assert len(engine.instances) == 1


@pytest.mark.parametrize("latest", [0, -1])
def test_a_failing_step_skips_its_dependants_alone(latest):
    script = Script(conclude_run=[done("failed")])
    script.steps["azure_devops.repository"] = [outcome("failed")]
    engine, run = script.play(latest=latest)
    assert conclusion(engine)["states"] == {
        "azure_devops.project": "applied",
        "azure_devops.repository": "failed",
        "azure_devops.scaffold": "skipped",
        "azure_devops.branch_rules": "skipped",
        "github.repository": "applied",
        "github.scaffold": "applied",
        "github.hook": "applied",
    }
    skipped = [payload for name, payload in engine.called if name == "end_step"]
    assert [payload["task"]["step"] for payload in skipped] == ["azure_devops.scaffold", "azure_devops.branch_rules"]
    assert {payload["state"] for payload in skipped} == {"skipped"}
    assert "azure_devops.repository" in skipped[0]["reason"]
    assert run.output["state"] == "failed"


def test_a_step_the_forge_does_not_offer_stops_nobody():
    script = Script()
    script.steps["azure_devops.project"] = [outcome("unsupported")]
    engine, _ = script.play()
    assert conclusion(engine)["states"]["azure_devops.branch_rules"] == "applied"


def test_an_activity_that_breaks_once_is_tried_again():
    script = Script()
    script.steps["github.hook"] = [ValueError("worker gone"), outcome("confirmed")]
    engine, _ = script.play()
    assert conclusion(engine)["states"]["github.hook"] == "confirmed"
    assert "end_step" not in engine.names()


def test_a_step_whose_activity_keeps_breaking_fails_with_the_reason():
    script = Script(conclude_run=[done("failed")])
    script.steps["github.hook"] = [ValueError("boom")]
    engine, run = script.play()
    (ended,) = [payload for name, payload in engine.called if name == "end_step"]
    assert ended["state"] == "failed"
    assert "boom" in ended["reason"]
    assert ended["remedy"]
    tries = [p for name, p in engine.called if name == "apply_step" and p["task"]["step"] == "github.hook"]
    assert len(tries) == CRASHED.max_number_of_attempts
    assert conclusion(engine)["states"]["github.hook"] == "failed"
    assert run.completed


def test_a_step_that_cannot_even_be_ended_still_lets_the_run_end():
    script = Script(conclude_run=[done("failed")], end_step=[ValueError("storage gone")])
    script.steps["github.hook"] = [ValueError("boom")]
    engine, run = script.play()
    assert conclusion(engine)["states"]["github.hook"] == "failed"
    assert run.completed


def test_a_waiting_step_is_tried_again_after_as_long_as_it_asked():
    script = Script()
    script.steps["azure_devops.project"] = [outcome("waiting", wait_seconds=2.5)] * 3 + [outcome("applied")]
    engine, _ = script.play()
    tries = [
        p["task"] for name, p in engine.called if name == "apply_step" and p["task"]["step"] == "azure_devops.project"
    ]
    assert [task["attempt"] for task in tries] == [1, 2, 3, 4]
    assert not any(task["last"] for task in tries)
    assert engine.waits == [2.5, 2.5, 2.5]


def test_after_its_deadline_a_step_has_one_last_try():
    script = Script(conclude_run=[done("failed")])

    def until_last(payload):
        return outcome("failed") if payload["task"]["last"] else outcome("waiting", wait_seconds=25)

    script.steps["azure_devops.project"] = [until_last]
    engine, _ = script.play()
    tries = [
        p["task"] for name, p in engine.called if name == "apply_step" and p["task"]["step"] == "azure_devops.project"
    ]
    assert [task["last"] for task in tries] == [False, False, False, True]  # at 0, 25, 50 and 75 s of 60


def test_patience_waits_what_the_forge_asked_else_twice_as_long_each_time():
    engine, run = Script(announce_run=[again("a", 30), again("b"), again("c"), again("d", 0), done("")]).play()
    assert engine.waits == [30, 0.5, 1.0, 0]
    assert run.output["state"] == "completed"


@pytest.mark.parametrize("broken", ["announce_run", "draw_plan"])
@pytest.mark.parametrize("how", ["raises", "asks for patience"])
def test_a_run_that_cannot_go_on_is_concluded_with_the_reason(broken, how):
    answer = ValueError("boom") if how == "raises" else again("throttled", 1)
    engine, run = Script(conclude_run=[done("failed")], **{broken: [answer]}).play()
    assert run.completed
    reason = conclusion(engine)["reason"]
    assert ("boom" in reason) if how == "raises" else (f"{MOST_TRIES} times: throttled" in reason)
    assert "apply_step" not in engine.names()
    assert run.output["reason"] == reason


@pytest.mark.parametrize("answer", [ValueError("no credential"), again("storage throttles", 1)])
@pytest.mark.parametrize("unanswered", [False, True])
def test_a_run_that_breaks_before_its_request_is_weighed_is_abandoned(answer, unanswered):
    refuse = [ValueError("locked") if unanswered else done("")]
    engine, run = Script(admit_request=[answer], refuse_request=refuse).play()
    assert next(name for name in engine.names() if name != "admit_request") == "abandon_request"
    assert "refuse_request" in engine.names()
    assert "conclude_run" not in engine.names()
    assert run.completed
    assert run.output["state"] == "failed"
    assert ("answer" in run.output) == unanswered


def test_the_time_a_forge_asked_for_is_not_taken_off_a_steps_deadline():
    script = Script()
    asked = outcome("waiting", wait_seconds=50, granted_seconds=50)
    script.steps["github.hook"] = [asked, asked, asked, outcome("applied")]
    engine, _ = script.play()
    tries = [p["task"]["last"] for n, p in engine.called if n == "apply_step" and p["task"]["step"] == "github.hook"]
    assert tries == [False] * 4


def test_a_forge_that_asks_for_time_again_and_again_meets_the_deadline_in_the_end():
    def throttled(payload):
        asked = outcome("waiting", wait_seconds=3600, granted_seconds=3600)
        return outcome("failed", reason="throttled") if payload["task"]["last"] else asked

    script = Script(conclude_run=[done("failed")])
    script.steps["github.hook"] = [throttled]
    engine, _ = script.play()
    tries = [p for n, p in engine.called if n == "apply_step" and p["task"]["step"] == "github.hook"]
    assert 18 <= len(tries) <= 27


@pytest.mark.parametrize("asked", [10, 30, 3600])
def test_an_outage_of_a_day_is_tried_some_dozens_of_times_and_waited_for_no_longer_than_a_tenth_of_it(asked):
    script = Script(announce_run=[again("the forge does not answer", asked)])
    engine, _ = script.play()
    granted = engine.names().count("announce_run") - MOST_TRIES
    assert 10 < granted < 100
    pause, spent, steps = 0.0, 0.0, 0
    while spent + (pause := max(asked, 0.1 * spent)) <= 86_400:
        spent, steps = spent + pause, steps + 1
    assert granted == steps
    assert spent > 0.9 * 86_400 - asked, "nearly the whole day is waited for"


@pytest.mark.parametrize(("asked", "tries"), [(0.001, MOST_TRIES), (9.0, MOST_TRIES)])
def test_short_waits_that_a_forge_names_are_counted_like_our_own(asked, tries):
    script = Script(announce_run=[again("throttled", asked)])
    engine, _ = script.play()
    assert engine.names().count("announce_run") == tries


def test_long_waits_that_a_forge_names_are_not_counted_and_not_granted_for_ever():
    script = Script(announce_run=[again("throttled", 1800)])
    engine, _ = script.play()
    assert MOST_TRIES + 20 < engine.names().count("announce_run") < MOST_TRIES + 48


def test_a_step_that_asks_for_patience_for_ever_fails():
    script = Script(conclude_run=[done("failed")])
    script.steps["github.hook"] = [again("a conflict", 0.1)]
    engine, _ = script.play()
    (ended,) = [payload for name, payload in engine.called if name == "end_step"]
    assert f"{MOST_TRIES} times: a conflict" in ended["reason"]
    assert conclusion(engine)["states"]["github.hook"] == "failed"


def test_a_failed_conclusion_fails_the_run_loudly():
    _, run = Script(conclude_run=[ValueError("boom")]).play()
    assert not run.completed
    assert "boom" in run.failure


@settings(max_examples=40, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(sorted(GRAPH)),
        st.sampled_from(["applied", "confirmed", "unsupported", "failed", "waiting", "raise"]),
    ),
    st.sampled_from([0, -1]),
)
def test_whatever_becomes_of_steps_each_ends_once_and_boundaries_carry_plain_json(fates, latest):
    script = Script(admit_request=[ADMITTED])
    for step, fate in fates.items():
        first = ValueError("x") if fate == "raise" else outcome(fate, wait_seconds=1 if fate == "waiting" else 0)
        script.steps[step] = [first, outcome("applied")] if fate == "waiting" else [first]
    engine, run = script.play(latest=latest)
    states = conclusion(engine)["states"]
    assert set(states) == set(GRAPH)
    for step, needs in GRAPH.items():
        reached = all(states[need] in {state.value for state in SUCCEEDED} for need in needs)
        assert (states[step] == "skipped") == (not reached)
    assert run.completed
    assert json.loads(json.dumps([payload for _, payload in engine.called])) == [p for _, p in engine.called]
