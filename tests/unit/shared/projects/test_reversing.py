"""Taking a step back is tried until it ends, written down once, and touches nothing that was never begun."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.domain.audit import AuditTag
from shared.domain.plan import ReversalState
from shared.errors import DefectError, NotSupportedError, RefusedError, TransientError
from shared.projects import reversing
from shared.projects.reversing import end_reversal, reverse_step
from shared.projects.steps import definitions
from shared.projects.steps.step import goes_with, kept, not_removed, removed, removing
from tests.fakes.app import App
from tests.unit.shared.projects.test_run import Run

STEP = "github.labels"


@pytest.fixture
def run():
    app = App()
    app.connect_to()
    run = Run(app)
    run.apply_all()
    return run


@pytest.fixture
def reverse(monkeypatch):
    """Lets a test say what the step's reversal does."""

    def scripted(*answers):
        left = list(answers)

        def act(context, step):
            answer = left.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        changed = dict(definitions()) | {"labels": replace(definitions()["labels"], reverse=act)}
        monkeypatch.setattr(reversing, "definitions", lambda: changed)
        return left

    return scripted


def back(run, attempt=1, *, last=False):
    return reverse_step(run.app.ports, run.task(STEP, attempt, last=last))


def test_what_was_removed_is_written_down_once(run, reverse):
    left = reverse(removed("12 labels"), not_removed("must not be asked", ""))
    assert back(run).state is ReversalState.REMOVED
    assert back(run, 2).state is ReversalState.REMOVED
    assert len(left) == 1
    assert run.progress(STEP).reversal.reason == "12 labels"
    assert run.app.tags(run.project).count(AuditTag.GITHUB_STEP_REVERSED) == 1


@pytest.mark.parametrize(
    "error", [RefusedError("no right", "Ask an owner."), NotSupportedError("no right", "Ask an owner.")]
)
def test_what_the_forge_refuses_to_remove_is_on_record_with_its_remedy(run, reverse, error):
    reverse(error)
    found = back(run)
    assert (found.state, found.reason, found.remedy) == (ReversalState.FAILED, "no right", "Ask an owner.")
    assert run.app.tags(run.project).count(AuditTag.GITHUB_STEP_KEPT) == 1


@pytest.mark.parametrize("answer", [kept("an earlier run made them"), goes_with("the repository")])
def test_what_is_not_removed_here_is_no_event(run, reverse, answer):
    reverse(answer)
    before = run.app.tags(run.project)
    assert back(run) == answer
    assert run.app.tags(run.project) == before


def test_a_forge_that_is_away_is_asked_again(run, reverse):
    reverse(TransientError("GitHub is away", 4), removed())
    first = back(run)
    assert (first.state, first.wait_seconds) == (ReversalState.WAITING, 4)
    assert back(run, 2).state is ReversalState.REMOVED


def test_the_last_try_ends_it(run, reverse):
    reverse(removing("still deleting"))
    found = back(run, 9, last=True)
    assert found.state is ReversalState.FAILED
    assert "gave up after 9 tries: still deleting" in found.reason
    assert found.remedy


def test_a_step_that_was_never_begun_is_left_alone(reverse):
    app = App()
    app.connect_to()
    run = Run(app)
    left = reverse(removed())
    assert back(run).reason == "it was never begun"
    assert len(left) == 1


def test_what_broke_off_is_written_down_and_what_ended_stays(run, reverse):
    end_reversal(run.app.ports, run.task(STEP), "ValueError: x")
    assert run.progress(STEP).reversal.state is ReversalState.FAILED
    assert run.progress(STEP).reversal.remedy
    end_reversal(run.app.ports, run.task(STEP), "another")
    assert run.progress(STEP).reversal.reason == "ValueError: x"


def test_a_step_that_was_never_planned_is_a_defect(run):
    with pytest.raises(DefectError, match="never planned"):
        reverse_step(run.app.ports, run.task(STEP).model_copy(update={"step": "github.unknown"}))
