"""The sweep finds what webhooks missed, on every connection it can reach, and repeats nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.domain.audit import TENANT, AuditTag
from shared.domain.delivery import DeliveryState, Envelope, RequestState
from shared.domain.forge import MissedEvent
from shared.errors import RefusedError, TransientError
from shared.intake.handling import Handling, handle
from shared.intake.sweeping import sweep
from shared.projects.admission import admit
from shared.projects.ports import REQUESTS
from tests.fakes.app import App, a_connection, a_request, an_issue, form
from tests.fakes.app import an_ended_request as ended
from tests.fakes.forges import Fault, failed_delivery

QUIET = timedelta(minutes=5)


@pytest.fixture
def app():
    app = App()
    app.connect_to()
    return app


def swept(app: App, large: int = 24 * 1024):
    return sweep(app.ports, app.keeper, lookback=timedelta(hours=72), large=large, quiet=QUIET)


def test_an_issue_nobody_told_us_of_is_queued_as_if_delivered(app):
    issue = app.github.open_issue(an_issue())
    assert len(swept(app).queued) == 1
    envelope = Envelope.model_validate_json(app.queue.messages[0])
    handling = handle(app.ports, envelope, deadline_seconds=1, pause_seconds=1)
    assert handling.start
    assert handling.start.content_digest == app.run_for(issue).content_digest
    assert handling.start.instance == "github-issue-77.1"
    assert app.tags(TENANT) == [AuditTag.DELIVERY_SWEPT]


def test_sweeps_that_overlap_are_one_delivery_and_one_record(app):
    app.github.open_issue(an_issue())
    swept(app)
    swept(app)
    assert len({Envelope.model_validate_json(message).id for message in app.queue.messages}) == 1
    assert app.tags(TENANT) == [AuditTag.DELIVERY_SWEPT]


@pytest.mark.parametrize("state", RequestState)
def test_a_request_that_was_seen_is_left_alone_unless_edited_after_a_refusal(app, state):
    app.github.open_issue(an_issue())
    ended(app, state)
    assert swept(app).queued == ()
    app.github.open_issue(an_issue(form(Owner="robin")))
    assert len(swept(app).queued) == (state is RequestState.REFUSED)


@pytest.mark.parametrize("changes", [{"state": "closed"}, {"labels": ()}])
def test_what_is_no_request_is_not_queued(app, changes):
    app.github.open_issue(an_issue(**changes))
    assert swept(app).queued == ()


def test_a_long_request_travels_by_reference(app):
    app.github.open_issue(an_issue(form(Description="x" * 3000)))
    swept(app, large=1000)
    assert Envelope.model_validate_json(app.queue.messages[0]).claim


def test_failed_deliveries_we_never_saw_are_asked_for_again(app):
    app.github.failed = [failed_delivery("seen"), failed_delivery("unseen")]
    envelope = Envelope(forge="github", id="seen", event="issues", received_at=app.clock.now())
    app.keeper.handled(envelope, Handling(state=DeliveryState.IGNORED), 1)
    assert swept(app).redelivered == 1
    assert [delivery.guid for delivery in app.github.redelivered] == ["unseen"]


def test_deliveries_before_the_lookback_are_not_asked_for(app):
    app.github.failed = [failed_delivery("old", app.clock.now() - timedelta(hours=73))]
    assert swept(app).redelivered == 0


@pytest.mark.parametrize(
    "error", [TransientError("GitHub answers 503"), RefusedError("the token expired", "Renew it.")]
)
def test_a_connection_that_cannot_be_reached_does_not_stop_the_others(app, error):
    app.connect_to(a_connection(id="aaa"))
    app.unreachable["aaa"] = error
    app.github.open_issue(an_issue())
    found = swept(app)
    assert found.problems == (f"aaa: {error.reason}",)
    assert len(found.queued) == 1


def test_a_repository_that_cannot_be_read_is_told(app):
    app.github.fail("open_issues", Fault.REFUSED)
    assert swept(app).problems == ("acme: open_issues: the forge refuses",)


@pytest.mark.parametrize(
    "changes", [{"paused": True}, {"github": {"organization": "acme", "request_repositories": ["acme/requests"]}}]
)
def test_paused_and_unfinished_connections_are_not_looked_at(app, changes):
    app.connect_to(a_connection(**changes))
    app.github.open_issue(an_issue())
    assert swept(app).queued == ()
    assert app.github.calls == []
    assert app.ports.requests.get(REQUESTS, "github-issue-77") is None


def test_service_hooks_azure_devops_gave_up_on_are_queued_once(app):
    run = app.run_for(app.github.open_issue(an_issue()))
    assert admit(app.ports, run).admitted
    event = MissedEvent(
        id="s1-7-e1", event="build.complete", payload='{"eventType": "build.complete"}', at=app.clock.now()
    )
    old = event.model_copy(update={"id": "s1-6-e0", "at": app.clock.now() - timedelta(hours=80)})
    app.azure.missed["Order Desk"] = [old, event]
    assert swept(app).queued == ("s1-7-e1",)
    envelope = Envelope.model_validate_json(app.queue.messages[0])
    assert (envelope.forge, envelope.event, envelope.body) == ("azure_devops", "build.complete", event.payload)
    assert app.tags(TENANT) == [AuditTag.DELIVERY_SWEPT]
    app.keeper.handled(envelope, Handling(state=DeliveryState.IGNORED), 1)
    assert swept(app).queued == ()


@pytest.mark.parametrize("state", RequestState)
def test_a_run_that_was_quiet_for_long_is_offered_again_and_queues_nothing(app, state):
    app.github.open_issue(an_issue())
    ended(app, state)
    app.clock.advance(QUIET - timedelta(seconds=1))
    assert swept(app).quiet == ()
    app.clock.advance(timedelta(seconds=1))
    found = [swept(app) for _ in range(3)]
    runs = [run.instance for run in found[0].quiet]
    assert runs == (["github-issue-77.1"] if state in {RequestState.RUNNING, RequestState.REFUSED} else [])
    assert found == [found[0]] * 3
    assert app.queue.messages == []
    assert app.tags(TENANT) == []


def test_the_run_of_a_call_is_offered_as_it_was_asked_for(app):
    run = app.api_run(a_request(backlog=("Take orders",)), requester="lee@acme.example")
    assert admit(app.ports, run).admitted
    app.clock.advance(QUIET)
    assert swept(app).quiet == (run,)


def test_a_quiet_run_is_offered_while_the_forges_are_away(app):
    ended(app, RequestState.RUNNING)
    app.clock.advance(QUIET)
    app.unreachable["acme"] = TransientError("GitHub is away")
    found = swept(app)
    assert (len(found.quiet), len(found.problems)) == (1, 1)


def test_the_runs_of_a_paused_connection_wait_until_it_is_resumed(app):
    ended(app, RequestState.RUNNING)
    app.clock.advance(QUIET)
    app.connect_to(a_connection(paused=True))
    assert swept(app).quiet == ()
    app.connect_to()
    assert len(swept(app).quiet) == 1
