"""A failed run asks once each round; the first decision counts, and when nobody decides the deadline does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.audit import AuditTag
from shared.domain.decision import Choice
from shared.domain.delivery import RequestState
from shared.domain.plan import Reversal, ReversalState, StepState
from shared.domain.run import Conclusion, ProjectState
from shared.domain.run_activities import Asking, Deciding
from shared.errors import DefectError, RefusedError
from shared.projects import answering, deciding
from shared.projects.applying import apply_step
from shared.projects.planning import draw_plan
from shared.projects.ports import REQUESTS
from tests.fakes.app import App
from tests.fakes.forges import Fault
from tests.unit.shared.projects.test_run import Run

STEP = "github.repository"


@pytest.fixture
def run():
    app = App()
    app.connect_to()
    run = Run(app)
    app.github.fail("create_repository", Fault.REFUSED)
    run.apply_all()
    return run


def ask(run, round_number=1):
    due = run.app.clock.now() + timedelta(hours=1)
    asking = Asking(run=run.input, project=run.project, round=round_number, due=due)
    return deciding.ask(run.app.ports, asking)


def decide(run, choice, source="api"):
    return deciding.decide(run.app.ports, run.project, choice, actor="someone", source=source)


def take(run, round_number=1, *, expired=False):
    given = Deciding(run=run.input, project=run.project, round=round_number, expired=expired)
    return deciding.take(run.app.ports, given).choice


def record(run):
    return run.app.ports.project(run.project)


def tags(run):
    return run.app.tags(run.project)


def test_the_question_names_what_failed_what_may_be_decided_and_by_when(run):
    assert ask(run)
    assert record(run).state is ProjectState.AWAITING_DECISION
    said = run.comments()[-1]
    for words in ("/doneright retry", "/doneright compensate", "/doneright accept", "2026-01-31 09:00 UTC"):
        assert words in said
    assert "Repository acme/order" in said


def test_asking_again_asks_nothing_twice_and_keeps_the_first_deadline(run):
    ask(run)
    first, comments = record(run).question, len(run.comments())
    run.app.clock.advance(timedelta(minutes=10))
    assert ask(run)
    assert record(run).question == first
    assert len(run.comments()) == comments
    assert tags(run).count(AuditTag.DECISION_REQUESTED) == 1


def test_what_was_decided_before_a_run_was_lost_is_not_asked_again(run):
    ask(run)
    decide(run, Choice.ACCEPT)
    assert not ask(run)
    assert take(run) is Choice.ACCEPT


def test_a_decision_wakes_the_run_that_asked(run):
    ask(run)
    wake = decide(run, Choice.RETRY)
    assert (wake.instance, wake.event) == (run.input.instance, "decision.1")


def test_the_first_decision_counts_and_the_same_one_again_changes_nothing(run):
    ask(run)
    decide(run, Choice.ACCEPT, "comment-1")
    assert decide(run, Choice.ACCEPT, "comment-1").event == "decision.1"
    with pytest.raises(RefusedError, match="decided already"):
        decide(run, Choice.COMPENSATE, "comment-2")
    assert take(run) is Choice.ACCEPT


def test_nothing_is_decided_for_a_project_that_does_not_ask(run):
    with pytest.raises(RefusedError, match="waits for no decision"):
        decide(run, Choice.RETRY)


def test_nothing_is_decided_for_a_project_nobody_knows(run):
    with pytest.raises(DefectError, match="not claimed"):
        deciding.decide(run.app.ports, "unknown", Choice.RETRY, actor="a", source="api")


def test_a_run_that_is_woken_without_a_decision_goes_on_waiting(run):
    ask(run)
    assert take(run) is None
    assert record(run).state is ProjectState.AWAITING_DECISION
    assert AuditTag.DECISION_TAKEN not in tags(run)


def test_when_nobody_decides_the_deadline_does_and_says_so(run):
    ask(run)
    assert take(run, expired=True) is Choice.COMPENSATE
    assert record(run).question.decision.source == "deadline"
    assert record(run).state is ProjectState.COMPENSATING
    assert "Nobody decided in time" in run.comments()[-1]


def test_a_decision_made_just_before_the_deadline_beats_it(run):
    ask(run)
    decide(run, Choice.ACCEPT)
    assert take(run, expired=True) is Choice.ACCEPT


def test_taking_a_decision_twice_gives_the_same_and_tells_once(run):
    ask(run)
    decide(run, Choice.RETRY)
    assert take(run) is take(run) is Choice.RETRY
    assert tags(run).count(AuditTag.DECISION_TAKEN) == 1
    assert sum("try what failed again" in said for said in run.comments()) == 2  # the question and the answer


def test_a_round_that_was_not_asked_for_cannot_be_decided(run):
    ask(run)
    with pytest.raises(DefectError, match="was not asked in round 2"):
        take(run, 2)


def test_a_retry_opens_what_did_not_succeed_and_nothing_else(run):
    made = run.progress("azure_devops.project")
    ask(run)
    decide(run, Choice.RETRY)
    take(run)
    assert record(run).round == 2
    assert record(run).state is ProjectState.RUNNING
    assert (run.progress(STEP).state, run.progress(STEP).round) == (StepState.PENDING, 2)
    assert run.progress("azure_devops.project") == made


def test_a_try_of_an_earlier_round_that_comes_late_touches_nothing(run):
    ask(run)
    decide(run, Choice.RETRY)
    take(run)
    late = run.apply(STEP)
    assert late.state is StepState.SKIPPED
    assert run.progress(STEP).state is StepState.PENDING
    assert run.app.github.names() == []


def test_a_retry_that_succeeds_is_on_record_beside_the_failure_and_completes_the_project(run):
    ask(run)
    decide(run, Choice.RETRY)
    take(run)
    for step in run.plan.steps:
        for _ in range(5):
            run_round(run, step.id, 2)
    assert run.conclude() is ProjectState.COMPLETED
    assert AuditTag.GITHUB_STEP_FAILED in tags(run)
    assert AuditTag.GITHUB_STEP_APPLIED in tags(run)


def run_round(run, step, round_number):
    return apply_step(run.app.ports, run.task(step).model_copy(update={"round": round_number}))


def test_a_lost_run_is_drawn_again_in_the_round_it_was_in(run):
    ask(run)
    decide(run, Choice.RETRY)
    take(run)
    assert draw_plan(run.app.ports, run.input, run.project).round == 2


def conclude(run, choice):
    given = Conclusion(run=run.input, project=run.project, states={}, choice=choice)
    return answering.conclude(run.app.ports, given)


def test_an_accepted_project_stays_as_it_is_and_says_so(run):
    assert conclude(run, Choice.ACCEPT) is ProjectState.ACCEPTED
    assert "accepted as it is" in run.comments()[-1]
    assert AuditTag.PROJECT_ACCEPTED in tags(run)
    assert run.app.ports.requests.get(REQUESTS, run.input.subject)[0].state is RequestState.COMPLETED


def reversal(run, step, state, reason=""):
    progress, etag = run.app.ports.progress.get(run.input.instance, step)
    changed = progress.model_copy(update={"reversal": Reversal(state=state, reason=reason)})
    run.app.ports.progress.replace(run.input.instance, step, changed, etag)


def test_a_project_that_was_taken_back_says_what_was_removed(run):
    for step in run.plan.steps:
        first = step.id in {"azure_devops.project", STEP}
        reversal(run, step.id, ReversalState.REMOVED if first else ReversalState.WITH_CONTAINER)
    assert conclude(run, Choice.COMPENSATE) is ProjectState.COMPENSATED
    said = run.comments()[-1]
    assert "removed again" in said
    assert said.count("♻️ removed") == len(run.plan.steps)
    assert AuditTag.PROJECT_COMPENSATED in tags(run)


def test_what_could_not_be_removed_is_named_and_nothing_is_claimed(run):
    reversal(run, "azure_devops.hook", ReversalState.WITH_CONTAINER)
    reversal(run, "azure_devops.project", ReversalState.FAILED, "you may not delete projects")
    assert conclude(run, Choice.COMPENSATE) is ProjectState.FAILED
    said = run.comments()[-1]
    assert "you may not delete projects" in said
    assert "♻️ removed" not in said
    assert said.count("⚠️ still there") == 2
    assert "azure_devops.project" in record(run).reason
