"""The hook step: every event reaches us once, whoever else listens."""

from __future__ import annotations

import pytest

from shared.domain.forge import Hook
from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, TransientError
from tests.fakes.forges import Fault


@pytest.fixture
def step(bench, either):
    bench.made(*(["azure_devops.project"] if either == "azure_devops" else []), f"{either}.repository")
    return f"{either}.hook"


def ours(bench, either, step):
    url = bench.plan.step(step).inputs["url"]
    return [hook for hook in bench.forge(either).stored(bench.ref(step)).hooks if hook.url == url]


def test_they_are_made_with_the_forges_secret(bench, either, step):
    assert bench.attempt(step).state is StepState.APPLIED
    events = bench.plan.step(step).inputs["events"]
    hooks = ours(bench, either, step)
    assert sorted(event for hook in hooks for event in hook.events) == sorted(events)
    assert len(hooks) == (1 if either == "github" else len(events))
    assert set(bench.forge(either).secrets) == {f"secret of {either}"}


def test_the_second_time_they_are_confirmed(bench, step):
    assert bench.twice(step).state is StepState.CONFIRMED


def test_somebody_elses_hooks_stay(bench, either, step):
    theirs = Hook(id="x", url="https://elsewhere.example", events=("push",))
    bench.forge(either).stored(bench.ref(step)).hooks.append(theirs)
    bench.made(step)
    assert theirs in bench.forge(either).stored(bench.ref(step)).hooks


def test_an_answer_lost_after_the_effect_leaves_exactly_one(bench, either, step):
    bench.forge(either).fail("create_hook", Fault.LOST)
    with pytest.raises(TransientError):
        bench.attempt(step)
    bench.made(step)
    heard = [event for hook in ours(bench, either, step) for event in hook.events]
    assert len(heard) == len(set(heard))


def test_what_a_twin_of_this_try_makes_meanwhile_is_not_made_again(bench, either, step):
    # An activity that is delivered twice runs twice, and both have looked before either makes anything.
    bench.forge(either).after["hooks"] = lambda: bench.made(step)
    assert bench.attempt(step).state is StepState.APPLIED
    heard = [event for hook in ours(bench, either, step) for event in hook.events]
    assert sorted(heard) == sorted(bench.plan.step(step).inputs["events"])


def test_a_disabled_hook_does_not_count_and_fails_with_the_remedy(bench, either, step):
    bench.forge(either).spoil_hooks = True
    outcome = bench.attempt(step)
    assert outcome.state is StepState.FAILED
    assert "created and not found again" in outcome.reason
    assert "disabled" in outcome.remedy


def test_events_that_are_no_texts_are_a_defect_of_the_plan(bench, step):
    with pytest.raises(DefectError, match="not a list of texts"):
        bench.attempt(step, events=[1])


def of_another_run(bench, either):
    bench.of_an_earlier_run()
    return bench.forge(either)


def test_taken_back_somebody_elses_hooks_stay(bench, either, step):
    forge = of_another_run(bench, either)
    theirs = Hook(id="x", url="https://elsewhere.example", events=("push",))
    forge.stored(bench.ref(step)).hooks.append(theirs)
    bench.made(step)
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert forge.stored(bench.ref(step)).hooks == [theirs]


def test_one_that_was_only_set_right_stays(bench, either, step):
    forge = of_another_run(bench, either)
    inputs = bench.plan.step(step).inputs
    event = tuple(inputs["events"]) if either == "github" else (inputs["events"][0],)
    disabled = Hook(id="x", url=inputs["url"], events=event, active=False)
    hooks = forge.stored(bench.ref(step)).hooks
    hooks.append(disabled)
    bench.made(step)
    right = [hook for hook in hooks if hook.active and hook.events == event]
    assert right, "it was set right"
    bench.reversed(step)
    assert disabled in forge.stored(bench.ref(step)).hooks


def test_hooks_of_a_repository_that_somebody_removed_are_gone_on_github_alone(bench, either, step):
    forge = of_another_run(bench, either)
    bench.made(step)
    stored = forge.stored(bench.ref(step))
    forge.delete_repository(bench.ref(step))
    if either == "azure_devops":
        forge.hooks = lambda ref: tuple(stored.hooks)
        forge.delete_hook = lambda ref, hook_id: stored.hooks.remove(next(h for h in stored.hooks if h.id == hook_id))
    assert bench.reversed(step).state is ReversalState.REMOVED
    assert (stored.hooks == []) is (either == "azure_devops")


def test_one_that_still_shows_is_looked_at_again(bench, either, step):
    forge = of_another_run(bench, either)
    bench.made(step)
    forge.delete_hook = lambda ref, hook_id: None
    reversal = bench.reverse(step)
    assert reversal.state is ReversalState.WAITING
    assert "still shown" in reversal.reason
