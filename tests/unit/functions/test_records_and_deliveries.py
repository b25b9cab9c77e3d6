"""Reading the record page by page, proving it, and handling deliveries: off the queue, kept, listed, replayed."""

from __future__ import annotations

import json
import logging
from datetime import timedelta

import azure.functions as func
import pytest
from durabletask.client import OrchestrationStatus

from functions import audit, deliveries, sweep
from shared.domain.audit import TENANT, AuditTag, NewAuditEvent
from shared.domain.delivery import DeliveryState, Envelope
from shared.domain.run import ProjectState
from shared.domain.simulation import AskedSimulation, SimulationState
from shared.errors import TransientError
from shared.projects.admission import admit
from shared.reviews.simulations import begin as begin_simulation
from shared.reviews.simulations import kept as kept_simulation
from tests.fakes.app import a_request, an_issue
from tests.fakes.app import issues_payload as payload
from tests.unit.functions.conftest import user_function


@pytest.fixture
def log(app):
    for number in range(7):
        app.audit.append(
            "order-desk", NewAuditEvent(tag=AuditTag.PLAN_DRAWN, instance="i", step=str(number), subject="s")
        )


def test_the_record_is_read_page_by_page(app, call, log):
    seen, cursor = [], ""
    while cursor is not None:
        page = call(audit.read_record, route={"project": "order-desk"}, limit="3", cursor=cursor)
        assert page.status == 200
        seen += [event["sequence"] for event in page.body["events"]]
        cursor = page.body["next_cursor"]
        assert ("Link" in page.headers) == (cursor is not None)
    assert seen == list(range(7))
    assert page.body["head"]["root"] == app.audit.head("order-desk").root


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cursor", "-1"),
        ("cursor", "x"),
        ("cursor", "²"),
        ("cursor", "9" * 5000),
        ("limit", "0"),
        ("limit", "501"),
        ("limit", "1.5"),
    ],
)
def test_numbers_out_of_range_are_refused(app, call, log, name, text):
    answer = call(audit.read_record, route={"project": "order-desk"}, **{name: text})
    assert answer.status == 400
    assert answer.body["detail"].startswith(f"{name} is ")


def test_there_is_no_record_of_nothing_but_always_of_the_tenant(app, call):
    assert call(audit.read_record, route={"project": "nothing"}).status == 404
    assert call(audit.verify_record, route={"project": "nothing"}).status == 404
    assert call(audit.read_record, route={"project": TENANT}).body["events"] == []
    assert call(audit.read_record, route={"project": "x" * 600}).status in {400, 404}


def test_a_whole_record_is_proved_and_a_changed_one_is_not(app, call, log):
    assert call(audit.verify_record, route={"project": "order-desk"}).body["ok"] is True
    app.audit.tamper("order-desk", 3, subject="else")
    assert call(audit.verify_record, route={"project": "order-desk"}).body["ok"] is False


def test_a_record_with_events_missing_is_not_proved(app, call, log, monkeypatch):
    monkeypatch.setattr(app.audit, "events", lambda *given: [])
    assert call(audit.verify_record, route={"project": "order-desk"}).body["ok"] is False


def message(body, count: int = 1) -> func.QueueMessage:
    text = body if isinstance(body, bytes) else body.encode()

    class Message(func.QueueMessage):
        dequeue_count = count

        def get_body(self):
            return text

    return Message()


def envelope(app, content, **changes):
    given = {
        "forge": "github",
        "id": "d-1",
        "event": "issues",
        "received_at": app.clock.now(),
        "body": json.dumps(content),
    }
    return Envelope.model_validate(given | changes).model_dump_json()


def take(body, client, count=1):
    user_function(deliveries.handle_delivery)(message(body, count), client)


def test_a_delivery_starts_its_run_once(app, client):
    app.connect_to()
    take(envelope(app, payload()), client)
    take(envelope(app, payload() | {"action": "labeled"}, id="d-2"), client)
    assert list(client.started) == ["github-issue-77.1"]
    assert app.keeper.find("d-1").state is DeliveryState.HANDLED
    doubled = app.keeper.find("d-2")
    assert (doubled.state, doubled.reason) == (DeliveryState.DUPLICATE, "the run had begun already")


def test_a_delivery_that_can_never_be_handled_is_kept_at_once_with_its_reason(app, client):
    take(envelope(app, {"action": "opened"}), client)
    record = app.keeper.find("d-1")
    assert (record.state, record.attempts) == (DeliveryState.POISONED, 1)
    assert "is not what that event promises: issue" in record.reason


def test_an_engine_that_is_away_is_waited_for_by_the_queue(app, client):
    app.connect_to()
    client.away = True
    with pytest.raises(TransientError):
        take(envelope(app, payload()), client)
    assert app.keeper.find("d-1").state is DeliveryState.FAILING


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"no"])
def test_a_message_that_is_no_envelope_ends_among_the_poisoned(app, client, caplog, body):
    with pytest.raises(ValueError, match="validation error"):
        take(body, client)
    with caplog.at_level(logging.ERROR):
        user_function(deliveries.keep_poisoned)(message(body))
    (record,) = app.keeper.listed(DeliveryState.POISONED)
    assert record.id.startswith("unreadable-")
    assert record.id in caplog.text


def test_deliveries_are_listed_shown_and_replayed(app, call, client):
    user_function(deliveries.keep_poisoned)(message(envelope(app, payload())))
    listed = call(deliveries.list_deliveries, state="poisoned").body["deliveries"]
    assert [row["id"] for row in listed] == ["d-1"]
    assert "body" not in listed[0]["envelope"]
    assert call(deliveries.list_deliveries, state="handled").body["deliveries"] == []
    assert call(deliveries.show_delivery, route={"id": "d-1"}).body["envelope"]["body"]
    replayed = call(deliveries.replay_delivery, "POST", route={"id": "d-1"})
    assert (replayed.status, replayed.body["state"]) == (202, "queued_again")
    app.connect_to()
    take(app.queue.messages[0], client)
    assert list(client.started) == ["github-issue-77.1"]


def test_a_replay_goes_past_a_run_that_ended(app, client):
    from shared.domain.delivery import RequestState
    from tests.fakes.app import an_ended_request

    app.connect_to()
    an_ended_request(app, RequestState.COMPLETED)
    take(envelope(app, payload(), replay=1), client)
    assert list(client.started) == ["github-issue-77.2"]


def test_what_was_never_readable_cannot_be_replayed(app, call):
    user_function(deliveries.keep_poisoned)(message(b"no"))
    (record,) = app.keeper.listed()
    answer = call(deliveries.replay_delivery, "POST", route={"id": record.id})
    assert answer.status == 409
    assert record.raw in answer.body["remedy"]


@pytest.mark.parametrize("params", [{"state": "odd"}, {"limit": "0"}, {"limit": "1001"}, {"limit": "²"}])
def test_lists_refuse_what_they_do_not_know(app, call, params):
    assert call(deliveries.list_deliveries, **params).status == 400


def test_unknown_deliveries_are_not_found(app, call):
    assert call(deliveries.show_delivery, route={"id": "nothing"}).status == 404
    assert call(deliveries.replay_delivery, "POST", route={"id": "nothing"}).status == 404
    assert call(deliveries.show_delivery, route={"id": "x" * 600}).status == 400


def test_the_timer_sweeps_and_tells_what_it_could_not_see(app, client, caplog):
    app.connect_to()
    app.unreachable["acme"] = TransientError("GitHub is away")
    with caplog.at_level(logging.INFO):
        user_function(sweep.sweep_deliveries)(None, client)
    assert "acme: GitHub is away" in caplog.text
    app.unreachable.clear()
    app.github.open_issue(an_issue())
    user_function(sweep.sweep_deliveries)(None, client)
    assert len(app.queue.messages) == 1


def lost(app, client, run=None) -> None:
    """A run that was admitted, and of which the engine knows nothing; long enough ago."""
    app.connect_to()
    assert admit(app.ports, run or app.run_for(app.github.open_issue(an_issue()))).admitted
    app.clock.advance(timedelta(seconds=app.services().settings.lost_after_seconds))
    client.started.clear()


@pytest.mark.parametrize("origin", ["issue", "call"])
def test_the_sweep_takes_up_what_the_engine_lost_each_time_and_nothing_else(app, client, origin):
    lost(app, client, app.api_run(a_request()) if origin == "call" else None)
    for taken in (1, 2):
        for _ in range(3):
            user_function(sweep.sweep_deliveries)(None, client)
        assert len(client.started) == 1
        assert app.tags("order-desk").count(AuditTag.RUN_RESTARTED) == taken
        client.started.clear()
        app.clock.advance(timedelta(hours=1))
    assert app.keeper.listed() == []


def test_the_sweep_puts_a_run_that_ended_unheard_on_record_and_starts_nothing(app, client):
    lost(app, client)
    client.ends["github-issue-77.1"] = OrchestrationStatus.TERMINATED
    for _ in range(2):
        user_function(sweep.sweep_deliveries)(None, client)
    assert client.started == {}
    assert app.ports.project("order-desk").state is ProjectState.FAILED
    assert app.tags("order-desk").count(AuditTag.PROJECT_FAILED) == 1


def test_an_engine_that_is_away_stops_no_sweep(app, client, caplog):
    lost(app, client)
    client.away = True
    with caplog.at_level(logging.ERROR):
        user_function(sweep.sweep_deliveries)(None, client)
    assert "github-issue-77.1 could not be taken up" in caplog.text
    client.away = False
    user_function(sweep.sweep_deliveries)(None, client)
    assert list(client.started) == ["github-issue-77.1"]


@pytest.fixture
def simulated(app):
    asked = AskedSimulation(id="simulation-1", project="order-desk", policy="")
    asked = begin_simulation(app.reviews, asked, "stages: {}")
    app.clock.advance(timedelta(seconds=app.services().settings.lost_after_seconds + 1))
    return asked


def test_the_sweep_takes_up_a_simulation_that_the_engine_lost_once(app, client, simulated):
    for _ in range(2):
        user_function(sweep.sweep_pull_requests)(None, client)
    assert client.started == {simulated.id: ("simulation", simulated.model_dump(mode="json"))}


def test_a_simulation_that_began_just_now_is_left_to_the_engine(app, client):
    begin_simulation(app.reviews, AskedSimulation(id="simulation-2", project="order-desk", policy=""), "stages: {}")
    user_function(sweep.sweep_pull_requests)(None, client)
    assert client.started == {}


def test_the_sweep_ends_a_simulation_whose_run_ended_without_a_word(app, client, simulated):
    client.ends[simulated.id] = OrchestrationStatus.TERMINATED
    for _ in range(2):
        user_function(sweep.sweep_pull_requests)(None, client)
    assert client.started == {}
    record = kept_simulation(app.reviews, simulated.id)
    assert (record.state, record.reason) == (SimulationState.FAILED, "its run ended as terminated")


def test_a_simulation_is_offered_again_while_the_engine_is_away(app, client, simulated, caplog):
    client.away = True
    user_function(sweep.sweep_pull_requests)(None, client)
    assert f"{simulated.id} could not be taken up" in caplog.text
    assert kept_simulation(app.reviews, simulated.id).state is SimulationState.RUNNING
    client.away = False
    user_function(sweep.sweep_pull_requests)(None, client)
    assert list(client.started) == [simulated.id]


def test_a_delivery_takes_up_what_the_engine_lost_and_doubles_nothing(app, client):
    lost(app, client)
    take(envelope(app, payload()), client)
    assert app.keeper.find("d-1").state is DeliveryState.HANDLED
    take(envelope(app, payload()), client)
    assert app.keeper.find("d-1").state is DeliveryState.DUPLICATE
    assert list(client.started) == ["github-issue-77.1"]
    assert app.tags("order-desk").count(AuditTag.RUN_RESTARTED) == 1


def test_a_replay_goes_past_a_run_that_ended_unheard(app, client):
    lost(app, client)
    client.ends["github-issue-77.1"] = OrchestrationStatus.FAILED
    take(envelope(app, payload()), client)
    assert app.keeper.find("d-1").state is DeliveryState.DUPLICATE
    assert client.started == {}
    take(envelope(app, payload(), replay=1), client)
    assert list(client.started) == ["github-issue-77.2"]
