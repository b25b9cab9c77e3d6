"""The notifications step: those named are told once on Azure DevOps, and GitHub's *not supported* is shown."""

from __future__ import annotations

import pytest

from shared.domain.forge import ForgeName, Notification, NotificationEvent
from shared.domain.plan import ReversalState, StepState
from shared.errors import DefectError, RefusedError, TransientError
from shared.projects.planning import plan_for
from tests.fakes.app import App, a_connection, a_request
from tests.fakes.forges import Fault
from tests.fakes.steps import Bench

STEP = "azure_devops.notifications"
ASKED = [
    {"event": "build_failed", "to": ["crew@acme.example", "Crew@acme.example", "ada@acme.example"]},
    {"event": "work_item_assigned"},
]
TOLD = [
    (NotificationEvent.BUILD_FAILED, "crew@acme.example"),
    (NotificationEvent.BUILD_FAILED, "ada@acme.example"),
    (NotificationEvent.WORK_ITEM_ASSIGNED, ""),
]


def drawn(app, **asked):
    plan, scaffolds = plan_for(app.ports, a_request(**asked), app.connect_to(a_connection()), 2026)
    for packed in scaffolds.values():
        app.artifacts.put(packed, "application/zip")
    return Bench(app, plan)


@pytest.fixture
def bench():
    return drawn(App(), notifications=ASKED)


@pytest.fixture
def azure(bench):
    return bench.app.azure


def told(azure):
    return [(one.event, one.address) for one in azure.told]


def test_everybody_named_is_told_once_and_it_is_read_back(bench, azure):
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.APPLIED
    assert told(azure) == TOLD
    assert outcome.reason == "3 of 3 notifications"
    assert outcome.observed["notifications"][-1] == "work item assigned to the default team"


def test_the_second_time_it_is_confirmed_with_one_read(bench, azure):
    assert bench.twice(STEP).state is StepState.CONFIRMED
    azure.calls.clear()
    bench.attempt(STEP)
    assert azure.calls == ["notifications"]


def test_whom_people_tell_no_longer_is_not_told_again(bench, azure):
    bench.made(STEP)
    del azure.told[0]
    outcome = bench.attempt(STEP)
    assert (outcome.state, outcome.reason) == (StepState.CONFIRMED, "2 of 3 notifications")
    assert len(azure.told) == 2


def test_what_is_told_already_is_not_told_twice(bench, azure):
    azure.told.append(Notification(id="x", event=NotificationEvent.BUILD_FAILED, address="CREW@acme.example"))
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert len(azure.told) == 3


@pytest.mark.parametrize("fault", [Fault.LOST, Fault.REFUSED, Fault.TRANSIENT])
def test_after_a_fault_there_is_one_of_each(bench, azure, fault):
    azure.fail("create_notification", fault)
    with pytest.raises(RefusedError if fault is Fault.REFUSED else TransientError):
        bench.attempt(STEP)
    assert bench.attempt(STEP).state is StepState.APPLIED
    assert told(azure) == TOLD


def test_it_waits_until_the_service_shows_them(bench, azure):
    azure.create_notification("Order Desk", Notification(event=NotificationEvent.PULL_REQUEST_CREATED))
    azure.told_unseen = 2
    outcome = bench.attempt(STEP)
    assert outcome.state is StepState.WAITING
    assert "build failed to crew@acme.example" in outcome.reason
    assert bench.attempt(STEP).state is StepState.CONFIRMED


def test_on_github_it_is_shown_as_not_supported_and_nothing_is_called(bench):
    outcome = bench.attempt("github.notifications")
    assert outcome.state is StepState.UNSUPPORTED
    assert "nobody can for them" in outcome.reason
    assert "watch" in outcome.remedy
    assert bench.reversed("github.notifications").state is ReversalState.KEPT
    assert bench.app.github.calls == []


@pytest.mark.parametrize("forge", ForgeName)
def test_only_the_forges_of_the_request_have_the_step(forge):
    steps = {step.id for step in drawn(App(), notifications=ASKED, forges=[forge]).plan.steps}
    assert {one for one in steps if one.endswith("notifications")} == {f"{forge}.notifications"}


def test_a_request_that_names_nobody_has_no_such_step():
    assert not [step for step in drawn(App()).plan.steps if step.kind == "notifications"]


def test_notifications_that_are_no_list_are_a_defect_of_the_plan(bench):
    with pytest.raises(DefectError, match="not a list"):
        bench.attempt(STEP, notifications="all")


def test_taken_back_those_that_were_there_before_stay(bench, azure):
    bench.made("azure_devops.project")
    bench.of_an_earlier_run()
    azure.told.append(Notification(id="x", event=NotificationEvent.WORK_ITEM_ASSIGNED))
    bench.made(STEP)
    assert bench.reversed(STEP).state is ReversalState.REMOVED
    assert [one.id for one in azure.told] == ["x"]
