"""A run that ended in the engine without a word is ended on record, by what its steps came to, and once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.audit import TENANT, AuditTag
from shared.domain.delivery import RequestState
from shared.domain.plan import StepState
from shared.domain.run import Conclusion, ProjectState, Refusal
from shared.errors import ConflictError
from shared.projects.admission import admit
from shared.projects.answering import conclude, refuse
from shared.projects.lost import quiet_runs, settle, taken_up
from shared.projects.planning import draw_plan
from shared.projects.ports import REQUESTS
from tests.fakes.app import App, a_request, an_issue


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


@pytest.fixture
def run(app):
    run = app.run_for(app.github.open_issue(an_issue()))
    assert admit(app.ports, run).admitted
    return run


def states(app, run):
    return app.ports.requests.get(REQUESTS, run.subject)[0].state, app.ports.project("order-desk").state


def end_steps(app, run, state):
    draw_plan(app.ports, run, "order-desk")
    for step in app.ports.steps(run.instance):
        _, etag = app.ports.progress.get(run.instance, step.step)
        app.ports.progress.replace(run.instance, step.step, step.model_copy(update={"state": state}), etag)


def test_one_that_was_cut_short_has_failed_with_the_reason_everywhere(app, run):
    draw_plan(app.ports, run, "order-desk")
    for _ in range(2):
        settle(app.ports, run, "TERMINATED")
    assert states(app, run) == (RequestState.FAILED, ProjectState.FAILED)
    assert "TERMINATED" in app.ports.project("order-desk").reason
    assert app.tags("order-desk").count(AuditTag.PROJECT_FAILED) == 1
    assert len(app.github.comments(an_issue().ref, 7)) == 1


@pytest.mark.parametrize(
    ("state", "ends"),
    [
        (StepState.APPLIED, (RequestState.COMPLETED, ProjectState.COMPLETED)),
        (StepState.FAILED, (RequestState.FAILED, ProjectState.FAILED)),
    ],
)
def test_one_whose_steps_had_all_ended_is_what_they_came_to(app, run, state, ends):
    end_steps(app, run, state)
    settle(app.ports, run, "FAILED")
    assert states(app, run) == ends


def test_one_that_wrote_its_end_down_meanwhile_is_left_alone(app, run):
    end_steps(app, run, StepState.APPLIED)
    conclude(app.ports, Conclusion(run=run, project="order-desk", states={}))
    before = (states(app, run), app.events("order-desk"))
    settle(app.ports, run, "COMPLETED")
    settle(app.ports, run.model_copy(update={"instance": "github-issue-77.2"}), "COMPLETED")
    assert (states(app, run), app.events("order-desk")) == before


def half_ended(app, run):
    end_steps(app, run, StepState.APPLIED)
    record, etag = app.ports.requests.get(REQUESTS, run.subject)
    half = record.model_copy(update={"state": RequestState.COMPLETED})
    app.ports.requests.replace(REQUESTS, run.subject, half, etag)


def test_one_whose_end_was_written_by_half_is_quiet_too_and_ends_whole(app, run):
    half_ended(app, run)
    assert quiet_runs(app.ports, timedelta(0)) == (run,)
    settle(app.ports, run, "FAILED")
    assert states(app, run) == (RequestState.COMPLETED, ProjectState.COMPLETED)
    assert quiet_runs(app.ports, timedelta(0)) == ()


def test_one_whose_end_was_written_by_half_ends_whole_when_it_is_started_again(app, run):
    half_ended(app, run)
    assert admit(app.ports, run).admitted
    draw_plan(app.ports, run, "order-desk")
    conclude(app.ports, Conclusion(run=run, project="order-desk", states={}))
    assert states(app, run) == (RequestState.COMPLETED, ProjectState.COMPLETED)


def test_one_that_claimed_nothing_is_given_up_so_that_it_can_be_asked_for_again(app, run):
    other = app.api_run(a_request())
    record, _ = app.ports.requests.get(REQUESTS, run.subject)
    kept = {"subject": other.subject, "instance": other.instance, "project": "", "start": other}
    app.ports.requests.create(REQUESTS, other.subject, record.model_copy(update=kept))
    settle(app.ports, other, "FAILED")
    assert app.ports.requests.get(REQUESTS, other.subject)[0].state is RequestState.FAILED
    assert states(app, run) == (RequestState.RUNNING, ProjectState.RUNNING)
    assert app.tags(TENANT) == [AuditTag.REQUEST_REFUSED]


@pytest.fixture
def refusal(app):
    run = app.run_for(app.github.open_issue(an_issue("no form")))
    return Refusal(run=run, admission=admit(app.ports, run))


def test_a_refusal_that_was_not_said_is_quiet_and_is_said_once(app, refusal):
    assert quiet_runs(app.ports, timedelta(0)) == (refusal.run,)
    assert not admit(app.ports, refusal.run).admitted
    for _ in range(2):
        refuse(app.ports, refusal)
    assert len(app.github.comments(an_issue().ref, 7)) == 1
    assert quiet_runs(app.ports, timedelta(0)) == ()
    assert app.ports.requests.get(REQUESTS, refusal.run.subject)[0].state is RequestState.REFUSED


def test_a_refusal_whose_run_ended_before_it_was_said_is_not_offered_for_ever(app, refusal):
    settle(app.ports, refusal.run, "FAILED")
    assert quiet_runs(app.ports, timedelta(0)) == ()
    assert app.tags(TENANT) == [AuditTag.REQUEST_REFUSED]


def test_a_refusal_said_while_its_request_went_on_changes_no_later_run(app, refusal):
    later = app.run_for(an_issue(), run=2)
    assert admit(app.ports, later).admitted
    refuse(app.ports, refusal)
    assert quiet_runs(app.ports, timedelta(0)) == (later,)


def test_a_refusal_said_by_two_at_once_is_said(app, refusal, monkeypatch):
    def conflict(*given):
        raise ConflictError("changed")

    monkeypatch.setattr(app.ports.requests, "replace", conflict)
    assert refuse(app.ports, refusal)


def test_each_time_a_run_is_taken_up_is_on_record(app, run):
    for _ in range(2):
        taken_up(app.ports, run)
        app.clock.advance(timedelta(minutes=5))
    assert app.tags("order-desk").count(AuditTag.RUN_RESTARTED) == 2


def test_a_requester_taken_off_the_list_meanwhile_stops_no_run_that_was_let_in(app, run):
    app.connect_to(app.ports.connection("acme").model_copy(update={"requesters": ()}))
    assert admit(app.ports, run).admitted
    assert states(app, run) == (RequestState.RUNNING, ProjectState.RUNNING)
